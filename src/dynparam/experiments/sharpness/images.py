"""The inputs that sharpness is measured on: pooled images, and Gaussian numbers."""

from __future__ import annotations

import numpy as np

from dynparam.data.images import Pair, draw_subset, normalize
from dynparam.experiments.sharpness.settings import SIDE, ImagesStage
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.support.randomness import seed_sequence


def pooled(inputs: FloatArray, side: int) -> FloatArray:
    """Means over blocks of ``side`` by ``side`` pixels: (N, 3 * 32 * 32) to (N, 3 * (32 / side)^2).

    Fewer inputs leave the widths of a measurement above n_0, where no rule changes its form.
    """
    blocks = inputs.reshape(len(inputs), 3, SIDE // side, side, SIDE // side, side)
    means: FloatArray = blocks.mean(axis=(3, 5)).reshape(len(inputs), -1)
    return means


def drawn_images(
    settings: ImagesStage, pair: Pair, count: int, part: str, pool: int | None = None
) -> FloatArray:
    """So many training images of the pair, normalized and pooled: (count, n_0).

    ``part`` names the measurement; each has a draw of its own. ``pool`` is that of the settings unless
    given. Raises ``DataError`` if there are not as many.
    """
    if count > len(pair.train_labels):
        raise DataError(
            f"sharpness.{part}.images asks for {count} images and the pair has "
            f"{len(pair.train_labels)} training images; lower it, or raise data.train_images"
        )
    random = np.random.default_rng(seed_sequence(settings.sharpness.seed, "sharpness", part, "images"))
    chosen = draw_subset(pair.train_labels, count, settings.data.stratified, random)
    images = normalize(
        pair.train_images[chosen], settings.inputs.normalization, reference=pair.train_images
    )
    return pooled(images, settings.sharpness.pool if pool is None else pool)
