"""Networks trained on real images, beside what their linearizations do (eqs. 1.8 and 1.12).

Every trial draws images and weights of its own; all parametrizations see the same images and the same
standard normal numbers.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import torch

from dynparam.data.images import Bytes, Pair, draw_subset, normalize
from dynparam.data.pooling import about_the_mean, pooled
from dynparam.engines.network import draw_weights
from dynparam.experiments.lazy_or_rich.descent import (
    Start,
    change,
    checked_spectrum,
    descend,
    kernel_of,
    outputs,
)
from dynparam.experiments.lazy_or_rich.settings import LinearizationStage
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import NonFiniteError
from dynparam.support.randomness import seed_sequence, torch_generator
from dynparam.theory.linearization import linearized
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from dynparam.trials.kept import Point, Row, measured
from dynparam.trials.log import TrialLog

Split = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Inputs to train on (T, n_0), their targets (T,), and inputs to compare on (T', n_0)."""


def measure(
    settings: LinearizationStage, parametrization: str, pair: Pair, log: TrialLog
) -> pd.DataFrame:
    """All trials of a parametrization, in the columns of ``tables.LINEARIZATION``.

    ``discrepancy`` is the root mean square of f - f_lin over the test images, over that of what training
    the linearization adds there; ``discrepancy_limit`` the same with the limit of many steps (eq. 1.8).
    ``rank`` is that of the kernel of the training images. Finished trials are kept in ``log``. Raises
    ``DataError`` for fewer images than asked for or a damaged log, and ``NonFiniteError`` for a descent
    that diverges.
    """
    chosen = settings.lazy_or_rich.linearization
    points = product(chosen.widths.widths(), range(chosen.trials))
    work: dict[Point, float] = {(n, trial): float(n**2) for n, trial in points}

    def run(point: Point) -> list[Row]:
        """One trial."""
        n, trial = int(point[0]), int(point[1])
        return [_trial(settings, parametrization, n, trial, draw(settings, pair, n, trial))]

    return measured(log, f"linearization of {parametrization}", work, run)


def draw(settings: LinearizationStage, pair: Pair, n: int, trial: int) -> Split:
    """The images of a trial, pooled, less their mean, of one norm; targets are 1 and -1.

    Raises ``DataError`` for fewer images than asked for.
    """
    lazy = settings.lazy_or_rich
    generator = np.random.default_rng(seed_sequence(lazy.seed, "laziness images", n, trial))
    chosen, stratified = lazy.linearization, settings.data.stratified
    train = draw_subset(pair.train_labels, chosen.train_images, stratified, generator)
    test = draw_subset(pair.test_labels, chosen.test_images, stratified, generator)
    inputs = about_the_mean(_small(np.concatenate([pair.train_images[train], pair.test_images[test]])))
    images = torch.from_numpy(inputs)
    targets = torch.from_numpy(2.0 * pair.train_labels[train] - 1)
    return images[: len(train)], targets, images[len(train) :]


def _small(images: Bytes) -> FloatArray:
    """Pooled inputs, (N, 3, 32, 32) to (N, 192)."""
    normalized = normalize(images, "half_range").reshape(images.shape)
    return pooled(normalized).reshape(len(images), -1)


def _trial(settings: LinearizationStage, parametrization: str, n: int, trial: int, split: Split) -> Row:
    lazy = settings.lazy_or_rich
    chosen = lazy.linearization
    images, targets, others = split
    widths = Widths((images.shape[1], *(n,) * chosen.hidden_layers, 1))
    scales = layer_scales(parametrization, widths)
    generator = torch_generator(lazy.seed, "laziness weights", n, trial)
    start = Start(
        draw_weights(widths, scales, generator, torch.float64), scales.multiplier, images, targets
    )
    where = f"{parametrization}, n = {n}, trial {trial}"
    before = start.kernel()
    kernel = checked_spectrum(before, where)
    rate = chosen.step * kernel.inputs / kernel.largest
    end = descend(start, rate, chosen.steps)
    if end.outcome == "diverged":
        raise NonFiniteError(
            f"{where}: gradient descent diverges after {end.steps} steps; lower "
            f"lazy_or_rich.linearization.step"
        )
    cross = kernel_of(start.weights, start.multiplier, others, images)
    moved = (
        outputs(end.weights, start.multiplier, others) - outputs(start.weights, start.multiplier, others)
    ).numpy()
    after = kernel_of(end.weights, start.multiplier, images)
    lines = [linearized(kernel, cross, targets.numpy(), rate, steps) for steps in (chosen.steps, None)]
    discrepancies = [_rms(moved - line) / _rms(line) for line in lines]
    return {
        "parametrization": parametrization,
        "n": n,
        "trial": trial,
        "discrepancy": discrepancies[0],
        "discrepancy_limit": discrepancies[1],
        "kernel_change": change(before, after),
        "loss": end.loss,
        "rank": kernel.rank,
    }


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.square(values).mean()))
