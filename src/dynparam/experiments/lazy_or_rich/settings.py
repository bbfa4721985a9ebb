"""The laziness of networks: what is measured of it, and what its verdicts and figure depend on."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field, PositiveFloat, model_validator

from dynparam.data.settings import Data, Images
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
from dynparam.settings.widths import NarrowWidth, Share, WidthGrid, require_narrow_family
from dynparam.theory.parametrization import HALF, ParametrizationName
from dynparam.theory.widths import RatioRule, Widths, bottleneck

Steps = Annotated[int, Field(ge=1, le=10**6)]

Step = Annotated[float, Field(gt=0, le=2)]
"""c of the learning rate c T / lambda_max; gradient descent on a linearization is stable below 2."""

Hidden = Annotated[tuple[Share, ...], Field(min_length=1, max_length=100)]

Exponent = Annotated[ExactNumber, Field(ge=0, le=HALF)]

LINEARIZED: tuple[ParametrizationName, ...] = ("ntk", "dynamic")
"""The parametrizations that are compared with their linearizations: the lazy one, and the control."""


class Linearization(Block):
    """Trained networks against their linearizations, on real images."""

    pair: PairName = Field(description="pair of classes the images come from; targets are 1 and -1")
    train_images: Images = Field(description="images that networks are trained on, up to 10^6")
    test_images: Images = Field(description="images they are compared on, up to 10^6")
    hidden_layers: Annotated[int, Field(ge=1, le=100)] = Field(
        description="hidden layers, all of one width, 1 to 100"
    )
    widths: WidthGrid
    trials: Trials = Field(description="independent draws of weights and images per width, up to 10^7")
    step: Step = Field(description="c of the learning rate c T / lambda_max, up to 2")
    steps: Steps = Field(description="steps of gradient descent, up to 10^6")
    discrepancy_slope: Annotated[float, Field(lt=0)] = Field(
        description="below it the discrepancy's exponent of n is that of a lazy network"
    )
    kernel_slope: tuple[float, float] = Field(
        description="what the kernel change's exponent of n may be in a lazy network"
    )
    tolerance: PositiveFloat = Field(
        description="largest exponent of the kernel change that is none, in a rich network"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.kernel_slope
        if low >= high:
            raise ValueError(f"kernel_slope ({low:g}, {high:g}) is no range; put the smaller one first")
        return self


class KernelChange(Block):
    """How far training to a given loss moves the kernel, on Gaussian inputs."""

    hidden: Hidden = Field(description="hidden layers, 1 to 100: wide n, narrow n_min")
    samples: Annotated[int, Field(ge=2, le=10**5)] = Field(description="inputs T, 2 to 10^5")
    widths: dict[CurveName, WidthGrid] = Field(description="wide widths n, by family of widths")
    r: tuple[Exponent, ...] = Field(
        min_length=1, max_length=100, description="exponents r of dynamic parametrization, increasing"
    )
    trials: Trials = Field(description="independent draws of weights and inputs per width, up to 10^7")
    step: Step = Field(description="c of the learning rate c T / lambda_max, up to 2")
    control_step: Step = Field(description="a larger one, for spectral parametrization")
    until: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="loss at which descent ends, over that at initialization"
    )
    steps: Steps = Field(description="most steps of gradient descent, up to 10^6")
    tolerance: PositiveFloat = Field(description="largest difference of exponents that is none")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if list(self.r) != sorted(set(self.r)):
            raise ValueError("r is not increasing; list every exponent once, the smallest first")
        return self


class Index(Block):
    """The laziness index: relative movement of a layer for a unit that the output moves."""

    hidden: Hidden = Field(description="hidden layers, 1 to 100: wide n, narrow n_min")
    widths: WidthGrid = Field(description="wide widths n on the exact-law engine")
    trials: Trials = Field(description="trials per width on it, up to 10^7")
    dense_widths: WidthGrid = Field(description="wide widths n with weights in memory, up to 10^6")
    dense_trials: Trials = Field(description="trials per width of these, up to 10^7")
    move: Annotated[float, Field(gt=0, le=0.1)] = Field(
        description="relative movement in one step, of the output or a layer, whichever moves more; "
        "the index is a limit"
    )
    slope_tolerance: PositiveFloat = Field(description="largest difference of exponents that is none")
    value_tolerance: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="largest relative difference of values that is none"
    )


class Identities(Block):
    """Dynamic parametrization as ntk with an output scale, draw by draw."""

    n: DenseWidth
    n_min: DenseWidth
    r: tuple[Exponent, ...] = Field(min_length=1, max_length=100, description="exponents r")
    momenta: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = Field(
        min_length=1, max_length=100, description="momenta of SGD"
    )
    steps: Steps = Field(description="steps of SGD, up to 10^6")
    tolerance: PositiveFloat = Field(description="largest relative difference that is rounding")


class LazyOrRich(Block):
    """Lazy or rich: does a network train as its linearization?"""

    seed: Seed = Field(description="seed of the trials")
    inputs: DenseWidth = Field(description="n_0 of Gaussian inputs")
    families: dict[CurveName, NarrowWidth] = Field(description="families of widths, by name")
    linearization: Linearization
    kernel_change: KernelChange
    index: Index
    identities: Identities
    figure: CurveName = Field(description="the figure's name")

    @model_validator(mode="after")
    def _possible_widths(self) -> Self:
        if self.kernel_change.widths.keys() != self.families.keys():
            raise ValueError(
                f"kernel_change.widths has {', '.join(self.kernel_change.widths)}, and families has "
                f"{', '.join(self.families)}; give both the same names"
            )
        for name, narrow in self.families.items():
            if narrow.exponent == 0:
                raise ValueError(f"families.{name}: n_min does not grow; give it a positive exponent")
            for key, grid in (
                (f"kernel_change.widths.{name}", self.kernel_change.widths[name]),
                ("index.widths", self.index.widths),
                ("index.dense_widths", self.index.dense_widths),
            ):
                require_narrow_family(f"families.{name} at {key}", narrow, grid, "nearest")
        if self.identities.n_min > self.identities.n:
            raise ValueError("identities.n_min exceeds identities.n; lower it")
        return self

    def rule(self, family: str) -> RatioRule:
        """The rule of a family. Raises ``ConfigError`` if there is none of that name."""
        return named(self.families, family, "lazy_or_rich.families").rule()

    def network(self, family: str, n: int, hidden: Hidden) -> Widths:
        """The network of a family at the wide width n, with one output."""
        n_min = self.rule(family).n_min(n)
        return bottleneck(n, n_min, hidden=hidden, n_in=self.inputs, n_out=1)


class LazyOrRichStage(Block):
    """Blocks of the trials on Gaussian inputs."""

    lazy_or_rich: LazyOrRich


class LinearizationStage(Block):
    """Blocks of ``measure_linearization``."""

    data: Data
    lazy_or_rich: LazyOrRich


class LazinessStage(Block):
    """Blocks of ``judge_laziness`` and ``plot_laziness``."""

    lazy_or_rich: LazyOrRich
    fit: Fit
    figures: Figures


def for_linearization(config: BaseModel) -> LinearizationStage:
    """What training on real images depends on."""
    whole = pick(LinearizationStage, config)
    data = whole.data.of_pair(whole.lazy_or_rich.linearization.pair)
    return whole.model_copy(update={"data": data})


def for_laziness(config: BaseModel) -> LazinessStage:
    """What the verdicts and the figure depend on, besides the trials."""
    whole = pick(LazinessStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
