"""What a block of the configuration is: closed, immutable, with a digest of its values."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PlainSerializer,
    PositiveInt,
    WithJsonSchema,
    model_validator,
)

from dynparam.support.errors import ConfigError

SHORT_NUMBER = re.compile(
    r"[-+]?(\d{1,20}/\d{1,20}|(\d{1,20}(\.\d{0,20})?|\.\d{1,20})(e[-+]?\d{1,2})?)", re.I
)


def _exact(value: object) -> object:
    """Refuse what no fraction is made of, and numbers that would fill the memory: ``"1e999999999"``."""
    if isinstance(value, (bool, dict, list)) or value is None:
        raise ValueError('not a number; write 3, 0.2 or "1/5"')
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f'{value} is not finite; write 3, 0.2 or "1/5"')
    if isinstance(value, int) and abs(value) >= 10**20:
        raise ValueError("a number of more than 20 digits; write a smaller one")
    if isinstance(value, str):
        if not SHORT_NUMBER.fullmatch(value.strip()):
            raise ValueError('no number of at most 20 digits; write 3, 0.2 or "1/5"')
        if re.fullmatch(r".*/0+", value.strip()):
            raise ValueError(f'{value} divides by zero; write 3, 0.2 or "1/5"')
    return value


ExactNumber = Annotated[
    Fraction,
    BeforeValidator(_exact),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["number", "string"], "pattern": r"^-?\d+(\.\d+|/[1-9]\d*)?$"}),
]
"""A number kept exact: ``"1/5"`` in a file, ``Fraction(1, 5)`` in the code, ``"1/5"`` again in JSON."""

CurveName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]

# Bounds far above what anyone has measured, and below what would run out of memory or of days: a slip of
# the keyboard is told before a run, not after it.

Seed = Annotated[NonNegativeInt, Field(le=2**63 - 1)]
"""Of a generator: 0 to 2^63 - 1."""

Trials = Annotated[int, Field(ge=2, le=10**7)]
"""Independent trials, each of its own seed: 2 to 10^7."""

Width = Annotated[PositiveInt, Field(le=10**15)]
"""A width that only the exact-law engine need reach: to 10^15, below which floats hold all integers."""

DenseWidth = Annotated[PositiveInt, Field(le=10**6)]
"""A width of a network whose weights are numbers in memory: up to 10^6."""

Epochs = Annotated[PositiveInt, Field(le=10**6)]
"""Epochs of training: up to 10^6."""

Seeds = Annotated[int, Field(ge=2, le=10**6)]
"""Runs of training, each of its own seed: 2 to 10^6."""

Threads = Annotated[PositiveInt, Field(le=1024)]

Named = TypeVar("Named")
Settings = TypeVar("Settings", bound=BaseModel)

PairName = Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+$", max_length=100)]


class Block(BaseModel):
    """A closed immutable part of the configuration. Its numbers are finite, and true is none of them."""

    # A command reads one or two of a hundred blocks, so that each is made ready when it is read.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _numbers(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            for name, value in values.items():
                field = cls.model_fields.get(name)
                # To pydantic true is 1, so that a slip would pass for a count.
                if isinstance(value, bool) and field is not None and field.annotation is not bool:
                    raise ValueError(
                        f"{name} is {str(value).lower()}, which means nothing here; correct it"
                    )
        return values


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
