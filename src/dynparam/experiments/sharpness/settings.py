"""What sharpness is measured on, and what its verdicts depend on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, model_validator

from dynparam.data.settings import Data, Inputs
from dynparam.settings.base import Block, CurveName, DenseWidth, Seed, Trials, Width, pick
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import NarrowWidth, Network, WidthGrid
from dynparam.support.errors import ConfigError
from dynparam.theory.parametrization import ParametrizationName

SIDE = 32
"""Pixels along a side of an image."""

Images = Annotated[int, Field(ge=2, le=10**4)]


class SharpnessOfWidths(Block):
    """Sharpness against width, at initialization."""

    widths: WidthGrid
    images: Images = Field(description="inputs of a kernel, 2 to 10^4")
    trials: Trials = Field(
        description="networks of the largest width, each of which serves all parametrizations; narrower "
        "ones scatter more, and there are more of them, in inverse proportion"
    )


class SharpnessOfThesis(Block):
    """The wide limit along the thesis's own families, on images that are not pooled."""

    families: dict[CurveName, NarrowWidth] = Field(min_length=1, description="narrow widths, by name")
    widths: WidthGrid
    window: Width = Field(description="largest n of the thesis's window")
    images: Images = Field(description="inputs of a kernel, 2 to 10^4")

    @model_validator(mode="after")
    def _slopes(self) -> Self:
        grid = self.widths.widths()
        if sum(n <= self.window for n in grid) < 2:
            raise ValueError(f"window ({self.window}) leaves fewer than two of widths; raise it")
        if sum(10 * n >= grid[-1] for n in grid) < 2:
            raise ValueError("widths has fewer than two n in its last decade; raise widths.count")
        return self


class SharpnessOfNormalization(Block):
    """Sharpness of normalized outputs, on Gaussian inputs, in networks of equal widths M."""

    widths: tuple[DenseWidth, ...] = Field(min_length=2, description="M, increasing; n_0 = M too")
    fixed_widths: tuple[DenseWidth, ...] = Field(
        min_length=2, description="M of the control, increasing; n_0 = M too"
    )
    layers: Annotated[int, Field(ge=2, le=100)] = Field(description="L, 2 to 100")
    outputs: Annotated[int, Field(ge=8, le=1000)] = Field(
        description="C, 8 to 1000; with fewer the spread over outputs has no second moment"
    )
    fixed_images: Annotated[int, Field(ge=3, le=10**4)] = Field(
        description="inputs at every width, in the control; elsewhere there are M"
    )
    trials: Trials = Field(
        description="networks of the largest width, each with inputs of its own; narrower ones scatter "
        "more, and there are more of them, in inverse proportion"
    )

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        for key in ("widths", "fixed_widths"):
            given = getattr(self, key)
            if list(given) != sorted(set(given)) or given[0] < 3:
                raise ValueError(f"{key} must increase from 3 or more; list every one once")
        return self


class SharpnessOfRates(Block):
    """The largest learning rate at which gradient descent does not grow."""

    n: tuple[DenseWidth, ...] = Field(min_length=1, description="wide widths")
    images: Images = Field(description="training inputs, 2 to 10^4")
    steps: Annotated[int, Field(ge=10, le=10**4)] = Field(description="steps of gradient descent")


class SharpnessTolerances(Block):
    """What counts as equal; no measurement depends on it."""

    slope: PositiveFloat = Field(description="largest difference of slopes in width that is none")
    ratio: PositiveFloat = Field(description="largest departure from the wide limit, as a share")
    ratio_from: PositiveInt = Field(description="smallest n at which the ratio to it is judged")
    normalized_slope: PositiveFloat = Field(
        description="largest difference of a slope from 1 that is none, of outputs as they are"
    )
    flat: PositiveFloat = Field(description="largest slope in M that counts as none")
    growth: PositiveFloat = Field(description="slope in M above which layer normalization left growth")
    normalized_ratio: PositiveFloat = Field(
        description="largest departure from theory at M, as a share; not of mean and batch"
    )
    rate: PositiveFloat = Field(description="largest difference of rate times sharpness from 2")


