"""Machines trained: by gradient descent on all data, and by the iteration of a mixture."""

from __future__ import annotations

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.theory.attentional_boltzmann import AttentionalBoltzmann, of_mixture

CONVERGED = 1e-5
"""A fit ends when no centre moves further than this."""


def whitened(samples: int, eigenvalues: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Normal vectors (samples, D) whose mean is zero and whose covariance is diagonal, both exactly.

    Raises ``DataError`` for as many eigenvalues (D,) as samples, or more.
    """
    if samples <= len(eigenvalues):
        raise DataError(
            f"{samples} vectors have no covariance of {len(eigenvalues)} eigenvalues; draw more"
        )
    drawn = generator.standard_normal((samples, len(eigenvalues)))
    drawn -= drawn.mean(axis=0)
    root = np.linalg.cholesky(drawn.T @ drawn / samples)
    found: FloatArray = np.linalg.solve(root, drawn.T).T * np.sqrt(eigenvalues)
    return found


def small(
    hidden: int, dimensions: int, size: float, generator: np.random.Generator
) -> AttentionalBoltzmann:
    """A machine of normal weights of this standard deviation, without biases."""
    weights = size * generator.standard_normal((hidden, dimensions))
    return AttentionalBoltzmann(weights, np.zeros(dimensions), np.zeros(hidden))


def descend(machine: AttentionalBoltzmann, data: FloatArray, rate: float) -> AttentionalBoltzmann:
    """One step of gradient descent on W and c; b stays. Raises ``NonFiniteError`` if it diverges."""
    with np.errstate(over="ignore", invalid="ignore"):
        gradients = machine.gradients(data)
        weights = machine.weights - rate * gradients.weights
        hidden_bias = machine.hidden_bias - rate * gradients.hidden_bias
    return AttentionalBoltzmann(weights, machine.visible_bias, hidden_bias)


def differences(machine: AttentionalBoltzmann) -> FloatArray:
    """The size of differences of weights along each axis: rms over hidden units, (D,)."""
    centred = machine.weights - machine.weights.mean(axis=0)
    found: FloatArray = np.sqrt(np.square(centred).mean(axis=0))
    return found


def fitted(start: AttentionalBoltzmann, data: FloatArray, iterations: int) -> AttentionalBoltzmann:
    """Of maximum likelihood near ``start``, in W and mixing; b stays. At most so many iterations.

    Expectation maximization: attention shares every vector of ``data`` (n, D) out to the Gaussians, and
    each moves to the mean of its shares.
    """
    machine = start
    for _ in range(iterations):
        shares = machine.attention(data)
        totals = shares.sum(axis=0)
        centres = shares.T @ data / totals[:, None]
        moved = np.abs(centres - machine.centres).max()
        machine = of_mixture(centres, start.visible_bias, np.log(totals / len(data)))
        if moved < CONVERGED:
            break
    return machine
