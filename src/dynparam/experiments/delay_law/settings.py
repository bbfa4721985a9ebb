"""The networks whose delays are measured, and what measuring, judging and drawing depend on."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, PositiveFloat, model_validator

from dynparam.settings.base import Block, CurveName, DenseWidth, ExactNumber, Seed, Trials, pick
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import NarrowWidth
from dynparam.support.errors import ConfigError
from dynparam.theory.delay import largest_rate
from dynparam.theory.parametrization import ParametrizationName
from dynparam.theory.widths import Widths, bottleneck

Engine = Literal["stored", "law"]

SERIES, VARIANTS, NARROW, FAMILIES = "series", "variants", "narrow_layers", "families"
"""The parts of the experiment."""

Bottlenecks = Annotated[int, Field(ge=1, le=5)]

Momentum = Annotated[float, Field(ge=0, lt=1)]

Widening = Annotated[tuple[DenseWidth, ...], Field(min_length=2, max_length=100)]


class Series(Block):
    """Networks of one number of bottlenecks, ever sharper."""

    bottlenecks: Bottlenecks = Field(description="narrow layers B, 1 to 5, each between wide ones")
    ratios: Widening = Field(description="R = n/n_min, increasing")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        _require_increasing("ratios", self.ratios)
        if len(self.ratios) < 4 or self.ratios[0] < 2:
            raise ValueError(
                f"ratios {self.ratios} have no two halves with a slope each; give four or more, from "
                f"2 on"
            )
        return self


class Variant(Block):
    """The same networks trained in another way."""

    learning_rate: PositiveFloat = Field(description="eta")
    momentum: Momentum
    images: Annotated[int, Field(ge=1, le=100)] = Field(
        description="images of one batch, their targets one class and the other in turn, 1 to 100"
    )
    engine: Engine = Field(description="weights that are stored, or that exist in law only")


class Variants(Block):
    """The ways of training, and where they are tried."""

    bottlenecks: Annotated[tuple[Bottlenecks, ...], Field(min_length=1)]
    ratios: Widening = Field(description="R = n/n_min, increasing")
    trials: Trials = Field(description="independent networks of each kind, up to 10^7")
    cases: dict[CurveName, Variant]

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        _require_increasing("ratios", self.ratios)
        return self


class NarrowLayers(Block):
    """One ratio R at ever wider narrow layers: what fluctuations in them do."""

    bottlenecks: Bottlenecks
    ratio: DenseWidth = Field(description="R = n/n_min")
    n_min: Widening = Field(description="n_min, increasing; the last is judged")
    trials: Trials = Field(description="independent networks of each width, up to 10^7")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        _require_increasing("n_min", self.n_min)
        return self


class Family(Block):
    """A family of widths."""

    narrow: NarrowWidth
    widths: Widening = Field(description="wide widths n, increasing")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _require_increasing("widths", self.widths)
        try:
            for n in self.widths:
                self.narrow.rule().n_min(n)
        except ConfigError as error:
            raise ValueError(f"narrow at widths: {error}") from None
        return self


class Rate(Block):
    """The learning rate eta = rate / n^falls of a parametrization."""

    rate: PositiveFloat
    falls: ExactNumber = Field(ge=0, le=2, description="power of n by which eta falls, 0 to 2")

    def at(self, n: int) -> float:
        """Eta at the wide width n."""
        return self.rate / math.pow(n, self.falls)


class Families(Block):
    """The thesis's families of widths, under every parametrization."""

    bottlenecks: Bottlenecks
    trials: Trials = Field(description="independent networks of each kind, up to 10^7")
    families: dict[CurveName, Family]
    parametrizations: Annotated[dict[ParametrizationName, Rate], Field(min_length=1)]


class DelayTolerances(Block):
    """How far a measured value may be from the expected one."""

    delay: PositiveFloat = Field(description="of a delay over theory's, from 1")
    exponent: PositiveFloat = Field(description="of an exponent of R or n, from the expected one")
    flat: PositiveFloat = Field(description="exponent of n up to which a delay counts as not growing")
    increment: PositiveFloat = Field(
        description="of increments a unit of log R, later ones over earlier ones, from 1"
    )


