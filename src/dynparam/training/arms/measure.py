"""Runs of arms: trained one arm after the other, each run kept as those of Figs. 3.4 and 3.5 are."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from dynparam.data.images import Pair
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import AuditError
from dynparam.support.progress import say
from dynparam.training.archive import RETRAIN
from dynparam.training.arms.settings import Arm, ArmsStage, AuditedArms
from dynparam.training.arms.table import COLUMNS, VARIED, Part, diverged_in, merged, of_arm
from dynparam.training.protocol import Task
from dynparam.training.records import Record
from dynparam.training.rounding import moved, retrain
from dynparam.training.run_files import RunFiles
from dynparam.training.runs import origins, task_of, train_seeds
from dynparam.training.stack_run import Plan
from dynparam.training.summary import VALIDATED_METRICS


def train(
    settings: ArmsStage,
    wanted: Mapping[Arm, Sequence[int]],
    pair: Pair,
    images: Path,
    runs: Path,
    device: torch.device,
    seeds_at_once: int,
    checkpoint_epochs: int,
) -> Part:
    """The runs of ``wanted``, seeds by arm, as a table, and what made them.

    An interrupted training goes on where it stood, and finished runs are only read. Raises as
    ``runs.train_seeds`` does.
    """
    parts: list[Part] = []
    task: Task | None = None
    for number, (arm, seeds) in enumerate(wanted.items(), start=1):
        say(f"arm {number} of {len(wanted)}: {arm.sentence()}")
        run = settings.run_of(arm)
        plan = Plan(run, arm.parametrization, device, seeds_at_once, checkpoint_epochs)
        files = RunFiles(runs, run, arm.parametrization, images)
        # What all arms share, products of all images among it, is computed once.
        task = task or task_of(plan, pair)
        parts.append(_part(settings.task, arm, train_seeds(plan, seeds, task, files)))
    return merged(parts)


@dataclass(frozen=True)
class Repeated:
    """The first epochs of a run, trained again.

    Attributes:
        table: its rows, in the columns that an audit compares.
        what: which run it is, in words.
        moved: how far rounding moves each row, (rows,); trains its twins.
    """

    table: pd.DataFrame
    what: str
    moved: Callable[[], FloatArray]


def repeat(settings: AuditedArms, table: pd.DataFrame, task: Task, device: torch.device) -> Repeated:
    """Train the first epochs of one run of a table again, drawn from the system.

    Raises ``AuditError`` if all of its runs diverged.
    """
    limits, epochs = settings.training.audit, settings.protocol.epochs
    whole = [
        (arm, seed)
        for arm in settings.arms
        for seed, run in of_arm(table, arm).groupby("seed")
        if diverged_in(run, epochs) is None and limits.seed in (None, seed)
    ]
    if not whole:
        named = "" if limits.seed is None else f" of seed {limits.seed}"
        raise AuditError(
            f"the archive has no run{named} that did not diverge, so that none can be audited; set "
            f"training.audit.seed to null, or {RETRAIN}"
        )
    # Drawn from the system, so that nobody can know which run will be looked at.
    arm, seed = secrets.choice(whole)
    run, number = settings.run_of(arm), int(str(seed))
    rows = retrain(run, arm.parametrization, task, number, limits.epochs, device)
    columns = [*VARIED, "seed", "epoch", *VALIDATED_METRICS]
    told = [(*arm.key, number, epoch, *row) for epoch, row in enumerate(rows.tolist())]
    return Repeated(
        pd.DataFrame(told, columns=columns),
        f"{arm.sentence()}, seed {seed}, epochs 0 to {limits.epochs},",
        lambda: moved(run, arm.parametrization, task, number, device, rows).max(axis=1),
    )


def _part(task: str, arm: Arm, records: Sequence[Record]) -> Part:
    """The runs of one arm; the number of each is its seed, until tables are merged."""
    rows = [(task, record.seed, *arm.key, *row) for record in records for row in _rows(record)]
    return pd.DataFrame(rows, columns=list(COLUMNS)), origins(records)


def _rows(record: Record) -> Iterator[tuple[float, ...]]:
    for epoch, row in enumerate(record.curve):
        yield (record.seed, epoch, *row)
