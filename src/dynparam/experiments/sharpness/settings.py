"""What sharpness is measured on, and what its verdicts depend on."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, model_validator

from dynparam.data.settings import Data, Inputs
from dynparam.settings.base import Block, CurveName, DenseWidth, Seed, Trials, pick
from dynparam.settings.shared import Fit
from dynparam.settings.widths import NarrowWidth, Network, WidthGrid, require_narrow_family
from dynparam.theory.parametrization import ParametrizationName
from dynparam.theory.widths import Rounding

SIDE = 32
"""Pixels along a side of an image."""

Images = Annotated[int, Field(ge=2, le=10**4)]


class SharpnessOfWidths(Block):
    """Sharpness against width, at initialization."""

    parametrizations: tuple[ParametrizationName, ...] = Field(min_length=1)
    families: dict[CurveName, NarrowWidth] = Field(min_length=1, description="narrow widths, by name")
    widths: WidthGrid
    images: Images = Field(description="inputs of a kernel, 2 to 10^4")
    trials: Trials = Field(description="networks per width; each serves all parametrizations")
    slope_tolerance: PositiveFloat = Field(description="largest difference of slopes that is none")
    ratio_tolerance: PositiveFloat = Field(
        description="largest departure from theory that is none, as a share"
    )
    ratio_from: PositiveInt = Field(description="smallest n at which the ratio to theory is judged")


class SharpnessOfNormalization(Block):
    """Sharpness of normalized outputs, on Gaussian inputs, in networks of equal widths M."""

    widths: tuple[DenseWidth, ...] = Field(min_length=2, description="M, increasing; n_0 = M too")
    layers: Annotated[int, Field(ge=2, le=100)] = Field(description="L, 2 to 100")
    outputs: Annotated[int, Field(ge=8, le=1000)] = Field(
        description="C, 8 to 1000; with fewer the spread over outputs has no second moment"
    )
    fixed_images: Annotated[int, Field(ge=3, le=10**4)] = Field(
        description="inputs at every width, in the control; elsewhere there are M"
    )
    trials: Trials = Field(description="networks per width, each with inputs of its own")
    slope_tolerance: PositiveFloat = Field(
        description="largest difference of a slope from 1 that is none"
    )
    flat_tolerance: PositiveFloat = Field(description="largest slope that counts as none")
    ratio_tolerance: PositiveFloat = Field(
        description="largest departure from theory that is none, as a share; not of mean and batch"
    )

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if list(self.widths) != sorted(set(self.widths)) or self.widths[0] < 3:
            raise ValueError("widths must increase from 3 or more; list every one once")
        return self


class SharpnessOfRates(Block):
    """The largest learning rate at which gradient descent does not grow."""

    n: tuple[DenseWidth, ...] = Field(min_length=1, description="wide widths")
    images: Images = Field(description="training inputs, 2 to 10^4")
    steps: Annotated[int, Field(ge=10, le=10**4)] = Field(description="steps of gradient descent")
    tolerance: PositiveFloat = Field(description="largest difference of rate times sharpness from 2")


class Sharpness(Block):
    """Sharpness: the largest eigenvalue of the Fisher information at initialization."""

    seed: Seed = Field(description="seed of networks and images")
    pool: PositiveInt = Field(description="pixels along the side of a block whose mean is an input")
    widths: SharpnessOfWidths
    normalization: SharpnessOfNormalization
    rates: SharpnessOfRates

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if SIDE % self.pool:
            raise ValueError(f"pool ({self.pool}) does not divide {SIDE}; take 1, 2, 4, 8, 16 or 32")
        return self

    @property
    def features(self) -> int:
        """n_0 of pooled images."""
        return 3 * (SIDE // self.pool) ** 2

    def require_families(self, rounding: Rounding) -> None:
        """Raise ``ValueError`` naming a family whose narrow width is none on the grid."""
        for name, narrow in self.widths.families.items():
            where = f"sharpness.widths.families.{name}"
            require_narrow_family(where, narrow, self.widths.widths, rounding)


class SharpnessStage(Block):
    """Blocks of the measurement."""

    data: Data
    inputs: Inputs
    network: Network
    sharpness: Sharpness


class SharpnessVerdicts(Block):
    """Blocks of the verdicts."""

    sharpness: Sharpness
    fit: Fit


def for_sharpness(config: BaseModel, pair: str) -> SharpnessStage:
    """What measuring sharpness on images of ``pair`` depends on."""
    whole = pick(SharpnessStage, config)
    return whole.model_copy(update={"data": whole.data.of_pair(pair)})


def for_verdicts(config: BaseModel) -> SharpnessVerdicts:
    """What the verdicts depend on, besides what was measured."""
    return pick(SharpnessVerdicts, config)
