"""The networks that natural gradients train, and what measuring, judging and drawing depend on."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, Field, PositiveFloat, model_validator

from dynparam.data.settings import Data, Inputs
from dynparam.settings.base import (
    Block,
    CurveName,
    DenseWidth,
    ExactNumber,
    PairName,
    Seed,
    Trials,
    named,
    pick,
)
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import NarrowWidth, Share
from dynparam.support.errors import ConfigError
from dynparam.theory.natural_gradient import Approximation, require_possible
from dynparam.theory.parametrization import ParametrizationName
from dynparam.theory.widths import INPUT_WIDTH, Widths, bottleneck

Samples = Annotated[int, Field(ge=2, le=10**4)]

IncreasingWidths = Annotated[tuple[DenseWidth, ...], Field(min_length=2, max_length=100)]

Tolerances = Annotated[
    dict[Approximation, PositiveFloat],
    Field(
        min_length=1,
        description="approximations that are measured, and how far the residual may be off, relative",
    ),
]


class EqualLayers(Block):
    """Networks whose hidden layers all have the width M, trained for some steps."""

    samples: Samples = Field(description="inputs N, 2 to 10^4; of images, an even number")
    hidden_layers: Annotated[int, Field(ge=1, le=100)] = Field(description="hidden layers, 1 to 100")
    widths: IncreasingWidths = Field(description="M, increasing; the last is judged, up to 10^6")
    tolerances: Tolerances

    def network(self, width: int, inputs: int) -> Widths:
        """n_0 ... n_L at the width M, with one output."""
        return Widths((inputs, *(width,) * self.hidden_layers, 1))


class GaussianLayers(EqualLayers):
    """The same on Gaussian inputs."""

    inputs: DenseWidth = Field(description="n_0, up to 10^6")


class ImageLayers(EqualLayers):
    """The same on images of two classes, with targets 1 and -1."""

    pair: PairName = Field(description="pair of classes the images come from")


class OneStep(Block):
    """One full step, which would leave nothing of the residual, as the bottleneck sharpens."""

    inputs: DenseWidth = Field(description="n_0 of Gaussian inputs, up to 10^6")
    samples: Samples = Field(description="inputs N, 2 to 10^4")
    hidden: Annotated[tuple[Share, ...], Field(min_length=1, max_length=100)] = Field(
        description="hidden layers, 1 to 100: wide n, narrow n_min"
    )
    narrow: NarrowWidth
    widths: IncreasingWidths = Field(description="wide widths n, increasing, up to 10^6")
    trials: Trials = Field(description="independent networks and inputs per width, up to 10^7")
    parametrizations: tuple[ParametrizationName, ...] = Field(min_length=1, max_length=5)
    r: Annotated[ExactNumber, Field(ge=0, le=Fraction(1, 2))] = Field(
        description="exponent of n_min in dynamic parametrization, 0 to 1/2"
    )
    approximations: tuple[Approximation, ...] = Field(
        min_length=1, max_length=4, description="approximations whose step is taken"
    )
    fall: PositiveFloat = Field(
        description="residuals whose exponent of n is below minus this one fall as lazy networks' do"
    )
    identity: PositiveFloat = Field(
        description="largest relative difference of residuals that is rounding"
    )

    def network(self, n: int) -> Widths:
        """n_0 ... n_L at the wide width n. Raises ``ConfigError`` if n_min is no width beside it."""
        return bottleneck(n, self.narrow.rule().n_min(n), hidden=self.hidden, n_in=self.inputs, n_out=1)

    @model_validator(mode="after")
    def _listed_once(self) -> Self:
        for name in ("parametrizations", "approximations"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} has one twice; list each once")
        return self


class NaturalGradientSettings(Block):
    """Exact and approximate natural gradients beside what a kernel that stays makes of them."""

    seed: Seed = Field(description="seed of networks, inputs and images")
    trials: Trials = Field(description="independent networks per width of several steps, up to 10^7")
    parametrization: ParametrizationName = Field(description="that of the networks of several steps")
    r: Annotated[ExactNumber, Field(ge=0, le=Fraction(1, 2))] = Field(
        description="exponent of n_min if that is dynamic parametrization, 0 to 1/2"
    )
    step: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="c of the learning rate c/a: a step leaves 1 - c of the residual"
    )
    steps: Annotated[int, Field(ge=1, le=10**4)] = Field(description="steps, 1 to 10^4")
    gaussian: GaussianLayers
    images: ImageLayers
    one_step: OneStep
    figure: CurveName = Field(description="figure of the residuals")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.images.samples % 2:
            raise ValueError(
                f"images.samples ({self.images.samples}) is odd, but both classes have equal numbers; "
                f"make it even"
            )
        for where in ("gaussian", "images", "one_step"):
            widths = list(getattr(self, where).widths)
            if widths != sorted(set(widths)):
                raise ValueError(
                    f"{where}.widths are not increasing; list each once, the smallest first"
                )
        for where, inputs in (("gaussian", self.gaussian.inputs), ("images", INPUT_WIDTH)):
            part: EqualLayers = getattr(self, where)
            networks = [part.network(width, inputs) for width in part.widths]
            # The control inverts blocks, whether they are among the approximations or not.
            _require_all(where, networks, {"block_diagonal", *part.tolerances}, part.samples)
        own = self.one_step
        try:
            networks = [own.network(n) for n in own.widths]
        except ConfigError as error:
            raise ValueError(f"one_step.narrow at one_step.widths: {error}") from None
        _require_all("one_step", networks, own.approximations, own.samples)
        return self


class NaturalGradientTrials(Block):
    """Blocks of ``measure_natural``."""

    data: Data
    inputs: Inputs
    natural_gradient: NaturalGradientSettings


class NaturalGradientStage(Block):
    """Blocks of ``judge_natural`` and ``plot_natural``."""

    natural_gradient: NaturalGradientSettings
    fit: Fit
    figures: Figures


def for_natural_trials(config: BaseModel) -> NaturalGradientTrials:
    """What measuring depends on. Raises ``ConfigError`` if there is no such pair of classes."""
    whole = pick(NaturalGradientTrials, config)
    pair = whole.natural_gradient.images.pair
    named(whole.data.pairs, pair, "data.pairs, which natural_gradient.images.pair names")
    return whole.model_copy(update={"data": whole.data.of_pair(pair)})


def for_natural(config: BaseModel) -> NaturalGradientStage:
    """What the verdicts and the figure depend on, besides the measured residuals."""
    whole = pick(NaturalGradientStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})


def _require_all(
    where: str, networks: Iterable[Widths], approximations: Iterable[Approximation], samples: int
) -> None:
    """Raise ``ValueError`` naming the key ``where`` if some matrix to be inverted is singular."""
    for network in networks:
        for approximation in approximations:
            try:
                require_possible(approximation, network, samples)
            except ConfigError as error:
                raise ValueError(f"{where}: {error}") from None
