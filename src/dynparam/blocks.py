"""The blocks of the configuration: closed pydantic models without hidden defaults.

Every number lives in ``config/*.yaml``; ``config.py`` puts the blocks together, and says which of them
each stage of the workflow depends on.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PlainSerializer,
    PositiveFloat,
    PositiveInt,
    WithJsonSchema,
    model_validator,
)

from dynparam.errors import ConfigError

ClassName = Literal[
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
]
CIFAR10_CLASSES: tuple[str, ...] = get_args(ClassName)
"""The ten classes, in the order of their labels 0 to 9."""

Split = Literal["train", "test"]
Normalization = Literal["half_range", "unit_range", "per_channel", "per_image"]
ParametrizationName = Literal["ntk", "mup", "spectral", "dynamic", "standard"]
Claim = Literal["flat", "decreasing"]
Parametrizations = tuple[ParametrizationName, ParametrizationName]
Device = Literal["auto", "cpu", "cuda"]
Engine = Literal["dense", "law"]
Errors = Literal["bootstrap", "linearized"]
Share = Literal["wide", "narrow"]
Reference = Literal["n_min", "geometric_mean", "n_max"]

ExactNumber = Annotated[
    Fraction,
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["number", "string"], "pattern": r"^-?\d+(\.\d+|/[1-9]\d*)?$"}),
]
"""A number kept exact: ``"1/5"`` in a file, ``Fraction(1, 5)`` in the code, ``"1/5"`` again in JSON."""

CurveName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Entry = TypeVar("Entry")
PairName = Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+$")]


class Block(BaseModel):
    """A closed, immutable part of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paths(Block):
    """Where files go; every result is below one of these."""

    data: Path = Field(description="raw and processed data")
    results: Path = Field(description="computed tables, logs and job benchmarks")
    figures: Path = Field(description="figures with their data and provenance")

    def all(self) -> tuple[Path, Path, Path]:
        """Every place the workflow writes to."""
        return self.data, self.results, self.figures


class Source(Block):
    """Where CIFAR-10 comes from. The hashes of its members are fixed, so this never changes a result."""

    archive: Path | None = Field(
        description="local archive or extracted directory; the environment variable wins over it"
    )
    mirrors: tuple[str, ...] = Field(description="addresses of the archive, tried in this order")
    timeout_seconds: PositiveFloat = Field(description="longest silence of a server")
    attempts: PositiveInt = Field(description="attempts per mirror; a later one resumes")


class Data(Block):
    """Which images are used (SPEC of the thesis: Secs. 3.1-3.3; open choices of the ledger)."""

    seed: NonNegativeInt = Field(description="seed of the draw of images")
    pairs: dict[PairName, tuple[ClassName, ClassName]] = Field(description="the two-class tasks")
    train_images: PositiveInt = Field(description="training images per pair")
    test_images: PositiveInt = Field(description="test images per pair")
    train_split: Split = Field(description="official split the training images are drawn from")
    test_split: Split = Field(description="official split the test images are drawn from")
    stratified: bool = Field(description="equal numbers of both classes")

    @model_validator(mode="after")
    def _pairs_of_two(self) -> Self:
        for name, (first, second) in self.pairs.items():
            if first == second:
                raise ValueError(f"pair {name!r} names the class {first!r} twice; name two classes")
        return self


class Inputs(Block):
    """How bytes become network inputs."""

    normalization: Normalization = Field(
        description="half_range (x/255-0.5)/0.5, unit_range x/255, per_channel, per_image"
    )


class NarrowWidth(Block):
    """n_min = coefficient * n ** exponent, before rounding."""

    coefficient: ExactNumber = Field(gt=0, description="c in c n^e")
    exponent: ExactNumber = Field(ge=0, le=1, description="e in c n^e; 1 is a constant ratio")


class Curve(Block):
    """One curve of a probe figure: a parametrization along a family of widths."""

    parametrization: ParametrizationName
    r: ExactNumber = Field(
        ge=0,
        le=Fraction(1, 2),
        description="exponent of n_min in dynamic parametrization, 0 to 1/2",
    )
    narrow: NarrowWidth
    claim: Claim = Field(description="what the thesis says of its slopes")


class WidthGrid(Block):
    """Log-spaced wide widths n."""

    smallest: PositiveInt
    largest: PositiveInt
    count: Annotated[int, Field(ge=2)]

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if self.largest <= self.smallest:
            raise ValueError(
                f"largest ({self.largest}) must exceed smallest ({self.smallest}); swap them"
            )
        return self


class Network(Block):
    """The multilayer perceptron of all experiments (Fig. 3.1)."""

    hidden: tuple[Share, ...] = Field(min_length=1, description="hidden layers: wide n, narrow n_min")


