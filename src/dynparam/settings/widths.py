"""Blocks of networks and their widths."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    model_validator,
)

from dynparam.settings.base import Block, ExactNumber, Width
from dynparam.support.errors import ConfigError
from dynparam.theory.parametrization import ParametrizationName
from dynparam.theory.widths import RatioRule, Rounding, log_spaced

Claim = Literal["flat", "decreasing"]

Parametrizations = tuple[ParametrizationName, ParametrizationName]

Share = Literal["wide", "narrow"]


class NarrowWidth(Block):
    """n_min = coefficient * n ** exponent, before rounding."""

    coefficient: ExactNumber = Field(gt=0, description="c in c n^e")
    exponent: ExactNumber = Field(ge=0, le=1, description="e in c n^e; 1 is a constant ratio")

    def rule(self) -> RatioRule:
        """The rule that gives n_min beside n."""
        return RatioRule(self.coefficient, self.exponent)


class Curve(Block):
    """One curve of a probe figure: a parametrization along a family of widths."""

    parametrization: ParametrizationName
    r: ExactNumber = Field(
        ge=0,
        le=Fraction(1, 2),
        description="exponent of n_min in dynamic parametrization, 0 to 1/2",
    )
    narrow: NarrowWidth
    claim: Claim = Field(description="what the thesis says of its slopes")


class WidthGrid(Block):
    """Log-spaced wide widths n."""

    smallest: Width = Field(description="up to 10^15")
    largest: Width = Field(description="up to 10^15")
    count: Annotated[int, Field(ge=2, le=1000)] = Field(description="how many, 2 to 1000")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if self.largest <= self.smallest:
            raise ValueError(
                f"largest ({self.largest}) must exceed smallest ({self.smallest}); swap them"
            )
        try:
            self.widths()
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return self

    def widths(self) -> tuple[int, ...]:
        """The widths n, increasing."""
        return log_spaced(self.smallest, self.largest, self.count)


def require_narrower(where: str, n: int, n_min: int) -> None:
    """Raise ``ValueError`` naming the key ``where`` if n_min is larger than n."""
    if n_min > n:
        raise ValueError(
            f"{where}.n_min ({n_min}) exceeds {where}.n ({n}), so that narrow layers would be the wider "
            f"ones; lower it"
        )


def require_narrow_family(where: str, narrow: NarrowWidth, grid: WidthGrid, rounding: Rounding) -> None:
    """Raise ``ValueError`` naming the key ``where`` if n_min is no width, or above n, on the grid."""
    for n in grid.widths():
        try:
            narrow.rule().n_min(n, rounding)
        except ConfigError as error:
            raise ValueError(f"{where}: {error}") from None


class Network(Block):
    """The multilayer perceptron of all experiments (Fig. 3.1)."""

    hidden: tuple[Share, ...] = Field(
        min_length=1, max_length=100, description="hidden layers, 1 to 100: wide n, narrow n_min"
    )
