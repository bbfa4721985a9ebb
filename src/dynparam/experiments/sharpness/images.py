"""The images that sharpness is measured on: drawn, normalized, pooled.

Fewer inputs leave the widths of a measurement above n_0, where no rule changes its form.
"""

from __future__ import annotations

import numpy as np

from dynparam.data.images import Pair, draw_subset, normalize
from dynparam.data.pooling import pooled
from dynparam.experiments.sharpness.settings import ImagesStage
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.support.randomness import seed_sequence


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
    images = pair.train_images[chosen]
    inputs = normalize(images, settings.inputs.normalization, reference=pair.train_images)
    block = settings.sharpness.pool if pool is None else pool
    return pooled(inputs.reshape(images.shape), block).reshape(count, -1)
