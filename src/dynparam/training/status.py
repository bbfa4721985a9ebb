"""What of the training is done, running, interrupted or failed, and how long the rest will take.

Read from the files that training jobs keep (``run_files``); no job is asked or disturbed.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta

from pydantic import BaseModel
from tabulate import tabulate

from dynparam.settings.base import pick
from dynparam.settings.shared import Paths
from dynparam.support.terminal import shown
from dynparam.training.protocol import network_widths
from dynparam.training.run_files import RunFiles, Status, statuses
from dynparam.training.seeds import archived_seeds
from dynparam.training.settings import Run, RunBlocks, TrainedRuns, all_runs, for_run


@dataclass(frozen=True)
class RunStatus:
    """Where the runs of one task, network and parametrization stand.

    Attributes:
        run: which runs.
        archived: seeds the archive holds.
        done: seeds finished here.
        diverged: those of them that diverged.
        unfinished: the others that have been started.
        epochs: epochs of one run.
        cost: what an epoch costs, in units of the networks' weights.
        epoch_seconds: measured seconds per epoch, from finished and unfinished runs.
    """

    run: Run
    archived: int
    done: int
    diverged: int
    unfinished: tuple[Status, ...]
    epochs: int
    cost: float
    epoch_seconds: tuple[float, ...] = ()

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


def report(config: BaseModel) -> str:
    """The state of all training runs as a table in plain text, with an estimate of the time left."""
    return _text(pick(Watched, config))


def report_json(config: BaseModel) -> str:
    """The same as JSON: a list of runs, and the seconds left, null if they are not known."""
    return _json(pick(Watched, config))


def _text(config: Watched) -> str:
    found = [run_status(config, run) for run in all_runs(config).values()]
    archive = config.training.reuse == "archive"
    rows = [
        [
            one.run.name,
            one.archived,
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
    return "\n".join([tabulate(rows, headers), "", *_details(found), _summary(config, found), ""])


def _json(config: Watched) -> str:
    found = [run_status(config, run) for run in all_runs(config).values()]
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
    """Where one run's seeds stand, by the files of this very configuration, code and images."""
    settings = for_run(config, run.task, run.network)
    images = config.paths.data / "processed" / f"{run.images}.npz"
    archive = config.training.archive / f"{run.place}.csv"
    epochs = settings.protocol.epochs
    cost = float(network_widths(settings).weight_count)
    archived = len(archived_seeds(archive))
    if not images.exists():
        return RunStatus(run, archived, 0, 0, (), epochs, cost)
    root = config.paths.results / "training" / ".runs"
    files = RunFiles(root, settings, run.parametrization, images)
    records = [record for seed in run.seeds if (record := files.finished(seed))]
    unfinished = tuple(status for status in statuses(files.directory) if status.seed in run.seeds)
    seconds = [record.seconds / (len(record.curve) - 1) for record in records if len(record.curve) > 1]
    seconds += [status.seconds / status.epoch for status in unfinished if status.epoch]
    diverged = sum(record.diverged_at is not None for record in records)
    done = len(records)
    return RunStatus(run, archived, done, diverged, unfinished, epochs, cost, tuple(seconds))


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
    return "?" if seconds is None else str(timedelta(seconds=round(seconds)))
