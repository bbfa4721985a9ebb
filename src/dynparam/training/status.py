"""What of the training is done, running, interrupted or failed, and how long the rest will take.

Read from the files that training jobs keep (``run_files``); no job is asked or disturbed.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Container, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from pydantic import BaseModel
from tabulate import tabulate

from dynparam.presentation import terminal
from dynparam.settings.base import pick
from dynparam.settings.shared import Paths
from dynparam.support.errors import DataError
from dynparam.support.terminal import shown
from dynparam.training.protocol import network_widths
from dynparam.training.records import Record
from dynparam.training.run_files import RunFiles, Status, statuses
from dynparam.training.seeds import archived_seeds
from dynparam.training.settings import Run, RunBlocks, RunStage, TrainedRuns, all_runs, for_run

Found = TypeVar("Found")
LONGEST = timedelta(days=10**6)


@dataclass(frozen=True)
class RunStatus:
    """Where the runs of one task, network and parametrization stand.

    Attributes:
        run: which runs.
        archived: seeds the archive holds, ``None`` if its table cannot be read.
        done: seeds finished here.
        diverged: those of them that diverged.
        unfinished: the others that have been started.
        epochs: epochs of one run.
        cost: what an epoch costs, in units of the networks' weights.
        epoch_seconds: measured seconds per epoch, from finished and unfinished runs.
        problems: a sentence on every file that cannot be used; what it holds is not counted.
    """

    run: Run
    archived: int | None
    done: int
    diverged: int
    unfinished: tuple[Status, ...]
    epochs: int
    cost: float
    epoch_seconds: tuple[float, ...] = ()
    problems: tuple[str, ...] = ()

    def count(self, state: str) -> int:
        """How many unfinished runs are in a state."""
        return sum(status.state == state for status in self.unfinished)

    @property
    def epochs_left(self) -> int:
        """Epochs that are still to be trained here."""
        started = sum(status.epochs - status.epoch for status in self.unfinished)
        waiting = len(self.run.seeds) - self.done - len(self.unfinished)
        return started + waiting * self.epochs


class Watched(RunBlocks, TrainedRuns):
    """Blocks that say which runs there are, and where their files lie."""

    paths: Paths


def report(config: BaseModel) -> tuple[str, bool]:
    """The state of all training runs as a table in plain text, with an estimate of the time left.

    Beside it, whether all of their files can be used; what cannot is told below the table.
    """
    watched = pick(Watched, config)
    found = _all(watched)
    return _text(watched, found), _sound(found)


def report_json(config: BaseModel) -> tuple[str, bool]:
    """The same as JSON: a list of runs, and the seconds left, null if they are not known."""
    watched = pick(Watched, config)
    found = _all(watched)
    return _json(watched, found), _sound(found)


def _all(config: Watched) -> list[RunStatus]:
    return [run_status(config, run) for run in all_runs(config).values()]


def _sound(found: Iterable[RunStatus]) -> bool:
    return not any(one.problems for one in found)


def _text(config: Watched, found: list[RunStatus]) -> str:
    archive = config.training.reuse == "archive"
    rows = [
        [
            one.run.name,
            "?" if one.archived is None else one.archived,
            f"{one.done}/{len(one.run.seeds)}",
            one.count("running"),
            one.count("interrupted"),
            one.count("failed"),
            one.diverged,
            "-" if archive else _duration(seconds_left(one, found)),
        ]
        for one in found
    ]
    headers = ["run", "archived", "trained here", "running", "interrupted", "failed", "diverged", "left"]
    table = terminal.shown(headers, rows, tabulate(rows, headers))
    return "\n".join([table, "", *_details(found), _summary(config, found), ""])


def _json(config: Watched, found: list[RunStatus]) -> str:
    left = [seconds_left(one, found) for one in found]
    archive = config.training.reuse == "archive"
    runs = [
        {
            "run": one.run.name,
            "seeds": len(one.run.seeds),
            "archived": one.archived,
            "trained_here": one.done,
            **{state: one.count(state) for state in ("running", "interrupted", "failed")},
            "diverged": one.diverged,
            "seconds_left": None if archive else seconds,
            "unfinished": [asdict(status) for status in one.unfinished],
            "problems": list(one.problems),
        }
        for one, seconds in zip(found, left, strict=True)
    ]
    known = not archive and None not in left
    total = sum(seconds for seconds in left if seconds is not None) if known else None
    return (
        json.dumps({"reuse": config.training.reuse, "seconds_left": total, "runs": runs}, indent=2)
        + "\n"
    )


def run_status(config: Watched, run: Run) -> RunStatus:
    """Where one run's seeds stand, by the files of this very configuration, code and images.

    A file that cannot be used hides no other: it is told in ``problems``.
    """
    settings = for_run(config, run.task, run.network)
    problems: list[str] = []
    archive = config.training.archive / f"{run.place}.csv"
    archived = _or_told(lambda: len(archived_seeds(archive)), problems)
    files = _or_told(lambda: _files(config, run, settings), problems)
    records = {} if files is None else _records(files, run, problems)
    unfinished = () if files is None else _unfinished(files, run, records, problems)
    return RunStatus(
        run=run,
        archived=archived,
        done=len(records),
        diverged=sum(record.diverged_at is not None for record in records.values()),
        unfinished=unfinished,
        epochs=settings.protocol.epochs,
        cost=float(network_widths(settings).weight_count),
        epoch_seconds=_epoch_seconds(records.values(), unfinished),
        problems=tuple(problems),
    )


def _or_told(read: Callable[[], Found], problems: list[str]) -> Found | None:
    """What is read; ``None`` if it cannot be, with the reason added to ``problems``."""
    try:
        return read()
    except DataError as error:
        problems.append(str(error))
        return None


def _files(config: Watched, run: Run, settings: RunStage) -> RunFiles | None:
    """The files of a run, ``None`` as long as its images have not been extracted."""
    images = config.paths.data / "processed" / f"{run.images}.npz"
    if not os.path.lexists(images):
        return None
    root = config.paths.results / "training" / ".runs"
    return RunFiles(root, settings, run.parametrization, images)


def _records(files: RunFiles, run: Run, problems: list[str]) -> dict[int, Record]:
    found = {seed: _or_told(partial(files.finished, seed), problems) for seed in run.seeds}
    return {seed: record for seed, record in found.items() if record is not None}


def _unfinished(
    files: RunFiles, run: Run, done: Container[int], problems: list[str]
) -> tuple[Status, ...]:
    """States of the configured seeds; one that is left of a run that is finished does not count."""
    found = statuses(files.directory, problems.append)
    return tuple(one for one in found if one.seed in run.seeds and one.seed not in done)


def _epoch_seconds(records: Iterable[Record], unfinished: Iterable[Status]) -> tuple[float, ...]:
    """Seconds per epoch of all runs with a finished one; the initialization, epoch 0, took none."""
    done = [record.seconds / (len(record.curve) - 1) for record in records if len(record.curve) > 1]
    return (*done, *(status.seconds / status.epoch for status in unfinished if status.epoch))


def seconds_left(one: RunStatus, all_runs: Iterable[RunStatus]) -> float | None:
    """Time for the rest of these runs, one after the other; ``None`` before anything was measured.

    An epoch takes as long as those measured on the same runs; where there are none, as long per
    weight as on the others.
    """
    if one.epochs_left == 0:
        return 0.0
    if one.epoch_seconds:
        return one.epochs_left * statistics.median(one.epoch_seconds)
    rates = [seconds / other.cost for other in all_runs for seconds in other.epoch_seconds]
    return one.epochs_left * one.cost * statistics.median(rates) if rates else None


def _details(found: Iterable[RunStatus]) -> list[str]:
    lines = []
    for one in found:
        for status in one.unfinished:
            reason = f": {shown(status.message)}" if status.message else ""
            place = f"epoch {status.epoch} of {status.epochs}"
            lines.append(f"{one.run.name}, seed {status.seed}: {status.state}, {place}{reason}")
        lines += [f"{one.run.name}: {shown(problem)}" for problem in one.problems]
    return [*lines, ""] if lines else []


def _summary(config: Watched, found: list[RunStatus]) -> str:
    if config.training.reuse == "archive":
        return (
            "Figures take their curves from the archive (training.reuse). To train what it lacks: "
            "snakemake --cores all archive"
        )
    left = [seconds_left(one, found) for one in found]
    if None in left:
        return "Nothing has been measured yet; an estimate follows after the first epochs."
    total = sum(seconds for seconds in left if seconds is not None)
    return f"Time left, one job after another: {_duration(total)}."


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    if seconds > LONGEST.total_seconds():
        return f"more than {LONGEST.days} days"
    return str(timedelta(seconds=round(seconds)))
