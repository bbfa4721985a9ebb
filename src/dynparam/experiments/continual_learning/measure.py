"""Errors of regressions on two tasks in a row, drawn many times, beside those that theory expects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import solve

from dynparam.data.images import Pair, draw_subset, normalize
from dynparam.experiments.continual_learning.settings import (
    ContinualLearning,
    ContinualTrials,
    Rows,
)
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.support.progress import progress
from dynparam.support.randomness import seed_sequence
from dynparam.theory.continual import (
    Modes,
    TwoTasks,
    critical_similarity,
    modes,
    pool_modes,
    two_tasks,
)
from dynparam.theory.inner_products import inner_products
from dynparam.theory.laziness import laziness_index, narrowest_layer
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.relu_kernels import layer_shapes, relu_ntk
from dynparam.theory.widths import bottleneck

POWER_LAW = "power law"
"""The scales of modes that no network has."""

ERRORS = ("error_first", "error_second", "error_alone", "error_back")


class Tables(NamedTuple):
    """What was measured (``tables.MEASURED``), and what is expected of it (``tables.EXPECTED``)."""

    measured: pd.DataFrame
    expected: pd.DataFrame


class Sample(NamedTuple):
    """Inputs to train on.

    Attributes:
        read: from functions (D, k), by coefficients or values, to their values at the inputs (N, k).
        kernel: k(., x) of every input as such a function, (D, N).
    """

    read: Callable[[FloatArray], FloatArray]
    kernel: FloatArray


@dataclass(frozen=True)
class Problem:
    """A kernel and targets, from which samples of two tasks are drawn.

    Attributes:
        part: "gaussian", "smooth" or "images".
        scales: the parametrization, or ``POWER_LAW``.
        modes: those of the kernel, with the power of targets.
        rows: the tasks that are measured.
        trials: of each.
        laziness: rho of the narrowest layer of the network; zero without one.
        sample: draws N inputs.
        targets: draws k targets of the first task, and as many that have nothing in common with them,
            (D, k) both.
        draws: k, of each sample; errors are means over them.
        weight: of a squared coefficient or value in the mean square, 1 or 1/P.
    """

    part: str
    scales: str
    modes: Modes
    rows: Sequence[Rows]
    trials: int
    laziness: float
    sample: Callable[[np.random.Generator, int], Sample]
    targets: Callable[[np.random.Generator, int], tuple[FloatArray, FloatArray]]
    draws: int
    weight: float


def measure(settings: ContinualTrials, pair: Pair) -> Tables:
    """All tasks of the settings, measured and expected.

    Raises what ``draw_subset``, ``inner_products`` and ``theory.continual`` do, and ``DataError`` if two
    images of the pool have a singular kernel.
    """
    measured: list[dict[str, object]] = []
    expected: list[dict[str, object]] = []
    problems = list(gaussian_problems(settings.continual_learning))
    count = len(problems) + len(settings.continual_learning.images.parametrizations)
    with progress("continual learning", float(count)) as advance:
        for problem in (*problems, *image_problems(settings, pair)):
            seed = settings.continual_learning.seed
            for rows in problem.rows:
                expected += expectation(problem, rows)
                for trial in range(problem.trials):
                    measured += trained(problem, rows, seed, trial)
            advance(1.0)
    return Tables(pd.DataFrame(measured), pd.DataFrame(expected))


def gaussian_problems(own: ContinualLearning) -> Iterator[Problem]:
    """Modes of a power law: targets of the same, and smoother ones."""
    part = own.gaussian
    eta = _power_law(part.modes, part.decay)
    for name, decay, rows in (
        ("gaussian", part.decay, part.rows()),
        ("smooth", part.smooth_decay, part.smooth_rows()),
    ):
        found = modes(eta, _power_law(part.modes, decay))
        yield Problem(
            name,
            POWER_LAW,
            found,
            rows,
            part.trials,
            0.0,
            partial(_gaussian_sample, eta),
            partial(_gaussian_targets, found),
            part.targets,
            1.0,
        )


def image_problems(settings: ContinualTrials, pair: Pair) -> Iterator[Problem]:
    """Wide kernels of every parametrization on one pool of images, whose classes are the target."""
    own = settings.continual_learning
    part = own.images
    random = np.random.default_rng(seed_sequence(own.seed, "continual", "pool"))
    chosen = draw_subset(pair.train_labels, part.pool, True, random)
    inputs = normalize(
        pair.train_images[chosen], settings.inputs.normalization, reference=pair.train_images
    )
    target: FloatArray = 2 * pair.train_labels[chosen].astype(np.float64) - 1
    inner = inner_products(inputs)
    inner.require_independent()
    widths = bottleneck(part.n, part.n_min(), hidden=settings.network.hidden, n_out=1)
    shapes = layer_shapes(inner, widths.depth)
    for name in part.parametrizations:
        scales = layer_scales(name, widths, part.r)
        kernel = relu_ntk(shapes, widths, scales)
        found, functions = pool_modes(kernel, target)
        index = laziness_index(widths, scales, float(inner.rows.mean()))
        yield Problem(
            "images",
            name,
            found,
            part.rows(name),
            part.trials,
            float(index[narrowest_layer(widths) - 1]),
            partial(_pool_sample, kernel),
            partial(_pool_targets, functions, target),
            part.targets,
            1 / part.pool,
        )


def expectation(problem: Problem, rows: Rows) -> Iterator[dict[str, object]]:
    """What theory expects of these tasks, a row for each similarity."""
    critical = critical_similarity(problem.modes, rows.first, rows.second, rows.noise)
    for similarity in rows.similarities:
        found = two_tasks(problem.modes, rows.first, rows.second, similarity, rows.noise)
        numbers = {"critical": critical, "laziness": problem.laziness}
        yield _key(problem, rows, similarity) | numbers | _errors(found)


def trained(problem: Problem, rows: Rows, seed: int, trial: int) -> Iterator[dict[str, object]]:
    """Errors of one draw of samples and targets, a row for each similarity.

    A draw does not depend on how many trials or similarities there are, and every parametrization has
    the same.
    """
    coordinates = (problem.part, rows.first, rows.second, float(rows.noise).hex(), trial)
    random = np.random.default_rng(seed_sequence(seed, "continual", *coordinates))
    own, other = problem.targets(random, problem.draws)
    samples = [problem.sample(random, count) for count in (rows.first, rows.second)]
    noises = [
        np.sqrt(rows.noise) * random.standard_normal((one.kernel.shape[1], problem.draws))
        for one in samples
    ]
    begun = interpolated(samples[0], own, noises[0])
    # Every similarity at once: its targets beside those of the one before.
    count = len(rows.similarities)
    mixed = [rho * own + np.sqrt(1 - rho**2) * other for rho in rows.similarities]
    second, noise = np.hstack(mixed), np.tile(noises[1], count)
    before, first = np.tile(begun, count), np.tile(own, count)
    alone = interpolated(samples[1], second, noise)
    ended = before + interpolated(samples[1], second - before, noise)
    found = [
        problem.weight * np.square(target - f).sum(axis=0).reshape(count, -1).mean(axis=1)
        for target, f in ((first, before), (second, ended), (second, alone), (first, ended))
    ]
    for similarity, values in zip(rows.similarities, np.transpose(found), strict=True):
        numbers = TwoTasks(*(float(value) for value in values))
        yield _key(problem, rows, similarity) | {"trial": trial} | _errors(numbers)


def interpolated(sample: Sample, residual: FloatArray, noise: FloatArray) -> FloatArray:
    """The functions (D, k) of least norm through the values of ``residual`` (D, k) and noise (N, k).

    What a network that trains lazily adds to its output. Raises ``DataError`` for a singular kernel.
    """
    gram = sample.read(sample.kernel)
    try:
        weights = solve(gram, sample.read(residual) + noise, assume_a="pos")
    except np.linalg.LinAlgError:
        raise DataError(
            f"the kernel of {len(gram)} samples is singular, so that no function goes through their "
            f"targets; take fewer samples, or leave out images that are equal"
        ) from None
    found: FloatArray = sample.kernel @ weights
    return found


def _power_law(count: int, decay: float) -> FloatArray:
    found = np.arange(1, count + 1.0) ** -decay
    shares: FloatArray = found / found.sum()
    return shares


def _gaussian_sample(eta: FloatArray, random: np.random.Generator, count: int) -> Sample:
    """Inputs whose modes are independent standard normal numbers."""
    features = random.standard_normal((count, len(eta)))
    return Sample(lambda f: features @ f, (features * eta).T)


def _gaussian_targets(
    found: Modes, random: np.random.Generator, draws: int
) -> tuple[FloatArray, FloatArray]:
    drawn = random.standard_normal((2, len(found.power), draws))
    own, other = np.sqrt(found.power)[:, None] * drawn
    return own, other


def _pool_sample(kernel: FloatArray, random: np.random.Generator, count: int) -> Sample:
    """Images drawn with replacement, each kept once: copies add nothing."""
    chosen = np.unique(random.integers(len(kernel), size=count))
    return Sample(lambda f: f[chosen], kernel[:, chosen])


def _pool_targets(
    functions: FloatArray, target: FloatArray, random: np.random.Generator, draws: int
) -> tuple[FloatArray, FloatArray]:
    """The classes, and targets of the same power in every mode, of a random sign each."""
    signs = random.choice([-1.0, 1.0], size=(len(target), draws))
    other: FloatArray = functions @ (signs * (functions.T @ target)[:, None]) / len(target)
    return np.repeat(target[:, None], draws, axis=1), other


def _key(problem: Problem, rows: Rows, similarity: float) -> dict[str, object]:
    return {
        "part": problem.part,
        "scales": problem.scales,
        "first": rows.first,
        "second": rows.second,
        "noise": float(rows.noise),
        "similarity": float(similarity),
    }


def _errors(found: TwoTasks) -> dict[str, object]:
    return {f"error_{name}": value for name, value in asdict(found).items()}
