"""The Fisher information of outputs, through their kernel: sharpness, and what normalizing does to it.

For T inputs and C outputs the Fisher information of the squared loss is the mean over inputs of
sum_c grad f_c grad f_c^T. Its nonzero eigenvalues are those of Theta / T, with the neural tangent kernel
Theta of all outputs (Karakida and others 2019). Gradient descent on (1/2T) |f - y|^2 is stable up to the
learning rate 2 / lambda_max, where the kernel does not move.

Where the outputs are normalized, z = N(f), the kernel is J Theta J^T with J = dz/df, taken through the
statistics too. Each is a projection on the inputs or on the outputs:

    mean   z = f - mean over inputs,             J = P = I - 1 1^T / T           for each output,
    batch  z = (f - mean) / s over inputs,       J = (P - z z^T / T) / s         for each output,
    layer  z = (f - mean) / s over outputs,      J = (I - 1 1^T / C - z z^T / C) / s   for each input.

s^2 is the variance with divisor T, or C. There are no weights or biases after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, aslinearoperator, eigsh

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError, NonFiniteError

Normalization = Literal["none", "mean", "batch", "layer"]

FEWEST = {"none": 1, "mean": 2, "batch": 3, "layer": 3}
"""Inputs, or outputs, below which nothing of the kernel is left: two numbers normalized are 1 and -1."""

DIRECT = 200
"""Rows of a matrix up to which all eigenvalues cost no more than one."""

ROUNDING = 1e-12
"""A deviation below this share of the values themselves is that of rounding."""


def of_outputs(kernel: FloatArray, outputs: int) -> FloatArray:
    """The wide kernel of one output (T, T) for C of them: (C, T, C, T), zero between different ones.

    Raises ``ConfigError`` for fewer than one output.

    Examples:
        >>> of_outputs(np.array([[2.0, 1.0], [1.0, 3.0]]), 2)[1, 0].tolist()
        [[0.0, 0.0], [2.0, 1.0]]
    """
    if outputs < 1:
        raise ConfigError(f"a network of {outputs} outputs has no kernel; it needs one or more")
    found: FloatArray = np.einsum("cd,st->csdt", np.eye(outputs), kernel)
    return found


def sharpness(kernel: FloatArray) -> float:
    """The largest eigenvalue of the Fisher information of a kernel (C, T, C, T): that of Theta / T.

    Raises ``ConfigError`` for a kernel of another shape, ``NonFiniteError`` for one that is not finite.

    Examples:
        >>> round(sharpness(of_outputs(np.array([[2.0, 1.0], [1.0, 2.0]]), 3)), 6)
        1.5
    """
    matrix, inputs = _matrix(kernel)
    return _largest_eigenvalue(matrix) / inputs


def spectrum(kernel: FloatArray) -> FloatArray:
    """All eigenvalues of Theta / T for a kernel (C, T, C, T), falling: (C T,).

    Those of the Fisher information, but for its zeros. Raises as ``sharpness`` does.

    Examples:
        >>> spectrum(of_outputs(np.array([[2.0, 1.0], [1.0, 2.0]]), 2)).round(6).tolist()
        [1.5, 1.5, 0.5, 0.5]
    """
    matrix, inputs = _matrix(kernel)
    found: FloatArray = np.linalg.eigvalsh(matrix)[::-1] / inputs
    return found


def normalized_kernel(
    kernel: FloatArray, values: FloatArray, normalization: Normalization
) -> FloatArray:
    """J Theta J^T, the kernel of normalized outputs: (C, T, C, T).

    ``kernel`` (C, T, C, T) is that of the outputs ``values`` (T, C). Raises ``ConfigError`` for an
    unknown normalization, other shapes or too few inputs or outputs, and ``DataError`` where values that
    are normalized together are all equal.

    Examples:
        >>> kernel = of_outputs(np.array([[2.0, 1.0], [1.0, 2.0]]), 1)
        >>> normalized_kernel(kernel, np.zeros((2, 1)), "mean")[0, :, 0].tolist()
        [[0.5, -0.5], [-0.5, 0.5]]
    """
    outputs, inputs = kernel_shape(kernel)
    _require_normalizable(kernel, values, normalization)
    if normalization == "none":
        return kernel
    if normalization == "layer":
        slopes = _slopes(values, "an input")
        found: FloatArray = np.einsum("sce,esft,tdf->csdt", slopes, kernel, slopes, optimize=True)
        return found
    if normalization == "batch":
        slopes = _slopes(values.T, "an output")
    else:
        slopes = np.broadcast_to(_centring(inputs), (outputs, inputs, inputs))
    found = np.einsum("csa,cadb,dtb->csdt", slopes, kernel, slopes, optimize=True)
    return found


def normalized_sharpness(kernel: FloatArray, values: FloatArray, normalization: Normalization) -> float:
    """``sharpness`` of ``normalized_kernel``, which is not formed: J and Theta are applied to vectors.

    Takes and raises what these two do.

    Examples:
        >>> kernel = of_outputs(np.array([[2.0, 1.0], [1.0, 2.0]]), 1)
        >>> [round(normalized_sharpness(kernel, np.zeros((2, 1)), one), 6) for one in ("none", "mean")]
        [1.5, 0.5]
    """
    outputs, inputs = kernel_shape(kernel)
    rows = outputs * inputs
    if normalization == "none" or rows <= DIRECT:
        return sharpness(normalized_kernel(kernel, values, normalization))
    _require_normalizable(kernel, values, normalization)
    _require_finite(kernel)
    matrix = kernel.reshape(rows, rows)
    slope = _slope_of(values, normalization)

    def times(vector: FloatArray) -> FloatArray:
        """J Theta J^T times a vector (C T,). J is symmetric: projections over deviations."""
        inner = matrix @ slope(vector.reshape(outputs, inputs)).ravel()
        return slope(inner.reshape(outputs, inputs)).ravel()

    operator = LinearOperator((rows, rows), matvec=times, dtype=np.float64)
    found = _by_lanczos(operator)
    if found is None:
        return sharpness(normalized_kernel(kernel, values, normalization))
    return found / inputs


def _require_normalizable(kernel: FloatArray, values: FloatArray, normalization: Normalization) -> None:
    """Raise ``ConfigError`` for an unknown normalization, other shapes or too few of what it needs."""
    outputs, inputs = kernel_shape(kernel)
    if normalization not in get_args(Normalization):
        known = ", ".join(get_args(Normalization))
        raise ConfigError(f"unknown normalization {normalization!r}; choose one of {known}")
    if values.shape != (inputs, outputs):
        raise ConfigError(
            f"outputs of shape {values.shape} do not fit a kernel of {outputs} outputs, {inputs} inputs"
        )
    along, what = (outputs, "outputs") if normalization == "layer" else (inputs, "inputs")
    if along < FEWEST[normalization]:
        raise ConfigError(
            f"{normalization} normalization over {along} {what} leaves no kernel; it needs "
            f"{FEWEST[normalization]} or more"
        )


def _slope_of(values: FloatArray, normalization: Normalization) -> Callable[[FloatArray], FloatArray]:
    """What takes v to J v, both (C, T)."""
    axis, owner = (0, "an input") if normalization == "layer" else (1, "an output")
    if normalization == "mean":
        return lambda v: v - v.mean(axis=axis, keepdims=True)
    z, deviation = _standardized(values.T, axis, owner)

    def apply(v: FloatArray) -> FloatArray:
        """J v of standardized values, both (C, T)."""
        centred = v - v.mean(axis=axis, keepdims=True)
        found: FloatArray = (centred - z * (z * v).mean(axis=axis, keepdims=True)) / deviation
        return found

    return apply


def _by_lanczos(matrix: LinearOperator[np.float64]) -> float | None:
    """The largest eigenvalue, from a fixed start; ``None`` if the iteration does not end."""
    start = np.random.default_rng(0).normal(size=matrix.shape[0])
    try:
        return float(eigsh(matrix, k=1, which="LA", v0=start, return_eigenvectors=False)[0])
    except ArpackNoConvergence:
        return None


def kernel_shape(kernel: FloatArray) -> tuple[int, int]:
    """C and T of a kernel of all outputs, (C, T, C, T). Raises ``ConfigError`` for another shape."""
    if kernel.ndim != 4 or kernel.shape[:2] != kernel.shape[2:] or not kernel.size:
        raise ConfigError(f"a kernel of shape {kernel.shape} is not one of all outputs, (C, T, C, T)")
    return kernel.shape[0], kernel.shape[1]


def _matrix(kernel: FloatArray) -> tuple[FloatArray, int]:
    """A kernel as a symmetric matrix (C T, C T), and T. Raises as ``sharpness`` says."""
    outputs, inputs = kernel_shape(kernel)
    matrix = kernel.reshape(outputs * inputs, outputs * inputs)
    _require_finite(matrix)
    return (matrix + matrix.T) / 2, inputs


def _largest_eigenvalue(matrix: FloatArray) -> float:
    """By Lanczos iteration where that is faster, from a fixed start; to rounding either way.

    LAPACK's routine for one eigenvalue is no choice: it gives up where many are equal, as here.
    """
    found = _by_lanczos(aslinearoperator(matrix)) if len(matrix) > DIRECT else None
    return float(np.linalg.eigvalsh(matrix)[-1]) if found is None else found


def _centring(count: int) -> FloatArray:
    return np.eye(count) - 1 / count


def _slopes(values: FloatArray, owner: str) -> FloatArray:
    """dz/df of (f - mean) / s along the last axis: (m, k) to (m, k, k)."""
    count = values.shape[1]
    z, deviation = _standardized(values, 1, owner)
    projected = _centring(count) - np.einsum("ms,mt->mst", z, z) / count
    slopes: FloatArray = projected / deviation[:, :, None]
    return slopes


def _standardized(values: FloatArray, axis: int, owner: str) -> tuple[FloatArray, FloatArray]:
    """The values standardized along an axis, and s, which keeps it.

    Raises ``DataError`` where s is that of rounding.
    """
    centred = values - values.mean(axis=axis, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=axis, keepdims=True))
    flat = deviation <= ROUNDING * np.abs(values).max(axis=axis, keepdims=True)
    if flat.any() or not np.isfinite(deviation).all():
        raise DataError(
            f"{owner} has values without a spread, or not finite, so that they cannot be normalized; "
            f"check the network's outputs"
        )
    return centred / deviation, deviation


def _require_finite(kernel: FloatArray) -> None:
    if not np.isfinite(kernel).all():
        raise NonFiniteError(
            "the kernel is not finite, so that it has no eigenvalues; check the weights"
        )
