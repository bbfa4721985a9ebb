"""The machines that are trained, and what measuring, judging and drawing depend on."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field, PositiveFloat, model_validator

from dynparam.settings.base import Block, CurveName, Seed, Trials, pick
from dynparam.settings.shared import Figures, Fit

Hidden = Annotated[int, Field(ge=2, le=10**4)]

Samples = Annotated[int, Field(ge=2, le=10**6)]

Dimensions = Annotated[int, Field(ge=1, le=1000)]

Steps = Annotated[int, Field(ge=1, le=10**6)]


class Growth(Block):
    """Differences of small weights, over a few steps of gradient descent."""

    hidden: tuple[Hidden, ...] = Field(
        min_length=1, max_length=20, description="hidden units K, increasing, 2 to 10^4"
    )
    samples: Samples = Field(description="vectors of the data, more than there are eigenvalues")
    rate: PositiveFloat = Field(description="learning rate")
    steps: Steps = Field(description="steps over which growth is averaged, up to 10^6")
    size: Annotated[float, Field(gt=0, le=0.01)] = Field(
        description="standard deviation of initial weights, up to 0.01"
    )
    shift: PositiveFloat = Field(
        description="distance of the control's data from b, along their leading eigenvector"
    )
    trials: Trials = Field(description="independent machines of each kind, up to 10^7")


class Escape(Block):
    """Steps until differences of weights are no longer small."""

    hidden: tuple[Hidden, ...] = Field(
        min_length=2, max_length=20, description="hidden units P, increasing, 2 to 10^4"
    )
    samples: Samples = Field(description="vectors of the data, more than there are eigenvalues")
    rate: PositiveFloat = Field(
        description="learning rate of the fewest hidden units; then fixed, or in proportion to P"
    )
    size: Annotated[float, Field(gt=0, le=0.01)] = Field(
        description="standard deviation of initial weights, up to 0.01"
    )
    reached: Annotated[float, Field(gt=0, le=1)] = Field(
        description="root mean square of differences at which steps end, up to 1"
    )
    steps: Steps = Field(description="most steps of a machine, up to 10^6")
    trials: Trials = Field(description="independent machines of each kind, up to 10^7")


class MixtureFit(Block):
    """Machines fitted to samples of one, whose Gaussians lie apart or overlap."""

    dimensions: Dimensions = Field(description="visible units D, up to 1000")
    components: Hidden = Field(description="Gaussians P, 2 to D")
    apart: Annotated[float, Field(ge=3)] = Field(
        description="|w| of Gaussians that lie apart, from 3 on"
    )
    overlapping: Annotated[float, Field(gt=0, lt=3)] = Field(description="|w| of the control's, below 3")
    samples: tuple[Samples, ...] = Field(
        min_length=1, max_length=20, description="samples n of a fit, increasing"
    )
    test_samples: Samples = Field(description="samples on which a fit is tested, up to 10^6")
    iterations: Steps = Field(description="most iterations of a fit, up to 10^6")
    trials: Trials = Field(description="independent fits of each kind, up to 10^7")


class Partition(Block):
    """The partition function, by importance sampling."""

    dimensions: Dimensions = Field(description="visible units D, up to 1000")
    hidden: Hidden = Field(description="hidden units K, 2 to 10^4")
    draws: Samples = Field(description="draws of an estimate, up to 10^6")
    trials: Trials = Field(description="independent machines, up to 10^7")


class BoltzmannTolerances(Block):
    """What counts as equal."""

    growth: PositiveFloat = Field(description="of the growth in one step")
    steps: PositiveFloat = Field(description="of steps over those of theory")
    slope: PositiveFloat = Field(description="of exponents of the number of hidden units")
    partition: PositiveFloat = Field(
        description="of the estimated partition function over the exact one"
    )
    errors: PositiveFloat = Field(description="standard errors from the expected excess loss")


class AttentionalBoltzmannSettings(Block):
    """Learning in Boltzmann machines whose hidden units are attention."""

    seed: Seed = Field(description="seed of machines and data")
    eigenvalues: tuple[PositiveFloat, ...] = Field(
        min_length=2,
        max_length=1000,
        description="of the data's covariance, falling, from above 1 to below",
    )
    growth: Growth
    escape: Escape
    mixture: MixtureFit
    partition: Partition
    tolerances: BoltzmannTolerances
    figure: CurveName = Field(description="figure of growth, steps and excess loss")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if list(self.eigenvalues) != sorted(set(self.eigenvalues), reverse=True):
            raise ValueError("eigenvalues are not falling; list each once, the largest first")
        for where, values in (
            ("growth.hidden", self.growth.hidden),
            ("escape.hidden", self.escape.hidden),
            ("mixture.samples", self.mixture.samples),
        ):
            if list(values) != sorted(set(values)):
                raise ValueError(f"{where} are not increasing; list each once, the smallest first")
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.eigenvalues[0] > 1 > self.eigenvalues[-1]:
            raise ValueError(
                "eigenvalues lie on one side of 1, so that either nothing is learned or nothing decays; "
                "give one above 1 and one below"
            )
        for where, samples in (
            ("growth.samples", self.growth.samples),
            ("escape.samples", self.escape.samples),
        ):
            if samples <= len(self.eigenvalues):
                raise ValueError(
                    f"{where} ({samples}) is too small for a covariance of {len(self.eigenvalues)} "
                    f"eigenvalues; give more"
                )
        if self.mixture.components > self.mixture.dimensions:
            raise ValueError(
                f"mixture.components ({self.mixture.components}) exceeds mixture.dimensions "
                f"({self.mixture.dimensions}), so that not all can lie apart; lower it"
            )
        if self.escape.reached <= self.escape.size:
            raise ValueError(
                f"escape.reached ({self.escape.reached}) is where weights of size "
                f"{self.escape.size} are already; raise it"
            )
        return self


class BoltzmannTrials(Block):
    """Blocks of ``measure_attention``."""

    attentional_boltzmann: AttentionalBoltzmannSettings


class BoltzmannStage(Block):
    """Blocks of ``judge_attention`` and ``plot_attention``."""

    attentional_boltzmann: AttentionalBoltzmannSettings
    fit: Fit
    figures: Figures


def for_boltzmann_trials(config: BaseModel) -> BoltzmannTrials:
    """What measuring depends on."""
    return pick(BoltzmannTrials, config)


def for_boltzmann(config: BaseModel) -> BoltzmannStage:
    """What the verdicts and the figure depend on, besides what was measured."""
    whole = pick(BoltzmannStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
