"""Learning curves of kernel regression on one task after another, each from where the last one ended.

A kernel has modes: functions that are orthonormal over inputs, with eigenvalues eta_i. Targets are
sums of modes; a coefficient has the second moment v_i, the power, in every task, and the correlation
rho_{jk} between tasks j and k. Training on N independent inputs, with noise of variance s^2 on their
targets and no ridge, adds the interpolation of the residuals of least norm: what a network of that
kernel does that trains lazily. Typical draws of many modes follow (Karakida and Akaho 2022)

    sum_i eta_i / (kappa + N eta_i) = 1,   a_i = N eta_i / (kappa + N eta_i),   b_i = 1 - a_i,
    gamma_i = N eta_i^2 / (kappa + N eta_i)^2,   gamma = sum_i gamma_i.

a_i is the share of a mode that is learned. Let m_i be the second moment of the coefficient of f, and
c_ik its product with that of target k, in the mean. Training on task k takes them to

    E  = [sum_i b_i^2 (v_i - 2 c_ik + m_i) + gamma s^2] / (1 - gamma),
    m' = b^2 m + 2 a b c_k + a^2 v + (E + s^2) gamma_i,   c'_j = b c_j + a rho_{jk} v,

mode by mode, and the error on target j is sum_i (v_i - 2 c_ij + m_i), which on target k is E. So two
tasks take two rounds, and any number as many. The formulas need fewer inputs than modes. Errors
exceed them by a few per cent where but some tens of modes matter, and on a pool of P inputs, drawn with
replacement, by more as N/P grows: some draws are copies, which teach nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.support.numbers import as_whole

NEGLIGIBLE = 1e-15
"""Eigenvalues up to this share of the largest count as zero: nothing of their modes is learned."""


@dataclass(frozen=True)
class Modes:
    """What a kernel can learn, and what there is to learn.

    Attributes:
        eigenvalues: eta_i, at least zero, (D,).
        power: v_i, at least zero, (D,).
    """

    eigenvalues: FloatArray
    power: FloatArray

    @property
    def count(self) -> int:
        """How many modes can be learned: the number of inputs at which training interpolates."""
        return int(np.count_nonzero(self.eigenvalues))


@dataclass(frozen=True)
class TwoTasks:
    """Mean squared errors of training on A and then on B, noise apart.

    Attributes:
        first: on A after A.
        second: on B after A and B.
        alone: on B after B alone, without A before it.
        back: on A after A and B.
    """

    first: float
    second: float
    alone: float
    back: float


@dataclass(frozen=True)
class Training:
    """What training on N inputs makes of the modes.

    Attributes:
        kappa: what is left of the kernel beyond the modes that N inputs resolve.
        learned: a_i, (D,).
        scatter: gamma_i, the share of error and noise that ends in a mode, (D,).
    """

    kappa: float
    learned: FloatArray
    scatter: FloatArray


def modes(eigenvalues: ArrayLike, power: ArrayLike) -> Modes:
    """The modes of these eigenvalues (D,) and powers (D,), checked.

    Eigenvalues up to ``NEGLIGIBLE`` of the largest, those below zero too, become zero. Raises
    ``ConfigError`` for arrays of other shapes, no positive eigenvalue, or a power below zero or zero
    throughout, and ``NonFiniteError`` for numbers that are not finite.

    Examples:
        >>> found = modes([1.0, 0.5, -1e-17], [1.0, 1.0, 1.0])
        >>> found.eigenvalues.tolist(), found.count
        ([1.0, 0.5, 0.0], 2)
    """
    eta, v = (np.array(values, dtype=float) for values in (eigenvalues, power))
    if eta.ndim != 1 or eta.shape != v.shape or not eta.size:
        raise ConfigError(
            f"eigenvalues {eta.shape} and powers {v.shape} are not one of each for every mode"
        )
    for name, values in (("eigenvalue", eta), ("power", v)):
        if not np.isfinite(values).all():
            place = int(np.argmin(np.isfinite(values)))
            raise NonFiniteError(f"the {name} of mode {place} is {values[place]}; it must be finite")
    if eta.max() <= 0:
        raise ConfigError("no eigenvalue is positive, so that nothing can be learned; check the kernel")
    if v.min() < 0 or v.max() == 0:
        raise ConfigError(
            "powers are second moments: none may be below zero, and not all zero; check the targets"
        )
    eta[eta <= NEGLIGIBLE * eta.max()] = 0.0
    return Modes(eta, v)


def pool_modes(kernel: FloatArray, target: FloatArray) -> tuple[Modes, FloatArray]:
    """The modes of a kernel on a pool of P inputs, from which samples are drawn with replacement.

    ``kernel`` (P, P), ``target`` (P,). Returns the modes, whose power is that of the one target, and
    their functions in columns (P, P), orthonormal for the mean over the pool. Raises ``ConfigError``
    for other shapes, and what ``modes`` does.

    Examples:
        >>> found, functions = pool_modes(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([1.0, -1.0]))
        >>> found.eigenvalues.round(6).tolist(), found.power.round(6).tolist()
        ([0.5, 1.5], [1.0, 0.0])
        >>> (functions.T @ functions / 2).round(6).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    count = len(kernel)
    if kernel.shape != (count, count) or target.shape != (count,) or not count:
        raise ConfigError(
            f"a kernel of shape {kernel.shape} and targets {target.shape} are not those of one pool"
        )
    if not (np.isfinite(kernel).all() and np.isfinite(target).all()):
        raise NonFiniteError("the kernel or the targets of the pool are not finite; check them")
    values, vectors = np.linalg.eigh((kernel + kernel.T) / (2 * count))
    functions: FloatArray = vectors * np.sqrt(count)
    return modes(values, np.square(functions.T @ target / count)), functions


