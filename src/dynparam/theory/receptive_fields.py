"""Kernels of a network whose first layer sees an image through windows, or with correlated weights.

A unit at the position z of a G by G grid has the preactivation sqrt(2) sum_u W_z(u) m_z(u) x(u), with a
Gaussian window m_z of radius r and sum_u m_z(u)^2 = 1, the same for every channel. Weights of different
pixels of a channel have the correlation C(u, u') = exp(-|u - u'|^2 / (2 l^2)). A dense ReLU layer and a
readout follow. With covariances over pairs of images, and P and D for E phi phi and E phi' phi' times 2,

    Sigma_z = <m_z x, C m_z x'>,   A = mean_z P(Sigma_z),   Theta_1 = mean_z Sigma_z D(Sigma_z),
    NTK = P(A) + D(A) (A + Theta_1)

in the limit of many units at every position. The weights are W = B w with C = B^2, and training moves
the independent w. Without windows (r infinite) correlated weights are therefore those of a dense network
on the blurred images B x, kernel for kernel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError
from dynparam.support.memory import require_memory
from dynparam.support.numbers import as_whole
from dynparam.theory.activations import relu_pair
from dynparam.theory.inner_products import checked_inputs


@dataclass(frozen=True)
class Fields:
    """What units of the first layer see.

    Attributes:
        grid: G, positions along each side of the image, at the centres of G by G equal cells.
        radius: r of the windows, in sides of the image; infinite: every unit sees all of it.
        correlation: l of weights, in pixels; zero: all are independent.
    """

    grid: int = 1
    radius: float = math.inf
    correlation: float = 0.0

    def __post_init__(self) -> None:
        """Raise ``ConfigError`` for what is no window."""
        if (as_whole(self.grid) or 0) < 1:
            raise ConfigError(f"a grid of {self.grid!r} positions a side is none; give 1 or more")
        if not self.radius > 0:
            raise ConfigError(f"windows of radius {self.radius} hold no pixel; give a positive radius")
        if not 0 <= self.correlation < math.inf:
            raise ConfigError(
                f"weights cannot be correlated over {self.correlation} pixels; give zero or a finite "
                f"number above"
            )

    @property
    def positions(self) -> int:
        """Positions along a side that differ: one without windows."""
        return self.grid if math.isfinite(self.radius) else 1


DENSE = Fields()
"""Every unit sees all of the image, with independent weights."""


class Covariances(NamedTuple):
    """Sigma_z of one position.

    Attributes:
        cross: of images with the others, (T, T').
        rows: of every image with itself, (T,).
        columns: of every other with itself, (T',).
    """

    cross: FloatArray
    rows: FloatArray
    columns: FloatArray


def profiles(side: int, fields: Fields) -> FloatArray:
    """Windows along one side of an image of ``side`` pixels, of unit square sum: (positions, side).

    The window at row k and column k' is the product of profile k down and k' across. One too narrow to
    reach a pixel from between two holds the nearest.

    Examples:
        >>> np.square(profiles(4, Fields(2, 0.25))).round(3).tolist()
        [[0.468, 0.468, 0.063, 0.001], [0.001, 0.063, 0.468, 0.468]]
        >>> profiles(4, DENSE).tolist()
        [[0.5, 0.5, 0.5, 0.5]]
    """
    pixels = (np.arange(side) + 0.5) / side
    centres = (np.arange(fields.positions) + 0.5) / fields.positions
    apart = np.abs(pixels - centres[:, None])
    nearest = apart.min(axis=1, keepdims=True)
    # Relative to the nearest pixel's, so that narrow windows do not vanish.
    with np.errstate(over="ignore"):
        further = (apart - nearest) * (apart + nearest) / fields.radius / fields.radius
        heights = np.exp(-further / 2)
    found: FloatArray = heights / np.sqrt(np.square(heights).sum(axis=1, keepdims=True))
    return found


def coverage(side: int, fields: Fields) -> FloatArray:
    """How much of each pixel the units see, the root of mean_z m_z(u)^2: (side, side).

    Windows overlap unevenly. A dense network on images times this gives every pixel the same weight as
    windows do, without being local: A(x, x) is the same. Multiply by ``side`` for weights around one.

    Examples:
        >>> np.square(coverage(4, Fields(2, 0.25))).round(3)[0].tolist()
        [0.055, 0.062, 0.062, 0.055]
    """
    along = np.sqrt(np.square(profiles(side, fields)).mean(axis=0))
    found: FloatArray = np.multiply.outer(along, along)
    return found


def correlations(side: int, fields: Fields) -> FloatArray:
    """exp(-(i - j)^2 / (2 l^2)) of pixels i and j along a side, whose products are C: (side, side).

    Examples:
        >>> correlations(3, Fields(correlation=1.0)).round(3).tolist()
        [[1.0, 0.607, 0.135], [0.607, 1.0, 0.607], [0.135, 0.607, 1.0]]
        >>> correlations(2, DENSE).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    if fields.correlation == 0:
        return np.eye(side)
    apart = np.subtract.outer(np.arange(side), np.arange(side)) / fields.correlation
    found: FloatArray = np.exp(-np.square(apart) / 2)
    return found


def blurred(images: ArrayLike, fields: Fields) -> FloatArray:
    """B x with B^2 = C, channel by channel: images (T, channels, side, side).

    C is nearly singular for large l. What rounding leaves of eigenvalues below zero counts as zero.
    Raises as ``field_kernel`` does.

    Examples:
        >>> blurred([[[[2.0, 0.0], [0.0, 0.0]]]], Fields(correlation=1.0)).round(2).tolist()
        [[[[1.8, 0.61], [0.61, 0.2]]]]
    """
    array = _images(images, "images")
    values, vectors = np.linalg.eigh(correlations(array.shape[-1], fields))
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    found: FloatArray = root @ array @ root
    return found


def covariances(
    images: ArrayLike, others: ArrayLike | None = None, fields: Fields = DENSE
) -> Iterator[Covariances]:
    """Sigma_z of every position, column by column. Takes and raises what ``field_kernel`` does.

    Examples:
        >>> images = [[[[1.0, 0.0], [0.0, 0.0]]], [[[1.0, 1.0], [1.0, 1.0]]]]
        >>> [one.cross.round(6).tolist() for one in covariances(images)]  # <x, x'> / 4
        [[[0.25, 0.25], [0.25, 1.0]]]
    """
    left = _images(images, "images", at_least=2)
    right = left if others is None else _images(others, "others")
    if left.shape[1:] != right.shape[1:]:
        raise ConfigError(
            f"the images have the shape {left.shape[1:]} and the others {right.shape[1:]}; both must "
            f"have the same"
        )
    way = _correlated if fields.correlation else _independent
    every = way(left, right, profiles(left.shape[-1], fields), fields)
    for place, found in enumerate(every, start=1):
        for values, name in ((found.rows, "images"), (found.columns, "others")):
            if not (values > 0).all():
                raise DataError(
                    f"units at position {place} of {fields.positions**2} see nothing of image "
                    f"{np.argmin(values)} of the {name}, which has no direction there; take wider "
                    f"windows or leave it out"
                )
        yield found


def field_kernel(
    images: ArrayLike, others: ArrayLike | None = None, fields: Fields = DENSE
) -> FloatArray:
    """The neural tangent kernel of images (T, channels, side, side) with others or themselves: (T, T').

    Raises ``ConfigError`` for images of other shapes, not of numbers or more than fit into memory, and
    ``DataError`` for fewer than two images, or one that is not finite or of which units at some position
    see nothing.

    Examples:
        >>> images = [[[[1.0, 0.0], [0.0, 0.0]]], [[[1.0, 1.0], [1.0, 1.0]]]]
        >>> field_kernel(images).round(3).tolist()
        [[0.75, 0.676], [0.676, 3.0]]
        >>> field_kernel(images, fields=Fields(2, 0.5)).round(3).tolist()
        [[0.75, 0.673], [0.673, 3.0]]
    """
    value = first = rows = columns = np.zeros(())
    count = fields.positions**2
    for found in covariances(images, others, fields):
        moments = relu_pair(found.rows[:, None], found.columns, found.cross)
        value = value + moments.value * (2 / count)
        first = first + moments.slope * found.cross * (2 / count)
        # E phi(u)^2 is half of the variance, so that A is the mean of variances at equal images.
        rows = rows + found.rows / count
        columns = columns + found.columns / count
    last = relu_pair(rows[:, None], columns, value)
    kernel: FloatArray = 2 * (last.value + last.slope * (value + first))
    return kernel


def _independent(
    left: FloatArray, right: FloatArray, windows: FloatArray, fields: Fields
) -> Iterator[Covariances]:
    """Of independent weights: rows of pixels under one window across serve all windows down."""
    squares = np.square(windows)
    require_memory(
        8 * (left.shape[-1] + 3) * len(left) * len(right),
        f"covariances of {len(left)} by {len(right)} images",
        "take fewer images",
    )
    for across in squares:
        products = _by_row(left * across, right)
        own = [np.einsum("tcij,j->it", np.square(one), across) for one in (left, right)]
        for down in squares:
            cross: FloatArray = np.tensordot(down, products, axes=1)
            yield Covariances(cross, *(down @ one for one in own))


def _by_row(left: FloatArray, right: FloatArray) -> FloatArray:
    """Inner products of every row of pixels, over columns and channels: (side, T, T')."""
    rows = [np.moveaxis(one, 2, 0).reshape(one.shape[2], len(one), -1) for one in (left, right)]
    found: FloatArray = rows[0] @ rows[1].transpose(0, 2, 1)
    return found


def _correlated(
    left: FloatArray, right: FloatArray, windows: FloatArray, fields: Fields
) -> Iterator[Covariances]:
    """Of correlated weights, by C itself and not by its root."""
    require_memory(
        8 * 3 * len(left) * len(right),
        f"covariances of {len(left)} by {len(right)} images",
        "take fewer images",
    )
    correlation = correlations(left.shape[-1], fields)
    for across in windows:
        for down in windows:
            seen = [one * np.outer(down, across) for one in (left, right)]
            spread = [correlation @ one @ correlation for one in seen]
            cross: FloatArray = seen[0].reshape(len(left), -1) @ spread[1].reshape(len(right), -1).T
            own = (np.einsum("tcij,tcij->t", a, b) for a, b in zip(seen, spread, strict=True))
            yield Covariances(cross, *own)


def _images(images: ArrayLike, name: str, *, at_least: int = 1) -> FloatArray:
    """As doubles. Raises as ``field_kernel`` does."""
    try:
        array = np.asarray(images)
        count, channels, side, width = array.shape
    except ValueError:
        raise ConfigError(f"the {name} are no array of (images, channels, side, side)") from None
    if side != width or not channels * side:
        raise ConfigError(f"the {name} have the shape {array.shape}, and no square of pixels; crop them")
    flat, _ = checked_inputs(array.reshape(count, channels * side * side), name, at_least=at_least)
    return flat.reshape(count, channels, side, side)
