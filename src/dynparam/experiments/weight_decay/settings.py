"""Which decays and sizes of updates are trained, and what judging and drawing depend on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat, model_validator

from dynparam.data.settings import Images
from dynparam.settings.base import (
    Block,
    CurveName,
    DenseWidth,
    Epochs,
    ExactNumber,
    PairName,
    Seeds,
    pick,
)
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import Parametrizations, require_narrower
from dynparam.training.arms.settings import Arm, ArmsStage, arms_stage
from dynparam.training.settings import network_name

Size = Annotated[ExactNumber, Field(ge=0, le=1)]


class Sizes(Block):
    """The exponents r of updates of order n_min^r, and the rates each is trained at."""

    values: tuple[Size, ...] = Field(
        min_length=2, max_length=50, description="r, 0 to 1; beyond 1/2 eq. 2.67 does not allow it"
    )
    first: Annotated[int, Field(ge=-60, le=60)] = Field(
        description="the smallest rate is learning_rate 2^first, -60 to 60"
    )
    last: Annotated[int, Field(ge=-60, le=60)] = Field(
        description="the largest rate is learning_rate 2^last, -60 to 60"
    )
    seeds: Seeds = Field(description="runs at each rate, 2 to 10^6")


class WeightDecaySettings(Block):
    """Weight decay (eq. 2.12), and the exponent r, on the training curves of one network."""

    tasks: tuple[PairName, ...] = Field(min_length=1, description="pairs of data.pairs")
    validation_images: Images = Field(description="images that choose rates, up to 10^6")
    n: DenseWidth = Field(description="width of the wide hidden layers, up to 10^6")
    n_min: DenseWidth = Field(description="width of the narrow hidden layers, at most n")
    epochs: Epochs = Field(description="up to 10^6")
    learning_rate: PositiveFloat = Field(description="eta")
    parametrizations: Parametrizations = Field(description="compared as second minus first")
    shrinkage: tuple[Annotated[NonNegativeFloat, Field(lt=1)], ...] = Field(
        min_length=2,
        max_length=50,
        description="eta lambda, the share of a weight that a step takes; the first is 0, increasing",
    )
    seeds: Seeds = Field(description="runs with each decay, 2 to 10^6")
    sizes: Sizes
    loss_tolerance: PositiveFloat = Field(description="difference of losses that counts as none")
    figure: CurveName = Field(description="figure of the curves' differences")

    @property
    def network_name(self) -> str:
        """The widths as they stand in file names."""
        return network_name(self.n, self.n_min)

    def rates(self) -> tuple[float, ...]:
        """The learning rates that each size of updates is trained at, increasing."""
        return tuple(self.learning_rate * 2.0**k for k in range(self.sizes.first, self.sizes.last + 1))

    @model_validator(mode="after")
    def _possible(self) -> Self:
        require_narrower("weight_decay", self.n, self.n_min)
        if self.shrinkage[0] != 0 or list(self.shrinkage) != sorted(set(self.shrinkage)):
            raise ValueError("shrinkage must begin with 0 and increase; list each value once, in order")
        if len(set(self.sizes.values)) < len(self.sizes.values):
            raise ValueError("sizes.values has one twice; list each once")
        if not self.sizes.first <= 0 <= self.sizes.last:
            raise ValueError(
                f"sizes.first ({self.sizes.first}) to sizes.last ({self.sizes.last}) leaves out 0, the "
                f"octave of learning_rate itself; make first at most 0 and last at least 0"
            )
        return self


class WeightDecayStage(Block):
    """Blocks of ``judge_decay`` and ``plot_decay``."""

    weight_decay: WeightDecaySettings
    fit: Fit
    figures: Figures


class Decayed(Block):
    """The block that says which tables there are; the others are the arms'."""

    weight_decay: WeightDecaySettings


def tables(config: BaseModel) -> Iterator[tuple[str, ArmsStage]]:
    """The place of every table of curves, and its arms: ``weight_decay/bird-cat/1000-50/spectral``."""
    own = pick(Decayed, config).weight_decay
    for task in own.tasks:
        folder = f"weight_decay/{task}/{own.network_name}"
        for name in own.parametrizations:
            arms = [
                Arm(
                    initialization=name,
                    parametrization=name,
                    learning_rate=own.learning_rate,
                    weight_decay=share / own.learning_rate,
                )
                for share in own.shrinkage
            ]
            # Decay shrinks the first layer's initial weights too, which only a stored matrix has.
            yield f"{folder}/{name}", _stage(config, own, task, arms, own.seeds, first_layer="primal")
        for r in own.sizes.values:
            arms = [
                Arm(
                    initialization="dynamic",
                    parametrization="dynamic",
                    learning_rate=rate,
                    r=Fraction(r),
                )
                for rate in own.rates()
            ]
            yield f"{folder}/{size_name(r)}", _stage(config, own, task, arms, own.sizes.seeds)


def size_name(r: Fraction) -> str:
    """How an exponent stands in file names: ``r-1-4`` for a quarter."""
    return f"r-{r.numerator}-{r.denominator}"


def for_decay(config: BaseModel) -> WeightDecayStage:
    """What the verdicts and the figure depend on, besides the curves."""
    whole = pick(WeightDecayStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})


def _stage(
    config: BaseModel,
    own: WeightDecaySettings,
    task: str,
    arms: list[Arm],
    seeds: int,
    **protocol: object,
) -> ArmsStage:
    """The arms of one table in the experiment's network."""
    return arms_stage(
        config,
        task=task,
        validation=own.validation_images,
        arms=arms,
        seeds=seeds,
        n=own.n,
        n_min=own.n_min,
        epochs=own.epochs,
        **protocol,
    )
