"""Vectors of many trials as float32 rows apart from their scales, and passes over blocks of them.

A vector is a row of numbers of order one times a float64 scale. So float32 is enough for the numbers, at
half the memory and half the time of float64, and no size that a network can have leaves its range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from dynparam.support.arrays import FloatArray

Rows = NDArray[np.float32]

COLUMNS = 2**16
"""Columns of a block: 256 kB a row. Fewer pay more for the calls, more leave a core's cache."""

PIECE = 2**13
"""Columns of one inner product: too few for BLAS to divide it among threads.

Results depend on it in their last digits, so it is fixed.
"""

LARGEST = 1e30
"""A ratio of scales beyond which nothing of the smaller one is left in float32."""


@dataclass(frozen=True)
class Scaled:
    """Vectors ``scale * rows``.

    Attributes:
        rows: (trials, size), numbers of order one.
        scale: (trials,); where it is zero, so are the rows.
    """

    rows: Rows
    scale: FloatArray

    @classmethod
    def of(cls, vectors: FloatArray) -> Self:
        """These vectors (trials, size), each by its largest entry."""
        scale = np.abs(vectors).max(axis=1)
        return cls(ratio(vectors, scale[:, None]).astype(np.float32), scale)

    def vectors(self) -> FloatArray:
        """The vectors themselves: (trials, size)."""
        vectors: FloatArray = self.scale[:, None] * self.rows
        return vectors

    @property
    def size(self) -> int:
        """How many numbers a vector has."""
        return int(self.rows.shape[1])


def blocks(size: int) -> Iterator[slice]:
    """The columns of vectors of that size, ``COLUMNS`` at a time."""
    return (slice(start, min(start + COLUMNS, size)) for start in range(0, size, COLUMNS))


def dot(a: Rows, b: Rows) -> FloatArray:
    """Inner products of rows (trials, columns), each computed as if it were alone: (trials,)."""
    whole = a.shape[1] - a.shape[1] % PIECE
    products: FloatArray = np.vecdot(a[:, whole:], b[:, whole:]).astype(np.float64)
    if whole:
        pieces = len(a), whole // PIECE, PIECE
        products += np.vecdot(a[:, :whole].reshape(pieces), b[:, :whole].reshape(pieces)).sum(
            axis=1, dtype=np.float64
        )
    return products


def ratio(a: FloatArray, b: FloatArray) -> FloatArray:
    """A / b, and zero where b is: nothing can lie along a vector that vanishes."""
    quotients: FloatArray = np.divide(a, b, out=np.zeros_like(a), where=b != 0)
    return quotients


def relu(a: Rows, out: Rows) -> Rows:
    """ReLU of every number."""
    torch.clamp_min(torch.from_numpy(a), 0, out=torch.from_numpy(out))
    return out


def masked(a: Rows, where: Rows, out: Rows) -> Rows:
    """A where ``where`` is positive, and zero elsewhere."""
    # ReLU's own backward pass: numpy would take twice as long, for a mask and for a product.
    torch.ops.aten.threshold_backward.grad_input(
        torch.from_numpy(a), torch.from_numpy(where), 0, grad_input=torch.from_numpy(out)
    )
    return out


def multiply(a: Rows, factor: FloatArray, out: Rows) -> Rows:
    """Each trial's multiple of its row."""
    torch.mul(torch.from_numpy(a), _column(factor), out=torch.from_numpy(out))
    return out


def combine(a: Rows, factor: FloatArray, b: Rows, out: Rows) -> Rows:
    """A plus each trial's multiple of its row of ``b``, in one pass."""
    torch.addcmul(torch.from_numpy(a), torch.from_numpy(b), _column(factor), out=torch.from_numpy(out))
    return out


def add(a: Rows, factor: FloatArray, b: Rows) -> None:
    """Add to each trial's row its multiple of another, in place."""
    combine(a, factor, b, a)


def relu_change(z: Rows, h: Rows, change: Rows, scale: FloatArray, out: Rows, spare: Rows) -> Rows:
    """relu(scale z + change) - relu(scale z), with h = relu(z), by sums of small numbers alone.

    It is max(change + scale min(z, 0), -scale h): no difference of two large numbers, however small
    the change is beside z.
    """
    silent = torch.clamp_max(torch.from_numpy(z), 0, out=torch.from_numpy(out))
    torch.addcmul(torch.from_numpy(change), silent, _column(scale), out=silent)
    least = torch.from_numpy(multiply(h, -scale, spare))
    torch.maximum(silent, least, out=silent)
    return out


def _column(factor: FloatArray) -> torch.Tensor:
    return torch.from_numpy(factor.astype(np.float32)[:, None])
