"""Networks of orthogonal weights and hard tanh: drawn, their Fisher information, and their descent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import NonFiniteError
from dynparam.theory.isometry import Isometry

Draw = Callable[[np.random.Generator, int], FloatArray]
"""Draws a matrix of M rows and columns, of columns of unit length in the mean."""

LOWEST, HIGHEST = 1.0, 4.0
"""Between them lies the largest stable learning rate, in units of 1/(M lambda_max)."""

HALVINGS = 8
"""Of that range on log axes."""

RESOLUTION = (HIGHEST / LOWEST) ** (0.5**HALVINGS) - 1
"""To which the rate is found, relative to itself."""


def orthogonal(generator: np.random.Generator, units: int) -> FloatArray:
    """Uniform over orthogonal matrices: a QR factor of normal numbers, its signs undone."""
    q, r = np.linalg.qr(generator.normal(size=(units, units)))
    found: FloatArray = q * np.sign(np.diag(r))
    return found


def gaussian(generator: np.random.Generator, units: int) -> FloatArray:
    """Independent normal numbers of variance 1/units."""
    found: FloatArray = generator.normal(size=(units, units)) / units**0.5
    return found


ROUNDING = 1e-9
"""Of a loss, relative."""


@dataclass(frozen=True)
class Passed:
    """One input in one network.

    Attributes:
        fisher: H_L, (M, M); Theta(x, x) is M times it.
        mean_squares: |h^0|^2/M ... |h^{L-1}|^2/M.
        clipped: hidden units beyond -1 or 1, in all layers together.
    """

    fisher: FloatArray
    mean_squares: tuple[float, ...]
    clipped: int


def pass_once(
    network: Isometry, units: int, generator: np.random.Generator, draw: Draw = orthogonal
) -> Passed:
    """Draw a network layer by layer and pass an input on; no two layers are kept at once."""
    h = np.clip(generator.normal(size=units) * network.variance**0.5, -1, 1)
    squares, clipped = [float(h @ h) / units], 0
    found = squares[0] * np.eye(units)
    q = draw(generator, units)
    for _ in range(network.depth - 1):
        bias = generator.normal(size=units) * network.bias_variance**0.5
        u = network.gain**0.5 * (q @ h) + bias
        linear = np.abs(u) < 1
        clipped += int((~linear).sum())
        h = np.clip(u, -1, 1)
        squares.append(float(h @ h) / units)
        q = draw(generator, units)
        carried = q[:, linear]
        inner = found[np.ix_(linear, linear)]
        found = squares[-1] * np.eye(units) + network.gain * (carried @ inner @ carried.T)
    return Passed(found, tuple(squares), clipped)


@dataclass(frozen=True)
class Stored:
    """A whole network: weights s Q^l (L, M, M), biases of its hidden layers (L-1, M), and h^0 (M,)."""

    weights: FloatArray
    biases: FloatArray
    first: FloatArray


def draw_whole(network: Isometry, units: int, generator: np.random.Generator) -> Stored:
    """A network that is kept, to be trained. The last layer has no bias."""
    depth = network.depth
    first = np.clip(generator.normal(size=units) * network.variance**0.5, -1, 1)
    weights = np.stack([network.gain**0.5 * orthogonal(generator, units) for _ in range(depth)])
    biases = generator.normal(size=(depth - 1, units)) * network.bias_variance**0.5
    return Stored(weights, biases, first)


def tangent_kernel(stored: Stored) -> FloatArray:
    """Theta(x, x) over all weights, (M, M): sum_l |h^{l-1}|^2 times the squares of Jacobians."""
    below, slopes, _ = _forward(stored, stored.weights)
    jacobian = np.eye(stored.weights.shape[-1])
    found: FloatArray = np.zeros_like(jacobian)
    for layer in range(len(stored.weights) - 1, -1, -1):
        found += below[layer] @ below[layer] * (jacobian @ jacobian.T)
        if layer:
            jacobian = (jacobian @ stored.weights[layer]) * slopes[layer - 1]
    return found


def largest_stable_rate(stored: Stored, targets: FloatArray, unit: float, steps: int) -> float:
    """The largest learning rate at which no loss of ``steps`` exceeds the first, over ``unit``.

    Gradient descent of all weights on |f - y|^2/2 of the one input, ``targets`` y (M,). By bisection on
    a log axis. Raises ``NonFiniteError`` if the network is stable, or not, at both ends.
    """
    low, high = LOWEST, HIGHEST
    if not _stable(stored, targets, low * unit, steps) or _stable(stored, targets, high * unit, steps):
        raise NonFiniteError(
            f"gradient descent has no edge between {low} and {high} of 1/lambda_max; take smaller "
            f"noise, or more steps"
        )
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        if _stable(stored, targets, middle * unit, steps):
            low = middle
        else:
            high = middle
    return float((low * high) ** 0.5)


def outputs(stored: Stored) -> FloatArray:
    """f, (M,)."""
    return _forward(stored, stored.weights)[2]


def _stable(stored: Stored, targets: FloatArray, rate: float, steps: int) -> bool:
    """Whether the loss never exceeds the first one.

    Its end alone would not tell: units that diverge are clipped, and the last layer then learns alone.
    """
    weights = stored.weights.copy()
    first = float(np.square(outputs(stored) - targets).sum())
    for _ in range(steps):
        below, slopes, f = _forward(stored, weights)
        delta = f - targets
        if delta @ delta > first * (1 + ROUNDING):
            return False
        _step(weights, below, slopes, delta, rate)
    return True


def _step(
    weights: FloatArray,
    below: list[FloatArray],
    slopes: list[FloatArray],
    delta: FloatArray,
    rate: float,
) -> None:
    """One step of gradient descent, in place; ``delta`` is the gradient for the outputs."""
    for layer in range(len(weights) - 1, -1, -1):
        carried = delta @ weights[layer]
        weights[layer] -= np.outer(rate * delta, below[layer])
        if layer:
            delta = carried * slopes[layer - 1]


def _forward(
    stored: Stored, weights: FloatArray
) -> tuple[list[FloatArray], list[FloatArray], FloatArray]:
    """h^0 ... h^{L-1}, the slopes of h^1 ... h^{L-1}, and f; all (M,)."""
    below, slopes = [stored.first], []
    for weight, bias in zip(weights[:-1], stored.biases, strict=True):
        u = weight @ below[-1] + bias
        slopes.append((np.abs(u) < 1).astype(float))
        below.append(np.clip(u, -1, 1))
    f: FloatArray = weights[-1] @ below[-1]
    return below, slopes, f
