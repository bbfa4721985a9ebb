"""Images made smaller and whiter: means over blocks of pixels, and inputs of one norm about their mean.

Pooled images have fewer numbers than the narrow layers of small networks have units, and inputs without
their common part are nearly orthogonal: experiments on kernels want both, on real images.
"""

from __future__ import annotations

import numpy as np

from dynparam.data.images import Bytes
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError


def pooled(images: Bytes | FloatArray, block: int = 4) -> FloatArray:
    """Means over ``block`` by ``block`` pixels, channel by channel: (N, 3, H, W) to (N, 3, H/b, W/b).

    Raises ``ConfigError`` if the blocks do not tile the images.

    Examples:
        >>> pooled(np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4), 2).tolist()
        [[[[2.5, 4.5], [10.5, 12.5]]]]
    """
    count, channels, height, width = images.shape
    if block < 1 or height % block or width % block:
        raise ConfigError(f"blocks of {block} pixels do not tile images of {height} by {width}")
    tiles = images.reshape(count, channels, height // block, block, width // block, block)
    found: FloatArray = tiles.mean(axis=(3, 5))
    return found


def about_the_mean(inputs: FloatArray) -> FloatArray:
    """Inputs (N, n) less their mean, each scaled to |x|^2 = n.

    Raises ``DataError`` for fewer than two inputs, or one that is the mean, which has no direction left.

    Examples:
        >>> about_the_mean(np.array([[3.0, 1.0], [1.0, 3.0]])).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    if len(inputs) < 2:
        raise DataError(f"{len(inputs)} inputs have no mean of their own; draw two or more")
    centred = inputs - inputs.mean(axis=0)
    norms = np.sqrt(np.square(centred).sum(axis=1, keepdims=True))
    # The norm of an input that is the mean is that of rounding.
    small = norms[:, 0] <= 1e-12 * np.abs(inputs).max()
    if small.any():
        raise DataError(
            f"input {np.argmax(small)} is the mean of all, so that nothing is left of it; leave it out"
        )
    scaled: FloatArray = centred * (np.sqrt(inputs.shape[1]) / norms)
    return scaled
