"""The plateau of spectral parametrization: steps until the loss is halved, behind B bottlenecks.

Hidden layers are wide, narrow, wide, ..., narrow, wide, with B narrow ones and R = n/n_min. In units in
which a layer of spectral norm one has gain one, W^l sqrt(n_{l-1}/n_l) g_l, all layers have the same
learning rate. A narrowing layer then carries signals forward with gain 1/sqrt(R) and gradients back with
gain 1, a widening one forward with gain 1 and back with gain 1/sqrt(R).

As R and n_min grow, wide layers can be left out (docs/theory/delay.md). What remains is a linear
network f = w_out M_{B-1} ... M_1 w_in between the narrow layers, of B + 1 factors. Each has gain
1/sqrt(R) at first, in directions that have nothing to do with each other. Gradient descent moves them
at the rates 2, 2, ..., 2, 3: what two, or three, layers of the whole network learn adds up. Such a
product is slow to leave zero, and the more so the more factors it has: log R steps for two,
R^((B-1)/2) for B + 1. If all factors are one number u, and f alone has to line up (a), it is

    da/dt = u^B,   du/dt = a u^(B-1),   u(0) = 1/sqrt(R),   a(0) = 0   (``aligned_delay``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError

GENERATIONS = 5
"""How many random products of the first directions are followed; two more change a delay by 0.1 %."""

INNER_RATE = 2.0
"""Two layers learn what one factor of the narrow network holds."""

OUTER_RATE = 3.0
"""So do two at the output, and the readout, whose gradient has no ReLU behind it, counts twice."""

HALVED = 0.5
"""The share of the loss at which a delay ends."""


def aligned_delay(ratio: float, bottlenecks: int) -> float:
    """The time at which u reaches 1 if all gains are equal, in units of the rate (the module's ODEs).

    u^2 - a^2 = 1/R is conserved, so that T = R^((B-1)/2) times the integral of cosh^(1-B) from 0 to
    arcosh sqrt(R): arcosh sqrt(R) for B = 1, sqrt(R) arccos(1/sqrt(R)) for B = 2. Raises ``ConfigError``
    for R below 1 or no bottleneck.

    Examples:
        >>> for B in (1, 2, 3):
        ...     print(B, [round(aligned_delay(R, B), 1) for R in (10, 100, 1000)])
        1 [1.8, 3.0, 4.1]
        2 [3.9, 14.7, 48.7]
        3 [9.5, 99.5, 999.5]
    """
    require_plateau(ratio, bottlenecks)
    end = math.acosh(math.sqrt(ratio))
    # scipy takes a second to load, and whoever reads the settings needs none of it.
    from scipy import integrate

    found, _ = integrate.quad(lambda angle: math.cosh(angle) ** (1 - bottlenecks), 0.0, end)
    return float(ratio ** asymptotic_exponent(bottlenecks) * found)


def aligned_exponent(ratio: float, bottlenecks: int) -> float:
    """The local exponent d log T / d log R of ``aligned_delay``; infinite at R = 1, where T is zero.

    It falls to zero as 1/log R for B = 1, and to (B - 1)/2 for others. Raises as that does.

    Examples:
        >>> for B in (1, 2, 3):
        ...     print(B, [round(aligned_exponent(R, B), 2) for R in (10, 1000, 100_000)])
        1 [0.29, 0.12, 0.08]
        2 [0.63, 0.51, 0.5]
        3 [1.06, 1.0, 1.0]
    """
    delayed = aligned_delay(ratio, bottlenecks)
    if ratio == 1:
        return math.inf
    # The upper end of the integral moves by that much a unit of log R.
    end = math.sqrt(ratio / (ratio - 1)) / 2
    return asymptotic_exponent(bottlenecks) + end / delayed


def asymptotic_exponent(bottlenecks: int) -> float:
    """(B - 1)/2: the delay grows as this power of R, and as log R if it is zero.

    Examples:
        >>> [asymptotic_exponent(B) for B in (1, 2, 3)]
        [0.0, 0.5, 1.0]
    """
    return (bottlenecks - 1) / 2


def logarithmic_increment(learning_rate: float) -> float:
    """How much eta times the steps grow a unit of log R behind one bottleneck, as R grows.

    A step multiplies both gains by 1 + sqrt(6) eta, and they have to grow by sqrt(R).

    Examples:
        >>> [round(logarithmic_increment(eta), 3) for eta in (0.001, 0.2)]  # 1 / (2 sqrt(6)) at first
        [0.204, 0.251]
    """
    growth = math.sqrt(INNER_RATE * OUTER_RATE)
    return learning_rate / (2 * math.log1p(growth * learning_rate))


def largest_rate(bottlenecks: int) -> float:
    """The learning rate at which the end of training, f = y with all gains one, is no longer stable.

    2 over the sum of the factors' rates: the edge of stability.

    Examples:
        >>> [round(largest_rate(B), 2) for B in (1, 2, 3)]
        [0.4, 0.29, 0.22]
    """
    return 2 / (INNER_RATE * bottlenecks + OUTER_RATE)


@cache
def delay(ratio: float, bottlenecks: int, learning_rate: float, momentum: float = 0.0) -> float:
    """Steps until the loss of one image is halved, from the narrow network; fractions interpolated.

    For an image of squared norm n_0 and a one-hot target of two outputs. Of other images the learning
    rate counts times ||x||/sqrt(n_0). Nothing is fitted. Raises ``ConfigError`` for R below 1, no
    bottleneck, or a learning rate that is not positive and below ``largest_rate``.

    Examples:
        >>> for B in (1, 2, 3):
        ...     print(B, [round(0.1 * delay(R, B, learning_rate=0.1), 2) for R in (10, 100, 1000)])
        1 [0.44, 0.98, 1.51]
        2 [1.11, 4.69, 15.72]
        3 [2.46, 26.37, 263.69]
    """
    require_plateau(ratio, bottlenecks)
    if not 0 < learning_rate / (1 - momentum) < largest_rate(bottlenecks):
        raise ConfigError(
            f"a learning rate of {learning_rate} with momentum {momentum} does not train {bottlenecks} "
            f"bottlenecks; eta / (1 - momentum) must be positive and below "
            f"{largest_rate(bottlenecks):.3g}"
        )
    return steps_until(_losses(ratio, bottlenecks, learning_rate, momentum))


def steps_until(losses: Iterator[float], share: float = HALVED) -> float:
    """The steps after which the loss is that share of the first, on a line between two steps.

    ``losses`` yields the loss before every step, and is asked for no more than it takes. nan if it ends
    or stops being a number before that.

    Examples:
        >>> steps_until(iter([4.0, 3.0, 1.0]))
        1.5
    """
    first = before = next(losses)
    for step, loss in enumerate(losses):
        if loss <= share * first:
            return step + (before - share * first) / (before - loss)
        if not math.isfinite(loss):
            break
        before = loss
    return math.nan


def require_plateau(ratio: float, bottlenecks: int) -> None:
    """Raise ``ConfigError`` for R below 1 or no bottleneck."""
    if not (ratio >= 1 and math.isfinite(ratio) and bottlenecks >= 1):
        raise ConfigError(
            f"R = {ratio} with {bottlenecks} bottlenecks has no plateau; R must be at least 1, and a "
            f"narrow layer is needed"
        )


@dataclass
class _NarrowNetwork:
    """f = w_out M_{B-1} ... M_1 w_in in the basis of ``_directions``; each factor with its velocity."""

    factors: list[FloatArray]
    velocity: list[FloatArray]
    rates: list[float]

    def output(self) -> tuple[float, list[FloatArray]]:
        """F, and the derivative of f by each factor."""
        ahead = [np.ones((1, 1))]
        for factor in self.factors:
            ahead.append(factor @ ahead[-1])
        behind = [np.ones((1, 1))]
        for factor in reversed(self.factors):
            behind.insert(0, behind[0] @ factor)
        slopes = [b.T @ a.T for a, b in zip(ahead[:-1], behind[1:], strict=True)]
        return ahead[-1].item(), slopes

    def step(self, slopes: list[FloatArray], size: float, momentum: float) -> None:
        """Move every factor along its velocity, which gains ``rate`` times its slope."""
        for factor, v, rate, slope in zip(self.factors, self.velocity, self.rates, slopes, strict=True):
            v *= momentum
            v += rate * size * slope
            factor += v


def _losses(ratio: float, bottlenecks: int, learning_rate: float, momentum: float) -> Iterator[float]:
    """(1 - f)^2 before every step."""
    factors = [matrix / math.sqrt(ratio) for matrix in _directions(bottlenecks)]
    rates = [*(INNER_RATE for _ in factors[:-1]), OUTER_RATE]
    network = _NarrowNetwork(factors, [np.zeros_like(factor) for factor in factors], rates)
    while True:
        f, slopes = network.output()
        yield (1 - f) ** 2
        network.step(slopes, learning_rate * (1 - f), momentum)


def _directions(bottlenecks: int) -> list[FloatArray]:
    """w_in, M_1 ... M_{B-1}, w_out of gain one, in the directions that they make of each other.

    Random matrices of large width send a direction that they have not met to a new one, and the
    transpose sends that one back and to another new one. So from w_in, and apart from it from w_out, a
    tree of directions grows whose branches are the matrices. It is cut after ``GENERATIONS``.
    """
    counts = [0] * bottlenecks
    branches: list[list[tuple[int, int]]] = [[] for _ in range(bottlenecks - 1)]

    def grow(layer: int, left: int) -> int:
        """A new direction in a narrow layer, with all that comes of it; its place."""
        place = counts[layer]
        counts[layer] += 1
        for below, above in ((layer - 1, layer), (layer, layer + 1)):
            if left and below >= 0 and above < bottlenecks:
                other = grow(below if below != layer else above, left - 1)
                branches[below].append((place, other) if below == layer else (other, place))
        return place

    first, last = grow(0, GENERATIONS), grow(bottlenecks - 1, GENERATIONS)
    matrices = [np.zeros((counts[0], 1)), *map(np.zeros, zip(counts[1:], counts[:-1], strict=True))]
    matrices[0][first] = 1.0
    for matrix, links in zip(matrices[1:], branches, strict=True):
        for below, above in links:
            matrix[above, below] = 1.0
    readout = np.zeros((1, counts[-1]))
    readout[0, last] = 1.0
    return [*matrices, readout]
