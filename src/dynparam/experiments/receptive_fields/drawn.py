"""The kernel of a network with windows whose weights are drawn, exactly as gradients have it."""

from __future__ import annotations

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.theory.receptive_fields import Fields, profiles


def drawn_kernel(
    images: FloatArray, fields: Fields, units: int, generator: np.random.Generator
) -> FloatArray:
    """The kernel of images (T, channels, side, side) in a network of ``units`` a position: (T, T).

    Weights are independent and standard normal, with multipliers sqrt(2) m_z, sqrt(2 / n) and n^(-1/2),
    where n, the units of all positions, is also the width of the second layer.
    """
    count, channels, side = images.shape[:3]
    windows = profiles(side, fields)
    n = units * len(windows) ** 2
    hidden, seen = [], []
    for down in windows:
        for across in windows:
            view = (images * np.outer(down, across)).reshape(count, -1)
            weights = generator.standard_normal((channels * side**2, units))
            hidden.append(np.sqrt(2) * view @ weights)
            seen.append(2 * view @ view.T)
    first = np.maximum(np.hstack(hidden), 0)
    weights = generator.standard_normal((n, n))
    second = np.sqrt(2 / n) * first @ weights
    # Gradients by the preactivations, of the readout and of the second layer.
    readout = generator.standard_normal(n)
    back = readout / np.sqrt(n) * (second > 0)
    before = np.sqrt(2 / n) * back @ weights.T * (first > 0)
    active = np.maximum(second, 0)
    kernel: FloatArray = active @ active.T / n + (back @ back.T) * (first @ first.T) * 2 / n
    for place, products in enumerate(seen):
        own = before[:, place * units : (place + 1) * units]
        kernel += (own @ own.T) * products
    return kernel
