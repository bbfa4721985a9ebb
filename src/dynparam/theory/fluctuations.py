"""How much random networks differ from each other at one image: fluctuations in narrow layers.

At a fixed image of a network of Gaussian weights, the units of a layer are independent given the layer
below, so that with s_l = g_l sigma_l gamma_l and independent standard normal numbers xi

    ||h^l||^2 = s_l^2 ||h^{l-1}||^2 sum_{i <= n_l} max(xi_i, 0)^2.

Over its expectation ||h^l||^2 is therefore a product R of independent factors, a factor a hidden layer,
which depend on widths alone: every parametrization has the same. A unit's max(xi, 0)^2 has the mean 1/2
and the second moment 3/2, whence the factor of a layer has the second moment 1 + 5/n_l, exactly, and

    Var R = prod_l (1 + 5/n_l) - 1, which is exp(5 sum_l 1/n_l) - 1 for wide layers (Hanin 2018).

The sum runs over hidden layers; of a linear network the number is 2 instead of 5.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError
from dynparam.theory.mean_field import mean_field
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths

RELU, LINEAR = 5.0, 2.0
"""E u^2 / (E u)^2 - 1 of one unit's square u: of max(xi, 0)^2, and of xi^2."""

HIGHEST_ORDER = 8
"""The highest moment that is asked for: cancellation in its cumulants stays below 1e-12."""

WINDOW = 8.0
"""Standard deviations of the number of active units that are summed over, to either side."""

RANGE, HIGHEST_FREQUENCY = 40.0, 25.0
"""Where log R is looked for, and frequencies of its law: in and over its standard deviations.

What lies beyond either is below 1e-9: the logarithm of one normal number's square, whose tail is the
longest, has exp(-x/2) left of x.
"""

FAINTEST = 1e-7
"""A median's rank among living networks that counts as none."""


@dataclass(frozen=True)
class LogMoments:
    """Of log R, in networks that are not dead.

    Attributes:
        mean: below zero, as a product of independent factors of mean one tends to be below one.
        variance: 5 sum_l 1/n_l for wide layers.
    """

    mean: float
    variance: float


def inverse_sum(hidden: Sequence[int]) -> float:
    """Sum_l 1/n_l over the hidden layers. Raises ``ConfigError`` for no layer or a width below one.

    Examples:
        >>> round(inverse_sum((4000, 20, 4000, 20, 4000)), 5)
        0.10075
    """
    return math.fsum(1 / n for n in _checked(hidden))


def variation(hidden: Sequence[int], unit: float = RELU) -> float:
    """The coefficient of variation of ||h||^2 behind these hidden layers, exactly.

    Standard deviation over mean, of networks at one image. ``unit`` is that of one unit: ``RELU`` or
    ``LINEAR``. Raises as ``inverse_sum``.

    Examples:
        >>> round(variation((4000, 20, 4000, 20, 4000)), 3)
        0.754
        >>> round(wide_variation(inverse_sum((4000, 20, 4000, 20, 4000))), 3)  # for wide layers
        0.809
    """
    return math.sqrt(math.expm1(math.fsum(math.log1p(unit / n) for n in _checked(hidden))))


def wide_variation(inverse: float) -> float:
    """The same of wide layers, from sum_l 1/n_l: sqrt(exp(5 sum_l 1/n_l) - 1) (Hanin 2018).

    Examples:
        >>> round(wide_variation(0.002), 4)  # sqrt(5 sum_l 1/n_l) where that is small
        0.1003
    """
    return math.sqrt(math.expm1(RELU * inverse))


def moment(hidden: Sequence[int], order: int) -> float:
    """E R^order, R = ||h||^2 over its expectation behind these hidden layers, exactly.

    Raises ``ConfigError`` for an order that is not 0 to ``HIGHEST_ORDER``, and as ``inverse_sum``.

    Examples:
        >>> round(moment((50,), 2), 12)  # 1 + 5/n
        1.1
        >>> moment((50, 50), 1)
        1.0
    """
    if not 0 <= order <= HIGHEST_ORDER:
        raise ConfigError(f"no moment of order {order} is known; choose 0 to {HIGHEST_ORDER}")
    return math.prod(_layer_moments(n)[order] for n in _checked(hidden))


def dead_share(hidden: Sequence[int]) -> float:
    """The share of networks in which some layer has no active unit: 1 - prod_l (1 - 2^-n_l).

    All that lies behind it is zero, and nothing is learned from this image. Raises as ``inverse_sum``.

    Examples:
        >>> round(dead_share((5, 5)), 6)  # 1 - (31/32)^2
        0.061523
    """
    return -math.expm1(math.fsum(math.log1p(-(2.0**-n)) for n in _checked(hidden)))


