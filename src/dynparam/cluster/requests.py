"""What a job asks a cluster for: measured memory and time, times a factor and the attempt.

The measurements are in ``workflow/resources.yaml``; ``usage`` derives them anew from a run.
"""

from __future__ import annotations

import math
from pathlib import Path

import yaml
from pydantic import Field, PositiveFloat, PositiveInt, ValidationError

from dynparam.settings.base import Block
from dynparam.settings.reading import first_problem, read
from dynparam.support.errors import ConfigError
from dynparam.support.files import write_text
from dynparam.theory.widths import bottleneck
from dynparam.training.settings import RunStage

PER_SEED = "train_seeds"
"""The rule whose jobs differ in the number of seeds: its seconds are those of one seed."""

SMALL_NETWORK = 1_000_000
"""Weights below which a network trains no faster."""

HEADER = """\
# What the jobs of each rule need, as measured: the largest memory (MB) and processor time (s) of its
# jobs. Jobs ask for these times the factors, and for twice, three times that at later attempts.
# docs/cluster/resources.md says what was measured where. Written by
#   dynparam resources --write
# which keeps the rules that the benchmarks lack. train_seeds: one seed of the network `trained`.
"""


class Need(Block):
    """What the largest job of a rule was measured to need.

    Time is that of the processor: wall time also tells what else the machine had to do.
    """

    mem_mb: PositiveInt = Field(description="largest resident memory, MB")
    seconds: PositiveFloat = Field(description="longest processor time, s")


class Trained(Block):
    """The network that jobs which train were measured on."""

    n: PositiveInt
    n_min: PositiveInt
    epochs: PositiveInt


class Needs(Block):
    """The measurements of all rules, and by how much a request exceeds them."""

    memory_factor: float = Field(ge=1, description="requested over measured memory")
    time_factor: float = Field(ge=1, description="requested over measured time")
    snakemake_mb: PositiveInt = Field(description="Snakemake's own two processes in a submission, MB")
    smallest_mem_mb: PositiveInt = Field(description="no job asks for less memory, MB")
    smallest_minutes: PositiveInt = Field(description="no job asks for less time, minutes")
    trained: Trained = Field(description="the network that train_seeds and audit_archive trained")
    rules: dict[str, Need]

    def of(self, rule: str) -> Need:
        """The measurements of a rule. Raises ``ConfigError`` if there are none."""
        if rule not in self.rules:
            raise ConfigError(
                f"workflow/resources.yaml has no measurements of {rule}; add them, or run the rule and "
                f"`dynparam resources --write`"
            )
        return self.rules[rule]

    def mem_mb(self, rule: str, attempt: int = 1, extra_mb: float = 0.0) -> int:
        """Memory (MB) to ask for at an attempt, the first being 1.

        ``extra_mb`` is what the job needs beyond what was measured.
        """
        wanted = (self.of(rule).mem_mb + self.snakemake_mb + extra_mb) * self.memory_factor
        return attempt * max(self.smallest_mem_mb, _up(wanted, 100))

    def minutes(self, rule: str, attempt: int = 1, share: float = 1.0) -> int:
        """Minutes to ask for; ``share`` is the job's work over that of the measured one."""
        wanted = self.of(rule).seconds * share * self.time_factor / 60
        return attempt * max(self.smallest_minutes, _up(wanted, 1))

    def training_mem_mb(self, rule: str, run: RunStage, stack: int, attempt: int = 1) -> int:
        """The same for a job that trains ``stack`` networks at once.

        Counted, not measured, is what comes on top of one network of the measured size: of a larger
        network the weights, velocities and copies, four float32 numbers per weight; of each further
        network of a stack on a GPU the weights twice, which are drawn on the host.
        """
        weights = _weight_count(run)
        larger = max(0, weights - self._measured_weights)
        return self.mem_mb(rule, attempt, (16 * larger + 8 * (stack - 1) * weights) / 2**20)

    def training_minutes(self, rule: str, run: RunStage, seeds: int, attempt: int = 1) -> int:
        """The same for a job that trains: ``seeds`` runs, or the fixed epochs of an audit.

        Time grows with the weights; below a million of them, images and calls dominate.
        """
        share = max(_weight_count(run), SMALL_NETWORK) / self._measured_weights
        if rule == PER_SEED:
            share *= seeds * run.protocol.epochs / self.trained.epochs
        return self.minutes(rule, attempt, share)

    @property
    def _measured_weights(self) -> int:
        return bottleneck(self.trained.n, self.trained.n_min).weight_count


def read_needs(path: Path) -> Needs:
    """The measurements in a file. Raises ``ConfigError`` if it is not what it should be."""
    try:
        return Needs.model_validate(read(path))
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error)}; correct it there") from None


def write_needs(path: Path, needs: Needs) -> None:
    """Write measurements, rules by name, with the words that explain them."""
    values = needs.model_dump()
    values["rules"] = dict(sorted(values["rules"].items()))
    body = yaml.safe_dump({key: values[key] for key in values if key != "rules"}, sort_keys=False)
    lines = [
        f"  {rule}: {{mem_mb: {n['mem_mb']}, seconds: {n['seconds']}}}"
        for rule, n in values["rules"].items()
    ]
    write_text(path, HEADER + body + "\n".join(["rules:", *lines, ""]))


def _weight_count(run: RunStage) -> int:
    return bottleneck(run.protocol.n, run.protocol.n_min, hidden=run.network.hidden).weight_count


def _up(value: float, step: int) -> int:
    return step * math.ceil(value / step)
