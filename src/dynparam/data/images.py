"""The images of a two-class task: drawn, read, and turned into network inputs and targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynparam.data.settings import Normalization
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError

Bytes = NDArray[np.uint8]

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """A two-class task in uint8: images ``(N, 3, 32, 32)``, labels ``(N,)`` (0: first class)."""

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes


def draw_subset(
    labels: NDArray[np.integer[Any]], count: int, stratified: bool, generator: np.random.Generator
) -> Indices:
    """Indices ``(count,)`` into ``labels`` of a draw without replacement, in random order.

    Stratified, every label that occurs is drawn equally often; otherwise all are pooled. Raises
    ``ConfigError`` if the labels cannot share ``count`` equally and ``DataError`` if too few exist.
    """
    groups = [np.arange(len(labels))]
    if stratified:
        groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    each, rest = divmod(count, len(groups))
    if rest:
        raise ConfigError(
            f"{count} images cannot be shared equally by {len(groups)} classes; choose a multiple "
            f"of {len(groups)}, or set data.stratified to false"
        )
    available = min(map(len, groups))
    if each > available:
        per_class = " per class" if stratified else ""
        raise DataError(
            f"{each} images{per_class} are asked for and {available} are available; "
            f"ask for at most {available * len(groups)}"
        )
    return generator.permutation(
        np.concatenate([generator.permutation(group)[:each] for group in groups])
    )


def load_pair(npz: Path) -> Pair:
    """Read what ``extract_pair`` or ``extract_pool`` wrote. Raises ``DataError``."""
    try:
        with npz.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            pair = Pair(**{key: arrays[key] for key in Pair.__dataclass_fields__})
    except Exception as error:  # damage shows in a dozen types, BadZipFile among them
        raise DataError(f"{npz}: not a readable pair of classes; extract it again") from error
    for images, labels in (
        (pair.train_images, pair.train_labels),
        (pair.test_images, pair.test_labels),
    ):
        if images.shape != (*labels.shape, 3, 32, 32):
            raise DataError(f"{npz}: images and labels do not belong together; extract it again")
    return pair


def normalize(images: Bytes, normalization: Normalization, reference: Bytes | None = None) -> FloatArray:
    """Network inputs ``(N, 3072)``, channel by channel, from images ``(N, 3, 32, 32)``.

    ``half_range`` is (x/255 - 1/2)/(1/2) and ``unit_range`` x/255. ``per_channel`` standardizes by
    the mean and standard deviation of each channel over ``reference`` (the training images; by
    default ``images``), ``per_image`` by those of each image. Raises ``DataError`` where a standard
    deviation is zero: a constant image has no direction left for the probe. The thesis leaves
    the choice open.
    """
    unit = images / 255.0
    if normalization == "unit_range":
        inputs = unit
    elif normalization == "half_range":
        inputs = (unit - 0.5) / 0.5
    elif normalization == "per_channel":
        inputs = _standardize(unit, unit if reference is None else reference / 255.0, (0, 2, 3))
    else:
        inputs = _standardize(unit, unit, (1, 2, 3))
    return inputs.reshape(len(images), -1)


def _standardize(values: FloatArray, reference: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    # The deviation of a constant is not exactly zero in floating point; its range is.
    if not np.ptp(reference, axis=axes).all():
        raise DataError(
            "an image or a channel is constant and cannot be standardized; leave it out, or set "
            "inputs.normalization to half_range or unit_range"
        )
    mean = reference.mean(axis=axes, keepdims=True)
    standardized: FloatArray = (values - mean) / reference.std(axis=axes, keepdims=True)
    return standardized


def one_hot(labels: NDArray[np.integer[Any]], classes: int = 2) -> FloatArray:
    """Targets ``(N, classes)`` from labels ``(N,)`` between 0 and ``classes - 1``."""
    targets: FloatArray = np.eye(classes)[labels]
    return targets


def square_norms(images: Bytes, normalization: Normalization) -> FloatArray:
    """||x||^2 of every normalized image: ``(N, 3, 32, 32)`` to ``(N,)``."""
    inputs = normalize(images, normalization)
    norms: FloatArray = np.square(inputs).sum(axis=1)
    return norms
