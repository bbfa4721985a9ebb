"""The kernel on many Gaussian inputs: two constants, and the eigenvalues they make.

Inputs x ~ N(0, I) with n_0 large all have |x|^2 = n_0 and are orthogonal to each other, so that

    Theta(x_s, x_s) = K1,   Theta(x_s, x_t) = K2.

The nonzero eigenvalues of the Fisher information of T inputs are those of Theta / T: one of
((T - 1) K2 + K1) / T, which grows to K2, and T - 1 of (K1 - K2) / T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynparam.support.errors import ConfigError
from dynparam.support.numbers import as_whole
from dynparam.theory import kernels
from dynparam.theory.activations import RELU, Activation
from dynparam.theory.inner_products import InnerProducts
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths


@dataclass(frozen=True)
class KernelConstants:
    """K1 and K2, of one output.

    Attributes:
        same: K1, the kernel of an input with itself.
        different: K2, that of two different inputs.
    """

    same: float
    different: float

    def largest_eigenvalue(self, samples: int) -> float:
        """Of Theta / T for T = ``samples`` inputs: ((T - 1) K2 + K1) / T; once for each output."""
        samples = _checked(samples)
        return ((samples - 1) * self.different + self.same) / samples

    def other_eigenvalue(self, samples: int) -> float:
        """The T - 1 others of Theta / T: (K1 - K2) / T."""
        return (self.same - self.different) / _checked(samples)


def kernel_constants(
    widths: Widths | Sequence[int],
    scales: LayerScales,
    activation: Activation = RELU,
    *,
    biases: bool = False,
) -> KernelConstants:
    """K1 and K2 of the wide network on x ~ N(0, I), with n_0 large too.

    One entry of a kernel differs from its constant by a relative n_0^(-1/2). An odd activation without
    biases has K2 = 0: no eigenvalue stands out. Raises what ``kernels.gram_matrices`` does.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> for n in (100, 1000):
        ...     widths = Widths((500, n, n // 4, n, 1))
        ...     found = kernel_constants(widths, layer_scales("standard", widths))
        ...     print(round(found.same, 1), round(found.different, 1))
        412.5 71.0
        1875.0 709.6
    """
    widths = widths if isinstance(widths, Widths) else Widths(tuple(widths))
    n = float(widths.sizes[0])
    squares = np.full(2, n)
    inner = InnerProducts(np.diag(squares), squares, squares, widths.sizes[0], symmetric=True)
    found = kernels.ntk(inner, widths, scales, activation, biases=biases)
    return KernelConstants(float(found[0, 0]), float(found[0, 1]))


def _checked(samples: int) -> int:
    number = as_whole(samples)
    if number is None or number < 2:
        raise ConfigError(
            f"{samples!r} is no number of inputs to compare; it must be an integer of at least 2"
        )
    return number