class Probe(Block):
    """The one-step probe of Figs. 3.2 and 3.3."""

    seed: NonNegativeInt = Field(description="seed of the trials")
    pair: PairName = Field(description="pair of classes the images come from")
    learning_rate: PositiveFloat = Field(description="global learning rate eta")
    trials: Annotated[int, Field(ge=2)] = Field(description="independent trials per width")
    widths: WidthGrid
    rounding: Literal["nearest", "floor"] = Field(description="how n_min becomes an integer")
    subset: Literal["fixed", "redrawn"] = Field(
        description="training images fixed by the data seed, or drawn again in every trial"
    )
    dtype: Literal["float32", "float64"]
    curves: dict[CurveName, Curve]

    def curve(self, name: str) -> Curve:
        """The curve of that name. Raises ``ConfigError`` if there is none."""
        return named(self.curves, name, "probe.curves")


class Law(Block):
    """What the exact-law engine adds to the curves of the probe."""

    widths: WidthGrid = Field(description="wide widths of the figures that go on where dense ones end")
    trials: Annotated[int, Field(ge=2)] = Field(description="independent trials per width there")
    sliding: Annotated[int, Field(ge=2)] = Field(description="neighbouring widths of a local slope")
    slopes_from: PositiveInt = Field(description="smallest n of the slopes in the comparison table")
    exact_trials: Annotated[int, Field(ge=2)] = Field(
        description="trials per width of the exact expectation on the probe's own widths"
    )
    figures: dict[CurveName, CurveName] = Field(
        description="figures at these widths, and the figure of panels that each continues"
    )


class LedgerSettings(Block):
    """How the alternatives of ``config/ledger.yaml`` are measured, and where their page goes."""

    trials: Annotated[int, Field(ge=2)] = Field(
        description="trials per width of every alternative and of the default, on the law engine"
    )
    dense_trials: Annotated[int, Field(ge=2)] = Field(
        description="the same on the dense engine, for alternatives that only it can tell apart"
    )
    page: Path = Field(description="the page of all entries")
    figure: CurveName = Field(description="figure of the changes of slopes")


class FindingsPage(Block):
    """The page that says what reproduces and what does not."""

    page: Path | None = Field(description="where it is written; null leaves it out")


class Exponents(Block):
    """Measured orders of sizes and updates: Table 1.1 and the conditions of Secs. 2.2-2.3."""

    seed: NonNegativeInt = Field(description="seed of the trials")
    parametrizations: tuple[ParametrizationName, ...] = Field(min_length=1)
    families: dict[CurveName, NarrowWidth] = Field(description="families of widths, by name")
    widths: WidthGrid
    trials: Annotated[int, Field(ge=2)] = Field(description="independent trials per width")
    tolerance: PositiveFloat = Field(description="largest difference of exponents counted as equal")


class SweepTrials(Block):
    """The widths and trials of one part of the sweep."""

    widths: WidthGrid
    trials: Annotated[int, Field(ge=2)] = Field(description="independent trials per width and r")


UpdateExponent = Annotated[ExactNumber, Field(ge=0, le=1)]


class Sweep(Block):
    """Updates of size m^r for several reference widths m: the bound on r in Sec. 2.3.2."""

    seed: NonNegativeInt = Field(description="seed of the trials")
    references: tuple[Reference, ...] = Field(
        min_length=1, description="the widths m: smallest, geometric mean or largest hidden width"
    )
    r: tuple[UpdateExponent, ...] = Field(min_length=2, description="exponents r, increasing, 0 to 1")
    narrow: NarrowWidth
    second_step: SweepTrials = Field(description="trials of two steps, on images of one class")
    training: SweepTrials = Field(description="trials of several steps, on random images")
    steps: Annotated[int, Field(ge=2)] = Field(description="steps of SGD in the second kind of trial")
    onset: Annotated[float, Field(gt=1)] = Field(description="growth of gradients that counts as such")
    tolerance: PositiveFloat = Field(
        description="largest difference of r or of an exponent that is none"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if list(self.r) != sorted(set(self.r)):
            raise ValueError("r is not increasing; list every exponent once, the smallest first")
        if self.narrow.exponent == 0:
            raise ValueError("narrow.exponent is 0, so n_min does not grow; give it a positive one")
        return self


class Protocol(Block):
    """One training run of Figs. 3.4 and 3.5: everything its curve depends on besides the images."""

    seed: NonNegativeInt = Field(description="seed of all runs' initial weights and batch orders")
    n: PositiveInt = Field(description="width of the wide hidden layers")
    n_min: PositiveInt = Field(description="width of the narrow hidden layers")
    r: ExactNumber = Field(
        ge=0,
        le=Fraction(1, 2),
        description="exponent of n_min in dynamic parametrization, 0 to 1/2",
    )
    learning_rate: PositiveFloat = Field(description="global learning rate eta")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(description="mu in v <- mu v + gradient")
    dampening: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="d in v <- mu v + (1 - d) gradient"
    )
    batch_size: PositiveInt
    last_batch: Literal["kept", "dropped"] = Field(
        description="what becomes of the images that do not fill a batch"
    )
    epochs: PositiveInt
    training_loss: Literal["evaluated", "running"] = Field(
        description="over all training images after each epoch, or averaged over its batches"
    )
    dtype: Literal["float32", "float64"] = Field(description="precision of weights and momentum")
    products: Literal["exact", "bfloat16"] = Field(
        description="precision of the factors of matrix products: that of dtype, or bfloat16"
    )
    first_layer: Literal["dual", "primal"] = Field(
        description="first layer trained as coefficients of the training images, or as a matrix"
    )

    @property
    def network_name(self) -> str:
        """The widths as they stand in file names: ``10000-500``."""
        return network_name(self.n, self.n_min)


