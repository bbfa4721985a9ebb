"""Dynamic parametrization is ntk with a factor at the output.

Take the same standard normal numbers for both, and alpha = n_min^(-r). The weights of dynamic are alpha
times those of ntk in every layer; its hidden multipliers are ntk's over alpha, its last one is ntk's
(eqs. 2.73-2.77). So f_dynamic = alpha f_ntk for any activation. The gradient of the loss of alpha f_ntk
is alpha times that of dynamic's, weight by weight, so that SGD with eta / alpha^2 keeps the weights in
this proportion at every step, momentum or none. And the neural tangent kernel of f_dynamic, layer by
layer, is ntk's: alpha^2 from the output, over alpha^2 from the weights.

This factor is what decides between lazy and rich training (Chizat, Oyallon and Bach 2019). Dynamic
parametrization takes it from the narrowest layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from dynparam.theory.parametrization import HALF, layer_scales
from dynparam.theory.widths import Widths


@dataclass(frozen=True)
class OutputScale:
    """What makes ntk dynamic.

    Attributes:
        factor: alpha = n_min^(-r), by which the output of ntk is multiplied.
        learning_rate_factor: 1 / alpha^2, by which its learning rate is.
    """

    factor: float
    learning_rate_factor: float


def output_scale(widths: Widths | Sequence[int], r: Fraction | float = HALF) -> OutputScale:
    """The factors by which ntk trains as dynamic parametrization does with this r.

    Raises ``ConfigError`` for bad widths, no hidden layer, or r outside [0, 1/2].

    Examples:
        >>> output_scale((3072, 512, 64, 512, 2))
        OutputScale(factor=0.125, learning_rate_factor=64.0)
    """
    # The readout's deviation is 1 in ntk and n_min^(-r) in dynamic.
    factor = layer_scales("dynamic", widths, r).init_std[-1]
    return OutputScale(factor, factor**-2)
