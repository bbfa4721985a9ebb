"""One formula for the wide ReLU kernel of every parametrization at every widths, without biases.

ReLU has no scale, so that what data and depth decide comes apart from what widths and scales do:

    Theta_st = F^2 sum_l B^l_st / std_l^2,   F^2 = E f(x)^2 / |x|^2 = s_L^2 prod_{l < L} n_l s_l^2 / 2.

A layer's share in the kernel is one over its initial weight variance. B^l is Theta^l of the network with
n_l = 2 and all scales one. In a network of given weights the same holds draw by draw, with Theta^l of
standard normal weights without multipliers in place of B^l, and without the n_l / 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError
from dynparam.support.numbers import as_whole
from dynparam.theory import kernels
from dynparam.theory.inner_products import InnerProducts
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths


def layer_shapes(inner: InnerProducts, depth: int) -> FloatArray:
    """B^1 ... B^L of a network of ``depth`` L layers: (L, T, T'); B^l_ss = |x_s|^2.

    Raises ``ConfigError`` for fewer than two layers, or more inputs than fit into memory.

    Examples:
        >>> from dynparam.theory.inner_products import inner_products
        >>> shapes = layer_shapes(inner_products([[1.0, 1.0], [1.0, -1.0]]), 2)
        >>> shapes.round(3).tolist()  # <x_s, x_t> / 2 of a right angle, and 2 |x_s| |x_t| / (2 pi)
        [[[2.0, 0.0], [0.0, 2.0]], [[2.0, 0.637], [0.637, 2.0]]]
    """
    if (as_whole(depth) or 0) < 2:
        raise ConfigError(
            f"a depth of {depth!r} leaves no hidden layer; it must be an integer of at least 2"
        )
    ones = LayerScales((1.0,) * depth, (1.0,) * depth)
    return kernels.layer_kernels(inner, (inner.features, *(2,) * (depth - 1), 1), ones)


def relu_ntk(shapes: FloatArray, widths: Widths | Sequence[int], scales: LayerScales) -> FloatArray:
    """The wide kernel of one output from ``layer_shapes``: (L, T, T') to (T, T').

    Equal to ``kernels.ntk`` of the ReLU network. Raises ``ConfigError`` for bad widths, no hidden layer,
    or scales or shapes of another depth.

    Examples:
        >>> from dynparam.theory.inner_products import inner_products
        >>> from dynparam.theory.parametrization import layer_scales
        >>> shapes = layer_shapes(inner_products([[1.0, 1.0], [1.0, -1.0]]), 3)
        >>> for name in ("ntk", "dynamic", "standard"):
        ...     widths = Widths((2, 100, 50, 1))
        ...     print(name, relu_ntk(shapes, widths, layer_scales(name, widths)).round(2).tolist())
        ntk [[2.0, 0.59], [0.59, 2.0]]
        dynamic [[2.0, 0.59], [0.59, 2.0]]
        standard [[101.0, 34.29], [34.29, 101.0]]
    """
    widths = kernels.check_network(widths, scales)
    if len(shapes) != widths.depth:
        raise ConfigError(f"shapes of {len(shapes)} layers do not fit widths of {widths.depth} layers")
    weights = active_units(widths) * layer_weights(scales)
    found: FloatArray = np.tensordot(weights, shapes, axes=1)
    return found


def layer_weights(scales: LayerScales) -> FloatArray:
    """prod_k s_k^2 / std_l^2, by which layer l's kernel exceeds that of standard normal weights: (L,).

    The latter is of the same draw with multipliers one, in any ReLU network without biases.

    Examples:
        >>> layer_weights(LayerScales(multiplier=(2.0, 3.0), init_std=(5.0, 7.0))).tolist()
        [1764.0, 900.0]
    """
    # Written without the quotient, which a readout of zeros would make 0 / 0.
    signal, own = list(scales.signal), scales.multiplier
    others = [math.prod(signal[:layer] + signal[layer + 1 :]) for layer in range(len(signal))]
    return np.square(np.multiply(own, others))


def active_units(widths: Widths) -> float:
    """prod_{l < L} n_l / 2, the paths through units that are active."""
    return math.prod(n / 2 for n in widths.hidden)


def output_square(widths: Widths | Sequence[int], scales: LayerScales) -> float:
    """F^2 = E f(x)^2 / |x|^2 of an output at initialization, exact at any width.

    Times |x|^2 it is f_rms^2. Raises ``ConfigError`` as ``relu_ntk`` does.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((2, 100, 50, 1))
        >>> for name in ("ntk", "dynamic", "mup"):  # over 1 / n_0: 1, n_min^(-2r), 1 / n_{L-1}
        ...     print(name, round(2 * output_square(widths, layer_scales(name, widths)), 4))
        ntk 1.0
        dynamic 0.02
        mup 0.02
    """
    widths = kernels.check_network(widths, scales)
    return active_units(widths) * math.prod(s * s for s in scales.signal)


def single_input_ntk(widths: Widths | Sequence[int], scales: LayerScales) -> float:
    """Theta(x, x) / |x|^2 = F^2 sum_l 1 / std_l^2 in the mean over weights.

    Measured means agree at every width, not in the limit alone. Raises ``ConfigError`` as ``relu_ntk``
    does.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> for widths in ((2, 100, 50, 1), (2, 100, 4, 1)):  # (L + 1) / (2 n_0), whatever the widths
        ...     print(round(single_input_ntk(widths, layer_scales("dynamic", widths)), 4))
        1.0
        1.0
    """
    widths = kernels.check_network(widths, scales)
    return active_units(widths) * float(layer_weights(scales).sum())
