"""A width profile of one's own: exact orders, conditions, and what the one-step probe measures of it.

A profile is a growth exponent for every width, and a parametrization: n_l = c_l n^{a_l}.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import pandas as pd
from pydantic import Field, NonNegativeInt, PositiveFloat, ValidationError, model_validator
from tabulate import tabulate

from dynparam.presentation import terminal
from dynparam.presentation.verdicts import sign
from dynparam.settings.base import Block, ExactNumber
from dynparam.settings.reading import describe
from dynparam.settings.widths import WidthGrid
from dynparam.support.errors import ConfigError
from dynparam.theory.conditions import Entry, Outcome, Quantity, check, condition, quantity_exponents
from dynparam.theory.parametrization import HALF, ParametrizationName, layer_rules
from dynparam.theory.widths import INPUT_WIDTH, OUTPUT_WIDTH, Widths
from dynparam.trials.networks import wide_widths
from dynparam.trials.settings import Engine

WHAT_EXPONENTS_ARE = "fractions such as 1,1/2,1, one for each hidden layer"


@dataclass(frozen=True)
class Profile:
    """A parametrization on widths that grow as powers of n.

    Attributes:
        parametrization: its name.
        r: of dynamic parametrization; matters to no other.
        exponents: of n_0 ... n_L.
    """

    parametrization: str
    r: Fraction
    exponents: tuple[Fraction, ...]

    @property
    def depth(self) -> int:
        """The number L of layers."""
        return len(self.exponents) - 1

    def outcomes(self) -> tuple[Outcome, ...]:
        """Which conditions it meets as n grows."""
        return check(self.parametrization, self.exponents, self.r)


class ProfileProbe(Block):
    """A measurement of a profile: everything that its trials depend on."""

    parametrization: ParametrizationName
    r: ExactNumber
    exponents: tuple[ExactNumber, ...] = Field(description="of the hidden widths n_1 ... n_{L-1}")
    coefficients: tuple[ExactNumber, ...] = Field(description="c_l in n_l = c_l n^a_l")
    inputs: int = INPUT_WIDTH
    outputs: int = OUTPUT_WIDTH
    engine: Engine
    widths: WidthGrid
    trials: int = Field(ge=2)
    learning_rate: PositiveFloat
    seed: NonNegativeInt

    @model_validator(mode="after")
    def _positive_coefficients(self) -> Self:
        if len(self.coefficients) != len(self.exponents):
            raise ValueError(
                f"{len(self.coefficients)} coefficients do not fit {len(self.exponents)} hidden layers; "
                f"give --scale one number, or one for each hidden layer"
            )
        if min(self.coefficients) <= 0:
            raise ValueError(f"--scale {min(self.coefficients)} is not positive; give c > 0 in c n^a")
        return self

    @property
    def profile(self) -> Profile:
        """What is measured, as n grows; the widths of input and output are fixed."""
        return Profile(self.parametrization, self.r, (Fraction(0), *self.exponents, Fraction(0)))

    def networks(self) -> dict[int, Widths]:
        """The widths at every n: max(1, round(c_l n^a_l)), halves up."""
        return {
            n: Widths((self.inputs, *self._hidden(n), self.outputs)) for n in wide_widths(self.widths)
        }

    def _hidden(self, n: int) -> tuple[int, ...]:
        return tuple(
            max(1, math.floor(float(c) * math.pow(n, a) + 0.5))
            for c, a in zip(self.coefficients, self.exponents, strict=True)
        )


def profile(
    widths: str, parametrization: str, r: str | None, n_in: str = "0", n_out: str = "0"
) -> Profile:
    """A profile from text: the exponents of the hidden widths as "1,1/2,1", those of n_0 and n_L, and r.

    Without r, dynamic parametrization has r = 1/2. Raises ``ConfigError`` for text that is no number, a
    negative exponent, an unknown parametrization, r outside [0, 1/2], or r where it has no meaning.
    """
    hidden = parse_exponents(widths, "--widths")
    first, last = (
        _only(parse_exponents(text, option), text, option)
        for text, option in ((n_in, "--input-exponent"), (n_out, "--output-exponent"))
    )
    return Profile(parametrization, parse_r(r, parametrization), (first, *hidden, last))


def profile_probe(
    exponents: str, parametrization: str, r: str | None, scale: str, settings: Mapping[str, object]
) -> ProfileProbe:
    """The settings of a measurement: text as in ``profile``, ``scale`` being "1" or "1,6,1".

    ``settings`` are engine, widths, trials, learning_rate and seed of ``ProfileProbe``. Raises
    ``ConfigError`` for whatever does not fit.
    """
    wanted = profile(exponents, parametrization, r)
    hidden = wanted.exponents[1:-1]
    numbers = _numbers(scale, "--scale", "positive numbers such as 1 or 1,6,1")
    values = {
        "parametrization": parametrization,
        "r": wanted.r,
        "exponents": hidden,
        "coefficients": numbers * len(hidden) if len(numbers) == 1 else numbers,
        **settings,
    }
    try:
        found = ProfileProbe.model_validate(values)
        found.networks()
    except ValidationError as error:
        raise ConfigError(f"probe --widths: {describe(error, ProfileProbe)}") from None
    except OverflowError:
        raise ConfigError(
            f"probe --widths: the widths at n = {found.widths.largest} are too large to count; lower "
            f"--widths, --scale or --to"
        ) from None
    return found


def parse_exponents(text: str, option: str) -> tuple[Fraction, ...]:
    """Growth exponents from text such as "1,1/2,1". Raises ``ConfigError`` naming the option."""
    exponents = _numbers(text, option, WHAT_EXPONENTS_ARE)
    negative = [a for a in exponents if a < 0]
    if negative:
        raise ConfigError(
            f"{option} {text!r}: the exponent {negative[0]} is negative, and a width cannot shrink to "
            f"zero; give 0 or more"
        )
    return exponents


def parse_r(text: str | None, parametrization: str) -> Fraction:
    """The exponent r from text, 1/2 without. Raises ``ConfigError`` as ``profile`` does."""
    r = HALF if text is None else _only(_numbers(text, "--r", "a fraction such as 1/2"), text, "--r")
    layer_rules(parametrization, 1, r)
    if text is not None and parametrization != "dynamic":
        raise ConfigError(f"--r belongs to dynamic parametrization; leave it out for {parametrization}")
    return r


def input_note(settings: ProfileProbe) -> str | None:
    """A sentence if exponents count on n_1 > n_0, and some measured n_1 is not; None otherwise."""
    rules = layer_rules(settings.parametrization, settings.profile.depth, settings.r)
    compares = rules[0].multiplier.larger != 0 or rules[0].sigma.larger != 0
    below = [n for n, widths in settings.networks().items() if widths.sizes[1] <= settings.inputs]
    if not (compares and below and settings.exponents[0] > 0):
        return None
    return (
        f"Layer 1 is no wider than the {settings.inputs} inputs up to n = {max(below)}, and exact "
        f"exponents are those beyond; start with a larger --from to see them."
    )


def _numbers(text: str, option: str, what: str) -> tuple[Fraction, ...]:
    if not text.strip():
        raise ConfigError(f"{option} is empty; give {what}")
    return tuple(_number(part, text, option, what) for part in text.split(","))


def _only(numbers: tuple[Fraction, ...], text: str, option: str) -> Fraction:
    if len(numbers) != 1:
        raise ConfigError(f"{option} {text!r} holds {len(numbers)} numbers; give one")
    return numbers[0]


def _number(part: str, text: str, option: str, what: str) -> Fraction:
    try:
        return Fraction(part.strip())
    except (ValueError, ZeroDivisionError):
        raise ConfigError(f"{option} {text!r}: {part.strip()!r} is not a number; give {what}") from None


def layer_entries(depth: int) -> dict[str, tuple[Entry, ...]]:
    """What is shown of every layer 1 ... L, by the heading of its column."""
    sizes: dict[str, Quantity] = {
        "|htilde_i|": "preactivation",
        "|Delta htilde_i|": "update",
        "||dL/dhtilde||": "gradient",
    }
    columns = {
        heading: tuple(Entry(k, heading, {(quantity, k): Fraction(1)}) for k in range(1, depth + 1))
        for heading, quantity in sizes.items()
    }
    columns["own contribution"] = condition("2.41").entries(depth)
    columns["alignment"] = condition("2.31").entries(depth)
    return columns


def orders_table(shown: Profile) -> pd.DataFrame:
    """The exact exponents of every layer, as fractions: layer, width and ``layer_entries``."""
    exponents = quantity_exponents(shown.parametrization, shown.exponents, shown.r)
    columns = {
        heading: [entry.exponent(exponents) for entry in entries]
        for heading, entries in layer_entries(shown.depth).items()
    }
    layers = range(1, shown.depth + 1)
    return pd.DataFrame({"layer": layers, "width": shown.exponents[1:], **columns}, dtype=object)


def orders_text(shown: Profile) -> str:
    """The exact orders and the conditions of a profile, for a terminal."""
    table = terminal_table(orders_table(shown).map(str))
    return "\n\n".join([f"{title(shown)}. Exponents of n:", table, conditions_text(shown)]) + "\n"


def terminal_table(frame: pd.DataFrame) -> str:
    """A table of text that fits the terminal; in a pipe each row on its line, all columns right."""
    heads, rows = frame.columns.tolist(), frame.to_numpy().tolist()
    return terminal.shown(heads, rows, tabulate(rows, heads, disable_numparse=True, stralign="right"))


def orders_json(shown: Profile) -> str:
    """The same as JSON; exponents are text such as "-1/2"."""
    table = orders_table(shown)
    columns = {"width": "width", **JSON_KEYS}
    layers = [
        {"layer": row["layer"], **{key: str(row[heading]) for heading, key in columns.items()}}
        for row in table.to_dict("records")
    ]
    conditions = [
        {
            "condition": outcome.condition.equation,
            "statement": outcome.condition.statement,
            "holds": outcome.holds,
            "failing": outcome.sentences(),
        }
        for outcome in shown.outcomes()
    ]
    found = {
        "parametrization": shown.parametrization,
        "r": str(shown.r) if shown.parametrization == "dynamic" else None,
        "width_exponents": [str(a) for a in shown.exponents],
        "layers": layers,
        "conditions": conditions,
    }
    return json.dumps(found, indent=2) + "\n"


def conditions_text(shown: Profile) -> str:
    """Which conditions hold and which fail, in words."""
    lines = []
    for outcome in shown.outcomes():
        mark = sign("holds" if outcome.holds else "fails")
        lines.append(f"{mark} {outcome.condition.equation}  {outcome.condition.statement}")
        lines += [f"    {sentence}" for sentence in outcome.sentences()]
    return "\n".join(["Conditions of the thesis, as n grows:", *lines])


def title(shown: Profile) -> str:
    """``dynamic (r = 1/2), widths n_0 ... n_L as n to 0, 1, 1/2, 1, 0``."""
    r = f" (r = {shown.r})" if shown.parametrization == "dynamic" else ""
    widths = ", ".join(map(str, shown.exponents))
    return f"{shown.parametrization}{r}, widths n_0 ... n_{shown.depth} as n to {widths}"


JSON_KEYS = {
    "|htilde_i|": "preactivation",
    "|Delta htilde_i|": "update",
    "||dL/dhtilde||": "gradient",
    "own contribution": "contribution",
    "alignment": "alignment",
}
"""The key of each column of ``layer_entries`` in JSON."""
