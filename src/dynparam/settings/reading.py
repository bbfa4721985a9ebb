"""Files and text as mappings, and what is wrong with them in one sentence."""

from __future__ import annotations

import difflib
import re
import stat
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from dynparam.support.errors import ConfigError

PACKAGED = Path(__file__).parent / "defaults"
"""The files of ``config/``, by name: what is read in a directory that has none."""

THESIS = "config/thesis.yaml"
"""What every source is merged over; of the package where the working directory has none."""

ONLY = "only="
"""What a source begins with that is merged over nothing, as the workflow's jobs pass theirs."""

DEEPEST = 20
"""Levels of mappings and lists; ``config/thesis.yaml`` has five."""

MOST_VALUES = 20_000
"""Values of a configuration, an alias counted as often as it stands there."""

LARGEST_BYTES = 1 << 20

LONGEST_KEY = 100

LONGEST_LINK = 200
"""Bytes of a file that stands in place of a symbolic link."""

LONGEST_NUMBER = 100

SHOWN_CHARACTERS = 120

PLAIN = ("bool", "float", "int", "map", "merge", "null", "seq", "str")
"""The kinds of YAML that are read; dates are text, since no key is one."""

ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
"""A key with its value, as Snakemake's ``--config`` takes it."""

DECIMAL = re.compile(
    r"[-+]?(0|[1-9][0-9_]*|[0-9_]*\.[0-9_]*(e[-+]?[0-9]+)?|[0-9_]+e[-+]?[0-9]+|\.inf|\.nan)", re.I
)
"""Not 010, which is 8 in YAML, nor 1:30, which is 90."""

TAKEN: Mapping[str, str] = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "finite_number": "a finite number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "text",
    "string_unicode": "text that can be written in UTF-8",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "string_pattern_mismatch": "text of the form {pattern}",
    "path_type": "the path of a file",
    "literal_error": "{expected}",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "keys with their values"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    "too_long": "no more than {max_length} entries",
    "too_short": "{min_length} or more entries",
}
"""What a key takes, by the name that pydantic gives the problem with another value."""

KEY_PROBLEMS: Mapping[str, str] = {"missing": "it is missing", "extra_forbidden": "it is no key here"}
"""The same of problems that are not the value's."""

READ_UNLIKE = re.compile(r"[\t\ufeff!]|[|>]#")
"""Tabs, byte order marks, tags, a comment at the mark of a block: the parsers take them differently."""


def read(source: str | Path) -> dict[str, Any]:
    """One source as a mapping. Raises ``ConfigError`` if it cannot be read or is not a mapping.

    A source is a YAML file, JSON text, or a key with its value: ``probe={trials: 100}``. YAML is read
    as it is meant here: keys are text and stand once, numbers are decimal, dates are text, and tags of
    other languages are no part of it.
    """
    name, assigned = name_of(source), _assigned(source)
    try:
        if assigned is not None:
            values = {assigned[1]: _parsed(assigned[2])}
        else:
            values = _parsed(str(source) if _is_json(source) else _text(Path(source)))
    except RecursionError:
        raise ConfigError(f"{name}: nested too deeply; a configuration has {DEEPEST} levels") from None
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{name}: not valid YAML{_place_and_problem(error)}; correct it there"
        ) from None
    if values is None:
        raise ConfigError(f"{name}: empty; write keys and values into it, or leave it out")
    if not isinstance(values, dict):
        raise ConfigError(f"{name}: a configuration is a mapping of keys to values; this is not")
    require_plain(values, name)
    return values


def name_of(source: str | Path) -> str:
    """What messages call a source: its file, or the command line."""
    return "the command line" if _is_json(source) or _assigned(source) else str(source)


def require_plain(values: Mapping[Any, Any], origin: str) -> None:
    """Raise ``ConfigError`` unless ``values`` are mappings and lists, of plain text and numbers.

    Keys are short text, nothing is nested too deeply or too large, all text can be written to a file:
    what pydantic is given after that, it can tell about in a sentence. ``origin`` names the source.
    """
    waiting: list[tuple[str, Any, int]] = [("", values, 0)]
    seen = 0
    while waiting:
        where, value, level = waiting.pop()
        seen += 1
        if level > DEEPEST:
            raise ConfigError(f"{origin}: nested too deeply; a configuration has {DEEPEST} levels")
        if seen > MOST_VALUES:
            raise ConfigError(f"{origin}: more than {MOST_VALUES} values; is it a configuration?")
        if isinstance(value, Mapping):
            for key, inner in value.items():
                _require_key(key, where, origin)
                waiting.append((f"{where}.{key}" if where else key, inner, level + 1))
        elif isinstance(value, (list, tuple)):
            waiting += [(where, inner, level + 1) for inner in value]
        elif isinstance(value, str) and not _is_writable(value):
            raise ConfigError(
                f"{origin}: {where} has characters that no text file can have; remove them"
            )


