"""What a block of the configuration is: closed, immutable, with a digest of its values."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from dynparam.support.errors import ConfigError

ExactNumber = Annotated[
    Fraction,
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["number", "string"], "pattern": r"^-?\d+(\.\d+|/[1-9]\d*)?$"}),
]
"""A number kept exact: ``"1/5"`` in a file, ``Fraction(1, 5)`` in the code, ``"1/5"`` again in JSON."""

CurveName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


Named = TypeVar("Named")
Settings = TypeVar("Settings", bound=BaseModel)

PairName = Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+$")]


class Block(BaseModel):
    """A closed, immutable part of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def named(entries: Mapping[str, Named], name: str, where: str) -> Named:
    """The entry of that name. Raises ``ConfigError`` naming the key ``where`` if there is none."""
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        raise ConfigError(f"there is no {name!r} in {where}; choose one of {', '.join(entries)}{meant}")
    return entries[name]


def value_at(config: BaseModel, key: str) -> Any:
    """The value of a dotted key such as ``probe.rounding``. Raises ``ConfigError`` for another."""
    here: Any = config.model_dump(mode="json")
    for part in key.split("."):
        if not isinstance(here, Mapping) or part not in here:
            raise ConfigError(f"the open choices name {key!r}, which no configuration has; correct it")
        here = here[part]
    return here


def digest(block: BaseModel) -> str:
    """A short SHA-256 of a block's values, independent of the order of its keys."""
    return values_digest(block.model_dump(mode="json"))


def values_digest(values: Mapping[str, Any]) -> str:
    """The digest of a block of these values, as a record holds them."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def differences(old: Mapping[str, Any], new: Mapping[str, Any], where: str = "") -> list[str]:
    """The keys whose values differ, as ``protocol.epochs: 100, here 50``."""
    found = []
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += differences(before, after, f"{where}{key}.")
        elif before != after:
            found.append(f"{where}{key}: {before}, here {after}")
    return found


def pick(stage: type[Settings], config: BaseModel) -> Settings:
    """The blocks of ``stage`` out of a configuration that has blocks of these names."""
    return stage.model_validate(config.model_dump(include=set(stage.model_fields)))
