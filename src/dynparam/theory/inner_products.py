"""Inner products of inputs: all that kernels of a wide network ask of the data.

Nothing is assumed of the inputs: images as they are enter pair by pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError, NonFiniteError

PARALLEL = 1e-14
"""Cosines within this of one count as one: some tens of roundings of a double."""


@dataclass(frozen=True)
class InnerProducts:
    """Inner products of T inputs with T' others, or with themselves.

    Attributes:
        cross: <x_s, x'_t>, (T, T').
        rows: |x_s|^2, (T,).
        columns: |x'_t|^2, (T',).
        features: n_0, the numbers in an input.
        symmetric: whether the others are the inputs themselves.
    """

    cross: FloatArray
    rows: FloatArray
    columns: FloatArray
    features: int
    symmetric: bool

    def require_independent(self) -> None:
        """Raise ``DataError`` naming two inputs that are equal up to a positive factor.

        The ReLU network without biases maps such inputs to multiples of each other, so that kernels
        on them are singular. Kernels are computed all the same; ask before solving with one.
        """
        found = self.cross >= (1 - PARALLEL) * np.sqrt(self.rows[:, None] * self.columns)
        if self.symmetric:
            found = np.triu(found, 1)
        if found.any():
            s, t = np.argwhere(found)[0]
            raise DataError(
                f"inputs {s} and {t} are equal up to a positive factor, so that their kernel is "
                f"singular; leave one of them out"
            )


def inner_products(inputs: ArrayLike, others: ArrayLike | None = None) -> InnerProducts:
    """Of the rows of ``inputs`` (T, n_0) with those of ``others`` (T', n_0), or with themselves.

    Raises ``DataError`` for fewer than two inputs, an input that is zero everywhere (it has no angle to
    any other) or that is not finite, and ``ConfigError`` for arrays of other shapes or not of numbers.

    Examples:
        >>> found = inner_products([[3.0, 4.0], [0.0, 2.0]])
        >>> found.cross.tolist(), found.rows.tolist()
        ([[25.0, 8.0], [8.0, 4.0]], [25.0, 4.0])
        >>> inner_products([[3.0, 4.0], [0.0, 2.0]], [[1.0, 0.0]]).cross.tolist()
        [[3.0], [0.0]]
    """
    left, rows = checked_inputs(inputs, "inputs", at_least=2)
    right, columns = (left, rows) if others is None else checked_inputs(others, "others")
    if right.shape[1] != left.shape[1]:
        raise ConfigError(
            f"the inputs hold {left.shape[1]} numbers each and the others {right.shape[1]}; both must "
            f"hold n_0"
        )
    cross = left @ right.T
    if others is None:
        np.fill_diagonal(cross, rows)
    return InnerProducts(cross, rows, columns, left.shape[1], others is None)


def checked_inputs(inputs: ArrayLike, name: str, *, at_least: int = 1) -> tuple[FloatArray, FloatArray]:
    """Inputs as doubles, (T, n_0), and their squared norms, (T,). Raises as ``inner_products`` does."""
    array = _matrix(inputs, name)
    if len(array) < at_least:
        raise DataError(
            f"a kernel compares inputs and there are {len(array)} {name}; give {at_least} or more"
        )
    return array, _squares(array, name)


def _matrix(inputs: ArrayLike, name: str) -> FloatArray:
    """As doubles. Raises if they are not a matrix of finite numbers."""
    if isinstance(inputs, np.ndarray) and np.iscomplexobj(inputs):
        raise ConfigError(f"the {name} are complex; a network takes real numbers")
    try:
        array = np.asarray(inputs, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as problem:
        raise ConfigError(f"the {name} are not a matrix of numbers: {problem}") from problem
    if array.ndim != 2 or array.shape[1] == 0:
        raise ConfigError(f"the {name} have the shape {array.shape}; they must be (inputs, n_0)")
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        raise DataError(
            f"row {np.argmax(bad)} of the {name} is not finite; check what it was read from and its "
            f"normalization"
        )
    return array


def _squares(array: FloatArray, name: str) -> FloatArray:
    """|x|^2 of every row. Raises if one is zero, or beyond a double."""
    with np.errstate(over="ignore"):
        found: FloatArray = np.einsum("ij,ij->i", array, array)
    if not found.all():
        row = np.argmin(found)
        what = "is too small to be squared" if array[row].any() else "is zero everywhere"
        raise DataError(f"row {row} of the {name} {what}, so that it has no direction; leave it out")
    if not np.isfinite(found).all():
        row = np.argmin(np.isfinite(found))
        raise NonFiniteError(f"the squared norm of row {row} of the {name} is infinite; scale it down")
    return found