class Audit(Block):
    """How an archived curve is checked: its first epochs are trained again."""

    seed: NonNegativeInt | None = Field(description="archived seed to repeat; null draws one each time")
    epochs: PositiveInt = Field(description="epochs to repeat")
    tolerance: PositiveFloat = Field(
        description="largest relative difference of a loss that counts as rounding"
    )
    accuracy_tolerance: PositiveFloat = Field(
        description="largest difference of an accuracy that counts as rounding"
    )


class Training(Block):
    """Which runs of the protocol are made, and which are taken from the archive."""

    reuse: Literal["archive", "none"] = Field(
        description="take curves from the archive after an audit, or train all of them here"
    )
    parametrizations: Parametrizations = Field(description="compared as second minus first")
    seeds: Annotated[int, Field(ge=2)] = Field(description="runs per task and parametrization")
    seeds_per_job: PositiveInt = Field(description="runs one job makes; never changes a result")
    checkpoint_epochs: PositiveInt = Field(description="epochs between checkpoints")
    archive: Path = Field(description="where archived curves lie")
    audit: Audit


class NetworkSize(Block):
    """A bottleneck network of the domain study."""

    n: PositiveInt
    n_min: PositiveInt


class Domain(Block):
    """The claims at other widths: where they hold."""

    tasks: tuple[PairName, ...] = Field(description="pairs of data.pairs")
    networks: tuple[NetworkSize, ...]
    epochs: PositiveInt
    seeds: Annotated[int, Field(ge=2)]


class Claims(Block):
    """Where the claims on training curves are judged."""

    epochs: tuple[PositiveInt, ...] = Field(min_length=1, description="epochs of single comparisons")


class Fit(Block):
    """How slopes are fitted and their intervals found."""

    seed: NonNegativeInt = Field(description="seed of the bootstrap")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(description="level of the intervals")
    resamples: Annotated[int, Field(ge=100)] = Field(description="bootstrap resamples")


class Comparison(Block):
    """How measured slopes are compared with expected ones."""

    tolerance: PositiveFloat = Field(description="largest difference of slopes that counts as equal")


class ArchitectureFigure(Block):
    """The picture of the hidden layers."""

    n: PositiveInt
    n_min: PositiveInt


class Figures(Block):
    """How figures are drawn."""

    dpi: PositiveInt
    titles: dict[CurveName, str] = Field(description="panel titles, by curve")
    architecture: dict[CurveName, ArchitectureFigure]
    training: dict[CurveName, PairName] = Field(description="the task of each figure of curves")
    domain: CurveName | None = Field(description="figure of the domain study; null leaves it out")
    sweep: CurveName | None = Field(description="figure of the r-sweep; null leaves it out")

    def architecture_figure(self, name: str) -> ArchitectureFigure:
        """The architecture figure of that name. Raises ``ConfigError`` if there is none."""
        return named(self.architecture, name, "figures.architecture")

    def training_figure(self, name: str) -> str:
        """The task whose curves a figure shows. Raises ``ConfigError`` if there is no such figure."""
        return named(self.training, name, "figures.training")


Panels = dict[CurveName, tuple[CurveName, ...]]


class Jobs(Block):
    """How the workflow runs its jobs; results change by no more than rounding."""

    probe_threads: PositiveInt = Field(description="threads of one probe job")
    training_threads: PositiveInt = Field(description="threads of one training job")
    training_device: Device = Field(description="auto is a GPU where there is one")
    seeds_at_once: PositiveInt = Field(description="runs trained together on a GPU")


def network_name(n: int, n_min: int) -> str:
    """The widths as they stand in file names: ``10000-500``."""
    return f"{n}-{n_min}"


def shown_curves(panels: Panels) -> list[str]:
    """The curves of all panels, each once, in their order."""
    return list(dict.fromkeys(curve for curves in panels.values() for curve in curves))


def panels_of(panels: Panels, figure: str) -> tuple[str, ...]:
    """The curves of a figure's panels. Raises ``ConfigError`` if there is no such figure."""
    return named(panels, figure, "panels")


def named(entries: Mapping[str, Entry], name: str, where: str) -> Entry:
    """The entry of that name. Raises ``ConfigError`` naming the key ``where`` if there is none."""
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        raise ConfigError(f"there is no {name!r} in {where}; choose one of {', '.join(entries)}{meant}")
    return entries[name]
