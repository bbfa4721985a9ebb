"""The protocol of Figs. 3.4 and 3.5, its runs, their archive and audit, as blocks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from dynparam.data.settings import Data, Inputs, ValidatedData, images_name
from dynparam.settings.base import (
    Block,
    DenseWidth,
    Epochs,
    ExactNumber,
    PairName,
    Seed,
    Seeds,
    Threads,
    named,
    pick,
)
from dynparam.settings.shared import Figures
from dynparam.settings.widths import Network, Parametrizations
from dynparam.theory.parametrization import ParametrizationName

Device = Literal["auto", "cpu", "cuda"]

LOSSES = ("train_loss", "test_loss")

ACCURACIES = ("train_accuracy", "test_accuracy")
"""Both are the columns of values in a table of curves."""


class Protocol(Block):
    """One training run of Figs. 3.4 and 3.5: everything its curve depends on besides the images."""

    seed: Seed = Field(description="seed of all runs' initial weights and batch orders")
    n: DenseWidth = Field(description="width of the wide hidden layers, up to 10^6")
    n_min: DenseWidth = Field(description="width of the narrow hidden layers, at most n")
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
    epochs: Epochs = Field(description="up to 10^6")
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
    def starts_as(self) -> ParametrizationName | None:
        """Whose initial function a network has; its own."""
        return None

    @property
    def decay(self) -> float:
        """The lambda of eq. 2.12; the thesis has none."""
        return 0.0

    @property
    def network_name(self) -> str:
        """The widths as they stand in file names: ``10000-500``."""
        return network_name(self.n, self.n_min)


class VariedProtocol(Protocol):
    """The same with what no run of the thesis has: others' initial scales, decay, larger updates."""

    r: ExactNumber = Field(
        ge=0,
        le=1,
        description="exponent of n_min in dynamic parametrization, 0 to 1/2; up to 1, of larger updates",
    )
    initialization: ParametrizationName | None = Field(
        description="whose initial function a network has, whatever its rates; null: its own"
    )
    weight_decay: Annotated[float, Field(ge=0, le=1000)] = Field(
        description="lambda of eq. 2.12: every step adds lambda W to the gradient"
    )

    @classmethod
    def of(cls, protocol: Protocol, **changes: object) -> Self:
        """``protocol`` with these fields; without any it trains the same."""
        plain = {"initialization": None, "weight_decay": 0.0}
        return cls.model_validate({**plain, **protocol.model_dump(), **changes})

    @property
    def starts_as(self) -> ParametrizationName | None:
        """Whose initial function a network has; none but its own if that is ``None``."""
        return self.initialization

    @property
    def decay(self) -> float:
        """The lambda of eq. 2.12."""
        return self.weight_decay

    @model_validator(mode="after")
    def _decays_a_matrix(self) -> Self:
        if self.weight_decay and self.first_layer == "dual":
            raise ValueError(
                "weight_decay shrinks the first layer's initial weights, which first_layer: dual does "
                "not keep; set protocol.first_layer to primal"
            )
        return self


class Audit(Block):
    """How an archived curve is checked: its first epochs are trained again."""

    seed: Seed | None = Field(description="archived seed to repeat; null draws one each time")
    epochs: Epochs = Field(description="epochs to repeat")
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
    seeds: Seeds = Field(description="runs per task and parametrization, 2 to 10^6")
    seeds_per_job: Annotated[PositiveInt, Field(le=10**6)] = Field(
        description="runs one job makes, up to 10^6; never changes a result"
    )
    checkpoint_epochs: Epochs = Field(description="epochs between checkpoints")
    archive: Path = Field(description="where archived curves lie")
    audit: Audit


class NetworkSize(Block):
    """A bottleneck network of the domain study, and how often it is trained."""

    n: DenseWidth
    n_min: DenseWidth
    seeds: Seeds = Field(description="2 to 10^6")
    draws: Annotated[PositiveInt, Field(le=1000)] = Field(
        description="draws of the images, up to 1000; each has its share of the seeds"
    )

    @property
    def seeds_per_draw(self) -> int:
        """Runs under one parametrization that share their images."""
        return self.seeds // self.draws

    def seeds_of(self, draw: int) -> range:
        """The seeds of a draw of the images: one after the other, so that none has two draws."""
        return range(draw * self.seeds_per_draw, (draw + 1) * self.seeds_per_draw)

    @model_validator(mode="after")
    def _equal_draws(self) -> Self:
        if self.seeds % self.draws:
            raise ValueError(
                f"{self.seeds} seeds cannot be shared equally by {self.draws} draws of the images; "
                f"choose a multiple"
            )
        return self


class Domain(Block):
    """The claims at other widths: where they hold."""

    tasks: tuple[PairName, ...] = Field(description="pairs of data.pairs")
    networks: tuple[NetworkSize, ...] = Field(
        description="n up to 10^6, n_min at most n, with seeds and draws of the images"
    )
    epochs: Epochs = Field(description="up to 10^6")


class Jobs(Block):
    """How the workflow runs its jobs; results change by no more than rounding."""

    probe_threads: Threads = Field(description="threads of one probe job, up to 1024")
    training_threads: Threads = Field(description="threads of one training job, up to 1024")
    training_device: Device = Field(description="auto is a GPU where there is one")
    seeds_at_once: Annotated[PositiveInt, Field(le=10**4)] = Field(
        description="runs trained together on a GPU, up to 10^4"
    )


