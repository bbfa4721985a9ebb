"""The wide ReLU kernel as anybody would write it: whole matrices, a line an equation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.theory.parametrization import LayerScales


def ntk(inputs: FloatArray, sizes: Sequence[int], scales: LayerScales) -> FloatArray:
    """The neural tangent kernel of one output on inputs (T, n_0): (T, T)."""
    s, g = np.square(scales.signal), np.square(scales.multiplier)
    forward, slopes = [inputs @ inputs.T], []
    for layer, n in enumerate(sizes[1:-1]):
        covariance = s[layer] * forward[-1]
        size = np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()))
        angle = np.arccos(np.clip(covariance / size, -1, 1))
        forward.append(n * size * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi))
        slopes.append(n * s[layer + 1] * (np.pi - angle) / (2 * np.pi))
    kernel: FloatArray = g[-1] * forward[-1]
    backward = np.ones_like(kernel)
    for layer in range(len(slopes) - 1, -1, -1):
        backward = backward * slopes[layer]
        kernel = kernel + g[layer] * backward * forward[layer]
    return kernel
