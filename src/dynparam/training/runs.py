"""Training runs that can be interrupted at any moment: seeds in, curves out, nothing computed twice.

A seed's curve does not depend on which other seeds are trained, by how many jobs, or how often it was
interrupted: on a CPU each network is trained by itself, bit for bit the same. On a GPU several train
together, and products of a larger stack may round differently.

Several processes may train runs of one directory. Each run is trained under its lock (``locks``), and
what it goes on from is one reading of its checkpoint under that lock.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dynparam.data.images import Pair
from dynparam.provenance.record import git_state, hardware, versions
from dynparam.support import locks
from dynparam.support.errors import CheckpointError, ConfigError, DynparamError, InterruptedRunError
from dynparam.support.files import require_writable
from dynparam.support.locks import Lock
from dynparam.support.progress import Advance, progress, say
from dynparam.support.signals import StopRequest, stop_request
from dynparam.training import checkpoints
from dynparam.training.checkpoints import CurveRow, Place
from dynparam.training.curve_table import COLUMNS
from dynparam.training.devices import device_name, free_memory_bytes
from dynparam.training.patience import Patience
from dynparam.training.protocol import (
    Evaluation,
    Networks,
    Task,
    batch_order,
    checkpoint_bytes,
    memory_bytes,
)
from dynparam.training.records import Record
from dynparam.training.run_files import RunFiles, StatusNotes
from dynparam.training.settings import RunStage


@dataclass(frozen=True)
class Plan:
    """What to train and how; only ``settings`` and ``parametrization`` decide a curve.

    Attributes:
        settings: the run's blocks, of one task.
        parametrization: its name.
        device: where to train.
        seeds_at_once: networks trained together on a GPU; a CPU trains one at a time.
        checkpoint_epochs: epochs between checkpoints.
    """

    settings: RunStage
    parametrization: str
    device: torch.device
    seeds_at_once: int
    checkpoint_epochs: int

    @property
    def task(self) -> str:
        """The name of the task."""
        (name,) = self.settings.data.pairs
        return name

    @property
    def stack_size(self) -> int:
        """Networks that train together."""
        return self.seeds_at_once if self.device.type == "cuda" else 1


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


def origins(records: Iterable[Record]) -> list[dict[str, Any]]:
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


def curve_row(evaluation: Evaluation, member: int) -> CurveRow:
    """The row of one network of a stack."""
    return (
        float(evaluation.train_loss[member]),
        float(evaluation.test_loss[member]),
        float(evaluation.train_accuracy[member]),
        float(evaluation.test_accuracy[member]),
    )


class _Training:
    """The state of one ``train_seeds``: what all of its stacks share."""

    def __init__(self, plan: Plan, pair: Pair, files: RunFiles) -> None:
        self.plan = plan
        self.files = files
        self.settings = plan.settings
        protocol = plan.settings.protocol
        dtype = getattr(torch, protocol.dtype)
        task = Task.of_pair(pair, plan.settings.inputs.normalization, dtype, plan.device)
        self.networks = Networks(plan.settings, plan.task, task, plan.parametrization)
        self.notes = StatusNotes(files, protocol.epochs)
        self.origin: dict[str, Any] = {
            "git": dict(git_state()),
            "versions": versions(),
            "hardware": hardware(),
            "device": device_name(plan.device),
        }

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
                        found += _StackRun(self, starts, advance, stop).train()
                records |= {record.seed: record for record in found}
                waiting = [seed for seed in waiting if seed not in records]
                if not found:
                    patience.wait(waiting)
        return list(records.values())

    def _take(self, seeds: Sequence[int], held: ExitStack) -> tuple[list[Record], dict[int, _Start]]:
        """What of ``seeds`` can be had without waiting, under locks that end with ``held``.

        That is records that others have finished meanwhile, and the runs of one stack.
        """
        records: list[Record] = []
        starts: dict[int, _Start] = {}
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

    def _start(self, seed: int, lock: Lock) -> _Start:
        """What a run goes on from, read once; an unusable checkpoint is set aside and reported."""
        self.files.clear_partial(seed)
        path = self.files.checkpoint(seed)
        if not os.path.lexists(path):
            return _Start(lock, Place(), {})
        try:
            place, tensors = checkpoints.load(path, self.files.run_identity(seed), self.files.form)
        except CheckpointError as error:
            aside = checkpoints.set_aside(path)
            say(f"{error}; it is set aside as {aside.name}, and seed {seed} starts anew")
            return _Start(lock, Place(), {})
        return _Start(lock, place, tensors)

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
        starts: Mapping[int, _Start],
        advance: Advance,
    ) -> None:
        """Count as done what other processes have done since the time left was estimated."""
        done = sum(left[record.seed] for record in found)
        for seed, start in starts.items():
            done += left[seed] - (self.settings.protocol.epochs - start.place.epoch)
        if done:
            advance(done)


@dataclass(frozen=True)
class _Start:
    """What a run goes on from: place and tensors of one checkpoint, read under the run's lock.

    Attributes:
        lock: the lock, which this process holds.
        place: where the run is.
        tensors: its network's, on the host; none if the run has not begun.
    """

    lock: Lock
    place: Place
    tensors: dict[str, Tensor]

    def is_as_far_as(self, other: _Start) -> bool:
        """Whether both networks have seen as many batches, so that they can train together."""
        mine, others = self.place, other.place
        return (mine.epoch, mine.batch) == (others.epoch, others.batch)


class _StackRun:
    """The training of one stack: its networks are equally far and stay so."""

    def __init__(
        self,
        training: _Training,
        starts: Mapping[int, _Start],
        advance: Advance,
        stop: StopRequest,
    ) -> None:
        self.plan, self.files, self.notes = training.plan, training.files, training.notes
        self.settings, self.origin = training.settings, training.origin
        self.advance, self.stop = advance, stop
        self.seeds = list(starts)
        self.locks = {seed: start.lock for seed, start in starts.items()}
        self.places = {seed: start.place for seed, start in starts.items()}
        first = self._unfinished_places()[0]
        self.epoch, self.batch = first.epoch, first.batch
        self.stack = training.networks.draw(self.seeds)
        self._restore(starts.values())
        self.records: list[Record] = []
        self._clock = time.monotonic()

    def train(self) -> list[Record]:
        """Train to the last epoch; returns the records, those of diverged runs included."""
        protocol = self.settings.protocol
        try:
            if not self._unfinished_places()[0].curve:
                self._record_epoch()
            while self.epoch < protocol.epochs and self._unfinished():
                self._train_epoch()
                self._record_epoch()
                if self.epoch % self.plan.checkpoint_epochs == 0 and self.epoch < protocol.epochs:
                    self._save()
            for seed in self._unfinished():
                self._finish(seed, diverged_at=None)
        except InterruptedRunError as error:
            self._note("interrupted", str(error))
            raise
        except DynparamError as error:
            self._note("failed", str(error))
            raise
        return self.records

    def _train_epoch(self) -> None:
        """The batches that are left of the next epoch."""
        orders = [batch_order(self.settings, self.plan.task, s, self.epoch + 1) for s in self.seeds]
        for batch in range(self.batch, len(orders[0])):
            images = torch.stack([order[batch] for order in orders]).to(self.plan.device)
            losses = self.stack.train_batch(images)
            self.batch = batch + 1
            self._keep_losses(losses)
            if self.stop.signal is not None:
                self._save()
                raise InterruptedRunError(
                    f"{self.stop.signal.name} in epoch {self.epoch + 1} of seeds {self._unfinished()}; "
                    f"all is saved, and the same command goes on from there",
                    self.stop.signal,
                )
        self.epoch, self.batch = self.epoch + 1, 0

    def _record_epoch(self) -> None:
        """Evaluate all networks, extend their curves, and part with those that diverged."""
        evaluation = self.stack.evaluate()
        spent = self._lap()
        for member, seed in enumerate(self.seeds):
            if seed not in self.places:
                continue
            place = self.places[seed]
            row = self._row(curve_row(evaluation, member), place, len(place.curve))
            self.places[seed] = Place(
                self.epoch, 0, (), (*place.curve, row), place.seconds + spent / len(self.seeds)
            )
            if not all(map(math.isfinite, row)):
                self._finish(seed, diverged_at=self.epoch)
        self._report(evaluation)

    def _row(self, row: CurveRow, place: Place, epoch: int) -> CurveRow:
        """The row to record; under ``training_loss: running`` its first entry is the batches' mean."""
        if self.settings.protocol.training_loss == "evaluated" or epoch == 0:
            return row
        sizes = self._batch_sizes()
        weighted = sum(loss * size for loss, size in zip(place.batch_losses, sizes, strict=True))
        return (weighted / sum(sizes), *row[1:])

    def _batch_sizes(self) -> list[int]:
        order = batch_order(self.settings, self.plan.task, self.seeds[0], self.epoch)
        return [len(batch) for batch in order]

    def _keep_losses(self, losses: Tensor) -> None:
        if self.settings.protocol.training_loss == "evaluated":
            return  # spares a GPU the wait for every batch
        for seed, loss in zip(self.seeds, losses.tolist(), strict=True):
            if seed in self.places:
                kept = (*self.places[seed].batch_losses, loss)
                self.places[seed] = replace(self.places[seed], batch_losses=kept)

    def _report(self, evaluation: Evaluation) -> None:
        alive = self._unfinished()
        if not alive:
            spared = self.settings.protocol.epochs - self.epoch + 1
            self.advance(spared * len(self.seeds), f"seeds {self.seeds} diverged")
            return
        last = [self.places[seed].curve[-1] for seed in alive]
        train, test = (sum(row[k] for row in last) / len(last) for k in (0, 1))
        if self.epoch:
            losses = f"loss {train:.4f} train, {test:.4f} test"
            names = ", ".join(map(str, alive))
            self.advance(len(self.seeds), f"seed {names} epoch {self.epoch}: {losses}")
        seconds = self.places[alive[0]].seconds
        self.notes.running(dict.fromkeys(alive, self.epoch), seconds)

    def _finish(self, seed: int, diverged_at: int | None) -> None:
        place = self.places[seed]
        last = self.settings.protocol.epochs if diverged_at is None else diverged_at
        if len(place.curve) != last + 1:
            raise DynparamError(
                f"the curve of seed {seed} has {len(place.curve)} rows for the epochs 0 to {last}, so "
                f"it is not kept; delete {self.files.checkpoint(seed)} to train it anew"
            )
        record = Record(seed, place.curve, diverged_at, round(place.seconds, 3), self.origin)
        self.files.finish(record)
        del self.places[seed]
        self.locks[seed].release()  # who waits for this run need not wait for its stack
        self.records.append(record)
        if diverged_at is not None:
            say(f"seed {seed} diverged: its loss is not finite after epoch {diverged_at}")

    def _save(self) -> None:
        tensors = self.stack.tensors()
        for member, seed in enumerate(self.seeds):
            if seed in self.places:
                place = self.places[seed]
                seconds = place.seconds + (time.monotonic() - self._clock) / len(self.seeds)
                place = replace(place, epoch=self.epoch, batch=self.batch, seconds=seconds)
                mine = {name: tensor[member] for name, tensor in tensors.items()}
                identity = self.files.run_identity(seed)
                checkpoints.save(self.files.checkpoint(seed), identity, place, mine)

    def _restore(self, starts: Iterable[_Start]) -> None:
        for member, start in enumerate(starts):
            if start.tensors:
                for name, tensor in self.stack.tensors().items():
                    tensor[member].copy_(start.tensors[name])
                start.tensors.clear()  # not to be kept on the host throughout the training
        self.stack.refresh()

    def _note(self, state: Any, why: str) -> None:
        places = self._unfinished_places()
        if places:
            done = dict.fromkeys(self._unfinished(), self.epoch)
            with suppress(DynparamError):  # on a full disk, what failed first is what is told
                self.notes.stopped(state, done, places[0].seconds, why)

    def _unfinished(self) -> list[int]:
        return list(self.places)

    def _unfinished_places(self) -> list[Place]:
        return list(self.places.values())

    def _lap(self) -> float:
        now = time.monotonic()
        spent, self._clock = now - self._clock, now
        return spent


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