def _require_key(key: object, where: str, origin: str) -> None:
    if not isinstance(key, str):
        inside = f" in {where}" if where else ""
        raise ConfigError(f"{origin}: the key {shown(key)}{inside} is not text; put it in quotes")
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise ConfigError(f"{origin}: the key {shown(key)} is no name; shorten or correct it")


def _is_writable(text: str) -> bool:
    """Whether text has neither control characters, but for ends of lines, nor halves of characters."""
    return text.isprintable() or not any(
        unicodedata.category(c) in ("Cc", "Cs") for c in text if c != "\n"
    )


def _text(path: Path) -> str:
    """What a file holds. Raises ``ConfigError`` unless it is a file of UTF-8."""
    try:
        path = _own_or_packaged(path)
        kind = path.stat()
        if not stat.S_ISREG(kind.st_mode):  # a pipe would be waited for without end
            raise ConfigError(f"{path}: not a file; write the configuration into one, and name that")
        if kind.st_size > LARGEST_BYTES:
            raise ConfigError(f"{path}: larger than {LARGEST_BYTES} bytes; is it a configuration?")
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot read the configuration ({error.strerror}); check the path"
        ) from None
    except UnicodeDecodeError:
        text = "\0"
    except ValueError:
        raise ConfigError(f"{str(path)!r} is no name of a file; check the path") from None
    if "\0" in text:
        raise ConfigError(f"{path}: not text in UTF-8; save it in that encoding")
    return text


def _place_and_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    place = f" at line {mark.line + 1}" if mark else ""
    return f"{place} ({_shortened(str(problem), 2 * SHOWN_CHARACTERS)})" if problem else place


def _parsed(text: str) -> Any:
    """YAML without its surprises. Raises ``YAMLError`` that says what is wrong, ``RecursionError``.

    The parser in C takes a tenth of the time. What it refuses, the one in Python tells of, so that a
    sentence does not depend on what is installed.
    """
    quick = _quick_loader()
    if quick is not None and not READ_UNLIKE.search(text):
        with suppress(yaml.YAMLError, ValueError, RecursionError):
            return yaml.load(text, Loader=quick)  # a loader of plain values alone
    return yaml.load(text, Loader=_Loader)  # likewise


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    """An integer or a real number. Raises a ``YAMLError`` for other than short decimal ones."""
    text = str(node.value)
    if not DECIMAL.fullmatch(text) or len(text) > LONGEST_NUMBER:
        raise _problem(f"{shown(text)} is no plain decimal number", node)
    kind = node.tag.rpartition(":")[2]
    return loader.construct_yaml_int(node) if kind == "int" else loader.construct_yaml_float(node)


class _Plain:
    """What a loader of either parser makes of YAML: plain values, of keys that are text."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in PLAIN]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors: ClassVar = {
        tag: constructor
        for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in PLAIN
    } | dict.fromkeys(("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"), _number)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """As the library's. Raises a ``YAMLError`` for mappings that explode when merged."""
        super().flatten_mapping(node)  # type: ignore[misc]
        if len(node.value) > MOST_VALUES:
            raise _problem("too many keys are merged here", node)


class _Loader(_Plain, yaml.SafeLoader):
    """By the parser in Python."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """As the library's. Raises a ``YAMLError`` for a key that is not text, or is there twice."""
        node = super().compose_mapping_node(anchor)
        _require_own_keys(node)
        return node


@cache
def _quick_loader() -> type[Any] | None:
    """A loader by the parser in C, where the library has it."""
    if not yaml.__with_libyaml__:
        return None

    class QuickLoader(_Plain, yaml.CSafeLoader):
        def get_single_node(self) -> yaml.Node | None:
            """As the library's. Raises a ``YAMLError`` as the other loader, if not with its sentence."""
            root: yaml.Node | None = super().get_single_node()
            for node in _nodes(root):
                if isinstance(node, yaml.MappingNode):
                    _require_own_keys(node)
                if isinstance(node, yaml.CollectionNode) and node.flow_style:
                    _require_no_question(node)
            return root

    return QuickLoader


