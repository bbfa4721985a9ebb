"""The networks that are looked at while they train, and what each stage depends on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from dynparam.data.settings import Data, Inputs
from dynparam.settings.base import Block, CurveName, DenseWidth, Epochs, PairName, Seed, named, pick
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import Network
from dynparam.theory.parametrization import ParametrizationName
from dynparam.training.settings import Protocol, RunStage, network_name


class Probes(Block):
    """When networks are looked at, and on which images."""

    seed: Seed = Field(description="seed of the draw of images")
    images: Annotated[int, Field(ge=4, le=2000)] = Field(
        description="training images, as many of both classes: an even number, 4 to 2000"
    )
    every_epochs: Epochs = Field(
        description="epochs between probes; before the first, steps 0, 1, 2, 4, 8, ... are probed"
    )

    @model_validator(mode="after")
    def _both_classes(self) -> Self:
        if self.images % 2:
            raise ValueError(
                f"images ({self.images}) is odd, but both classes have equal numbers; make it even"
            )
        return self


class ProbeAudit(Block):
    """How an archived table is checked: the first steps of a run are made and looked at again."""

    seed: Seed | None = Field(description="archived seed to repeat; null draws one each time")
    steps: PositiveInt = Field(description="steps to repeat, with the probes among them")
    tolerance: PositiveFloat = Field(
        description="largest relative difference of a number that counts as rounding"
    )


class ProbedNetwork(Block):
    """A bottleneck network, and how often it is trained."""

    n: DenseWidth = Field(description="width of the wide hidden layers, up to 10^6")
    n_min: DenseWidth = Field(description="width of the narrow hidden layers, at most n")
    seeds: Annotated[PositiveInt, Field(le=10**6)] = Field(
        description="runs under each parametrization, up to 10^6; one alone has no interval"
    )

    @property
    def name(self) -> str:
        """The widths as they stand in file names: ``1000-50``."""
        return network_name(self.n, self.n_min)

    @model_validator(mode="after")
    def _narrower(self) -> Self:
        if self.n_min > self.n:
            raise ValueError(
                f"n_min ({self.n_min}) exceeds n ({self.n}), so that narrow layers would be the wider "
                f"ones; lower it"
            )
        return self


class ThroughTraining(Block):
    """Kernels, contributions, weights and features of networks, looked at while they train."""

    tasks: Annotated[tuple[PairName, ...], Field(min_length=1, max_length=100)] = Field(
        description="pairs of data.pairs"
    )
    networks: Annotated[tuple[ProbedNetwork, ...], Field(min_length=1, max_length=100)] = Field(
        description="the first is drawn with the intervals over its seeds"
    )
    parametrizations: Annotated[tuple[ParametrizationName, ...], Field(min_length=1, max_length=5)]
    epochs: Epochs = Field(description="epochs of each run; the rest is that of protocol")
    probes: Probes
    archive: Path = Field(description="where archived tables lie")
    audit: ProbeAudit
    figure: CurveName = Field(description="figure of four quantities against steps")

    @model_validator(mode="after")
    def _once(self) -> Self:
        for key, names in (
            ("tasks", self.tasks),
            ("networks", [one.name for one in self.networks]),
            ("parametrizations", self.parametrizations),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"{key} has one twice; list each once")
        return self

    def network(self, name: str) -> ProbedNetwork:
        """The network of that name, such as ``1000-50``. Raises ``ConfigError`` if there is none."""
        return named({one.name: one for one in self.networks}, name, "through_training.networks")


class ProbePart(Block):
    """The part of ``through_training`` that a run depends on; the rest is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    probes: Probes


class AuditPart(ProbePart):
    """The part that an audit depends on."""

    audit: ProbeAudit


class CollectPart(ProbePart):
    """The part that collecting depends on: archived tables come with their audit, which had limits."""

    audit: ProbeAudit | None = None


class ThroughRun(RunStage):
    """Blocks of ``measure_through`` and ``archive_through``, of one pair of classes."""

    through_training: ProbePart

    @model_validator(mode="after")
    def _enough_images(self) -> Self:
        asked, there = self.through_training.probes.images, self.data.train_images
        if asked > there:
            raise ValueError(
                f"through_training.probes.images ({asked}) exceeds data.train_images ({there}), among "
                f"which they are drawn; lower it"
            )
        return self


class AuditedThrough(ThroughRun):
    """Blocks of ``audit_through``."""

    through_training: AuditPart


class CollectedThrough(ThroughRun):
    """Blocks of ``collect_through``."""

    through_training: CollectPart


class ThroughStage(Block):
    """Blocks of ``judge_through`` and ``plot_through``."""

    network: Network
    through_training: ThroughTraining
    fit: Fit
    figures: Figures

    @property
    def bottleneck(self) -> int:
        """The number of the first narrow hidden layer; of the last layer where none is narrow."""
        hidden = self.network.hidden
        return hidden.index("narrow") + 1 if "narrow" in hidden else len(hidden)


class ThroughBlocks(Block):
    """Blocks that say which runs there are, and how each is made."""

    data: Data
    inputs: Inputs
    network: Network
    protocol: Protocol
    through_training: ThroughTraining


class Reuse(Block):
    """The part of ``training`` that says whether archived tables are used; the rest is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reuse: str


class ReuseBlocks(Block):
    """Blocks that say whether archived tables are used."""

    training: Reuse


@dataclass(frozen=True)
class ProbedRuns:
    """Runs of several seeds that differ in nothing else.

    Attributes:
        task: a pair of data.pairs.
        network: its widths, as in ``1000-50``.
        parametrization: its name.
        seeds: how many.
    """

    task: str
    network: str
    parametrization: str
    seeds: int

    @property
    def place(self) -> str:
        """``task/network/parametrization``, as their files lie."""
        return f"{self.task}/{self.network}/{self.parametrization}"


def probed_runs(through: ThroughTraining) -> Iterator[ProbedRuns]:
    """All runs: task by task, network by network."""
    for task in through.tasks:
        for network in through.networks:
            for name in through.parametrizations:
                yield ProbedRuns(task, network.name, name, network.seeds)


def for_through_run(config: BaseModel, task: str, network: str) -> ThroughRun:
    """What runs on ``task`` in the network of that name depend on. Raises ``ConfigError``."""
    return pick(ThroughRun, _of_run(config, task, network))


def for_through_audit(config: BaseModel, task: str, network: str) -> AuditedThrough:
    """What auditing their archived table depends on."""
    return pick(AuditedThrough, _of_run(config, task, network))


def for_through_collection(config: BaseModel, task: str, network: str) -> CollectedThrough:
    """What collecting their table depends on; on the audit only if it is archived."""
    run = _of_run(config, task, network)
    archived = pick(ReuseBlocks, config).training.reuse == "archive"
    return pick(CollectedThrough, run if archived else pick(ThroughRun, run))


def for_through(config: BaseModel) -> ThroughStage:
    """What the verdicts and the figure depend on, besides the tables."""
    whole = pick(ThroughStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})


def _of_run(config: BaseModel, task: str, network: str) -> ThroughBlocks:
    """The blocks with the pair, the widths and the epochs of a run."""
    blocks = pick(ThroughBlocks, config)
    size = blocks.through_training.network(network)
    changes = {"n": size.n, "n_min": size.n_min, "epochs": blocks.through_training.epochs}
    return blocks.model_copy(
        update={
            "data": blocks.data.of_pair(task),
            "protocol": blocks.protocol.model_copy(update=changes),
        }
    )
