"""Which decays and sizes of updates are trained, and what judging and drawing depend on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator

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


@dataclass(frozen=True)
class Table:
    """One table of curves.

    Attributes:
        task: the pair of classes.
        arms: its arms, in order.
        seeds: runs of each.
        name: the parametrization whose decays it holds; empty for a size of updates.
        r: the size of updates whose rates it holds; ``None`` for a parametrization.
    """

    task: str
    arms: tuple[Arm, ...]
    seeds: int
    name: str = ""
    r: Fraction | None = None


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

    def tables(self) -> Iterator[tuple[str, Table]]:
        """The place of every table, ``weight_decay/bird-cat/1000-50/spectral``, and what it is."""
        for task in self.tasks:
            folder = f"weight_decay/{task}/{self.network_name}"
            for name in self.parametrizations:
                yield f"{folder}/{name}", Table(task, self.decays(name), self.seeds, name=name)
            for r in self.sizes.values:
                yield f"{folder}/{size_name(r)}", Table(task, self.rated(r), self.sizes.seeds, r=r)

    def decays(self, name: str) -> tuple[Arm, ...]:
        """The arms of a parametrization, one for each decay."""
        shares = [share / self.learning_rate for share in self.shrinkage]
        return tuple(_arm(name, learning_rate=self.learning_rate, weight_decay=one) for one in shares)

    def rated(self, r: Fraction) -> tuple[Arm, ...]:
        """The arms of a size of updates, one for each rate."""
        return tuple(_arm("dynamic", learning_rate=rate, r=r) for rate in self.rates())

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


class CountedImages(Block):
    """Of ``data`` the part that tells the steps of an epoch; the rest is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    train_images: int


class Batches(Block):
    """Of ``protocol`` the part that tells the steps of an epoch; the rest is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    batch_size: int
    last_batch: str


class WeightDecayStage(Block):
    """Blocks of ``judge_decay`` and ``plot_decay``; data and protocol tell the steps of a run."""

    data: CountedImages
    protocol: Batches
    weight_decay: WeightDecaySettings
    fit: Fit
    figures: Figures

    def places(self) -> Iterator[str]:
        """The places of all tables of curves."""
        return (place for place, _ in self.weight_decay.tables())

    @property
    def steps(self) -> int:
        """Steps of a run."""
        full, left = divmod(self.data.train_images, self.protocol.batch_size)
        kept = full + (left > 0 and self.protocol.last_batch == "kept")
        return kept * self.weight_decay.epochs


class Decayed(Block):
    """The block that says which tables there are; the others are the arms'."""

    weight_decay: WeightDecaySettings


def tables(config: BaseModel) -> Iterator[tuple[str, ArmsStage]]:
    """The place of every table of curves, and its arms."""
    own = pick(Decayed, config).weight_decay
    for place, table in own.tables():
        # Decay shrinks the first layer's initial weights too, which only a stored matrix has.
        more = {"first_layer": "primal"} if table.name else {}
        yield (
            place,
            arms_stage(
                config,
                task=table.task,
                validation=own.validation_images,
                arms=table.arms,
                seeds=table.seeds,
                n=own.n,
                n_min=own.n_min,
                epochs=own.epochs,
                **more,
            ),
        )


def size_name(r: Fraction) -> str:
    """How an exponent stands in file names: ``r-1-4`` for a quarter."""
    return f"r-{r.numerator}-{r.denominator}"


def for_decay(config: BaseModel) -> WeightDecayStage:
    """What the verdicts and the figure depend on, besides the curves."""
    whole = pick(WeightDecayStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})


def _arm(name: str, **varied: object) -> Arm:
    return Arm.model_validate({"initialization": name, "parametrization": name, **varied})
