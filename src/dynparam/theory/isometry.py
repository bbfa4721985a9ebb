"""The Fisher information of one input, in deep networks whose Jacobian is nearly an isometry.

The network has M units in every layer, its input and output too, orthogonal weights, and hard tanh:

    u^l = s Q^l h^{l-1} + b^l,   h^l = clip(u^l, -1, 1),   Q^l uniform over orthogonal matrices,

without clipping in the last of its L layers. Every hidden unit is linear with the probability
p = P(|u| < 1) = erf(1/sqrt(2 q)), q the variance of u. With 1 - p = c/L and s^2 = 1/p the Jacobian of a
layer keeps the mean square of what goes back, and b ~ N(0, q - s^2 qhat) keeps q, where
qhat = E clip(u)^2. For one input the Fisher information conditional on it is Theta(x, x) = M H_L with

    H_1 = |h^0|^2 / M I,   H_{l+1} = |h^l|^2 / M I + s^2 Q^{l+1} D_l H_l D_l Q^{l+1 T},

D_l the slopes of h^l, zero or one (Hayase and Karakida 2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError
from dynparam.support.numbers import as_whole


@dataclass(frozen=True)
class Isometry:
    """A network of L layers whose hidden units are clipped with probability c/L.

    Attributes:
        depth: L.
        clipped: c, the mean number of hidden layers that clip one path.
        linear: p = 1 - c/L, the probability that a unit is linear.
        variance: q, of preactivations.
        square: qhat = E clip(u)^2.
    """

    depth: int
    clipped: float
    linear: float
    variance: float
    square: float

    @property
    def gain(self) -> float:
        """s^2 = 1/p, by which a linear unit multiplies what goes back."""
        return 1 / self.linear

    @property
    def bias_variance(self) -> float:
        """Of biases, q - s^2 qhat, by which q is the same in all layers."""
        return max(0.0, self.variance - self.gain * self.square)  # which rounds below zero as c vanishes

    @property
    def largest_eigenvalue(self) -> float:
        """Of H_L as M grows: qhat (s^{2L} - 1)/(s^2 - 1), whose growth with L is linear."""
        return self.square * sum(self.gain**k for k in range(self.depth))

    @property
    def top_mass(self) -> float:
        """The share of eigenvalues that are the largest: 1 - c (L-1)/L, or none."""
        return max(0.0, 1 - self.clipped * (self.depth - 1) / self.depth)

    @property
    def mean_eigenvalue(self) -> float:
        """Of H_L: qhat L."""
        return self.square * self.depth

    @property
    def learning_rate(self) -> float:
        """Times M, the largest at which gradient descent on one input is stable: 2/lambda_max."""
        return 2 / self.largest_eigenvalue


def isometry(depth: int, clipped: float) -> Isometry:
    """The network of ``depth`` L layers with 1 - p = ``clipped``/L.

    Biases never need a negative variance, at any c. Raises ``ConfigError`` for a depth that is no
    integer of at least 1, and for c outside (0, L).

    Examples:
        >>> found = isometry(8, 0.5)
        >>> found.linear, round(found.variance, 3), round(found.square, 3)
        (0.9375, 0.288, 0.257)
        >>> round(found.largest_eigenvalue / found.square, 3), found.top_mass
        (10.137, 0.5625)
    """
    if (as_whole(depth) or 0) < 1:
        raise ConfigError(
            f"a depth of {depth!r} is no number of layers; it must be an integer from 1 on"
        )
    if not 0 < clipped < depth:
        raise ConfigError(
            f"c = {clipped} at depth {depth} makes c/L no probability between 0 and 1; choose c "
            f"between 0 and L"
        )
    linear = 1 - clipped / depth
    variance = 1 / (2 * float(special.erfinv(linear)) ** 2)
    return Isometry(depth, clipped, linear, variance, clipped_square(variance))


def clipped_square(variance: float) -> float:
    """E clip(u, -1, 1)^2 of a normal u of this variance.

    Examples:
        >>> round(clipped_square(1e-4), 8), round(clipped_square(1e8), 3)
        (0.0001, 1.0)
    """
    edge = 1 / math.sqrt(variance)
    inside = math.erf(edge / math.sqrt(2))
    density = math.exp(-(edge**2) / 2) / math.sqrt(2 * math.pi)
    return variance * (inside - 2 * edge * density) + 1 - inside


def largest_eigenvalue(mean_squares: Sequence[float], gain: float) -> float:
    """sum_l |h^{l-1}|^2/M s^{2(L-l)}: that of H_L of one network, exactly, from h^0 ... h^{L-1}.

    As long as fewer than M hidden units are clipped in all layers together; an upper bound otherwise.

    Examples:
        >>> largest_eigenvalue([1.0, 1.0, 1.0], 2.0)
        7.0
    """
    depth = len(mean_squares)
    return sum(square * gain ** (depth - 1 - place) for place, square in enumerate(mean_squares))


def multiplicity(units: int, clipped: int) -> int:
    """How often the largest eigenvalue occurs: M less the clipped units of all hidden layers, or never.

    Examples:
        >>> multiplicity(100, 40), multiplicity(100, 140)
        (60, 0)
    """
    return max(0, units - clipped)


@dataclass(frozen=True)
class ThreeLayers:
    """The spectrum of H_3 as M grows: two atoms, and between them a continuum.

    On what layer 2 clips, H_3 is qhat. On the rest it is qhat (1 + s^2 + s^4 mu), mu an eigenvalue of
    the product of two free projections of trace p: 1 with the mass 2p - 1, and otherwise of the density
    sqrt(mu (mu_+ - mu)) / (2 pi mu (1 - mu)) on [0, mu_+], mu_+ = 4p(1-p).

    Attributes:
        network: the network.
    """

    network: Isometry

    def __post_init__(self) -> None:
        if self.network.depth != 3 or self.network.linear <= 0.5:
            raise ConfigError(
                f"the spectrum is known for three layers with p above 1/2, not for {self.network.depth} "
                f"with p = {self.network.linear:.3g}"
            )

    @property
    def masses(self) -> tuple[float, float, float]:
        """Of the lower atom, the continuum and the upper atom: 1 - p, 1 - p, 2p - 1."""
        p = self.network.linear
        return 1 - p, 1 - p, 2 * p - 1

    @property
    def edge(self) -> float:
        """mu_+ = 4p(1-p), the upper end of the continuum in mu."""
        p = self.network.linear
        return 4 * p * (1 - p)

    def eigenvalue(self, mu: FloatArray) -> FloatArray:
        """Of H_3, qhat (1 + s^2 + s^4 mu), elementwise."""
        gain = self.network.gain
        return self.network.square * (1 + gain + gain**2 * mu)

    def density(self, mu: FloatArray) -> FloatArray:
        """Of the continuum in mu, elementwise; its integral is 1 - p, its first moment (1-p)^2."""
        inside = (mu > 0) & (mu < self.edge)
        at = np.where(inside, mu, self.edge / 2)
        value = np.sqrt(at * (self.edge - at)) / (2 * np.pi * at * (1 - at))
        found: FloatArray = np.where(inside, value, 0.0)
        return found

    def below(self, eigenvalues: FloatArray) -> FloatArray:
        """The share of eigenvalues that are at most so large, elementwise."""
        square, gain = self.network.square, self.network.gain
        low, _, _ = self.masses
        mu = (np.asarray(eigenvalues) / square - 1 - gain) / gain**2
        share = low * (np.asarray(eigenvalues) >= square) + self._inner(np.clip(mu, 0.0, self.edge))
        found: FloatArray = np.where(mu >= 1 - 1e-9, 1.0, share)
        return np.minimum(found, 1.0)

    def _inner(self, mu: FloatArray) -> FloatArray:
        """The continuum's mass up to mu, elementwise, by a substitution that removes both roots."""
        # mu = mu_+ sin^2 a turns the density into mu_+ cos^2 a / (pi (1 - mu_+ sin^2 a)) da.
        nodes, weights = np.polynomial.legendre.leggauss(60)
        end = np.arcsin(np.sqrt(np.clip(mu / self.edge, 0.0, 1.0)))
        a = end[..., None] * (nodes + 1) / 2
        value = self.edge * np.cos(a) ** 2 / (np.pi * (1 - self.edge * np.sin(a) ** 2))
        found: FloatArray = value @ weights * end / 2
        return found
