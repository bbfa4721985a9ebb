"""Expected sizes of preactivations and their updates at finite width, in closed form.

To leading order in the learning rate, and up to terms of 1/width, one step moves layer l by

    Delta htilde^l = -eta g_l^2 ||h^{l-1}||^2 delta^l + g_l W^l Delta h^{l-1},   delta^l = dL/dhtilde^l.

Given delta^{l-1}, the Gaussian W^l sends Delta h^{l-1} along delta^l, with the weight that makes up the
alignment A_l of ``mean_field``, and besides evenly into all n_l directions. With s_l, P_l, D_l from
there and U_l = E||Delta htilde^l||^2,

    U_l = A_l^2 / D_l + S_l,   S_1 = 0,   S_l = n_l s_l^2 (A_{l-1}^2 / D_{l-1} + S_{l-1} / 2).

ReLU halves the spread part alone: delta^l is zero on silent units already. The larger of the two terms
as n grows is the exponent of ``orders``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.theory.mean_field import mean_field
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths


@dataclass(frozen=True)
class Sizes:
    """Root mean squares over the units of a layer; entry l - 1 belongs to layer l = 1 ... L.

    Attributes:
        preactivation: of htilde^l_i, (L,).
        update: of Delta htilde^l_i, (L,).
        own: of the layer's own part of it, (L,).
        cosine: of the angle between dL/dhtilde^l and Delta htilde^l, A_l / sqrt(D_l U_l), (L,).
    """

    preactivation: FloatArray
    update: FloatArray
    own: FloatArray
    cosine: FloatArray


def expected_sizes(
    widths: Widths, scales: LayerScales, learning_rate: float, input_square_norm: float
) -> Sizes:
    """The sizes of Table 1.1 for an image of squared norm ||x||^2 and a one-hot target.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((3072, 512, 64, 512, 2))
        >>> found = expected_sizes(widths, layer_scales("dynamic", widths), 0.01, 3072.0)
        >>> found.preactivation.round(3).tolist()  # sqrt(2) in every hidden layer
        [1.414, 1.414, 1.414, 0.125]
    """
    theory = mean_field(widths, scales, learning_rate, input_square_norm)
    units = np.array(widths.sizes[1:], dtype=np.float64)
    s_square = np.square(scales.signal)
    gradient = np.array(theory.gradient, dtype=np.float64)
    along = theory.alignment**2 / gradient
    spread = [0.0]
    for layer in range(1, widths.depth):
        below = along[layer - 1] + spread[-1] / 2
        spread.append(float(units[layer] * s_square[layer] * below))
    return Sizes(
        preactivation=np.sqrt(s_square * np.array(theory.forward, dtype=np.float64)),
        update=np.sqrt((along + np.array(spread)) / units),
        own=np.array(theory.contribution, dtype=np.float64) / np.sqrt(gradient * units),
        cosine=np.sqrt(along / (along + np.array(spread))),
    )
