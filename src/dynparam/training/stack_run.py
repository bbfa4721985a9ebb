"""The training of one stack: networks that are equally far and train together until they part."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from dynparam.support.errors import DynparamError, InterruptedRunError
from dynparam.support.locks import Lock
from dynparam.support.progress import Advance, say
from dynparam.support.signals import StopRequest
from dynparam.training import checkpoints
from dynparam.training.checkpoints import CurveRow, Place
from dynparam.training.protocol import Evaluation, Networks, batch_order
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


def curve_row(evaluation: Evaluation, member: int) -> CurveRow:
    """The row of one network of a stack."""
    return (*evaluation.losses[member].tolist(), *evaluation.accuracies[member].tolist())


@dataclass(frozen=True)
class Shared:
    """What all stacks of one training share.

    Attributes:
        plan: what is trained and how.
        files: where its runs are kept.
        notes: what is told to ``dynparam status``.
        networks: draws and trains networks on the images.
        origin: commit, versions, hardware and device, for the records.
    """

    plan: Plan
    files: RunFiles
    notes: StatusNotes
    networks: Networks
    origin: dict[str, Any]


@dataclass(frozen=True)
class Start:
    """What a run goes on from: place and tensors of one checkpoint, read under the run's lock.

    Attributes:
        lock: the lock, which this process holds.
        place: where the run is.
        tensors: its network's, on the host; none if the run has not begun.
    """

    lock: Lock
    place: Place
    tensors: dict[str, Tensor]

    def is_as_far_as(self, other: Start) -> bool:
        """Whether both networks have seen as many batches, so that they can train together."""
        mine, others = self.place, other.place
        return (mine.epoch, mine.batch) == (others.epoch, others.batch)


class StackRun:
    """One stack from where its runs stand to their last epoch."""

    def __init__(
        self, shared: Shared, starts: Mapping[int, Start], advance: Advance, stop: StopRequest
    ) -> None:
        """Draw the networks of ``starts`` (by seed, equally far) and bring them to where they stand.

        ``advance`` is told of every epoch; after a ``stop`` everything is saved and ``train`` raises.
        """
        self.plan, self.files, self.notes = shared.plan, shared.files, shared.notes
        self.settings, self.origin = shared.plan.settings, shared.origin
        self.advance, self.stop = advance, stop
        self.seeds = list(starts)
        self.locks = {seed: start.lock for seed, start in starts.items()}
        self.places = {seed: start.place for seed, start in starts.items()}
        first = self._unfinished_places()[0]
        self.epoch, self.batch = first.epoch, first.batch
        self.stack = shared.networks.draw(self.seeds)
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

    def _restore(self, starts: Iterable[Start]) -> None:
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