def network_name(n: int, n_min: int, draw: int = 0) -> str:
    """The widths as they stand in file names: ``10000-500``, ``1000-50.draw-2`` on other images."""
    return images_name(f"{n}-{n_min}", draw)


@dataclass(frozen=True)
class Run:
    """Runs of several seeds that differ in nothing else, and the name of their files.

    Attributes:
        task: a pair of data.pairs.
        network: widths, and the draw of the images, as ``network_name`` has them.
        parametrization: its name.
        seeds: which.
        main: whether the network is the thesis's own, not one of the domain study.
        draw: the draw of the images.
    """

    task: str
    network: str
    parametrization: str
    seeds: range
    main: bool
    draw: int = 0

    @property
    def name(self) -> str:
        """``task/parametrization`` for the thesis's network, with the widths between for another."""
        middle = () if self.main else (self.network,)
        return "/".join((self.task, *middle, self.parametrization))

    @property
    def place(self) -> str:
        """``task/network/parametrization``."""
        return f"{self.task}/{self.network}/{self.parametrization}"

    @property
    def images(self) -> str:
        """The name of its images."""
        return images_name(self.task, self.draw)


class RunStage(Block):
    """Blocks of ``train_seeds`` and ``audit_archive``: what one run's curve depends on."""

    data: Data
    inputs: Inputs
    network: Network
    protocol: Protocol

    @model_validator(mode="after")
    def _batches(self) -> Self:
        require_a_batch(self.data, self.protocol)
        return self

    def of_task(self, task: str) -> Self:
        """The same with no other pair of classes than ``task``. Raises ``ConfigError``."""
        classes = named(self.data.pairs, task, "data.pairs")
        return self.model_copy(update={"data": self.data.model_copy(update={"pairs": {task: classes}})})


class VariedRun(RunStage):
    """The same of a run that varies what no run of the thesis does, seen on a third set of images."""

    data: ValidatedData
    protocol: VariedProtocol


class AuditLimits(Block):
    """The part of ``training`` that an audit depends on; the rest is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    audit: Audit


class AuditedRun(RunStage):
    """Blocks of ``audit_archive``."""

    training: AuditLimits


class CollectedRun(RunStage):
    """Blocks of ``collect_curves``: archived curves come with their audit, which had limits."""

    training: AuditLimits | None = None


def require_a_batch(data: Data, protocol: Protocol) -> None:
    """Raise ``ValueError`` if the training images do not fill a batch."""
    if protocol.batch_size > data.train_images:
        raise ValueError(
            f"protocol.batch_size ({protocol.batch_size}) exceeds data.train_images "
            f"({data.train_images}); lower it"
        )


class WantedRuns(Block):
    """The part of ``training`` that says which runs there are; the rest is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    parametrizations: Parametrizations
    seeds: int


class ListedRuns(Block):
    """Blocks that say which runs there are."""

    training: WantedRuns
    protocol: Protocol
    domain: Domain
    figures: Figures


class TrainedRuns(Block):
    """The same, and where their curves come from."""

    training: Training
    protocol: Protocol
    domain: Domain
    figures: Figures


class RunBlocks(Block):
    """Blocks of a run, and those of the other networks that are trained."""

    data: Data
    inputs: Inputs
    network: Network
    protocol: Protocol
    domain: Domain


def all_runs(config: BaseModel) -> dict[str, Run]:
    """All runs of the figures of curves and of the domain study, by name."""
    blocks = pick(ListedRuns, config)
    main = blocks.protocol.network_name
    tasks = dict.fromkeys(blocks.figures.training.values())
    wanted = [(task, main, range(blocks.training.seeds), 0) for task in tasks]
    if blocks.figures.domain is not None:
        wanted += [
            (task, network_name(size.n, size.n_min, draw), size.seeds_of(draw), draw)
            for task in blocks.domain.tasks
            for size in blocks.domain.networks
            for draw in range(size.draws)
        ]
    found = [
        Run(task, network, parametrization, seeds, main=network == main, draw=draw)
        for task, network, seeds, draw in wanted
        for parametrization in blocks.training.parametrizations
    ]
    return {run.name: run for run in found}


def for_run(config: BaseModel, task: str, network: str) -> RunStage:
    """What a run on ``task`` in the network of that name depends on."""
    blocks = pick(RunBlocks, config)
    protocol, data = blocks.protocol, blocks.data
    if network != protocol.network_name:
        others = {
            network_name(size.n, size.n_min, draw): (size, draw)
            for size in blocks.domain.networks
            for draw in range(size.draws)
        }
        size, draw = named(others, network, "domain.networks")
        changes = {"n": size.n, "n_min": size.n_min, "epochs": blocks.domain.epochs}
        protocol, data = protocol.model_copy(update=changes), data.of_draw(draw)
    stage = RunStage(data=data, inputs=blocks.inputs, network=blocks.network, protocol=protocol)
    return stage.of_task(task)


def for_audit(config: BaseModel, task: str, network: str) -> AuditedRun:
    """What auditing a run on ``task`` in the network of that name depends on."""
    run = for_run(config, task, network)
    blocks = {name: getattr(run, name) for name in RunStage.model_fields}
    return AuditedRun(**blocks, training=pick(AuditedRun, config).training)


def for_collection(config: BaseModel, task: str, network: str) -> CollectedRun:
    """What collecting the curves of a run depends on; on the audit only if they are archived."""
    archived = pick(TrainedRuns, config).training.reuse == "archive"
    return pick(CollectedRun, (for_audit if archived else for_run)(config, task, network))
