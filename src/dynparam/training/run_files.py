"""The files of training runs while they are made: checkpoint, state, lock, and finished record of each.

They lie in a directory per (task, network, parametrization) and identity, apart from any output that
Snakemake declares and would delete with a failed job. The identity follows from all that a curve depends
on, code included, so the files of another configuration are never taken up.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from dynparam.provenance.code_digest import module_digest
from dynparam.settings.base import digest
from dynparam.support.errors import DataError, DynparamError
from dynparam.support.files import sha256, write_text
from dynparam.training import locks
from dynparam.training.checkpoints import CurveRow
from dynparam.training.settings import RunStage

State = Literal["running", "interrupted", "failed"]


@dataclass(frozen=True)
class Record:
    """A finished run.

    Attributes:
        seed: the run's number.
        curve: a row for every epoch from 0 on; a diverged run's ends with the epoch it diverged in.
        diverged_at: the epoch whose loss was not finite, ``None`` if all were.
        seconds: time spent on training.
        origin: what computed it: commit, versions, hardware, device.
    """

    seed: int
    curve: tuple[CurveRow, ...]
    diverged_at: int | None
    seconds: float
    origin: Mapping[str, Any]


@dataclass(frozen=True)
class Status:
    """What is known of an unfinished run.

    Attributes:
        seed: the run's number.
        state: whether it is being trained, was stopped, or failed.
        epoch: finished epochs.
        epochs: epochs of the whole run.
        seconds: time spent on them.
        pid: process that trains it.
        host: machine of that process.
        message: why it failed.
    """

    seed: int
    state: State
    epoch: int
    epochs: int
    seconds: float
    pid: int = 0
    host: str = ""
    message: str = ""

    def of_now(self, held: bool | None) -> Status:
        """The same, running if and only if a process holds the run's lock; ``None``: nobody knows."""
        if held and self.state != "running":
            return replace(self, state="running", message="")
        if held is False and self.state == "running":
            return replace(self, state="interrupted", message="its process has gone")
        return self


class RunFiles:
    """The files of the runs of one task, network and parametrization."""

    def __init__(self, root: Path, settings: RunStage, parametrization: str, images: Path) -> None:
        """Below ``root``; ``settings`` are those of one task, ``images`` its extracted pair."""
        (task,) = settings.data.pairs
        parts = [
            digest(settings),
            parametrization,
            sha256(images),
            module_digest("dynparam.training.runs"),
        ]
        self.identity = hashlib.sha256("-".join(parts).encode()).hexdigest()
        network = settings.protocol.network_name
        self.directory = root / task / network / parametrization / self.identity[:16]

    def run_identity(self, seed: int) -> str:
        """The identity of one run."""
        return f"{self.identity}/{seed}"

    def checkpoint(self, seed: int) -> Path:
        """Where the run's checkpoint is kept until the run is finished."""
        return self.directory / f"seed-{seed:04d}.safetensors"

    def lock(self, seed: int) -> Path:
        """Where the run's lock is while a process trains it."""
        return self.directory / f"seed-{seed:04d}.lock"

    def clear_partial(self, seed: int) -> None:
        """Remove what a kill in the middle of writing left. Only who holds the run's lock may."""
        for path in self.directory.glob(f".seed-{seed:04d}.*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def clear(self, seed: int) -> None:
        """Remove all that a kill left of a finished run beside its record, under the run's lock."""
        self.clear_partial(seed)
        self.checkpoint(seed).unlink(missing_ok=True)
        self._status(seed).unlink(missing_ok=True)

    def clear_if_free(self, seed: int) -> None:
        """The same where nobody holds the lock; where nothing can be removed, nothing is."""
        own = (self.lock(seed), self.checkpoint(seed), self._status(seed))
        if not any(map(Path.exists, own)) and not any(self.directory.glob(f".seed-{seed:04d}.*")):
            return
        # The record can be read whatever goes wrong here.
        with suppress(DynparamError, OSError), ExitStack() as held:
            if (lock := locks.take(self.lock(seed))) is not None:
                held.callback(lock.release)
                self.clear(seed)

    def finish(self, record: Record) -> None:
        """Keep a finished run's record; its checkpoint and state go."""
        write_text(self._record(record.seed), json.dumps(asdict(record)) + "\n")
        self.checkpoint(record.seed).unlink(missing_ok=True)
        self._status(record.seed).unlink(missing_ok=True)

    def finished(self, seed: int) -> Record | None:
        """The record of a finished run. Raises ``DataError`` if it is damaged."""
        path = self._record(seed)
        return read_record(path) if path.exists() else None

    def note(self, status: Status) -> None:
        """Keep the state of an unfinished run, with this process as the one that trains it."""
        here = {"pid": os.getpid(), "host": socket.gethostname()}
        write_text(self._status(status.seed), json.dumps({**asdict(status), **here}) + "\n")

    def _record(self, seed: int) -> Path:
        return self.directory / f"seed-{seed:04d}.json"

    def _status(self, seed: int) -> Path:
        return self.directory / f"seed-{seed:04d}.status"


class StatusNotes:
    """Keeps the states of runs that train together: the first at once, then one note a second."""

    def __init__(self, files: RunFiles, epochs: int) -> None:
        """Notes in the directory of ``files`` for runs of so many epochs."""
        self._files = files
        self._epochs = epochs
        self._last = float("-inf")
        self._seeds: set[int] = set()

    def running(self, epochs_done: Mapping[int, int], seconds: float) -> None:
        """Note the finished epochs of every seed and the seconds spent on each."""
        if time.monotonic() - self._last >= 1 or not set(epochs_done) <= self._seeds:
            self._last = time.monotonic()
            self._seeds = set(epochs_done)
            self._all("running", epochs_done, seconds)

    def stopped(self, state: State, epochs_done: Mapping[int, int], seconds: float, why: str) -> None:
        """Note that training stopped, and why."""
        self._all(state, epochs_done, seconds, why)

    def _all(self, state: State, done: Mapping[int, int], seconds: float, message: str = "") -> None:
        for seed, epoch in done.items():
            self._files.note(Status(seed, state, epoch, self._epochs, seconds, message=message))


def read_record(path: Path) -> Record:
    """A finished run's record. Raises ``DataError`` if it is damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        curve = tuple(tuple(row) for row in values.pop("curve"))
        return Record(curve=curve, **values)
    except (OSError, AttributeError, TypeError, ValueError, KeyError) as error:
        raise DataError(f"{path}: not a run's record ({error}); delete it to train it anew") from None


def statuses(directory: Path) -> Iterator[Status]:
    """The unfinished runs with files in a directory."""
    for path in sorted(directory.glob("seed-*.status")):
        try:
            found = Status(**json.loads(path.read_text(encoding="utf-8")))
            yield found.of_now(locks.is_held(path.with_suffix(".lock")))
        except (OSError, TypeError, ValueError):
            continue  # being replaced, or of an older version: nothing to tell
