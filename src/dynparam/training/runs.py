"""Training runs that can be interrupted at any moment: seeds in, curves out, nothing computed twice.

A seed's curve does not depend on which other seeds are trained, by how many jobs, or how often it was
interrupted: on a CPU each network is trained by itself, bit for bit the same. On a GPU several train
together, and products of a larger stack may round differently.

Several processes may train runs of one directory. Each run is trained under its lock (``locks``), and
what it goes on from is one reading of its checkpoint under that lock.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from dynparam.data.images import Pair
from dynparam.provenance.record import git_state, hardware, versions
from dynparam.support import locks
from dynparam.support.errors import CheckpointError, ConfigError
from dynparam.support.files import require_writable
from dynparam.support.locks import Lock
from dynparam.support.progress import Advance, progress, say
from dynparam.support.signals import stop_request
from dynparam.training import checkpoints
from dynparam.training.checkpoints import Place
from dynparam.training.curve_table import COLUMNS
from dynparam.training.devices import device_name, free_memory_bytes
from dynparam.training.patience import Patience
from dynparam.training.protocol import (
    Networks,
    Task,
    checkpoint_bytes,
    memory_bytes,
)
from dynparam.training.records import Finished, Record
from dynparam.training.run_files import RunFiles, StatusNotes
from dynparam.training.settings import RunStage
from dynparam.training.stack_run import Plan, Shared, StackRun, Start


def train_seeds(plan: Plan, seeds: Sequence[int], pair: Pair, files: RunFiles) -> list[Record]:
    """The records of ``seeds``, in order; those that are finished already are only read.

    A run that diverges is recorded as such and does not stop the others. Raises ``ConfigError`` if the
    memory or the disk is too small, ``InterruptedRunError`` after SIGTERM or SIGINT with everything
    saved, and ``DynparamError`` if a file cannot be written or its file system has no locks; what is
    finished or checkpointed stays. A run that another process trains is waited for.
    """
    _require_counts(plan.settings, pair)
    records = {seed: files.finished(seed) for seed in seeds}
    for seed, record in records.items():
        if record is not None:
            files.clear_if_free(seed)
    waiting = [seed for seed, record in records.items() if record is None]
    if waiting:
        _require_room(plan, min(plan.stack_size, len(waiting)), files.directory)
        trained = _Training(plan, pair, files).train(waiting)
        records.update({record.seed: record for record in trained})
    return [record for record in records.values() if record is not None]


def curve_table(task: str, parametrization: str, records: Iterable[Record]) -> pd.DataFrame:
    """The curves of runs in ``COLUMNS``."""
    rows = [
        (task, parametrization, record.seed, epoch, *row)
        for record in records
        for epoch, row in enumerate(record.curve)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def origin_here(device: torch.device) -> dict[str, Any]:
    """What computes a run in this process: commit, versions, hardware, device."""
    return {
        "git": dict(git_state()),
        "versions": versions(),
        "hardware": hardware(),
        "device": device_name(device),
    }


def origins(records: Iterable[Finished]) -> list[dict[str, Any]]:
    """Where runs come from, for a sidecar: an entry per origin.

    Its ``seeds`` map each seed to the seconds its training took, ``diverged`` those that diverged to
    the epoch they did it in.
    """
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        key = json.dumps(record.origin, sort_keys=True)
        entry = found.setdefault(key, {"seeds": {}, "diverged": {}, **record.origin})
        entry["seeds"][str(record.seed)] = record.seconds
        if record.diverged_at is not None:
            entry["diverged"][str(record.seed)] = record.diverged_at
    return list(found.values())


class _Training:
    """The state of one ``train_seeds``: what all of its stacks share."""

    def __init__(self, plan: Plan, pair: Pair, files: RunFiles) -> None:
        self.plan = plan
        self.files = files
        self.settings = plan.settings
        protocol = plan.settings.protocol
        dtype = getattr(torch, protocol.dtype)
        task = Task.of_pair(pair, plan.settings.inputs.normalization, dtype, plan.device)
        origin = origin_here(plan.device)
        networks = Networks(plan.settings, plan.task, task, plan.parametrization)
        self.shared = Shared(plan, files, StatusNotes(files, protocol.epochs), networks, origin)

    def train(self, seeds: Sequence[int]) -> list[Record]:
        """Train all of ``seeds``, in stacks of networks that are equally far; free runs come first.

        No two processes can wait for each other, whatever their seeds and stacks: a lock is tried for,
        never waited for, and this process sleeps where it holds none.
        """
        left = {seed: self._epochs_left(seed) for seed in seeds}
        label = f"{self.plan.task}, {self.settings.protocol.network_name}, {self.plan.parametrization}"
        records: dict[int, Record] = {}
        waiting = list(seeds)
        with progress(label, sum(left.values())) as advance, stop_request() as stop:
            patience = Patience(self.files.lock, stop)
            while waiting:
                with ExitStack() as held:
                    found, starts = self._take(waiting, held)
                    self._correct(left, found, starts, advance)
                    if starts:
                        found += StackRun(self.shared, starts, advance, stop).train()
                records |= {record.seed: record for record in found}
                waiting = [seed for seed in waiting if seed not in records]
                if not found:
                    patience.wait(waiting)
        return list(records.values())

    def _take(self, seeds: Sequence[int], held: ExitStack) -> tuple[list[Record], dict[int, Start]]:
        """What of ``seeds`` can be had without waiting, under locks that end with ``held``.

        That is records that others have finished meanwhile, and the runs of one stack.
        """
        records: list[Record] = []
        starts: dict[int, Start] = {}
        for seed in seeds:
            if len(starts) == self.plan.stack_size:
                break
            lock = locks.take(self.files.lock(seed))
            if lock is None:
                continue
            held.callback(lock.release)
            record = self.files.finished(seed)
            if record is not None:
                self.files.clear(seed)
                records.append(record)
                lock.release()
                continue
            start = self._start(seed, lock)
            if all(start.is_as_far_as(other) for other in starts.values()):
                starts[seed] = start
            else:
                lock.release()
        return records, starts

    def _start(self, seed: int, lock: Lock) -> Start:
        """What a run goes on from, read once; an unusable checkpoint is set aside and reported."""
        self.files.clear_partial(seed)
        path = self.files.checkpoint(seed)
        if not os.path.lexists(path):
            return Start(lock, Place(), {})
        try:
            place, tensors = checkpoints.load(path, self.files.run_identity(seed), self.files.form)
        except CheckpointError as error:
            aside = checkpoints.set_aside(path)
            say(f"{error}; it is set aside as {aside.name}, and seed {seed} starts anew")
            return Start(lock, Place(), {})
        return Start(lock, place, tensors)

    def _epochs_left(self, seed: int) -> int:
        """For the estimate of time alone; what a run goes on from is read under its lock."""
        epochs, path = self.settings.protocol.epochs, self.files.checkpoint(seed)
        with suppress(CheckpointError):
            if os.path.lexists(path):
                place, _ = checkpoints.load(path, self.files.run_identity(seed), self.files.form)
                return epochs - place.epoch
        return epochs

    def _correct(
        self,
        left: Mapping[int, int],
        found: Sequence[Record],
        starts: Mapping[int, Start],
        advance: Advance,
    ) -> None:
        """Count as done what other processes have done since the time left was estimated."""
        done = sum(left[record.seed] for record in found)
        for seed, start in starts.items():
            done += left[seed] - (self.settings.protocol.epochs - start.place.epoch)
        if done:
            advance(done)


def _require_counts(settings: RunStage, pair: Pair) -> None:
    data = settings.data
    found = len(pair.train_labels), len(pair.test_labels)
    if found != (data.train_images, data.test_images):
        raise ConfigError(
            f"the pair holds {found[0]} training and {found[1]} test images, and data asks for "
            f"{data.train_images} and {data.test_images}; extract it again"
        )


def _require_room(plan: Plan, stack: int, directory: Path) -> None:
    """Raise ``ConfigError`` unless memory and disk suffice, with the numbers."""
    require_writable(directory)
    needed, free = memory_bytes(plan.settings, stack), free_memory_bytes(plan.device)
    if needed > free:
        raise ConfigError(
            f"training at n = {plan.settings.protocol.n} needs about {_gib(needed)} of memory on "
            f"{plan.device}, and {_gib(free)} are free; lower protocol.n or jobs.seeds_at_once"
        )
    # While a checkpoint is replaced, the old one and the new one exist side by side.
    needed = (stack + 1) * checkpoint_bytes(plan.settings)
    place = next(p for p in (directory, *directory.resolve().parents) if p.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise ConfigError(
            f"{directory}: checkpoints need {_gib(needed)} of disk, and {_gib(free)} are free; "
            f"free some space or set paths.results to a larger disk"
        )


def _gib(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"
