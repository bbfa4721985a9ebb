"""The tasks in a row that are trained, and what measuring, judging and drawing depend on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat, model_validator

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

Samples = Annotated[int, Field(ge=1, le=10**4)]

Similarity = Annotated[float, Field(ge=-1, le=1)]

Targets = Annotated[int, Field(ge=1, le=1000)]

Decay = Annotated[float, Field(gt=0, le=10)]


class Rows(NamedTuple):
    """Two tasks in a row: N_A, N_B, the variance of the noise, and the similarities asked for."""

    first: int
    second: int
    noise: float
    similarities: tuple[float, ...]


class LearningCurve(Block):
    """Errors against the number of samples of the second task."""

    first: Samples = Field(description="samples N_A of the first task")
    seconds: tuple[Samples, ...] = Field(min_length=2, description="samples N_B, increasing")
    other: Similarity = Field(description="rho of another second task, besides the same task again")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if list(self.seconds) != sorted(set(self.seconds)):
            raise ValueError("seconds are not increasing; list each once, the smallest first")
        return self


class Similarities(Block):
    """Errors against the similarity of the tasks."""

    first: Samples = Field(description="samples N_A of the first task")
    second: Samples = Field(description="samples N_B of the second")
    values: tuple[Similarity, ...] = Field(min_length=2, description="rho, increasing, with 0 and 1")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if list(self.values) != sorted(set(self.values)):
            raise ValueError("values are not increasing; list each once, the smallest first")
        if not {0.0, 1.0} <= set(self.values):
            raise ValueError("values lack 0 or 1, which the critical similarity is measured by; add it")
        return self


class TwoTasks(Block):
    """Two tasks in a row."""

    first: Samples = Field(description="samples N_A of the first task")
    second: Samples = Field(description="samples N_B of the second")
    noise: NonNegativeFloat = Field(description="variance of noise on targets")


class GaussianModes(Block):
    """Modes that are independent normal variables, of eigenvalues i^(-decay)."""

    modes: Annotated[int, Field(ge=2, le=10**4)] = Field(description="how many, 2 to 10^4")
    decay: Decay = Field(description="of the eigenvalues; powers of targets fall alike")
    trials: Trials = Field(description="independent draws of samples, up to 10^7")
    targets: Targets = Field(description="random targets of each draw, 1 to 1000")
    curve: LearningCurve
    similarity: Similarities
    others: tuple[TwoTasks, ...] = Field(description="further tasks, the same one again")
    smooth_decay: Decay = Field(description="of the powers of targets of the control")
    smooth: Similarities = Field(description="the control's tasks")

    @model_validator(mode="after")
    def _below_threshold(self) -> Self:
        for rows in (*self.rows(), *self.smooth_rows()):
            _require_below("modes", self.modes, rows)
        return self

    def rows(self) -> list[Rows]:
        """All pairs of tasks whose powers fall as the eigenvalues do."""
        found = [Rows(one.first, one.second, one.noise, (1.0,)) for one in self.others]
        return _merged([*_curve_rows(self.curve), _similarity_rows(self.similarity), *found])

    def smooth_rows(self) -> list[Rows]:
        """Those of the control."""
        return [_similarity_rows(self.smooth)]


class PoolOfImages(Block):
    """Modes of the wide kernel on a pool of images, which samples are drawn from with replacement."""

    pair: PairName = Field(description="pair of classes; targets are 1 and -1")
    pool: Annotated[int, Field(ge=2, le=10**4)] = Field(description="images P, an even number")
    n: DenseWidth = Field(description="width of the wide layers, up to 10^6")
    narrow: NarrowWidth
    trials: Trials = Field(description="independent draws of samples, up to 10^7")
    targets: Targets = Field(description="random second targets of each draw, 1 to 1000")
    curve: LearningCurve
    similarity: Similarities
    others: tuple[TwoTasks, ...] = Field(description="further tasks, the same one again; without noise")
    parametrizations: tuple[ParametrizationName, ...] = Field(
        min_length=1,
        max_length=5,
        description="kernels: of the first all tasks are measured, of the others the same task again",
    )
    r: Annotated[ExactNumber, Field(ge=0, le=Fraction(1, 2))] = Field(
        description="exponent of n_min in dynamic parametrization, 0 to 1/2"
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.pool % 2:
            raise ValueError(
                f"pool ({self.pool}) is odd, but both classes have equal numbers; make it even"
            )
        if len(set(self.parametrizations)) < len(self.parametrizations):
            raise ValueError("parametrizations has one twice; list each once")
        if any(one.noise for one in self.others):
            raise ValueError(
                "others has noise, which an image that is drawn twice would have twice; set it to 0"
            )
        try:
            self.n_min()
        except ConfigError as error:
            raise ValueError(f"narrow at n: {error}") from None
        for rows in self.rows(self.parametrizations[0]):
            _require_below("pool", self.pool, rows)
        return self

    def n_min(self) -> int:
        """The width of the narrow layers."""
        return self.narrow.rule().n_min(self.n)

    def rows(self, parametrization: str) -> list[Rows]:
        """All pairs of tasks of the first kernel; of others those of ``similarity`` at rho = 1."""
        if parametrization != self.parametrizations[0]:
            return [Rows(self.similarity.first, self.similarity.second, 0.0, (1.0,))]
        found = [Rows(one.first, one.second, 0.0, (1.0,)) for one in self.others]
        return _merged([*_curve_rows(self.curve), _similarity_rows(self.similarity), *found])


class ContinualTolerances(Block):
    """What counts as equal."""

    error: PositiveFloat = Field(description="of errors, relative to theory")
    similarity: PositiveFloat = Field(description="of the critical similarity")


class ContinualLearning(Block):
    """One task after another in the regime of lazy training."""

    seed: Seed = Field(description="seed of modes, targets, images and samples")
    gaussian: GaussianModes
    images: PoolOfImages
    tolerances: ContinualTolerances
    figure: CurveName = Field(description="figure of the learning curves")


class ContinualTrials(Block):
    """Blocks of ``measure_continual``."""

    data: Data
    inputs: Inputs
    network: Network
    continual_learning: ContinualLearning


class ContinualStage(Block):
    """Blocks of ``judge_continual`` and ``plot_continual``."""

    continual_learning: ContinualLearning
    fit: Fit
    figures: Figures


def for_continual_trials(config: BaseModel) -> ContinualTrials:
    """What measuring depends on. Raises ``ConfigError`` if there is no such pair of classes."""
    whole = pick(ContinualTrials, config)
    pair = whole.continual_learning.images.pair
    named(whole.data.pairs, pair, "data.pairs, which continual_learning.images.pair names")
    return whole.model_copy(update={"data": whole.data.of_pair(pair)})


def for_continual(config: BaseModel) -> ContinualStage:
    """What the verdicts and the figure depend on, besides the measured errors."""
    whole = pick(ContinualStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})


def _curve_rows(curve: LearningCurve) -> Iterator[Rows]:
    for second in curve.seconds:
        yield Rows(curve.first, second, 0.0, tuple(sorted({curve.other, 1.0})))


def _similarity_rows(own: Similarities) -> Rows:
    return Rows(own.first, own.second, 0.0, own.values)


def _merged(rows: list[Rows]) -> list[Rows]:
    """Each pair once, with all similarities that are asked of it."""
    found: dict[tuple[int, int, float], set[float]] = {}
    for first, second, noise, similarities in rows:
        found.setdefault((first, second, noise), set()).update(similarities)
    return [Rows(*pair, tuple(sorted(similarities))) for pair, similarities in found.items()]


def _require_below(key: str, count: int, rows: Rows) -> None:
    """Raise ``ValueError`` naming the key if samples reach the interpolation threshold."""
    most = max(rows.first, rows.second)
    if most >= count:
        raise ValueError(
            f"{most} samples reach the interpolation threshold, {key} ({count}); take fewer samples or "
            f"more {key}"
        )
