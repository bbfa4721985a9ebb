"""Images of noise in place of CIFAR-10, for a first look without data."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from dynparam.data.npz import write_npz
from dynparam.data.settings import Noise
from dynparam.provenance.record import write_sidecar
from dynparam.support.files import atomic_path


def write_noise(path: Path, noise: Noise) -> None:
    """Write two classes of noise to ``path`` (npz), laid out as an extracted pair, and a sidecar.

    Training images ``(images, 3, 32, 32)`` of independent bytes, half of them of each class; no test
    images. Raises ``DynparamError`` if the file cannot be written.
    """
    started = time.monotonic()
    generator = np.random.default_rng(noise.seed)
    with atomic_path(path) as partial, partial.open("wb") as file:
        write_npz(
            file,
            {
                "train_images": generator.integers(256, size=(noise.images, 3, 32, 32), dtype=np.uint8),
                "train_labels": np.arange(noise.images, dtype=np.uint8) % 2,
                "test_images": np.empty((0, 3, 32, 32), np.uint8),
                "test_labels": np.empty(0, np.uint8),
            },
        )
    write_sidecar(path.with_suffix(".json"), [path], noise, started=started)
