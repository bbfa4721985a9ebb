"""Training of the linearization of a network: what a wide one does whose kernel stays what it is.

The loss is (1/2T) sum_t (f(x_t) - y_t)^2 over T inputs X, for one output. Let K = Theta(X, X) and
k(x) = Theta(x, X) be kernels at theta_0, and r_0 = y - f(X; theta_0). Gradient descent with step eta on

    f(x; theta_0) + <grad f(x; theta_0), theta - theta_0>

arrives after t steps at

    f_lin(x, t) = f(x; theta_0) + k(x) K^+ [1 - (1 - eta K / T)^t] r_0,

and in the limit at f(x; theta_0) + k(x) K^+ r_0 (eq. 1.8), which is y on X (eq. 1.12). K^+ is the
inverse, or that of Moore and Penrose where inputs repeat each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, NonFiniteError


@dataclass(frozen=True)
class Spectrum:
    """A kernel on T inputs by its eigenvectors, those that its rounding errors leave.

    Attributes:
        values: the eigenvalues that are not zero, increasing, (rank,).
        vectors: their eigenvectors, in columns, (T, rank).
    """

    values: FloatArray
    vectors: FloatArray

    @property
    def inputs(self) -> int:
        """T."""
        return len(self.vectors)

    @property
    def rank(self) -> int:
        """How many eigenvalues are not zero; below T the kernel is singular."""
        return len(self.values)

    @property
    def largest(self) -> float:
        """lambda_max: gradient descent is stable below eta = 2 T / lambda_max."""
        return float(self.values[-1])


def spectrum(kernel: FloatArray) -> Spectrum:
    """The eigenvalues and eigenvectors of a symmetric kernel (T, T), without those of rounding.

    An eigenvalue up to T roundings of the largest counts as zero. Raises ``ConfigError`` for what is no
    square matrix or zero altogether, and ``NonFiniteError`` for one that is not finite.

    Examples:
        >>> found = spectrum(np.array([[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 1.0]]))
        >>> found.rank, found.inputs, found.values.round(6).tolist()  # the first two inputs are equal
        (2, 3, [1.0, 4.0])
    """
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not kernel.size:
        raise ConfigError(f"a kernel of shape {kernel.shape} is not one of inputs by inputs")
    if not np.isfinite(kernel).all():
        raise NonFiniteError("the kernel is not finite, so that it has no inverse; check the weights")
    values, vectors = np.linalg.eigh((kernel + kernel.T) / 2)
    kept = values > len(kernel) * np.finfo(np.float64).eps * abs(values).max()
    if not kept.any():
        raise ConfigError("the kernel is zero: no weight moves the output, and nothing can be learned")
    return Spectrum(values[kept], vectors[:, kept])


def linearized(
    kernel: Spectrum,
    cross: FloatArray,
    residual: FloatArray,
    learning_rate: float,
    steps: int | None = None,
) -> FloatArray:
    """f_lin(x, t) - f(x; theta_0), which ``steps`` t of gradient descent add to the output: (T',).

    ``cross`` (T', T) is k(x) of the inputs asked for, ``residual`` (T,) is r_0 = y - f(X; theta_0), and
    ``learning_rate`` eta. Without ``steps`` it is the limit of many, eq. 1.8, for any stable eta. Raises
    ``ConfigError`` for shapes that do not fit, a number of steps below zero, or eta that is not
    positive.

    Examples:
        >>> kernel = spectrum(np.array([[2.0, 1.0], [1.0, 2.0]]))
        >>> cross, residual = np.array([[2.0, 1.0]]), np.array([1.0, -1.0])
        >>> linearized(kernel, cross, residual, 0.5, steps=1).round(3).tolist()  # eta k(x) r_0 / T
        [0.25]
        >>> linearized(kernel, cross, residual, 0.5).round(3).tolist()  # x is the first input
        [1.0]
    """
    if cross.ndim != 2 or cross.shape[1] != kernel.inputs or residual.shape != (kernel.inputs,):
        raise ConfigError(
            f"kernels {cross.shape} and residuals {residual.shape} do not fit {kernel.inputs} inputs"
        )
    if (steps is not None and steps < 0) or not learning_rate > 0:
        raise ConfigError(f"{steps} steps of {learning_rate} are no gradient descent")
    reached = np.ones(kernel.rank)
    if steps is not None:
        reached -= (1 - learning_rate * kernel.values / kernel.inputs) ** steps
    modes = reached / kernel.values * (kernel.vectors.T @ residual)
    found: FloatArray = cross @ kernel.vectors @ modes
    return found
