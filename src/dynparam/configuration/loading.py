"""Configurations from files and JSON text: merged, validated, and wrong ones named in a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from dynparam.configuration.config import Config
from dynparam.settings.base import Block
from dynparam.settings.reading import _is_json, _unknown_key, describe, merge, read, require_plain
from dynparam.support.errors import ConfigError

Stage = TypeVar("Stage", bound=Block)


def load(stage: type[Stage], sources: Sequence[str | Path]) -> Stage:
    """Merge ``sources`` in order and return the blocks of ``stage``.

    A source is a YAML file, or JSON text (what the workflow passes). Later sources override earlier
    ones key by key, as Snakemake's ``--configfile`` does. Raises ``ConfigError``.
    """
    merged: dict[str, Any] = {}
    for source in sources:
        merged = merge(merged, read(source))
    origin = ", ".join("the command line" if _is_json(s) else str(s) for s in sources)
    return build(stage, merged, origin)


def build(stage: type[Stage], values: Mapping[str, Any], origin: str) -> Stage:
    """Validate the blocks of ``stage`` among ``values``; unknown blocks are errors.

    ``origin`` names where the values come from, for the error's sentence. Raises ``ConfigError``.
    """
    require_plain(values, origin)
    # Some stages have blocks that follow from the configuration and are not in it.
    known = list(dict.fromkeys([*Config.model_fields, *stage.model_fields]))
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{origin}: {_unknown_key(unknown[0], known)}")
    wanted = {name: values[name] for name in stage.model_fields if name in values}
    try:
        return stage.model_validate(wanted)
    except ValidationError as error:
        raise ConfigError(f"{origin}: {describe(error, stage)}") from None


def json_schema() -> str:
    """The JSON Schema of ``Config``, as kept in ``workflow/schemas/config.schema.json``."""
    return json.dumps(Config.model_json_schema(), indent=2, sort_keys=True) + "\n"