def _nodes(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """A node and all below it, each once: aliases are the node that they stand for."""
    waiting, seen = [root] if root is not None else [], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        waiting += _below(node)


def _below(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        yield from (part for pair in node.value for part in pair)
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _require_no_question(node: yaml.CollectionNode) -> None:
    """Question marks between brackets need quotes for the parser in Python alone."""
    for inner in _below(node):
        if isinstance(inner, yaml.ScalarNode) and not inner.style and "?" in inner.value:
            raise _problem("a question mark without quotes", inner)


def _require_own_keys(node: yaml.MappingNode) -> None:
    names: set[str] = set()
    for key, _ in node.value:
        if key.tag.endswith(":merge"):
            continue
        if not key.tag.endswith(":str"):
            text = key.value if isinstance(key, yaml.ScalarNode) else "of several parts"
            raise _problem(f"the key {shown(text)} is not text, put it in quotes", key)
        if key.value in names:
            raise _problem(f"the key {shown(key.value)} is there twice, keep one of them", key)
        names.add(key.value)


def _problem(text: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(problem=text, problem_mark=node.start_mark)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``over`` put in, mappings merged key by key; inputs stay unchanged."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def place_of(error: ValidationError) -> tuple[int | str, ...]:
    """The path of the key that the first problem of a validation error is about."""
    return error.errors()[0]["loc"]


def describe(error: ValidationError, stage: type[BaseModel]) -> str:
    """The first problem of a validation error as one sentence that names the key and the remedy."""
    problem = error.errors()[0]
    path = [str(part) for part in problem["loc"]]
    key = ".".join(path)
    if problem["type"] == "extra_forbidden":
        return unknown_key(key, _keys_at(stage, path[:-1]))
    if problem["type"] == "missing":
        return f"key {key!r} is missing; add it (config/thesis.yaml shows every key)"
    if problem["type"] == "value_error":
        return f"{key}: {reason(problem)}" if key else reason(problem)
    return (
        f"key {key!r} has the value {shown(problem['input'])}, which is not allowed: {reason(problem)}"
    )


def first_problem(error: ValidationError) -> str:
    """The first problem of a validation error: where it is, if that is a part, and why."""
    problem = error.errors()[0]
    where = ".".join(map(str, problem["loc"]))
    return f"{where}: {reason(problem)}" if where else reason(problem)


def reason(problem: Mapping[str, Any]) -> str:
    """Why a value is not taken, of one of the problems that pydantic lists, in words of our own."""
    context = problem.get("ctx", {})
    if problem["type"] == "value_error":
        error = context["error"]  # of a check of ours, which may have read a part as a model of its own
        return first_problem(error) if isinstance(error, ValidationError) else str(error)
    if problem["type"] not in TAKEN:
        return KEY_PROBLEMS.get(problem["type"], "it is of another kind than what is read here")
    numbers = {key: f"{value:g}" for key, value in context.items() if isinstance(value, float)}
    return f"it takes {TAKEN[problem['type']].format(**{**context, **numbers})}"


def shown(value: object) -> str:
    """A value as Python writes it, on one line and no longer than a sentence can bear."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, a mapping of itself
        text = f"of the type {type(value).__name__}"
    return _shortened(text)


def _shortened(text: str, characters: int = SHOWN_CHARACTERS) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain if len(plain) <= characters else f"{plain[:characters]}..."


def _own_or_packaged(path: Path) -> Path:
    """``path``; where there is no ``config/NAME``, the file of that name that came with the package.

    Raises ``ConfigError`` if ``config/NAME`` is no file.
    """
    if path.parent != Path("config"):
        return path
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: not a regular file; remove it, or name a configuration by --config")
    return path if path.exists() else _packaged(path.name)


def _packaged(name: str) -> Path:
    """The file that came with the package.

    In a checkout it is a symbolic link. Where git could make none, a file with the target's path stands
    in its place. Raises ``ConfigError`` if that target is not there.
    """
    path = PACKAGED / name
    try:
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= LONGEST_LINK else ""
    except (OSError, ValueError):  # told of by whoever reads it
        return path
    if not text.strip().endswith(f"/{name}"):
        return path
    target = path.parent / text.strip()
    if not target.is_file():
        raise ConfigError(
            f"{path}: a symbolic link that this checkout could not make, to {text.strip()}, which is "
            "not there; clone with git config core.symlinks=true, or copy the file here"
        )
    return target


def _is_json(source: str | Path) -> bool:
    return isinstance(source, str) and source.lstrip().startswith("{")


def _assigned(source: str | Path) -> re.Match[str] | None:
    return ASSIGNED.fullmatch(source) if isinstance(source, str) else None


def unknown_key(key: str, known: list[str]) -> str:
    """What is wrong with a key that is none of ``known``, with the nearest of them."""
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