def training(eigenvalues: FloatArray, samples: int) -> Training:
    """What training on N = ``samples`` inputs makes of modes of these eigenvalues (D,).

    None at all leave everything as it is. Raises ``ConfigError`` for a number below zero or no integer,
    and for one that reaches the number of modes: there training interpolates every mode.

    Examples:
        >>> found = training(np.array([1.0, 1.0, 1.0, 1.0]), 1)  # one of four equal modes
        >>> round(found.kappa, 6), found.learned.round(6).tolist()
        (3.0, [0.25, 0.25, 0.25, 0.25])
    """
    number = as_whole(samples)
    if number is None or number < 0:
        raise ConfigError(f"{samples!r} is no number of samples; it must be an integer of at least zero")
    count = int(np.count_nonzero(eigenvalues))
    if samples >= count:
        raise ConfigError(
            f"{samples} samples reach the interpolation threshold of {count} modes with an eigenvalue "
            f"that is not zero; take fewer samples"
        )
    total = float(eigenvalues.sum())
    shares = eigenvalues / total

    def excess(kappa: float) -> float:
        """How far the sum that defines kappa exceeds one."""
        # With kappa zero a mode without an eigenvalue would be 0 / 0; it adds nothing.
        return float(np.sum(shares[shares > 0] / (kappa + samples * shares[shares > 0]))) - 1

    # The tolerance of zero is not allowed; kappa lies above it by far.
    kappa = float(brentq(excess, 0.0, 1.0, xtol=1e-300, rtol=1e-14, maxiter=1000)) if samples else 1.0
    learned: FloatArray = samples * shares / (kappa + samples * shares)
    scatter = np.square(learned) / samples if samples else np.zeros_like(learned)
    return Training(kappa * total, learned, scatter)


def errors(
    found: Modes, samples: Sequence[int], similarity: ArrayLike = 1.0, noise: float = 0.0
) -> FloatArray:
    """Mean squared errors on every task after every round of training: (n, n), of rounds and tasks.

    Args:
        found: the modes.
        samples: how many inputs each of the n tasks has, in the order of training.
        similarity: rho_{jk}, (n, n), or one number between any two tasks.
        noise: s^2, the variance of noise on targets; no error on a target counts it.

    Raises:
        ConfigError: no task, a bad number of samples, noise below zero, or similarities that no targets
            can have: out of [-1, 1], not symmetric, other than one for a task with itself, or not
            positive semidefinite.

    Examples:
        >>> eta = np.arange(1, 1001) ** -1.5
        >>> eta /= eta.sum()
        >>> errors(modes(eta, eta), [100, 100]).round(4).tolist()  # the same task again: better
        [[0.1075, 0.1075], [0.0828, 0.0828]]
        >>> errors(modes(eta, eta), [400, 50]).round(4).tolist()  # with few samples: worse
        [[0.0317, 0.0317], [0.0426, 0.0426]]
    """
    rho = _similarities(similarity, len(samples))
    if not (np.isfinite(noise) and noise >= 0):
        raise ConfigError(f"noise of variance {noise} is none; it must be finite and at least zero")
    v = found.power
    square, products = np.zeros_like(v), np.zeros((len(samples), len(v)))
    result = []
    for task, count in enumerate(samples):
        trained = training(found.eigenvalues, count)
        a, b = trained.learned, 1 - trained.learned
        gamma = trained.scatter.sum()
        own = products[task]
        left = np.sum(b**2 * (v - 2 * own + square)) + gamma * noise
        error = left / (1 - gamma)
        square = b**2 * square + 2 * a * b * own + a**2 * v + (error + noise) * trained.scatter
        products = b * products + a * v * rho[task][:, None]
        result.append(np.sum(v - 2 * products + square, axis=1))
    return np.array(result)


