"""The networks whose softmax is measured, and what measuring, judging and drawing depend on."""

from __future__ import annotations

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
from dynparam.settings.widths import NarrowWidth, Network
from dynparam.support.errors import ConfigError
from dynparam.theory.parametrization import ParametrizationName

Classes = Annotated[int, Field(ge=2, le=1000)]

Samples = Annotated[int, Field(ge=2, le=10**4)]


class GaussianNetwork(Block):
    """A network on Gaussian inputs, of variance 2 / fan_in in all layers."""

    inputs: DenseWidth = Field(description="n_0, up to 10^6")
    hidden: tuple[DenseWidth, ...] = Field(min_length=1, max_length=100, description="hidden widths")
    outputs: Classes = Field(description="classes, 2 to 1000")


class ImageNetworks(Block):
    """Networks of every parametrization on images, of the hidden layers of ``network``."""

    widths: tuple[DenseWidth, ...] = Field(min_length=1, description="n, increasing; the last is drawn")
    narrow: NarrowWidth
    outputs: Annotated[int, Field(ge=3, le=1000)] = Field(
        description="classes, 3 to 1000: of two, one eigenvalue stands out, which has no spread"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if list(self.widths) != sorted(set(self.widths)):
            raise ValueError("widths are not increasing; list each once, the smallest first")
        for n in self.widths:
            try:
                self.narrow.rule().n_min(n)
            except ConfigError as error:
                raise ValueError(f"narrow at widths: {error}") from None
        return self


class SoftmaxTolerances(Block):
    """What counts as equal, and as dispersed."""

    outliers: PositiveFloat = Field(description="of the mean over outliers, relative")
    largest: PositiveFloat = Field(description="of the largest eigenvalue, relative")
    trace: PositiveFloat = Field(description="of the sum of eigenvalues, relative")
    dispersed: Annotated[float, Field(gt=1)] = Field(
        description="outliers spread this many times as far as those of the squared loss are dispersed"
    )
    alike: Annotated[float, Field(gt=1)] = Field(
        description="outliers spread less than this many times as far are not"
    )


class SoftmaxFisher(Block):
    """Fisher information of softmax and cross-entropy, and the metric of inputs."""

    seed: Seed = Field(description="seed of networks, inputs and images")
    trials: Trials = Field(description="independent networks of each kind, up to 10^7")
    samples: Samples = Field(description="inputs T of a Fisher information, 2 to 10^4, an even number")
    ranks: Annotated[int, Field(ge=3, le=10**4)] = Field(
        description="largest eigenvalues that are kept, more than there are classes"
    )
    pair: PairName = Field(description="pair of classes the images come from")
    gaussian: GaussianNetwork
    images: ImageNetworks
    parametrizations: tuple[ParametrizationName, ...] = Field(
        min_length=1, max_length=5, description="those measured on images"
    )
    r: Annotated[ExactNumber, Field(ge=0, le=Fraction(1, 2))] = Field(
        description="exponent of n_min in dynamic parametrization, 0 to 1/2"
    )
    tolerances: SoftmaxTolerances
    figure: CurveName = Field(description="figure of the eigenvalues")

    @model_validator(mode="after")
    def _possible_counts(self) -> Self:
        if len(set(self.parametrizations)) < len(self.parametrizations):
            raise ValueError("parametrizations has one twice; list each once")
        if self.samples % 2:
            raise ValueError(
                f"samples ({self.samples}) is odd, but both classes have equal numbers; make it even"
            )
        fewest = min(self.gaussian.outputs, self.images.outputs)
        most = max(self.gaussian.outputs, self.images.outputs)
        if not most < self.ranks <= fewest * self.samples:
            raise ValueError(
                f"ranks ({self.ranks}) must exceed the {most} classes, and be no more than the "
                f"{fewest * self.samples} eigenvalues there are; change it"
            )
        return self


class SoftmaxTrials(Block):
    """Blocks of ``measure_softmax``."""

    data: Data
    inputs: Inputs
    network: Network
    softmax_fisher: SoftmaxFisher


class SoftmaxStage(Block):
    """Blocks of ``judge_softmax`` and ``plot_softmax``."""

    softmax_fisher: SoftmaxFisher
    fit: Fit
    figures: Figures


def for_softmax_trials(config: BaseModel) -> SoftmaxTrials:
    """What measuring depends on. Raises ``ConfigError`` if there is no such pair of classes."""
    whole = pick(SoftmaxTrials, config)
    pair = whole.softmax_fisher.pair
    named(whole.data.pairs, pair, "data.pairs, which softmax_fisher.pair names")
    return whole.model_copy(update={"data": whole.data.of_pair(pair)})


def for_softmax(config: BaseModel) -> SoftmaxStage:
    """What the verdicts and the figure depend on, besides the measured eigenvalues."""
    whole = pick(SoftmaxStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
