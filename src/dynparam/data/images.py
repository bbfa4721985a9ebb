"""The images of a two-class task: drawn, read, and turned into network inputs and targets."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynparam.data.settings import Normalization
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError
from dynparam.support.regular_files import opened, refusal

Bytes = NDArray[np.uint8]

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """A two-class task in uint8: images ``(N, 3, 32, 32)``, labels ``(N,)`` (0: first class).

    The validation images, a third set, are of no number unless they were asked for.
    """

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    validation_images: Bytes = field(default_factory=lambda: np.empty((0, 3, 32, 32), np.uint8))
    validation_labels: Bytes = field(default_factory=lambda: np.empty(0, np.uint8))

    @property
    def counts(self) -> tuple[int, int, int]:
        """Numbers of training, test and validation images."""
        return len(self.train_labels), len(self.test_labels), len(self.validation_labels)


IMAGE_SHAPES: Mapping[str, tuple[int, ...]] = {
    "train_images": (3, 32, 32),
    "train_labels": (),
    "test_images": (3, 32, 32),
    "test_labels": (),
}
"""The arrays of a pair, and their shapes but for the number of images."""

VALIDATION_SHAPES: Mapping[str, tuple[int, ...]] = {
    "validation_images": (3, 32, 32),
    "validation_labels": (),
}
"""The same of the third set, where there is one."""

MAX_IMAGES = 10**6
"""The most images of a kind that are read, as many as can be configured."""


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
    """Read what ``extract_pair`` or ``extract_pool`` wrote, and nothing else.

    Raises ``DataError`` for what is no regular file, has other members or arrays than those of ``Pair``,
    or has no image of one of the classes to train on. A pickle is not opened, and what a member says of
    its size is looked at before it is unpacked.
    """
    try:
        return _checked(_arrays(npz))
    except Exception as error:  # damage shows in a dozen types, BadZipFile among them
        reason = str(error) if isinstance(error, DataError) else "damaged, or no archive of arrays"
        raise DataError(f"{npz}: not a readable pair of classes ({reason}); extract it again") from error


def _arrays(npz: Path) -> dict[str, Bytes]:
    """The arrays of an archive by name. Raises ``DataError`` if they are not those of a pair."""
    reason = refusal(npz)
    if reason is not None:
        raise DataError(reason)
    try:
        with opened(npz) as file, zipfile.ZipFile(file) as archive:
            shapes = {**IMAGE_SHAPES, **VALIDATION_SHAPES}
            found = sorted(archive.namelist())
            for expected in (IMAGE_SHAPES, shapes):
                if found == sorted(f"{name}.npy" for name in expected):
                    return {name: _array(archive, name, shapes[name]) for name in expected}
            raise DataError(f"its members are not {', '.join(f'{name}.npy' for name in IMAGE_SHAPES)}")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or 'damaged'}") from error


def _array(archive: zipfile.ZipFile, name: str, expected: tuple[int, ...]) -> Bytes:
    """One member, if it is of bytes and of the shape it should have but for the number of images."""
    with archive.open(f"{name}.npy") as member:
        if np.lib.format.read_magic(member) != (1, 0):
            raise DataError(f"{name} is of another format than numpy writes")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(member)
        if dtype.str != "|u1" or by_columns:
            raise DataError(f"{name} is not of bytes in rows")
        if shape[1:] != expected or not len(shape) or not 0 <= shape[0] <= MAX_IMAGES:
            raise DataError(f"{name} has the shape {shape}")
        content = bytearray(member.read(math.prod(shape)))
        # The end is read too, where the member's checksum is compared.
        if len(content) != math.prod(shape) or member.read(1):
            raise DataError(f"{name} is not as long as it says")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _checked(arrays: Mapping[str, Bytes]) -> Pair:
    """The arrays as a pair. Raises ``DataError`` if images and labels are not those of two classes."""
    pair = Pair(**arrays)
    for kind, images, labels in (
        ("training", pair.train_images, pair.train_labels),
        ("test", pair.test_images, pair.test_labels),
        ("validation", pair.validation_images, pair.validation_labels),
    ):
        if len(images) != len(labels):
            raise DataError(f"{len(images)} {kind} images have {len(labels)} labels")
        if (labels > 1).any():
            raise DataError(f"a {kind} label is {labels.max()}, where 0 and 1 are the classes")
    if len(np.unique(pair.train_labels)) < 2:
        raise DataError("it has no training images of one of the classes")
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