def two_tasks(
    found: Modes, first: int, second: int, similarity: float = 1.0, noise: float = 0.0
) -> TwoTasks:
    """Errors of training on ``first`` inputs of A, then on ``second`` of B. Raises as ``errors`` does.

    Examples:
        >>> eta = np.arange(1, 1001) ** -1.5
        >>> eta /= eta.sum()
        >>> shown = two_tasks(modes(eta, eta), 100, 100, similarity=0.5)
        >>> round(shown.second, 4), round(shown.alone, 4), round(shown.back, 3)
        (0.1075, 0.1075, 0.956)
    """
    both = errors(found, (first, second), similarity, noise)
    alone = errors(found, (second,), noise=noise)
    return TwoTasks(*(float(one) for one in (both[0, 0], both[1, 1], alone[0, 0], both[1, 0])))


def critical_similarity(found: Modes, first: int, second: int, noise: float = 0.0) -> float:
    """rho*, above which having trained on A lowers the error on B, and below which it raises it.

        rho* = sum_i b_i^2 m_i / (2 sum_i b_i^2 a_i v_i),   a of A, b of B, m after A.

    Above one not even the same task helps. Without noise, and with powers as the eigenvalues, it is 1/2
    whatever the numbers of samples. Raises as ``errors`` does, and ``ConfigError`` if A teaches nothing.

    Examples:
        >>> eta = np.arange(1, 1001) ** -1.5
        >>> [round(critical_similarity(modes(eta, eta), *pair), 6) for pair in ((100, 100), (400, 20))]
        [0.5, 0.5]
        >>> round(critical_similarity(modes(eta, np.arange(1, 1001) ** -2.5), 30, 300), 2)
        1.14
    """
    before = errors(found, (first,), noise=noise)[0, 0]
    own, later = (training(found.eigenvalues, count) for count in (first, second))
    square = own.learned**2 * found.power + (before + noise) * own.scatter
    left = np.square(1 - later.learned)
    shared = float(np.sum(left * own.learned * found.power))
    if shared == 0:
        raise ConfigError(
            f"{first} samples of the first task teach nothing of its target, so that no similarity "
            f"makes them helpful; take more, or another kernel"
        )
    return float(np.sum(left * square)) / (2 * shared)


def _similarities(similarity: ArrayLike, tasks: int) -> FloatArray:
    """rho_{jk} as a matrix. Raises ``ConfigError`` as ``errors`` says."""
    if not tasks:
        raise ConfigError("no task to train on; give the number of samples of one or more")
    rho = np.array(similarity, dtype=float)
    if rho.ndim == 0:
        rho = np.where(np.eye(tasks, dtype=bool), 1.0, rho)
    if rho.shape != (tasks, tasks):
        raise ConfigError(
            f"similarities of shape {rho.shape} do not fit {tasks} tasks; give one number or ({tasks}, "
            f"{tasks})"
        )
    if not (np.abs(rho) <= 1).all():
        place = tuple(int(one) for one in np.argwhere(~(np.abs(rho) <= 1))[0])
        raise ConfigError(
            f"the similarity of tasks {place[0]} and {place[1]} is {rho[place]}; it must lie between -1 "
            f"and 1"
        )
    if not np.array_equal(rho, rho.T) or (np.diag(rho) != 1).any():
        raise ConfigError(
            "similarities must be symmetric, with one for each task with itself; correct them"
        )
    if np.linalg.eigvalsh(rho).min() < -1e-12 * tasks:
        raise ConfigError(
            "no targets have these similarities to each other, whose matrix has a negative eigenvalue; "
            "bring them closer to zero"
        )
    return rho
