"""The networks whose fluctuations are measured, and what measuring, judging and drawing depend on."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, Field, PositiveFloat, model_validator

from dynparam.settings.base import Block, CurveName, DenseWidth, Epochs, ExactNumber, Seed, Trials, pick
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import Network
from dynparam.theory.fluctuations import dead_share
from dynparam.theory.parametrization import ParametrizationName
from dynparam.theory.widths import Widths, bottleneck
from dynparam.training.settings import Domain, Protocol, WantedRuns

Bottlenecks = Annotated[int, Field(ge=1, le=50)]


class FluctuationTolerances(Block):
    """What counts as equal."""

    variation: PositiveFloat = Field(description="of the coefficient of variation of ||h||^2, relative")
    contribution: PositiveFloat = Field(description="of that of the readout's contribution, relative")
    tail: PositiveFloat = Field(
        description="largest relative error that theory foresees of the mean square: beyond it a "
        "coefficient of variation decides nothing, as its interval does not keep its level"
    )
    logarithm: PositiveFloat = Field(
        description="of the standard deviation of log ||h||^2 over theory, mean over n_min"
    )
    slope: PositiveFloat = Field(description="of exponents of sum 1/n_l")
    dead: PositiveFloat = Field(description="of the share of dead networks")
    median: PositiveFloat = Field(description="of the median over the mean")


class FluctuationSettings(Block):
    """Random networks at one image: how much ||h||^2 and the readout's contribution vary."""

    seed: Seed = Field(description="seed of the networks")
    inputs: DenseWidth = Field(description="n_0, which is ||x||^2 of the image too, up to 10^6")
    outputs: Annotated[int, Field(ge=1, le=1000)] = Field(description="n_L, 1 to 1000")
    n: DenseWidth = Field(description="width of the wide hidden layers, up to 10^6")
    n_min: tuple[DenseWidth, ...] = Field(
        min_length=2, max_length=100, description="widths of the narrow ones, increasing, at most n"
    )
    bottlenecks: tuple[Bottlenecks, ...] = Field(
        min_length=1, max_length=50, description="how many narrow layers, increasing, 1 to 50"
    )
    main: Bottlenecks = Field(
        description="the number of bottlenecks at which contributions are judged, one of bottlenecks"
    )
    parametrizations: tuple[ParametrizationName, ...] = Field(min_length=1, max_length=5)
    r: Annotated[ExactNumber, Field(ge=0, le=Fraction(1, 2))] = Field(
        description="exponent of n_min in dynamic parametrization, 0 to 1/2"
    )
    trials: Trials = Field(
        description="independent networks of each kind under each parametrization, up to 10^7"
    )
    learning_rate: PositiveFloat = Field(
        description="learning rate; a small one, so that contributions are those to first order"
    )
    typical: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="the mean describes a typical network where the median is within this share of it"
    )
    epoch: Epochs = Field(description="epoch at which the seeds' training losses are compared")
    tolerances: FluctuationTolerances
    figure: CurveName = Field(description="figure of the fluctuations")

    def hidden(self, bottlenecks: int, n_min: int) -> tuple[int, ...]:
        """n_1 ... n_{L-1}: wide and narrow layers in turn."""
        return self.network(bottlenecks, n_min).hidden

    def network(self, bottlenecks: int, n_min: int) -> Widths:
        """n_0 ... n_L of a network with so many narrow layers."""
        shares = (*("wide", "narrow") * bottlenecks, "wide")
        return bottleneck(self.n, n_min, hidden=shares, n_in=self.inputs, n_out=self.outputs)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("n_min", "bottlenecks"):
            values = list(getattr(self, name))
            if values != sorted(set(values)):
                raise ValueError(f"{name} is not increasing; list each once, the smallest first")
        if len(set(self.parametrizations)) < len(self.parametrizations):
            raise ValueError("parametrizations has one twice; list each once")
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.n_min[-1] > self.n:
            raise ValueError(
                f"n_min names {self.n_min[-1]}, which exceeds n ({self.n}), so that narrow layers would "
                f"be the wider ones; lower it"
            )
        if self.main not in self.bottlenecks:
            raise ValueError(f"main ({self.main}) is not one of bottlenecks; choose one of them")
        deepest, narrowest = self.bottlenecks[-1], self.n_min[0]
        if dead_share(self.hidden(deepest, narrowest)) > 0.5:
            raise ValueError(
                f"most networks of {deepest} bottlenecks with n_min = {narrowest} are dead; raise n_min "
                f"or take fewer bottlenecks"
            )
        return self


class FluctuationTrials(Block):
    """Blocks of ``measure_fluctuations``."""

    fluctuations: FluctuationSettings


class SpreadStage(Block):
    """Blocks of ``spread_of_seeds``."""

    network: Network
    training: WantedRuns
    protocol: Protocol
    domain: Domain
    figures: Figures
    fluctuations: FluctuationSettings


class FluctuationStage(Block):
    """Blocks of ``judge_fluctuations`` and ``plot_fluctuations``."""

    fluctuations: FluctuationSettings
    fit: Fit
    figures: Figures


def for_fluctuation_trials(config: BaseModel) -> FluctuationTrials:
    """What measuring random networks depends on."""
    return pick(FluctuationTrials, config)


def for_spread(config: BaseModel) -> SpreadStage:
    """What the seeds' spread of the training loss depends on, besides the curves."""
    whole = pick(SpreadStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})


def for_fluctuations(config: BaseModel) -> FluctuationStage:
    """What the verdicts and the figure depend on, besides what was measured."""
    whole = pick(FluctuationStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
