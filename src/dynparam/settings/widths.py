"""Blocks of networks and their widths."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    PositiveInt,
    model_validator,
)

from dynparam.settings.base import Block, ExactNumber
from dynparam.theory.parametrization import ParametrizationName

Claim = Literal["flat", "decreasing"]

Parametrizations = tuple[ParametrizationName, ParametrizationName]

Share = Literal["wide", "narrow"]


class NarrowWidth(Block):
    """n_min = coefficient * n ** exponent, before rounding."""

    coefficient: ExactNumber = Field(gt=0, description="c in c n^e")
    exponent: ExactNumber = Field(ge=0, le=1, description="e in c n^e; 1 is a constant ratio")


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

    smallest: PositiveInt
    largest: PositiveInt
    count: Annotated[int, Field(ge=2)]

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if self.largest <= self.smallest:
            raise ValueError(
                f"largest ({self.largest}) must exceed smallest ({self.smallest}); swap them"
            )
        return self


class Network(Block):
    """The multilayer perceptron of all experiments (Fig. 3.1)."""

    hidden: tuple[Share, ...] = Field(min_length=1, description="hidden layers: wide n, narrow n_min")
