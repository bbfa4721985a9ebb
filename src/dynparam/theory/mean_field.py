"""Expected values of the one-step probe at finite width, to leading order, in closed form.

With s_l = g_l sigma_l gamma_l, P_l = E||h^l||^2 and D_l = E||dL/dhtilde^l||^2 (Secs. 2.2-2.3):

    P_0 = ||x||^2,                      P_l = n_l s_l^2 P_{l-1} / 2     (l < L),
    D_L = ||y||^2 + n_L s_L^2 P_{L-1},  D_l = n_l s_{l+1}^2 D_{l+1} / 2 (l < L),

    E |<dL/dhtilde^l, Delta htilde^l>| = eta sum_{k <= l} g_k^2 P_{k-1} D_k + O(eta^2) + O(1/width).

The halves are ReLU's: half of the units are silent. Squared norms may be arrays (one entry an
image), so that an average over a data set is the average of the exact formula, not the formula at
the average image: D_L depends on ||x||^2 too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths


@dataclass(frozen=True)
class MeanField:
    """Expectations over Gaussian weights; every entry an array shaped like the inputs' squared norms.

    Attributes:
        forward: P_0 ... P_{L-1}, E||h^l||^2 after ReLU; entry l.
        gradient: D_1 ... D_L, E||dL/dhtilde^l||^2; entry l - 1.
        contribution: eta g_k^2 P_{k-1} D_k, layer k's own share in every alignment l >= k (eq. 2.41).
    """

    forward: tuple[FloatArray, ...]
    gradient: tuple[FloatArray, ...]
    contribution: tuple[FloatArray, ...]

    @property
    def alignment(self) -> FloatArray:
        """E|<dL/dhtilde^l, Delta htilde^l>| averaged over the images: (L,)."""
        return np.cumsum([float(np.mean(share)) for share in self.contribution])


def mean_field(
    widths: Widths,
    scales: LayerScales,
    learning_rate: float,
    input_square_norm: FloatArray | float,
    target_square_norm: float = 1.0,
) -> MeanField:
    """The expectations for images of squared norm ||x||^2 and targets of squared norm ||y||^2.

    ``input_square_norm``: a number, or one entry an image. One-hot targets have ||y||^2 = 1.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((3072, 512, 64, 512, 2))
        >>> found = mean_field(widths, layer_scales("dynamic", widths), 0.01, 3072.0)
        >>> [round(float(share), 4) for share in found.contribution]
        [0.0052, 0.0052, 0.0052, 0.0103]
        >>> [round(float(alignment), 4) for alignment in found.alignment]  # their sums
        [0.0052, 0.0103, 0.0155, 0.0258]
    """
    norms = np.asarray(input_square_norm, dtype=np.float64)
    s_square = np.square(scales.signal)
    n = [float(size) for size in widths.sizes]
    forward = [norms]
    for layer in range(1, widths.depth):
        forward.append(n[layer] * s_square[layer - 1] * forward[-1] / 2)
    gradient = [target_square_norm + n[-1] * s_square[-1] * forward[-1]]
    for layer in range(widths.depth - 1, 0, -1):
        gradient.insert(0, n[layer] * s_square[layer] * gradient[0] / 2)
    contribution = [
        learning_rate * g**2 * p * d
        for g, p, d in zip(scales.multiplier, forward, gradient, strict=True)
    ]
    return MeanField(tuple(forward), tuple(gradient), tuple(contribution))
