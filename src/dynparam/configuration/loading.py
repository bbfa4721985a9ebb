"""Configurations from files and JSON text: merged, validated, and wrong ones named in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from dynparam.configuration.config import Config
from dynparam.settings.base import Block
from dynparam.settings.reading import (
    ONLY,
    THESIS,
    describe,
    merge,
    name_of,
    place_of,
    read,
    require_plain,
    unknown_key,
)
from dynparam.support.errors import ConfigError

Stage = TypeVar("Stage", bound=Block)

Key = Sequence[int | str]
"""The parts of a key's path: ``("probe", "trials")``."""


def over_thesis(sources: Sequence[str]) -> list[str]:
    """``sources`` after ``config/thesis.yaml``, as Snakemake merges; from the last ``only=`` on, if any.

    Examples:
        >>> over_thesis(["mine.yaml", "probe={trials: 100}"])
        ['config/thesis.yaml', 'mine.yaml', 'probe={trials: 100}']
        >>> over_thesis(["only=mine.yaml", "probe={trials: 100}"])
        ['mine.yaml', 'probe={trials: 100}']
    """
    starts = [place for place, source in enumerate(sources) if source.startswith(ONLY)]
    if not starts:
        return [THESIS, *(source for source in sources if source != THESIS)]
    return [sources[starts[-1]].removeprefix(ONLY), *sources[starts[-1] + 1 :]]


def load(stage: type[Stage], sources: Sequence[str | Path]) -> Stage:
    """Merge ``sources`` in order and return the blocks of ``stage``.

    A source is a YAML file, JSON text, or a key with its value such as ``probe={trials: 100}``. Later
    sources override earlier ones key by key, as Snakemake's ``--configfile`` and ``--config`` do. Raises
    ``ConfigError`` naming the source at fault.
    """
    parts = [(name_of(source), read(source)) for source in sources]
    merged: dict[str, Any] = {}
    for _, values in parts:
        merged = merge(merged, values)
    return _build(stage, merged, lambda key: _holder(parts, key))


def build(stage: type[Stage], values: Mapping[str, Any], origin: str) -> Stage:
    """Validate the blocks of ``stage`` among ``values``; unknown blocks are errors.

    ``origin`` names where the values come from, for the error's sentence. Raises ``ConfigError``.
    """
    require_plain(values, origin)
    return _build(stage, values, lambda key: origin)


def _build(stage: type[Stage], values: Mapping[str, Any], origin: Callable[[Key], str]) -> Stage:
    # Some stages have blocks that follow from the configuration and are not in it.
    known = list(dict.fromkeys([*Config.model_fields, *stage.model_fields]))
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{origin(unknown[:1])}: {unknown_key(unknown[0], known)}")
    wanted = {name: values[name] for name in stage.model_fields if name in values}
    try:
        return stage.model_validate(wanted)
    except ValidationError as error:
        raise ConfigError(f"{origin(place_of(error))}: {describe(error, stage)}") from None


def _holder(parts: Sequence[tuple[str, Mapping[str, Any]]], key: Key) -> str:
    """The last source that has the key, or most of the way to it; all if none has its beginning.

    Of a mapping, whose values may not go together, all that have some of it.
    """
    followed = [(name, *_followed(values, key)) for name, values in parts]
    best = max((length for _, length, _ in followed), default=0)
    names = [name for name, length, _ in followed if length == best]
    found = [value for _, length, value in followed if length == best]
    together = best == len(key) and isinstance(found[-1], Mapping)
    return ", ".join(names if together or not best else names[-1:])


def _followed(values: Any, key: Key) -> tuple[int, Any]:
    """How many parts of a key's path lead somewhere in ``values``, and what is there."""
    for length, part in enumerate(key):
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return length, values
    return len(key), values


def json_schema() -> str:
    """The JSON Schema of ``Config``, as kept in ``workflow/schemas/config.schema.json``."""
    return json.dumps(Config.model_json_schema(), indent=2, sort_keys=True) + "\n"
