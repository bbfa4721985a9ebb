"""Networks of the protocol of Sec. 3.3, looked at while they train; resumes after the last finished run.

A run is that of Figs. 3.4 and 3.5 with the same seed, task and parametrization: the same weights and
batches, and the same curve to the bit, as looking changes nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dynparam.data.images import Pair
from dynparam.experiments.through_training.moments import moments
from dynparam.experiments.through_training.probe import (
    Look,
    centred,
    cosine,
    look,
    matrices,
    probe_images,
)
from dynparam.experiments.through_training.settings import ThroughRun
from dynparam.experiments.through_training.tables import NUMBERS, PROBES, WHOLE_NETWORK
from dynparam.support.errors import NonFiniteError
from dynparam.support.progress import Advance, progress, say
from dynparam.theory.parametrization import ParametrizationName, layer_scales
from dynparam.training.protocol import (
    Networks,
    Task,
    batch_order,
    batches_per_epoch,
    initial_weights,
    network_widths,
)
from dynparam.training.runs import origin_here
from dynparam.trials.log import TrialLog

CPU = torch.device("cpu")

LOOK_STEPS = 15
"""About how many steps of training take the time of one look, for the estimate of the time left."""

Row = tuple[float, ...]
"""A row in ``tables.NUMBERS``."""


@dataclass(frozen=True)
class ProbedRun:
    """A finished run.

    Attributes:
        seed: its number.
        rows: what every look saw, in ``tables.NUMBERS``.
        diverged_at: the epoch in which a number was not finite, ``None`` if all were.
        seconds: time spent on it.
        origin: what computed it: commit, versions, hardware, device.
    """

    seed: int
    rows: tuple[Row, ...]
    diverged_at: int | None
    seconds: float
    origin: Mapping[str, Any]


class Subject:
    """The networks of one task, size and parametrization, and the images they are looked at on."""

    def __init__(
        self, settings: ThroughRun, task: str, parametrization: ParametrizationName, pair: Pair
    ) -> None:
        """Take the images of ``pair`` up; raises ``DataError`` if a class has too few to look at."""
        dtype = getattr(torch, settings.protocol.dtype)
        self.settings, self.name, self.parametrization = settings, task, parametrization
        self.images = Task.of_pair(pair, settings.inputs.normalization, dtype, CPU)
        self.scales = layer_scales(parametrization, network_widths(settings), settings.protocol.r)
        self.networks = Networks(settings, task, self.images, parametrization)
        self.batches = batches_per_epoch(settings)
        probes, epochs = settings.through_training.probes, settings.protocol.epochs
        self.moments = moments(self.batches, epochs, probes.every_epochs)
        chosen = probe_images(pair, task, probes)
        self.inputs, self.targets = self.images.inputs[chosen], self.images.targets[chosen]

    def run(self, seed: int, advance: Advance, until: int | None = None) -> tuple[list[Row], int | None]:
        """The rows of a run's looks, to step ``until`` or the last; the epoch it diverged in, if it did.

        ``advance`` is told of every step, and of every look as ``LOOK_STEPS`` of them.
        """
        asked = [step for step in self.moments if until is None or step <= until]
        initial = initial_weights(self.settings, self.name, self.scales, seed)
        stack, batches = self.networks.draw([seed]), self._batches(seed)
        found, start, done = list[Row](), None, 0
        for step in asked:
            for _ in range(done, step):
                stack.train_batch(next(batches)[None])
                advance(1)
            done = step
            weights = matrices(stack, initial, self.images)
            try:
                seen = look(weights, initial, self.scales.multiplier, self.inputs, self.targets)
            except NonFiniteError:
                return found, math.ceil(step / self.batches)
            start = seen.kernels if start is None else start
            found += rows(seed, step, seen, start)
            advance(LOOK_STEPS, f"seed {seed}, step {step}: loss {seen.loss:.4f}")
        return found, None

    def _batches(self, seed: int) -> Iterator[Tensor]:
        """The batches of all epochs, one after the other."""
        for epoch in range(1, self.settings.protocol.epochs + 1):
            yield from batch_order(self.settings, self.name, seed, epoch)

    def work_until(self, last: int) -> float:
        """The steps up to ``last``, with what their looks take."""
        asked = [step for step in self.moments if step <= last]
        return asked[-1] + LOOK_STEPS * len(asked)


def measure(subject: Subject, seeds: Sequence[int], log: TrialLog) -> list[ProbedRun]:
    """The runs of ``seeds``, in order; those that ``log`` has are not made again.

    Raises ``DataError`` for a damaged log.
    """

    def parse(entry: Any) -> tuple[int, ProbedRun]:
        """A line's run. Raises ``ValueError`` or ``TypeError`` for what is none."""
        run = ProbedRun(**entry | {"rows": tuple(map(tuple, entry["rows"]))})
        if run.seed not in seeds or any(len(row) != len(NUMBERS) for row in run.rows):
            raise ValueError("it is of no run of this measurement")
        return run.seed, run

    protocol = subject.settings.protocol
    with log.held():
        done = log.read(parse)
        left = [seed for seed in seeds if seed not in done]
        label = f"{subject.name}, {protocol.network_name}, {subject.parametrization}"
        with progress(label, len(left) * subject.work_until(subject.moments[-1])) as advance:
            for seed in left:
                done[seed] = _measured(subject, seed, advance)
                log.append([asdict(done[seed])])
    return [done[seed] for seed in seeds]


def table(rows: Iterable[Row], parametrization: str) -> pd.DataFrame:
    """Rows of runs under one parametrization, as ``tables.PROBES`` has them."""
    found = pd.DataFrame([(parametrization, *row) for row in rows], columns=list(PROBES.columns))
    return found.astype({"seed": int, "step": int, "layer": int})


def rows(seed: int, step: int, seen: Look, start: Tensor) -> Iterator[Row]:
    """A row for the whole network and one for each layer; ``start`` are the kernels (L, T, T) at step 0.

    Traces are means over the images. At the outputs there are no h^l, and over the whole network none.
    """
    images = seen.kernels.shape[1]
    gap = math.nan
    kernels = [seen.kernels.sum(dim=0), *seen.kernels]
    before = [start.sum(dim=0), *start]
    contributions = [sum(seen.contributions), *seen.contributions]
    moves = [math.hypot(*seen.moves), *seen.moves]
    sizes = [math.hypot(*seen.sizes), *seen.sizes]
    participation = [gap, *seen.participation, gap]
    class_ratios = [gap, *seen.class_ratios, gap]
    for layer in range(WHOLE_NETWORK, len(kernels)):
        yield (
            seed,
            step,
            layer,
            seen.loss,
            float(kernels[layer].trace()) / images,
            cosine(kernels[layer], before[layer]),
            cosine(centred(kernels[layer]), centred(before[layer])),
            contributions[layer],
            moves[layer] / sizes[layer],
            participation[layer],
            class_ratios[layer],
        )


def _measured(subject: Subject, seed: int, advance: Advance) -> ProbedRun:
    """One run from its first step to its last."""
    started = time.monotonic()
    found, diverged_at = subject.run(seed, advance)
    if diverged_at is not None:
        say(f"seed {seed} diverged: a number is not finite in epoch {diverged_at}")
    seconds = round(time.monotonic() - started, 3)
    return ProbedRun(seed, tuple(found), diverged_at, seconds, origin_here(CPU))
