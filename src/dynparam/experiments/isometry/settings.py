"""The deep networks that are measured, and what measuring, judging and drawing depend on."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, Field, PositiveFloat, model_validator

from dynparam.settings.base import Block, CurveName, DenseWidth, ExactNumber, Seed, Trials, pick
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import require_narrower
from dynparam.theory.parametrization import ParametrizationName

Units = Annotated[int, Field(ge=10, le=10**5)]

Depth = Annotated[int, Field(ge=2, le=10**4)]

Depths = Annotated[tuple[Depth, ...], Field(min_length=2, max_length=100)]

Clipped = Annotated[float, Field(gt=0, description="c: hidden units are clipped with probability c/L")]


class ThreeLayerNetwork(Block):
    """The network of three layers, whose whole spectrum is known."""

    units: Units = Field(description="units M of every layer, 10 to 10^5")
    clipped: Annotated[float, Field(gt=0, lt=1.5)] = Field(
        description="c: hidden units are clipped with probability c/3, below 1/2"
    )


class Descent(Block):
    """Gradient descent on one input, up to its largest stable learning rate."""

    units: Units = Field(description="units M of every layer, 10 to 10^5")
    depths: Depths = Field(description="numbers of layers L, increasing")
    trials: Trials = Field(description="independent networks of each depth, up to 10^7")
    steps: Annotated[int, Field(ge=10, le=10**5)] = Field(description="steps of a run, 10 to 10^5")
    noise: Annotated[float, Field(gt=0, le=0.1)] = Field(
        description="distance of targets from first outputs, small enough for a steady kernel"
    )


class DeepBottlenecks(Block):
    """ReLU networks of wide and narrow hidden layers in turn, at growing depth."""

    inputs: DenseWidth = Field(description="n_0, up to 10^6")
    n: DenseWidth = Field(description="width of the first, third, ... hidden layer, up to 10^6")
    n_min: DenseWidth = Field(description="width of the others, up to 10^6")
    depths: Depths = Field(description="numbers of layers L, increasing")
    trials: Trials = Field(description="independent networks of each depth, up to 10^7")
    parametrizations: tuple[ParametrizationName, ...] = Field(min_length=1, max_length=5)
    r: Annotated[ExactNumber, Field(ge=0, le=Fraction(1, 2))] = Field(
        description="exponent of n_min in dynamic parametrization, 0 to 1/2"
    )


class IsometryTolerances(Block):
    """What counts as equal."""

    exact: PositiveFloat = Field(description="of the identity of the largest eigenvalue, relative")
    ratio: PositiveFloat = Field(description="of the largest eigenvalue over the wide limit")
    mass: PositiveFloat = Field(description="of shares of eigenvalues")
    slope: PositiveFloat = Field(description="of exponents of depth")
    errors: PositiveFloat = Field(description="standard errors from an exact expectation")


class IsometrySettings(Block):
    """Fisher information of one input in deep networks of orthogonal weights and hard tanh."""

    seed: Seed = Field(description="seed of networks and inputs")
    trials: Trials = Field(description="independent networks of each kind, up to 10^7")
    units: Units = Field(description="units M of every layer, 10 to 10^5")
    clipped: Clipped
    depths: Depths = Field(description="numbers of layers L, increasing")
    control_depth: Depth = Field(description="layers of the control, whose weights are Gaussian")
    near: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        description="share of the largest eigenvalue within which others count as near it"
    )
    three_layers: ThreeLayerNetwork
    descent: Descent
    bottlenecks: DeepBottlenecks
    tolerances: IsometryTolerances
    figure: CurveName = Field(description="figure of spectra and largest eigenvalues")

    @model_validator(mode="after")
    def _three_layers_apart(self) -> Self:
        if 3 in self.depths:
            raise ValueError("depths has 3, which three_layers is for; leave it out")
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for where, depths in (
            ("depths", self.depths),
            ("descent.depths", self.descent.depths),
            ("bottlenecks.depths", self.bottlenecks.depths),
        ):
            if list(depths) != sorted(set(depths)):
                raise ValueError(f"{where} are not increasing; list each once, the smallest first")
        deepest = max(*self.depths, *self.descent.depths, self.control_depth)
        # From c = L/(L-1) on, which falls with depth, no eigenvalue is as large as the formula says.
        if self.clipped * (deepest - 1) >= deepest:
            raise ValueError(
                f"clipped ({self.clipped}) leaves no eigenvalue at the top of {deepest} layers; choose "
                f"it below {deepest / (deepest - 1):.3g}"
            )
        require_narrower("bottlenecks", self.bottlenecks.n, self.bottlenecks.n_min)
        return self


class IsometryTrials(Block):
    """Blocks of ``measure_isometry``."""

    isometry: IsometrySettings


class IsometryStage(Block):
    """Blocks of ``judge_isometry`` and ``plot_isometry``."""

    isometry: IsometrySettings
    fit: Fit
    figures: Figures


def for_isometry_trials(config: BaseModel) -> IsometryTrials:
    """What measuring depends on."""
    return pick(IsometryTrials, config)


def for_isometry(config: BaseModel) -> IsometryStage:
    """What the verdicts and the figure depend on, besides what was measured."""
    whole = pick(IsometryStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
