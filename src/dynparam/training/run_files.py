"""The files of training runs while they are made: checkpoint, state, lock, and finished record of each.

They lie in a directory per (task, network, parametrization) and identity, apart from any output that
Snakemake declares and would delete with a failed job. The identity follows from all that a curve depends
on, code included, so the files of another configuration are never taken up.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from dynparam.provenance.code_digest import module_digest
from dynparam.settings.base import digest
from dynparam.support import locks
from dynparam.support.errors import DataError, DynparamError
from dynparam.support.files import sha256, write_text
from dynparam.support.regular_files import RefusedError, read_bytes, refusal
from dynparam.training.checkpoints import Form
from dynparam.training.checks import Check, fault, is_count, is_seconds
from dynparam.training.records import Record, read_record, record_line
from dynparam.training.settings import RunStage

State = Literal["running", "interrupted", "failed"]
STATUS_BYTES = 2**20
BYTES_PER_IMAGE = 3073
"""Of an extracted pair: 32 x 32 pixels in three colours, and a label."""


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


STATUS_FIELDS: Mapping[str, Check] = {
    "seed": is_count,
    "state": lambda value: isinstance(value, str) and value in get_args(State),
    "epoch": is_count,
    "epochs": lambda value: is_count(value, 10**6),
    "seconds": is_seconds,
    "pid": lambda value: is_count(value, 2**31 - 1),
    "host": lambda value: isinstance(value, str),
    "message": lambda value: isinstance(value, str),
}
"""What a state's file holds. Its texts may be any: whoever shows them cleans them."""


class RunFiles:
    """The files of the runs of one task, network and parametrization."""

    def __init__(self, root: Path, settings: RunStage, parametrization: str, images: Path) -> None:
        """Below ``root``; ``settings`` are those of one task, ``images`` its extracted pair.

        Raises ``DataError`` if the pair cannot be read.
        """
        (task,) = settings.data.pairs
        parts = [
            digest(settings),
            parametrization,
            _digest_of_pair(images, settings),
            module_digest("dynparam.training.runs"),
        ]
        self.identity = hashlib.sha256("-".join(parts).encode()).hexdigest()
        network = settings.protocol.network_name
        self.directory = root / task / network / parametrization / self.identity[:16]
        self.form = Form.of(settings)

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
            with suppress(OSError):  # what stays is in nobody's way
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

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
        """Keep a finished run's record; its checkpoint and state go. Raises ``DynparamError``."""
        line = record_line(record, self.form, self.run_identity(record.seed))
        write_text(self._record(record.seed), line)
        self.checkpoint(record.seed).unlink(missing_ok=True)
        self._status(record.seed).unlink(missing_ok=True)

    def finished(self, seed: int) -> Record | None:
        """The record of a finished run. Raises ``DataError`` if it is damaged or of another run."""
        path = self._record(seed)
        if not os.path.lexists(path):
            return None
        return read_record(path, seed, self.form, self.run_identity(seed))

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


def read_status(path: Path, seed: int) -> Status:
    """The state of an unfinished run. Raises ``DataError`` if it is none of that seed."""
    try:
        values = json.loads(read_bytes(path, STATUS_BYTES).decode("utf-8"))
        reason = fault(
            values, {**STATUS_FIELDS, "seed": lambda value: is_count(value) and value == seed}
        )
        if reason is None and values["epoch"] > values["epochs"]:
            reason = "its epoch is beyond the last"
    except RefusedError as error:
        reason = str(error)
    except (ValueError, RecursionError):
        reason = "not JSON"
    if reason is not None:
        raise DataError(f"{path}: not a run's state ({reason}); delete it, its run loses nothing")
    return Status(**values)


def statuses(
    directory: Path, refused: Callable[[str], None] = lambda sentence: None
) -> Iterator[Status]:
    """The unfinished runs with files in a directory, by seed.

    ``refused`` is given a sentence on each file that is not a run's state, and on a directory that
    cannot be listed; the others come all the same.
    """
    for seed, path in _status_files(directory, refused):
        try:
            yield read_status(path, seed).of_now(locks.is_held(path.with_suffix(".lock")))
        except DataError as error:
            if os.path.lexists(path):  # else its run was finished meanwhile
                refused(str(error))


def _status_files(directory: Path, refused: Callable[[str], None]) -> list[tuple[int, Path]]:
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    except OSError as error:
        refused(f"{directory}: cannot be listed ({error.strerror}); correct it, or delete it")
        return []
    numbers = (re.fullmatch(r"seed-([0-9]{4}|[1-9][0-9]{4,18})\.status", name) for name in names)
    return sorted((int(found[1]), directory / found[0]) for found in numbers if found)


def _digest_of_pair(images: Path, settings: RunStage) -> str:
    """The SHA-256 of a task's images. Raises ``DataError`` if they are no regular file of their size."""
    data = settings.data
    count = data.train_images + data.test_images + data.validation_count
    reason = refusal(images)
    if reason is None:
        try:
            if images.stat().st_size <= 2**20 + 2 * count * BYTES_PER_IMAGE:
                return sha256(images)
            reason = f"far too large for {count} images"
        except OSError as error:
            reason = f"cannot be read ({error.strerror})"
    raise DataError(f"{images}: {reason}; move it away and extract the pair again")