class DelayLaw(Block):
    """Steps until the loss is halved, behind bottlenecks."""

    seed: Seed = Field(description="seed of networks and images")
    inputs: DenseWidth = Field(description="n_0, which is the squared norm of an image too")
    r: Annotated[ExactNumber, Field(ge=0, le=Fraction(1, 2))] = Field(
        description="exponent of n_min in dynamic parametrization, 0 to 1/2"
    )
    learning_rate: PositiveFloat = Field(description="eta of the series, the same at all R")
    n_min: DenseWidth = Field(description="width of narrow layers in the series and their variants")
    trials: Trials = Field(description="independent networks of each R, up to 10^7")
    series: Annotated[tuple[Series, ...], Field(min_length=1)]
    variants: Variants
    narrow_layers: NarrowLayers
    families: Families
    steps: Annotated[int, Field(ge=2, le=10**6)] = Field(
        description="steps within which the loss has to be halved, 2 to 10^6"
    )
    tolerances: DelayTolerances
    figure: CurveName = Field(description="figure of the delays")

    def network(self, bottlenecks: int, n: int, n_min: int) -> Widths:
        """n_0 ... n_L with so many narrow layers between wide ones."""
        hidden = ("wide", *("narrow", "wide") * bottlenecks)
        return bottleneck(n, n_min, hidden=hidden, n_in=self.inputs)

    @model_validator(mode="after")
    def _trains(self) -> Self:
        for series in self.series:
            _require_stable("learning_rate", self.learning_rate, 0.0, series.bottlenecks)
        for bottlenecks in self.variants.bottlenecks:
            for name, case in self.variants.cases.items():
                where = f"variants.cases.{name}.learning_rate"
                _require_stable(where, case.learning_rate, case.momentum, bottlenecks)
        _require_stable("learning_rate", self.learning_rate, 0.0, self.narrow_layers.bottlenecks)
        spectral = self.families.parametrizations.get("spectral")
        if spectral is not None:
            where = "families.parametrizations.spectral.rate"
            for family in self.families.families.values():
                eta = spectral.at(family.widths[0])
                _require_stable(where, eta, 0.0, self.families.bottlenecks)
        return self

    @model_validator(mode="after")
    def _listed_once(self) -> Self:
        for where, counts in (
            ("series", [series.bottlenecks for series in self.series]),
            ("variants.bottlenecks", list(self.variants.bottlenecks)),
        ):
            if len(set(counts)) < len(counts):
                raise ValueError(f"{where} has a number of bottlenecks twice; list each once")
        return self


class DelayTrials(Block):
    """The block of ``measure_delays``."""

    delay_law: DelayLaw


class DelayStage(Block):
    """Blocks of ``judge_delays`` and ``plot_delays``."""

    delay_law: DelayLaw
    fit: Fit
    figures: Figures


def part_names(own: DelayLaw) -> list[str]:
    """The jobs of measuring: one for each series, and one for each other part."""
    series = [f"{SERIES}_{one.bottlenecks}" for one in own.series]
    return [*series, VARIANTS, NARROW, FAMILIES]


def for_delays(config: BaseModel) -> DelayStage:
    """What the verdicts and the figure depend on, besides the measured delays."""
    whole = pick(DelayStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})


def _require_increasing(where: str, values: tuple[int, ...]) -> None:
    """Raise ``ValueError`` naming the key ``where`` unless the values increase."""
    if list(values) != sorted(set(values)):
        raise ValueError(f"{where} are not increasing; list each once, the smallest first")


def _require_stable(where: str, learning_rate: float, momentum: float, bottlenecks: int) -> None:
    """Raise ``ValueError`` naming the key ``where`` if spectral networks do not train at that rate."""
    edge = largest_rate(bottlenecks)
    if learning_rate / (1 - momentum) >= edge:
        raise ValueError(
            f"{where} ({learning_rate:g}, over 1 - momentum) is not below {edge:.3g}, where spectral "
            f"networks with {bottlenecks} bottlenecks stop training; lower it"
        )
