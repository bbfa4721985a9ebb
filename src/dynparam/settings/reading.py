"""Files and text as mappings, and what is wrong with them in one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from dynparam.support.errors import ConfigError

PACKAGED = Path(__file__).parent / "defaults"
"""The files of ``config/``, by name: what is read in a directory that has none."""


def read(source: str | Path) -> dict[str, Any]:
    """One source as a mapping. Raises ``ConfigError`` if it cannot be read or is not a mapping."""
    if _is_json(source):
        text, name = str(source), "the command line"
    else:
        name = str(source)
        try:
            text = _own_or_packaged(Path(source)).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"{name}: cannot read the configuration ({error.strerror}); check the path"
            ) from None
    try:
        values = yaml.safe_load(text)
    except RecursionError:
        raise ConfigError(f"{name}: nested too deep for a configuration; correct it there") from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise ConfigError(f"{name}: not valid YAML{line}; correct it there") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{name}: a configuration is a mapping of keys to values; this is not")
    return values


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``over`` put in, mappings merged key by key; inputs stay unchanged."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def describe(error: ValidationError, stage: type[BaseModel]) -> str:
    """The first problem of a validation error as one sentence that names the key and the remedy."""
    problem = error.errors()[0]
    path = [str(part) for part in problem["loc"]]
    key = ".".join(path)
    if problem["type"] == "extra_forbidden":
        return _unknown_key(key, _keys_at(stage, path[:-1]))
    if problem["type"] == "missing":
        return f"key {key!r} is missing; add it (config/thesis.yaml shows every key)"
    if problem["type"] == "value_error":
        reason = str(problem["ctx"]["error"])
        return f"{key}: {reason}" if key else reason
    return f"key {key!r} has the value {problem['input']!r}, which is not allowed: {problem['msg']}"


def _own_or_packaged(path: Path) -> Path:
    """``path``; where there is no ``config/NAME``, the file of that name that came with the package.

    Raises ``ConfigError`` if ``config/NAME`` is no file.
    """
    if path.parent != Path("config"):
        return path
    if path.exists() and not path.is_file():
        # A pipe that was asked for is read; one that lies where a file is looked for holds up.
        raise ConfigError(f"{path}: not a regular file; remove it, or name a configuration by --config")
    return path if path.exists() else PACKAGED / path.name


def _is_json(source: str | Path) -> bool:
    return isinstance(source, str) and source.lstrip().startswith("{")


def _unknown_key(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key.rsplit(".", 1)[-1], known, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"known keys here: {', '.join(known)}."
    return f"unknown key {key!r}; {remedy}"


def _keys_at(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """The keys allowed where a path leads; mappings of free names are stepped over."""
    here: Any = model
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(part)
            here = field.annotation if field else None
        else:
            here = next(
                (a for a in get_args(here) if isinstance(a, type) and issubclass(a, BaseModel)),
                None,
            )
    if isinstance(here, type) and issubclass(here, BaseModel):
        return list(here.model_fields)
    return []