def log_moments(hidden: Sequence[int]) -> LogMoments:
    """Mean and variance of log R over networks that are not dead, exactly.

    Of n units K are active, a binomial number, and the sum of their squares is that of K normal numbers.
    The logarithm of the latter has the mean psi(K/2) + log 2 and the variance psi'(K/2). Costs a sum
    over some multiple of sqrt(n_l) numbers in each layer. Raises as ``inverse_sum``.

    Examples:
        >>> found = log_moments((1000, 1000))
        >>> round(1000 * found.variance, 2), round(1000 * found.mean, 2)  # about 10 and -5
        (10.04, -5.01)
    """
    layers = [_layer_log_moments(n) for n in _checked(hidden)]
    return LogMoments(
        math.fsum(layer.mean for layer in layers), math.fsum(layer.variance for layer in layers)
    )


def median(hidden: Sequence[int]) -> float:
    """The median of R over all networks, dead ones included; zero if half of them are dead.

    R has the mean one, so it is the median over the mean: what a typical network has of what the mean
    says. It is found by inversion of the characteristic function of log R, good to some 1e-9. Were log R
    normal, it would be exp(-5/2 sum_l 1/n_l); it is larger in networks of few narrow layers, where the
    logarithm is skewed by as much. Raises as ``inverse_sum``.

    Examples:
        >>> [round(median((4000, n, 4000, n, 4000)), 3) for n in (10, 100)]
        [0.642, 0.959]
        >>> round(median((1,)), 3), round(median((2,)), 3)  # of one unit a half is dead
        (0.0, 0.317)
    """
    return _median(tuple(_checked(hidden)))


def narrowest_typical(
    network: Callable[[int], Sequence[int]], within: float, largest: int
) -> int | None:
    """The smallest n_min from which on ``median`` lies within a share of the mean.

    ``network`` gives the hidden widths at n_min, which goes up to ``largest``; the median grows with it.
    None if it is not that near even there.

    Examples:
        >>> narrowest_typical(lambda n_min: (4000, n_min, 4000, n_min, 4000), 0.05, largest=4000)
        82
    """
    if median(network(largest)) < 1 - within:
        return None
    low, high = 0, largest
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if median(network(middle)) >= 1 - within else (middle, high)
    return high


def contribution_moment(
    widths: Widths,
    scales: LayerScales,
    input_square_norm: float,
    order: int,
    target_square_norm: float = 1.0,
) -> float:
    """E (R ||f - y||^2)^order: of the readout's own contribution C_L (eq. 2.41), exactly.

    C_L is eta g_L^2 E||h^{L-1}||^2 times R ||f - y||^2, and f is normal given R, of the variance
    a = R s_L^2 E||h^{L-1}||^2. So ||f - y||^2 is a noncentral chi-squared number, whose moments are
    polynomials in a. The squared norms are ||x||^2 and ||y||^2. Raises ``ConfigError`` for an order that
    is not 0 to half of ``HIGHEST_ORDER``, and for a network without hidden layers.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((64, 1000, 100, 1000, 2))
        >>> scales = layer_scales("ntk", widths)  # outputs of variance one: |f - y|^2 has the mean 3
        >>> round(contribution_moment(widths, scales, 64.0, 1), 2)
        3.12
    """
    if not 0 <= order <= HIGHEST_ORDER // 2:
        raise ConfigError(f"no moment of order {order} is known; choose 0 to {HIGHEST_ORDER // 2}")
    expected = float(mean_field(widths, scales, 1.0, input_square_norm).forward[-1])
    variance = scales.signal[-1] ** 2 * expected
    powers = _error_moments(widths.sizes[-1], target_square_norm)[order].coef
    return math.fsum(
        float(power) * variance**k * moment(widths.hidden, order + k) for k, power in enumerate(powers)
    )


def contribution_variation(
    widths: Widths, scales: LayerScales, input_square_norm: float, target_square_norm: float = 1.0
) -> float:
    """The coefficient of variation of the readout's own contribution C_L (eq. 2.41), exactly.

    Where outputs are small beside the target it is that of ||h^{L-1}||^2. Where they are not, f adds to
    it at any width. Takes and raises what ``contribution_moment`` does.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((3072, 4000, 1000, 4000, 2))
        >>> for name in ("spectral", "dynamic", "ntk"):
        ...     found = contribution_variation(widths, layer_scales(name, widths), 3072.0)
        ...     print(name, round(found, 3))
        spectral 0.09
        dynamic 0.108
        ntk 0.965
        >>> round(variation(widths.hidden), 3)
        0.087
    """
    mean, square = (
        contribution_moment(widths, scales, input_square_norm, order, target_square_norm)
        for order in (1, 2)
    )
    return math.sqrt(square / mean**2 - 1)


def moment_error(square: float, fourth: float, trials: int) -> float:
    """The relative standard error that a mean of squares has over so many trials.

    ``square`` and ``fourth`` are the moments of the values. Where it is not small, the largest values
    decide the mean, and too few trials have them: their coefficient of variation comes out too low.

    Examples:
        >>> hidden = (4000, 5) * 6 + (4000,)
        >>> round(moment_error(moment(hidden, 2), moment(hidden, 4), trials=2000), 1)
        3.5
    """
    return math.sqrt((fourth / square**2 - 1) / trials)


