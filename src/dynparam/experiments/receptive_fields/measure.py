"""Regressions with kernels of windows and of correlated weights, on images that are disturbed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from dynparam.data.images import Bytes, Pair, draw_subset, normalize
from dynparam.experiments.receptive_fields.drawn import drawn_kernel
from dynparam.experiments.receptive_fields.settings import FieldTrials, ReceptiveFields
from dynparam.experiments.receptive_fields.tables import (
    ACCURACY,
    APART,
    BLURRED,
    CLEAN,
    CORRELATED,
    DENSE,
    DISPLACEMENT,
    DRAWN,
    LOCAL,
    MEASURED,
    NOISE,
    PERMUTED,
    SQUARE,
    WEIGHTED,
)
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.support.progress import progress
from dynparam.support.randomness import seed_sequence
from dynparam.theory.receptive_fields import DENSE as EVERYWHERE
from dynparam.theory.receptive_fields import Fields, blurred, coverage, field_kernel

Values = dict[str, float]

Change = Callable[[FloatArray], FloatArray]


class Task(NamedTuple):
    """A draw of images.

    Attributes:
        train: inputs to train on, (N, channels, side, side).
        target: their classes, 1 and -1, (N,).
        tests: new inputs by disturbance, (M, channels, side, side); "clean" has none.
        classes: theirs, (M,).
        order: the permutation of pixels.
    """

    train: FloatArray
    target: FloatArray
    tests: dict[str, FloatArray]
    classes: FloatArray
    order: FloatArray


class Seen(NamedTuple):
    """What a kind of network makes of images.

    Attributes:
        kind: one of ``tables.KINDS``.
        at: its radius or length; 0 where it has none.
        change: what images are turned into first.
        fields: what units see of that.
    """

    kind: str
    at: float
    change: Change
    fields: Fields


def measure(settings: FieldTrials, pair: Pair) -> pd.DataFrame:
    """All that is measured on the pair, in the columns of ``tables.MEASURED``.

    Raises what ``draw_subset``, ``normalize`` and ``field_kernel`` do, and ``DataError`` if a kernel is
    singular in spite of its ridge, or a predictor is constant.
    """
    own = settings.receptive_fields
    rows: list[tuple[object, ...]] = []
    with progress("receptive fields", float(own.trials)) as advance:
        for trial in range(own.trials):
            task = drawn_task(settings, pair, trial)
            for kind, at, values in (*_regressions(own, task), _drawn(settings, task, trial)):
                rows += [(kind, at, trial, name, value) for name, value in values.items()]
            advance(1.0)
    return pd.DataFrame(rows, columns=list(MEASURED.columns))


def drawn_task(settings: FieldTrials, pair: Pair, trial: int) -> Task:
    """The images of a trial and their disturbances, whatever else is measured."""
    own, random = settings.receptive_fields, _generator(settings, "images", trial)
    train = draw_subset(pair.train_labels, own.samples, True, random)
    test = draw_subset(pair.test_labels, own.test_samples, True, random)

    def inputs(images: Bytes) -> FloatArray:
        """Images as the network is given them, in their own shape."""
        normalization = settings.inputs.normalization
        flat = normalize(images, normalization, reference=pair.train_images)
        return flat.reshape(images.shape)

    clean = inputs(pair.test_images[test])
    return Task(
        inputs(pair.train_images[train]),
        _signs(pair.train_labels[train]),
        {
            CLEAN: clean,
            SQUARE: inputs(with_squares(pair.test_images[test], own.square, random)),
            NOISE: clean + own.noise * random.standard_normal(clean.shape),
        },
        _signs(pair.test_labels[test]),
        random.permutation(clean.shape[-1] ** 2),
    )


def with_squares(images: Bytes, side: int, random: np.random.Generator) -> Bytes:
    """A square of ``side`` pixels anywhere in each image, every channel of it all dark or all bright."""
    found = images.copy()
    count, channels, height, width = images.shape
    colours = random.choice(np.array([0, 255], np.uint8), size=(count, channels))
    rows, columns = (random.integers(size - side + 1, size=count) for size in (height, width))
    for image, colour, row, column in zip(found, colours, rows, columns, strict=True):
        image[:, row : row + side, column : column + side] = colour[:, None, None]
    return found


def kinds(own: ReceptiveFields, task: Task) -> Iterator[Seen]:
    """All kinds of networks; permuted pixels at the smallest radius alone."""
    side = task.train.shape[-1]
    yield Seen(DENSE, 0.0, _as_it_is, EVERYWHERE)
    for radius in own.radii:
        fields = Fields(own.grid, radius)
        weights = side * coverage(side, fields)
        yield Seen(LOCAL, radius, _as_it_is, fields)
        yield Seen(WEIGHTED, radius, partial(np.multiply, weights), EVERYWHERE)
    yield Seen(PERMUTED, own.radii[0], _permuted(task), Fields(own.grid, own.radii[0]))
    fields = Fields(correlation=own.correlation)
    yield Seen(CORRELATED, own.correlation, _as_it_is, fields)
    yield Seen(BLURRED, own.correlation, lambda images: blurred(images, fields), EVERYWHERE)


def regression(kernel: FloatArray, across: FloatArray, task: Task, ridge: float) -> Values:
    """Accuracies and displacements of the kernel's regression, by quantity.

    ``kernel`` is that of the images to train on, (N, N), ``across`` that of all tests with them in their
    order, (3 M, N), ``ridge`` a share of the kernel's mean diagonal. A displacement is the root mean
    square of what a disturbance changes in the predictor, over the predictor's standard deviation.

    Raises ``DataError`` for a kernel that is singular, or a predictor that is constant.
    """
    ridged = kernel + ridge * np.diag(kernel).mean() * np.eye(len(kernel))
    try:
        weights = cho_solve(cho_factor(ridged), task.target)
    except np.linalg.LinAlgError:
        raise DataError(
            f"the kernel of {len(kernel)} images is singular in spite of its ridge; raise "
            f"receptive_fields.ridge, or leave out images that are equal"
        ) from None
    found = dict(zip(task.tests, np.split(across @ weights, len(task.tests)), strict=True))
    spread = found[CLEAN].std()
    if not spread > 0:
        raise DataError(
            "the predictor is the same on all test images, so that displacements have no scale; take "
            "images that differ"
        )
    values = {
        name: float((np.sign(found[which]) == task.classes).mean()) for which, name in ACCURACY.items()
    }
    for which, name in DISPLACEMENT.items():
        values[name] = float(np.sqrt(np.square(found[which] - found[CLEAN]).mean()) / spread)
    return values


def _regressions(own: ReceptiveFields, task: Task) -> Iterator[tuple[str, float, Values]]:
    """Every kind's values, and how far apart kernels are."""
    kernels = {}
    tests = np.concatenate(list(task.tests.values()))
    for seen in kinds(own, task):
        train = seen.change(task.train)
        kernel = field_kernel(train, fields=seen.fields)
        across = field_kernel(seen.change(tests), train, seen.fields)
        kernels[seen.kind, seen.at] = kernel
        yield seen.kind, seen.at, regression(kernel, across, task, own.ridge)
    dense, local = kernels[DENSE, 0.0], kernels[LOCAL, own.radii[0]]
    correlated = kernels[CORRELATED, own.correlation]
    moved = field_kernel(_permuted(task)(task.train))
    yield DENSE, 0.0, _apart(dense, moved, PERMUTED)
    yield LOCAL, own.radii[0], _apart(local, kernels[PERMUTED, own.radii[0]], PERMUTED)
    yield CORRELATED, own.correlation, _apart(correlated, kernels[BLURRED, own.correlation], BLURRED)
    # Blurred images are larger. What is compared is the kernels' shape.
    shape = dense * (np.diag(correlated).mean() / np.diag(dense).mean())
    yield CORRELATED, own.correlation, _apart(correlated, shape, DENSE)


