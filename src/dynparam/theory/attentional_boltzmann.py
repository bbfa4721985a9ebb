"""The attentional Boltzmann machine: a mixture of Gaussians in the words of attention.

A visible vector v (D,) meets K hidden units of weights w_mu (rows of W) through one softmax, as in a
modern Hopfield network:

    E(v) = |v - b|^2 / 2 - log sum_mu exp(w_mu . v + c_mu).

Its partition function has a closed form, and its density is sum_mu pi_mu N(v; b + w_mu, I) with
pi = softmax(|w_mu|^2 / 2 + w_mu . b + c_mu): attention softmax(W v + c) is the probability of each
Gaussian given v (Ota and Karakida 2023). Learning therefore is maximum likelihood of a mixture.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax, logsumexp, softmax

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError, NonFiniteError


@dataclass(frozen=True)
class Gradients:
    """Of the mean negative log-likelihood, each of its parameter's shape.

    Attributes:
        weights: with respect to W, (K, D).
        visible_bias: with respect to b, (D,).
        hidden_bias: with respect to c, (K,).
    """

    weights: FloatArray
    visible_bias: FloatArray
    hidden_bias: FloatArray


@dataclass(frozen=True)
class AttentionalBoltzmann:
    """A machine of D visible and K hidden units.

    Raises ``ConfigError`` for parameters that do not fit each other, and ``NonFiniteError`` for one that
    is not finite.

    Attributes:
        weights: W, (K, D).
        visible_bias: b, (D,).
        hidden_bias: c, (K,).
    """

    weights: FloatArray
    visible_bias: FloatArray
    hidden_bias: FloatArray

    def __post_init__(self) -> None:
        shape = self.weights.shape
        fits = len(shape) == 2 and self.weights.size
        if not fits or (self.hidden_bias.shape, self.visible_bias.shape) != (shape[:1], shape[1:]):
            raise ConfigError(
                f"weights of shape {shape}, visible biases {self.visible_bias.shape} and hidden biases "
                f"{self.hidden_bias.shape} make no machine; give (K, D), (D,) and (K,)"
            )
        if not all(np.isfinite(one).all() for one in vars(self).values()):
            raise NonFiniteError("a parameter of the machine is not finite; lower the learning rate")

    @property
    def centres(self) -> FloatArray:
        """B + w_mu, the means of the Gaussians, (K, D)."""
        return self.visible_bias + self.weights

    @property
    def log_mixing(self) -> FloatArray:
        """Log pi, (K,)."""
        found: FloatArray = log_softmax(self._exponents())
        return found

    @property
    def mixing(self) -> FloatArray:
        """pi, the probability of each Gaussian, (K,)."""
        found: FloatArray = softmax(self._exponents())
        return found

    @property
    def log_partition(self) -> float:
        """Log of the integral of exp(-E).

        Examples:
            >>> machine = AttentionalBoltzmann(np.zeros((2, 1)), np.zeros(1), np.zeros(2))
            >>> float(np.exp(machine.log_partition) / np.sqrt(2 * np.pi)).__round__(6)  # two Gaussians
            2.0
        """
        dimensions = len(self.visible_bias)
        return dimensions / 2 * math.log(2 * math.pi) + float(logsumexp(self._exponents()))

    def energy(self, v: FloatArray) -> FloatArray:
        """E of each row of v (n, D), (n,). Raises as ``attention`` does."""
        hidden = self._hidden(v)
        distance = np.square(v - self.visible_bias).sum(axis=1)
        found: FloatArray = distance / 2 - logsumexp(hidden, axis=1)
        return found

    def attention(self, v: FloatArray) -> FloatArray:
        """softmax(W v + c) of each row of v (n, D), the probability of each Gaussian, (n, K).

        Raises ``DataError`` for v of another shape or without a row, ``NonFiniteError`` for numbers that
        are not finite.

        Examples:
            >>> machine = of_mixture(np.array([[-1.0], [1.0]]), np.zeros(1), np.log([0.5, 0.5]))
            >>> machine.attention(np.array([[0.0], [1.0]])).round(3).tolist()
            [[0.5, 0.5], [0.119, 0.881]]
        """
        found: FloatArray = softmax(self._hidden(v), axis=1)
        return found

    def log_density(self, v: FloatArray) -> FloatArray:
        """Log p of each row of v (n, D), (n,). Raises as ``attention`` does."""
        return -self.energy(v) - self.log_partition

    def loss(self, v: FloatArray) -> float:
        """The mean of -log p over rows of v (n, D). Raises as ``attention`` does."""
        return -float(self.log_density(v).mean())

    def gradients(self, v: FloatArray) -> Gradients:
        """Of ``loss``: expectations under the machine less those under the data, v (n, D).

        Raises as ``attention`` does.

        Examples:
            >>> machine = AttentionalBoltzmann(np.zeros((2, 1)), np.zeros(1), np.zeros(2))
            >>> machine.gradients(np.array([[2.0], [4.0]])).weights.tolist()
            [[-1.5], [-1.5]]
        """
        shares, mixing = self.attention(v), self.mixing
        expected = mixing[:, None] * self.centres
        return Gradients(
            weights=expected - shares.T @ v / len(v),
            visible_bias=expected.sum(axis=0) - v.mean(axis=0),
            hidden_bias=mixing - shares.mean(axis=0),
        )

    def sample(self, count: int, generator: np.random.Generator) -> FloatArray:
        """Independent draws, (count, D): a Gaussian by its probability, then one of its vectors."""
        chosen = generator.choice(len(self.hidden_bias), size=count, p=self.mixing)
        noise = generator.standard_normal((count, len(self.visible_bias)))
        found: FloatArray = self.centres[chosen] + noise
        return found

    def _exponents(self) -> FloatArray:
        """|w_mu|^2 / 2 + w_mu . b + c_mu, (K,)."""
        squares = np.square(self.weights).sum(axis=1)
        found: FloatArray = squares / 2 + self.weights @ self.visible_bias + self.hidden_bias
        return found

    def _hidden(self, v: FloatArray) -> FloatArray:
        """W v + c of each row, (n, K)."""
        if v.ndim != 2 or v.shape[1] != len(self.visible_bias) or not len(v):
            raise DataError(
                f"data of shape {v.shape} do not fit a machine of {len(self.visible_bias)} visible "
                f"units; give one row or more of that many numbers"
            )
        if not np.isfinite(v).all():
            raise NonFiniteError("the data hold a number that is not finite; leave its row out")
        found: FloatArray = v @ self.weights.T + self.hidden_bias
        return found


def of_mixture(
    centres: FloatArray, visible_bias: FloatArray, log_mixing: FloatArray
) -> AttentionalBoltzmann:
    """The machine of unit Gaussians at ``centres`` (K, D) with these logarithms of probabilities (K,).

    Probabilities need not be normalized. Fits are made in these numbers: in hidden biases, whose
    |w_mu|^2 / 2 has to be made up for, ascent of the likelihood is badly conditioned. Raises as
    ``AttentionalBoltzmann`` does.

    Examples:
        >>> of_mixture(np.array([[3.0], [5.0]]), np.ones(1), np.log([0.2, 0.8])).mixing.round(6).tolist()
        [0.2, 0.8]
    """
    weights = centres - visible_bias
    hidden_bias = log_mixing - np.square(weights).sum(axis=1) / 2 - weights @ visible_bias
    return AttentionalBoltzmann(weights, visible_bias, hidden_bias)


def growth_factor(eigenvalue: ArrayLike, rate: float, hidden: int) -> FloatArray:
    """1 + rate (lambda - 1)/K: how differences of small weights grow in a step of gradient descent.

    Along an eigenvector of the data's covariance, of this eigenvalue (elementwise); b is the data's
    mean. The Gaussians have variance 1, so what the data exceed it by is learned, and nothing else.
    Raises ``ConfigError`` for an eigenvalue that no covariance has, a learning rate that is not
    positive, or fewer than two hidden units, which have no differences.

    Examples:
        >>> growth_factor([3.0, 1.0, 0.5], rate=0.1, hidden=4).tolist()
        [1.05, 1.0, 0.9875]
    """
    _require_step(rate, hidden)
    values = np.asarray(eigenvalue, dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ConfigError("eigenvalues of a covariance are finite and not negative; correct them")
    found: FloatArray = 1 + rate * (values - 1) / hidden
    return found


def mean_factor(rate: float, hidden: int) -> float:
    """1 - rate/K: how the mean of small weights shrinks in a step. Raises as ``growth_factor`` does.

    Examples:
        >>> mean_factor(rate=0.1, hidden=4)
        0.975
    """
    _require_step(rate, hidden)
    return 1 - rate / hidden


def steps_until(
    reached: float, sizes: FloatArray, eigenvalues: FloatArray, rate: float, hidden: int
) -> int:
    """Steps until small differences, of these sizes along each eigenvector, have grown this large.

    ``sizes`` (D,) and ``reached`` are root mean squares: sizes over hidden units, the latter over hidden
    units and eigenvectors. Raises as ``growth_factor`` does, and ``ConfigError`` where no difference
    grows.

    Examples:
        >>> steps_until(0.1, np.array([0.01, 0.01]), np.array([3.0, 0.5]), rate=0.2, hidden=2)
        15
    """
    growth = growth_factor(eigenvalues, rate, hidden)
    squares = np.square(sizes)
    if not (squares[growth > 1] > 0).any():
        raise ConfigError(
            "no eigenvalue exceeds 1 where weights differ, so that nothing is learned; give a larger one"
        )

    # The sum of powers is convex in steps: begun below, it crosses once.
    def short(steps: int) -> bool:
        """Whether weights are still small after so many steps."""
        with np.errstate(over="ignore"):
            return bool((squares * growth ** (2.0 * steps)).mean() < reached**2)

    most = 1
    while short(most):
        most *= 2
    return bisect_left(range(most), 1, key=lambda steps: not short(steps))


def excess_loss(components: int, dimensions: int, samples: int) -> float:
    """(P D + P - 1)/(2n): what fitting a mixture adds to the loss on new data, in the mean.

    W and the mixing are fitted to n samples of a mixture of P Gaussians that lie apart, |w| of 3 or
    more; those that overlap need far more samples for it. Raises ``ConfigError`` for a number below 1.

    Examples:
        >>> excess_loss(components=3, dimensions=10, samples=500)
        0.032
    """
    for name, value in (("components", components), ("dimensions", dimensions), ("samples", samples)):
        if value < 1:
            raise ConfigError(f"{name} is {value}; it must be 1 or more")
    return (components * dimensions + components - 1) / (2 * samples)


def _require_step(rate: float, hidden: int) -> None:
    if not (math.isfinite(rate) and rate > 0):
        raise ConfigError(f"a learning rate of {rate} makes no step; choose a positive number")
    if hidden < 2:
        raise ConfigError(f"{hidden} hidden units have no differences to learn; take two or more")
