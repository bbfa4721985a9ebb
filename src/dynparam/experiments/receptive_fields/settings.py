"""Windows, weights and disturbances, and what measuring, judging and drawing depend on."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field, PositiveFloat, model_validator

from dynparam.data.settings import Data, Inputs
from dynparam.settings.base import Block, CurveName, PairName, Seed, Trials, named, pick
from dynparam.settings.shared import Figures, Fit

Count = Annotated[int, Field(ge=2, le=10**4)]

Grid = Annotated[int, Field(ge=1, le=32)]

Radius = Annotated[float, Field(gt=0, le=10)]


class DrawnNetworks(Block):
    """Networks whose weights are drawn, beside the kernel of infinitely many units."""

    grid: Grid = Field(description="positions along each side of the image, 1 to 32")
    units: Annotated[int, Field(ge=1, le=10**4)] = Field(description="of each position, up to 10^4")
    images: Count = Field(description="images whose kernel is taken, an even number up to 10^4")


class FieldTolerances(Block):
    """What counts as equal."""

    exact: PositiveFloat = Field(
        description="of kernels that are the same, relative to their largest entry"
    )
    ratio: PositiveFloat = Field(description="of a drawn network's kernel over that of theory")


class ReceptiveFields(Block):
    """Local receptive fields and correlated weights, against inputs that are disturbed."""

    seed: Seed = Field(description="seed of images, disturbances, orders of pixels and weights")
    pairs: tuple[PairName, ...] = Field(
        min_length=1, max_length=6, description="pairs of classes; targets are 1 and -1"
    )
    samples: Count = Field(description="images to train on, an even number up to 10^4")
    test_samples: Count = Field(description="images to test on, an even number up to 10^4")
    trials: Trials = Field(description="independent draws of images, up to 10^7")
    grid: Grid = Field(description="positions along each side of the image, 1 to 32")
    radii: tuple[Radius, ...] = Field(
        min_length=1, max_length=6, description="of windows, in sides of the image, increasing, up to 10"
    )
    correlation: Annotated[float, Field(ge=0.25, le=1000)] = Field(
        description="length over which weights are correlated, in pixels, 0.25 to 1000"
    )
    ridge: PositiveFloat = Field(description="of the regression, over the mean diagonal of the kernel")
    square: Annotated[int, Field(ge=1, le=32)] = Field(
        description="side of the square of one colour that disturbs an image, 1 to 32 pixels"
    )
    noise: PositiveFloat = Field(description="standard deviation of the noise that disturbs an input")
    drawn: DrawnNetworks
    tolerances: FieldTolerances
    figure: CurveName = Field(description="figure of what disturbances do")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for where, count in (
            ("samples", self.samples),
            ("test_samples", self.test_samples),
            ("drawn.images", self.drawn.images),
        ):
            if count % 2:
                raise ValueError(
                    f"{where} ({count}) is odd, but both classes have equal numbers; make it even"
                )
        if self.drawn.images > self.samples:
            raise ValueError(
                f"drawn.images ({self.drawn.images}) exceeds samples ({self.samples}), which they are "
                f"among; lower it"
            )
        if list(self.radii) != sorted(set(self.radii)):
            raise ValueError("radii are not increasing; list each once, the smallest first")
        if len(set(self.pairs)) < len(self.pairs):
            raise ValueError("pairs has one twice; list each once")
        return self


class FieldTrials(Block):
    """Blocks of ``measure_fields``."""

    data: Data
    inputs: Inputs
    receptive_fields: ReceptiveFields


class FieldStage(Block):
    """Blocks of ``judge_fields`` and ``plot_fields``."""

    receptive_fields: ReceptiveFields
    fit: Fit
    figures: Figures


def for_field_trials(config: BaseModel, pair: str) -> FieldTrials:
    """What measuring on a pair depends on, whatever other pairs there are.

    Raises ``ConfigError`` if it is none of the experiment's, or there are no such classes.
    """
    whole = pick(FieldTrials, config)
    own = whole.receptive_fields
    named(dict.fromkeys(own.pairs), pair, "receptive_fields.pairs")
    named(whole.data.pairs, pair, "data.pairs, which receptive_fields.pairs names")
    alone = {
        "data": whole.data.of_pair(pair),
        "receptive_fields": own.model_copy(update={"pairs": (pair,)}),
    }
    return whole.model_copy(update=alone)


def for_fields(config: BaseModel) -> FieldStage:
    """What the verdicts and the figure depend on, besides what was measured."""
    whole = pick(FieldStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
