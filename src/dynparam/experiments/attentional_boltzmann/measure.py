"""What machines learn: growth of small weights, steps until it ends, fits, the partition function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.attentional_boltzmann import training
from dynparam.experiments.attentional_boltzmann.settings import AttentionalBoltzmannSettings
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.support.progress import progress
from dynparam.support.randomness import seed_sequence
from dynparam.theory.attentional_boltzmann import AttentionalBoltzmann, of_mixture, steps_until

COLUMNS = ("part", "kind", "hidden", "trial", "quantity", "at", "value")
"""The columns of ``results/attentional_boltzmann/measured.csv``."""

KINDS = ("fixed", "proportional")
"""The learning rate at any number of hidden units: that of the fewest, or in proportion to them."""

Rows = Iterator[tuple[Any, ...]]


def measure(own: AttentionalBoltzmannSettings) -> pd.DataFrame:
    """All that is measured, in ``COLUMNS``.

    Part "growth", kind "centred", and "shifted" where b is not the data's mean: "factor", the growth of
    differences in one step along each eigenvector (``at``, from 1), and "mean", that of the mean weight.
    Part "escape", by kind of learning rate: "steps" and those "expected" of the drawn start. Part
    "mixture", kinds "apart" and "overlapping", at n samples (``at``): "excess", the loss of the fit on
    new data less that of the truth, and "attention", the mean of the largest probability there. Part
    "partition": "ratio", the estimate over the exact one.

    Raises ``DataError`` if a machine has not learned within the steps, and ``NonFiniteError`` if it
    diverges.
    """
    rows: list[tuple[Any, ...]] = []
    works = [
        *((_growth, hidden, own.growth.trials) for hidden in own.growth.hidden),
        *((_escape, hidden, own.escape.trials) for hidden in own.escape.hidden),
        *((_mixture, samples, own.mixture.trials) for samples in own.mixture.samples),
        (_partition, own.partition.hidden, own.partition.trials),
    ]
    with progress("attention", float(sum(trials for _, _, trials in works))) as advance:
        for work, size, trials in works:
            for trial in range(trials):
                rows += work(own, size, trial)
                advance(1.0)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _generator(own: AttentionalBoltzmannSettings, *place: str | int) -> np.random.Generator:
    return np.random.default_rng(seed_sequence(own.seed, "attentional_boltzmann", *place))


def _growth(own: AttentionalBoltzmannSettings, hidden: int, trial: int) -> Rows:
    """The same start and data twice: b at their mean, and beside it."""
    block, generator = own.growth, _generator(own, "growth", hidden, trial)
    data = training.whitened(block.samples, np.array(own.eigenvalues), generator)
    start = training.small(hidden, data.shape[1], block.size, generator)
    beside = data + block.shift * np.eye(data.shape[1])[0]
    for kind, seen in (("centred", data), ("shifted", beside)):
        machine = start
        for _ in range(block.steps):
            machine = training.descend(machine, seen, block.rate)
        grown = training.differences(machine) / training.differences(start)
        for place, value in enumerate(grown ** (1 / block.steps), start=1):
            yield "growth", kind, hidden, trial, "factor", place, value
        if kind == "centred":
            means = [np.linalg.norm(one.weights.mean(axis=0)) for one in (start, machine)]
            yield "growth", kind, hidden, trial, "mean", 1, (means[1] / means[0]) ** (1 / block.steps)


def _escape(own: AttentionalBoltzmannSettings, hidden: int, trial: int) -> Rows:
    """The same start and data at both learning rates."""
    block, generator = own.escape, _generator(own, "escape", hidden, trial)
    eigenvalues = np.array(own.eigenvalues)
    data = training.whitened(block.samples, eigenvalues, generator)
    start = training.small(hidden, data.shape[1], block.size, generator)
    sizes = training.differences(start)
    for kind in KINDS:
        rate = block.rate * (hidden / block.hidden[0] if kind == "proportional" else 1.0)
        steps = _steps(own, start, data, rate)
        expected = steps_until(block.reached, sizes, eigenvalues, rate, hidden)
        for quantity, value in (("steps", steps), ("expected", expected)):
            yield "escape", kind, hidden, trial, quantity, 1, float(value)


def _steps(
    own: AttentionalBoltzmannSettings, start: AttentionalBoltzmann, data: FloatArray, rate: float
) -> int:
    machine, block = start, own.escape
    for step in range(block.steps + 1):
        if np.square(training.differences(machine)).mean() >= block.reached**2:
            return step
        machine = training.descend(machine, data, rate)
    raise DataError(
        f"a machine of {len(start.hidden_bias)} hidden units has not learned within {block.steps} steps "
        f"at the learning rate {rate:g}; raise attentional_boltzmann.escape.steps or its rate"
    )


def _mixture(own: AttentionalBoltzmannSettings, samples: int, trial: int) -> Rows:
    """Fits to samples of a machine whose weights are orthogonal, begun at the truth."""
    block = own.mixture
    for kind, norm in (("apart", block.apart), ("overlapping", block.overlapping)):
        generator = _generator(own, "mixture", kind, samples, trial)
        drawn = generator.standard_normal((block.dimensions, block.components))
        centres = norm * np.linalg.qr(drawn)[0].T
        truth = of_mixture(centres, np.zeros(block.dimensions), np.zeros(block.components))
        machine = training.fitted(truth, truth.sample(samples, generator), block.iterations)
        new = truth.sample(block.test_samples, generator)
        excess = machine.loss(new) - truth.loss(new)
        yield "mixture", kind, block.components, trial, "excess", samples, excess
        largest = float(truth.attention(new).max(axis=1).mean())
        yield "mixture", kind, block.components, trial, "attention", samples, largest


def _partition(own: AttentionalBoltzmannSettings, hidden: int, trial: int) -> Rows:
    """Importance sampling from one wide Gaussian, which bounds the weights of its draws."""
    block, generator = own.partition, _generator(own, "partition", hidden, trial)
    machine = AttentionalBoltzmann(
        generator.standard_normal((hidden, block.dimensions)),
        generator.standard_normal(block.dimensions),
        generator.standard_normal(hidden),
    )
    middle = machine.mixing @ machine.centres
    spread = machine.mixing @ np.square(machine.centres - middle).sum(axis=1) / block.dimensions
    variance = 1.5 + spread
    noise = generator.standard_normal((block.draws, block.dimensions))
    density = np.square(noise).sum(axis=1) / 2 + block.dimensions / 2 * np.log(2 * np.pi * variance)
    drawn = middle + np.sqrt(variance) * noise
    weights = np.exp(density - machine.energy(drawn) - machine.log_partition)
    yield "partition", "normal", hidden, trial, "ratio", 1, float(weights.mean())