class Part(Block):
    """What a measurement depends on of ``Sharpness``: keys that are another's are left out."""

    @model_validator(mode="before")
    @classmethod
    def _own(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        others = Sharpness.model_fields.keys() - cls.model_fields.keys()
        return {key: value for key, value in values.items() if key not in others}


class OnImages(Part):
    """What all measurements on images depend on."""

    seed: Seed = Field(description="seed of networks and images")
    pool: PositiveInt = Field(description="pixels along the side of a block whose mean is an input")
    parametrizations: tuple[ParametrizationName, ...] = Field(min_length=1)
    families: dict[CurveName, NarrowWidth] = Field(min_length=1, description="narrow widths, by name")

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if SIDE % self.pool:
            raise ValueError(f"pool ({self.pool}) does not divide {SIDE}; take 1, 2, 4, 8, 16 or 32")
        return self

    @property
    def features(self) -> int:
        """n_0 of pooled images."""
        return 3 * (SIDE // self.pool) ** 2


class WidthsPart(OnImages):
    """What sharpness against width depends on."""

    widths: SharpnessOfWidths
    thesis: SharpnessOfThesis


class RatesPart(OnImages):
    """What the largest stable learning rates depend on."""

    rates: SharpnessOfRates


class NormalizationPart(Part):
    """What the sharpness of normalized outputs depends on."""

    seed: Seed
    normalization: SharpnessOfNormalization


class Sharpness(OnImages):
    """Sharpness: the largest eigenvalue of the Fisher information at initialization."""

    widths: SharpnessOfWidths
    thesis: SharpnessOfThesis
    normalization: SharpnessOfNormalization
    rates: SharpnessOfRates
    tolerances: SharpnessTolerances
    figure: CurveName = Field(description="figure of sharpness")

    def require_possible(self, data: Data) -> None:
        """Raise ``ValueError`` naming the key that asks for images or widths that there are not."""
        for part in ("widths", "thesis", "rates"):
            _require_images(f"sharpness.{part}.images", getattr(self, part).images, data)
        for name, narrow in self.families.items():
            where = f"sharpness.families.{name}"
            _require_narrow(f"{where} at sharpness.widths", narrow, self.widths.widths.widths())
            _require_narrow(f"{where} at sharpness.rates.n", narrow, self.rates.n)
        for name, narrow in self.thesis.families.items():
            _require_narrow(f"sharpness.thesis.families.{name}", narrow, self.thesis.widths.widths())


def _require_images(where: str, count: int, data: Data) -> None:
    """Raise ``ValueError`` naming the key ``where`` if the training images are fewer, or not paired."""
    if count > data.train_images:
        raise ValueError(
            f"{where} ({count}) exceeds data.train_images ({data.train_images}); lower it, or draw more"
        )
    if data.stratified and count % 2:
        raise ValueError(
            f"{where} ({count}) is odd, but data.stratified asks for equal numbers of both classes; "
            f"make it even"
        )


def _require_narrow(where: str, narrow: NarrowWidth, grid: Iterable[int]) -> None:
    """Raise ``ValueError`` naming the key ``where`` if n_min is no width, or above n, on the grid."""
    for n in grid:
        try:
            narrow.rule().n_min(n)
        except ConfigError as error:
            raise ValueError(f"{where}: {error}") from None


class ImagesStage(Block):
    """Blocks of the measurements on images."""

    data: Data
    inputs: Inputs
    network: Network
    sharpness: OnImages


class WidthsStage(ImagesStage):
    """Blocks of sharpness against width."""

    sharpness: WidthsPart


class RatesStage(ImagesStage):
    """Blocks of the largest stable learning rates."""

    sharpness: RatesPart


class NormalizationStage(Block):
    """Blocks of the sharpness of normalized outputs, on random inputs."""

    sharpness: NormalizationPart


class SharpnessVerdicts(Block):
    """Blocks of the verdicts and of the figure."""

    network: Network
    sharpness: Sharpness
    fit: Fit
    figures: Figures


def for_widths(config: BaseModel, pair: str) -> WidthsStage:
    """What sharpness against width on images of ``pair`` depends on."""
    whole = pick(WidthsStage, config)
    return whole.model_copy(update={"data": whole.data.of_pair(pair)})


def for_rates(config: BaseModel, pair: str) -> RatesStage:
    """What the largest stable learning rates on images of ``pair`` depend on."""
    whole = pick(RatesStage, config)
    return whole.model_copy(update={"data": whole.data.of_pair(pair)})


def for_normalization(config: BaseModel) -> NormalizationStage:
    """What the sharpness of normalized outputs depends on."""
    return pick(NormalizationStage, config)


def for_verdicts(config: BaseModel) -> SharpnessVerdicts:
    """What the verdicts and the figure depend on, besides what was measured."""
    whole = pick(SharpnessVerdicts, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