def _drawn(settings: FieldTrials, task: Task, trial: int) -> tuple[str, float, Values]:
    """A drawn network with the smallest windows, over theory with them and without."""
    own = settings.receptive_fields
    fields, images = Fields(own.drawn.grid, own.radii[0]), task.train[: own.drawn.images]
    random = _generator(settings, "weights", trial)
    found = drawn_kernel(images, fields, own.drawn.units, random)
    values = {
        f"{DRAWN}{name}": float((found / field_kernel(images, fields=theory)).mean())
        for name, theory in ((LOCAL, fields), (DENSE, EVERYWHERE))
    }
    return LOCAL, own.radii[0], values


def _generator(settings: FieldTrials, what: str, trial: int) -> np.random.Generator:
    own = settings.receptive_fields
    return np.random.default_rng(seed_sequence(own.seed, "receptive_fields", *own.pairs, what, trial))


def _apart(kernel: FloatArray, other: FloatArray, name: str) -> Values:
    return {f"{APART}{name}": float(np.abs(kernel - other).max() / np.abs(other).max())}


def _signs(labels: Bytes) -> FloatArray:
    found: FloatArray = 2 * labels.astype(np.float64) - 1
    return found


def _as_it_is(images: FloatArray) -> FloatArray:
    return images


def _permuted(task: Task) -> Change:
    """All images with one permutation of their pixels, which leaves nothing local."""

    def change(images: FloatArray) -> FloatArray:
        """The images with their pixels in the task's order."""
        flat = images.reshape(*images.shape[:2], -1)
        return flat[:, :, task.order].reshape(images.shape)

    return change
