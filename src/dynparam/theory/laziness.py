"""The laziness index: how far a layer moves for a unit that the output moves.

Take one input, one output and a small step of gradient descent on all layers. rho_l is the relative
change of htilde^l, in root mean square, over the change of f. Let P_l = E||h^l||^2 and s_l be those of
``mean_field``, D_l = E||df/dhtilde^l||^2, c_l = g_l^2 P_{l-1} D_l layer l's part of the kernel
Theta(x, x), and C_l = (c_1 + ... + c_l) / Theta the share of the first l layers. Then

    rho_l^2 = U_l / (n_l s_l^2 P_{l-1}),   U_l = C_l^2 / D_l + V_l,
    V_1 = 0,   V_l = n_l s_l^2 (C_{l-1}^2 / D_{l-1} + V_{l-1} / 2).

V is what earlier layers' moves add across the gradient (``expected_sizes``). As P_l D_l is
n_l f_rms^2 / 2 in every layer, the first term makes rho_l = C_l / (sqrt(n_l) f_rms): a layer is lazy if
and only if sqrt(n_l) f_rms grows beyond all bounds, and the narrowest layer is the last one to be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError
from dynparam.theory.kernels import check_network
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.relu_kernels import layer_weights
from dynparam.theory.widths import Widths


def laziness_index(
    widths: Widths | Sequence[int], scales: LayerScales, input_square_norm: float
) -> FloatArray:
    """rho_1 ... rho_L of an input of squared norm |x|^2, to leading order in 1/width: (L,).

    A readout of zeros carries no gradient back: the first step leaves the hidden layers where they are,
    which have the index zero, and the output moves away from zero, so that the last index is infinite.
    Raises ``ConfigError`` for bad widths, no hidden layer, scales of another depth, or a norm that is
    not positive and finite.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> for name in ("ntk", "dynamic"):
        ...     for n in (1000, 100_000):  # the narrow layer, a tenth as wide
        ...         widths = Widths((64, n, n // 10, n, 1))
        ...         found = laziness_index(widths, layer_scales(name, widths), 64.0)
        ...         print(name, n, found[1].round(4))
        ntk 1000 0.041
        ntk 100000 0.0041
        dynamic 1000 0.4099
        dynamic 100000 0.4099
    """
    widths = check_network(widths, scales)
    if not (np.isfinite(input_square_norm) and input_square_norm > 0):
        raise ConfigError(
            f"an input of squared norm {input_square_norm} moves no layer; it must be positive, finite"
        )
    n = [float(size) for size in widths.sizes]
    s_square = np.square(scales.signal)
    moved = _along(widths, scales)
    variance = input_square_norm * s_square[0]
    square, spread = [], 0.0
    for layer in range(widths.depth):
        if layer:
            spread = n[layer + 1] * s_square[layer] * (moved[layer - 1] + spread / 2)
            variance *= n[layer] * s_square[layer] / 2
        square.append((moved[layer] + spread) / n[layer + 1] / variance if variance else np.inf)
    return np.sqrt(square)


def narrowest_layer(widths: Widths) -> int:
    """The last of the narrowest hidden layers, l = 1 ... L - 1, which is the least lazy one.

    Raises ``ConfigError`` for a network without a hidden layer.

    Examples:
        >>> narrowest_layer(Widths((64, 100, 10, 100, 10, 100, 1)))
        4
    """
    narrowest = widths.n_min
    return max(layer for layer, n in enumerate(widths.hidden, start=1) if n == narrowest)


def _along(widths: Widths, scales: LayerScales) -> FloatArray:
    """C_l^2 / D_l, the square of what each layer moves along its gradient: (L,)."""
    s_square = np.square(scales.signal)
    gradient = [1.0]
    for layer in range(widths.depth - 1, 0, -1):
        gradient.insert(0, widths.sizes[layer] * s_square[layer] * gradient[0] / 2)
    # Of a readout of zeros both are zero, C_l^2 as the square of D_l.
    shares = np.cumsum(layer_weights(scales))
    square = np.square(shares / shares[-1])
    found: FloatArray = np.zeros(widths.depth)
    np.divide(square, gradient, out=found, where=np.array(gradient) > 0)
    return found