def _checked(hidden: Sequence[int]) -> Sequence[int]:
    if not hidden or min(hidden) < 1:
        raise ConfigError(f"hidden widths are {tuple(hidden)}; give at least one, and none below one")
    return hidden


@cache
def _median(hidden: tuple[int, ...]) -> float:
    """The same, kept: an inversion takes some hundredths of a second."""
    from scipy.optimize import brentq

    dead = dead_share(hidden)
    rank = (0.5 - dead) / (1 - dead)
    if rank < FAINTEST:
        return 0.0
    logs = log_moments(hidden)
    spread = math.sqrt(logs.variance)
    step = 2 * math.pi / (RANGE * spread)
    t = step * (np.arange(math.ceil(HIGHEST_FREQUENCY / (step * spread)), dtype=np.float64) + 0.5)
    counts = Counter(hidden)
    transform = np.prod([_characteristic(n, t) ** times for n, times in counts.items()], axis=0)

    def beyond(x: float) -> float:
        """The share of living networks with log R below x, less what it is at the median."""
        waves = np.imag(np.exp(-1j * t * x) * transform) / t
        return 0.5 - rank - float(waves.sum()) * step / math.pi

    return math.exp(brentq(beyond, logs.mean - RANGE / 3 * spread, logs.mean + RANGE / 3 * spread))


@cache
def _layer_moments(n: int) -> tuple[float, ...]:
    """Of one layer's factor, the mean of n numbers 2 max(xi, 0)^2: E of its powers 0, 1, ...

    Those of a sum of independent numbers follow from cumulants, which add up.
    """
    # Moments of 2 max(xi, 0)^2: 2^k (2k - 1)!! / 2.
    one = [1.0]
    for order in range(1, HIGHEST_ORDER + 1):
        one.append(2.0 ** (order - 1) * math.prod(range(1, 2 * order, 2)))
    cumulants = [0.0]
    for order in range(1, HIGHEST_ORDER + 1):
        known = math.fsum(
            math.comb(order - 1, j - 1) * cumulants[j] * one[order - j] for j in range(1, order)
        )
        cumulants.append(one[order] - known)
    found = [1.0]
    for order in range(1, HIGHEST_ORDER + 1):
        # The mean of n has n^(1 - k) times the cumulant of order k.
        found.append(
            math.fsum(
                math.comb(order - 1, j - 1) * cumulants[j] * float(n) ** (1 - j) * found[order - j]
                for j in range(1, order + 1)
            )
        )
    return tuple(found)


@cache
def _error_moments(outputs: int, t: float) -> tuple[Polynomial, ...]:
    """E ||f - y||^(2 order) as polynomials in the variance a of an output, ||y||^2 = t; by order.

    The cumulants of a noncentral chi-squared number, 2^(k - 1) (k - 1)! (n a^k + k t a^(k - 1)), make
    its moments.
    """
    a = Polynomial([0.0, 1.0])
    found = [Polynomial([1.0])]
    cumulants = [
        2.0 ** (k - 1) * math.factorial(k - 1) * (outputs * a**k + k * t * a ** (k - 1))
        for k in range(1, HIGHEST_ORDER // 2 + 1)
    ]
    for order in range(1, len(cumulants) + 1):
        parts = (
            math.comb(order - 1, j) * cumulant * found[order - 1 - j]
            for j, cumulant in enumerate(cumulants[:order])
        )
        found.append(sum(parts, Polynomial([0.0])))
    return tuple(found)


@cache
def _layer_log_moments(n: int) -> LogMoments:
    """Of the logarithm of one layer's factor, if a unit is active."""
    from scipy.special import polygamma, psi

    active, weights = _active(n)
    logs = psi(active / 2) + math.log(4 / n)
    mean = float(weights @ logs)
    spread = np.square(logs - mean) + polygamma(1, active / 2)
    return LogMoments(mean, float(weights @ spread))


def _characteristic(n: int, t: FloatArray) -> NDArray[np.complex128]:
    """E exp(i t log of one layer's factor), if a unit is active; shape of t.

    The sum of K squares has E of its power it equal to 2^it Gamma(K/2 + it) / Gamma(K/2).
    """
    from scipy.special import loggamma

    active, weights = _active(n)
    powers = loggamma(active / 2 + 1j * t[:, None]) - loggamma(active / 2)
    found: NDArray[np.complex128] = np.exp(1j * t * math.log(4 / n)) * (np.exp(powers) @ weights)
    return found


def _active(n: int) -> tuple[FloatArray, FloatArray]:
    """Numbers of active units, from one on, and the probability of each."""
    from scipy.stats import binom

    reach = WINDOW * math.sqrt(n) / 2
    low, high = max(1, math.floor(n / 2 - reach)), min(n, math.ceil(n / 2 + reach))
    active = np.arange(low, high + 1, dtype=np.float64)
    weights = binom.pmf(active, n, 0.5)
    return active, weights / weights.sum()
