"""What a wide layer needs to know of its activation: two expectations over a pair of normal numbers.

Where (u, v) is normal with mean zero, variances q and p and covariance c, they are

    E phi(u) phi(v)   and   E phi'(u) phi'(v).

ReLU has both in closed form, the arc-cosine kernels (Cho and Saul 2009). For other activations they are
integrals over the plane, here by the trapezoidal rule in two independent normal numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError

Function = Callable[[FloatArray], FloatArray]


class Moments(NamedTuple):
    """E phi(u) phi(v) and E phi'(u) phi'(v), arrays of one shape."""

    value: FloatArray
    slope: FloatArray


@dataclass(frozen=True)
class Activation:
    """An activation, known by its Gaussian expectations.

    Attributes:
        name: as messages call it.
        single: from the variance q of u = v, any shape, to the moments.
        pair: from q, p and c, arrays that broadcast, to the moments; |c| <= sqrt(q p) up to rounding.
    """

    name: str
    single: Callable[[FloatArray], Moments]
    pair: Callable[[FloatArray, FloatArray, FloatArray], Moments]


def relu_single(variance: FloatArray) -> Moments:
    """Of ReLU at one input: half of the variance, and half of one."""
    return Moments(variance / 2, np.full_like(variance, 0.5))


def relu_pair(q: FloatArray, p: FloatArray, covariance: FloatArray) -> Moments:
    """Of ReLU at two inputs: the arc-cosine kernels of degrees one and zero.

    Between (nearly) equal inputs the angle is good to 2e-8 only, the root of a double's rounding, and so
    are the moments.

    Examples:
        >>> one = np.ones(3)
        >>> value, slope = relu_pair(one, one, np.array([1.0, 0.0, -1.0]))
        >>> value.round(6).tolist()  # 1/2, 1/(2 pi), and never both active
        [0.5, 0.159155, 0.0]
        >>> slope.tolist()
        [0.5, 0.25, 0.0]
    """
    size = np.sqrt(q) * np.sqrt(p)
    cosine = np.clip(covariance / size, -1.0, 1.0)
    # The angle over 2 pi by which both can be active at once.
    slope = 0.5 - np.arccos(cosine) / (2 * np.pi)
    sine = np.sqrt((1 - cosine) * (1 + cosine))
    return Moments(size * (sine / (2 * np.pi) + slope * cosine), slope)


RELU = Activation("relu", relu_single, relu_pair)


def by_quadrature(
    name: str, phi: Function, derivative: Function, nodes: int = 100, tolerance: float = 1e-6
) -> Activation:
    """An activation given by itself and its derivative, both elementwise, with ``nodes`` a direction.

    Errors fall exponentially with ``nodes`` for smooth activations, the more slowly the larger the
    variance: with 100 nodes tanh's are below 1e-6 up to a variance of 5. A kink leaves errors of order
    one over ``nodes`` in the slope. So ``single`` tries the rule at the largest variance it is given,
    against one of twice as many nodes: it raises ``ConfigError`` if the two differ by more than
    ``tolerance`` of the moments. Raises ``ConfigError`` for fewer than 40 nodes. A pair of inputs costs
    nodes^2 values of each function: kernels of 100 inputs take some ten seconds, of 2000 an hour.

    Examples:
        >>> cubic = by_quadrature("cubic", lambda u: u**3, lambda u: 3 * u**2)
        >>> one = np.ones(2)
        >>> value, slope = cubic.pair(one, one, np.array([0.5, 1.0]))
        >>> value.round(9).tolist()  # 9 c + 6 c^3 at c = 1/2 and 1
        [5.25, 15.0]
        >>> slope.round(9).tolist()  # 9 (1 + 2 c^2)
        [13.5, 27.0]
    """
    if nodes < 40:
        raise ConfigError(f"{nodes} nodes a direction are too few for a quadrature; take 40 or more")
    made = _quadrature(name, phi, derivative, nodes)
    finer = _quadrature(name, phi, derivative, 2 * nodes)

    def single(variance: FloatArray) -> Moments:
        """The rule's moments, once the finer one has confirmed them at the largest variance."""
        largest = float(np.max(variance))
        worst = _change(made, finer, largest)
        if not np.isfinite(worst):
            raise ConfigError(
                f"the moments of {name} at the variance {largest:.3g} are zero or not finite; check the "
                f"activation and its derivative"
            )
        if worst > tolerance:
            raise ConfigError(
                f"a quadrature of {nodes} nodes is wrong by some {worst:.1g} of the moments of {name} "
                f"at the variance {largest:.3g}; take more nodes or a tolerance above {tolerance:g}"
            )
        return made.single(variance)

    return Activation(name, single, made.pair)


def _quadrature(name: str, phi: Function, derivative: Function, nodes: int) -> Activation:
    # Equally spaced points out to nine standard deviations. For activations that saturate, errors fall
    # much faster with their number than Gauss-Hermite's, whose points lie twice as far out.
    points = np.linspace(-9.0, 9.0, nodes)
    weights = np.exp(-np.square(points) / 2)
    weights /= weights.sum()

    def single(variance: FloatArray) -> Moments:
        """E phi(u)^2 and E phi'(u)^2 as sums over the points."""
        u = np.sqrt(variance)[..., None] * points
        return Moments(np.square(phi(u)) @ weights, np.square(derivative(u)) @ weights)

    def pair(q: FloatArray, p: FloatArray, covariance: FloatArray) -> Moments:
        """The same of two variables: one along a point, the other across it over all points."""
        root_q, root_p = np.sqrt(q), np.sqrt(p)
        cosine = np.clip(covariance / (root_q * root_p), -1.0, 1.0)
        across = (root_p * np.sqrt((1 - cosine) * (1 + cosine)))[..., None] * points
        along = root_p * cosine
        value, slope = np.zeros(cosine.shape), np.zeros(cosine.shape)
        for point, weight in zip(points, weights, strict=True):
            v = (along * point)[..., None] + across
            value += weight * phi(root_q * point) * (phi(v) @ weights)
            slope += weight * derivative(root_q * point) * (derivative(v) @ weights)
        return Moments(value, slope)

    return Activation(name, single, pair)


def _change(made: Activation, finer: Activation, variance: float) -> float:
    """The largest difference of two rules at this variance, over the moments of one input."""
    q, covariance = np.full(4, variance), variance * np.array([-0.5, 0.3, 0.9, 1.0])
    pairs = zip(made.pair(q, q, covariance), finer.pair(q, q, covariance), strict=True)
    sizes = finer.single(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = [np.abs(a - b) / size for (a, b), size in zip(pairs, sizes, strict=True)]
    return float(np.max(changes))
