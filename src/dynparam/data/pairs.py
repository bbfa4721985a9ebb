"""Two-class tasks drawn from the verified CIFAR-10 files (Secs. 3.1-3.3).

The files are pickles, so nothing here opens one before its SHA-256 is right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynparam.data.images import Bytes, Indices, draw_subset
from dynparam.data.npz import write_npz
from dynparam.data.official import CIFAR10_CLASSES, FOLDER, MEMBERS, verify
from dynparam.data.settings import Data, Split
from dynparam.data.torchvision_reader import read_cifar10
from dynparam.support.errors import ConfigError, DataError
from dynparam.support.files import atomic_path, sha256
from dynparam.support.randomness import seed_sequence


def load_split(directory: Path, split: Split, hashes: Mapping[str, str]) -> tuple[Bytes, Indices]:
    """Images ``(N, 3, 32, 32)`` uint8 and labels ``(N,)`` int64 of a split, in its own order.

    ``directory`` is the ``destination`` of ``retrieve``. Members are verified again before
    torchvision unpickles them. Raises ``DataError``.
    """
    folder = directory / FOLDER
    verify(folder, hashes, str(folder))
    return read_cifar10(directory, train=split == "train", official=hashes == MEMBERS)


@dataclass(frozen=True)
class _Images:
    """Images of the two classes of a pair, with their places in an official split."""

    split: Split
    indices: Indices
    images: Bytes
    labels: Bytes

    def take(self, chosen: Indices) -> _Images:
        """Those at the places ``chosen``, in that order."""
        return _Images(self.split, self.indices[chosen], self.images[chosen], self.labels[chosen])

    def without(self, chosen: Indices) -> _Images:
        """All but those at the places ``chosen``."""
        return self.take(np.delete(np.arange(len(self.labels)), chosen))


def extract_pair(
    directory: Path, name: str, data: Data, output: Path, hashes: Mapping[str, str]
) -> dict[str, Any]:
    """Draw the images of the pair ``name`` into ``output`` (npz); returns its manifest.

    Each subset has a random stream of its own, keyed by ``data.seed``, the two classes and ``train``,
    ``test`` or ``validation``: a draw does not depend on the other pairs, nor the training images on
    ``data.test_images``. With one split for both, test images are drawn from what training left
    over. Validation images, if any are asked for, are drawn from what both left over of the training
    split. The npz has the arrays of ``Pair``; the manifest has the settings, the indices in the
    official splits, and SHA-256 sums. Equal inputs give equal bytes. A sidecar already beside
    ``output`` is removed, so that none ever lies beside images other than its own. Raises
    ``ConfigError`` for an unknown pair or an odd count, ``DataError`` for too few images or
    unverified members.
    """
    classes = _classes(name, data)
    candidates = _two_classes(directory, data.train_split, classes, hashes)
    chosen = _draw("train", candidates, name, data)
    left = (
        candidates.without(chosen)
        if data.test_split == data.train_split
        else _two_classes(directory, data.test_split, classes, hashes)
    )
    taken = _draw("test", left, name, data)
    subsets = {"train": candidates.take(chosen), "test": left.take(taken)}
    if data.validation_count:
        same = data.test_split == data.train_split
        rest = left.without(taken) if same else candidates.without(chosen)
        subsets["validation"] = rest.take(_draw("validation", rest, name, data))
    return _save(output, name, data, subsets, hashes)


def extract_pool(
    directory: Path, name: str, data: Data, output: Path, hashes: Mapping[str, str]
) -> dict[str, Any]:
    """Like ``extract_pair``, but all images of ``data.train_split`` for training, none for testing.

    For protocols that draw the subset again in every trial, with ``draw_subset``.
    """
    pool = _two_classes(directory, data.train_split, _classes(name, data), hashes)
    return _save(output, name, data, {"train": pool, "test": pool.take(np.arange(0))}, hashes)


def _classes(name: str, data: Data) -> tuple[str, str]:
    if name not in data.pairs:
        raise ConfigError(
            f"the pair {name!r} is not in data.pairs; add it, or use one of {', '.join(data.pairs)}"
        )
    for label in data.pairs[name]:
        if label not in CIFAR10_CLASSES:
            raise DataError(
                f"data.pairs.{name}: CIFAR-10 has no class {label!r}; "
                f"use two of {', '.join(CIFAR10_CLASSES)}"
            )
    return data.pairs[name]


def _two_classes(
    directory: Path, split: Split, classes: tuple[str, str], hashes: Mapping[str, str]
) -> _Images:
    """Every image of the two classes in a split, in its order."""
    images, labels = load_split(directory, split, hashes)
    first, second = (CIFAR10_CLASSES.index(label) for label in classes)
    for label in (first, second):
        if label not in labels:
            raise DataError(
                f"{directory / FOLDER}: no image of the class {CIFAR10_CLASSES[label]!r} in the "
                f"{split} split; use data that have it"
            )
    indices = np.flatnonzero((labels == first) | (labels == second))
    return _Images(split, indices, images[indices], (labels[indices] == second).astype(np.uint8))


def _draw(subset: str, candidates: _Images, name: str, data: Data) -> Indices:
    """``draw_subset`` with the subset's own count and random stream."""
    count: int = getattr(data, f"{subset}_images")
    generator = np.random.default_rng(seed_sequence(data.seed, *data.pairs[name], subset))
    try:
        return draw_subset(candidates.labels, count, data.stratified, generator)
    except (ConfigError, DataError) as error:
        raise type(error)(f"data.{subset}_images for {name}: {error}") from None


def _save(
    output: Path, name: str, data: Data, subsets: Mapping[str, _Images], hashes: Mapping[str, str]
) -> dict[str, Any]:
    """Write the npz and return its manifest."""
    arrays = {
        f"{key}_{kind}": getattr(images, kind)
        for key, images in subsets.items()
        for kind in ("images", "labels")
    }
    with atomic_path(output) as partial, partial.open("wb") as file:
        output.with_suffix(".json").unlink(missing_ok=True)
        write_npz(file, arrays)
    return {
        "pair": name,
        "classes": data.pairs[name],
        "settings": data.model_dump(mode="json", exclude={"pairs"}),
        "subsets": {
            key: {"split": images.split, "indices": images.indices.tolist()}
            for key, images in subsets.items()
        },
        "sha256": {
            "arrays": {key: hashlib.sha256(array.data).hexdigest() for key, array in arrays.items()},
            "npz": sha256(output),
            "source": dict(hashes),
        },
    }
