"""The losses of gradient descent, one step at a time, so that a run can end when it has seen enough.

The program asks of a matrix for its products and for moves of low rank (``TrainedMatrix``). So it runs
on weights that are stored (``StoredMap``), where a step costs what the weights do, and on weights that
exist in law only (``trajectory.TrainedMap`` of ``gaussian_matrix.GaussianMatrix``), where step t costs t
vectors as long as the layers are wide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from dynparam.engines.gaussian_matrix import GaussianMatrix
from dynparam.engines.law import require_memory
from dynparam.engines.network import LinearMap, backward, draw_weights, forward
from dynparam.engines.trajectory import TrainedMap, check_batches
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths


class TrainedMatrix(LinearMap, Protocol):
    """A matrix that SGD with momentum moves."""

    def accelerate(self, momentum: float, gradient: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Velocity <- momentum * velocity + sum_k a_k b_k^T over the pairs (a, b) of ``gradient``."""
        ...

    def move(self, learning_rate: float) -> None:
        """W <- W - learning_rate * velocity."""
        ...


WAITING = 8
"""Moves of rank one that a stored matrix adds together: to add one reads and writes it all."""


class StoredMap:
    """A stored matrix (n_out, n_in) that SGD moves in place; products are of its precision.

    Without momentum there is no velocity to store: moves of rank one wait as pairs of vectors, which
    every product takes into account, until there are ``WAITING`` of them.
    """

    def __init__(self, weight: Tensor) -> None:
        """Start at ``weight``, at rest."""
        self._weight = weight
        self._velocity: Tensor | None = None
        self._gradient: list[tuple[Tensor, Tensor]] = []
        # The matrix is weight - left^T right, of the first ``waiting`` rows of both.
        self._waiting = 0
        self._left = weight.new_empty(WAITING, len(weight))
        self._right = weight.new_empty(WAITING, weight.shape[1])

    def times(self, u: Tensor) -> Tensor:
        """W u: (n_in,) to (n_out,)."""
        u_here = u.to(self._weight.dtype)
        left, right = self._moves()
        return (self._weight @ u_here - left.T @ (right @ u_here)).to(u.dtype)

    def transpose_times(self, v: Tensor) -> Tensor:
        """W^T v: (n_out,) to (n_in,)."""
        v_here = v.to(self._weight.dtype)
        left, right = self._moves()
        return (self._weight.T @ v_here - right.T @ (left @ v_here)).to(v.dtype)

    def accelerate(self, momentum: float, gradient: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Velocity <- momentum * velocity + sum_k a_k b_k^T over the pairs (a, b) of ``gradient``."""
        self._gradient = [(a.to(self._weight.dtype), b.to(self._weight.dtype)) for a, b in gradient]
        if momentum:
            if self._velocity is None:
                self._velocity = torch.zeros_like(self._weight)
            self._velocity.mul_(momentum)
            for a, b in self._gradient:
                self._velocity.addr_(a, b)

    def move(self, learning_rate: float) -> None:
        """W <- W - learning_rate * velocity."""
        if self._velocity is not None:
            self._weight.sub_(self._velocity, alpha=learning_rate)
            return
        for a, b in self._gradient:
            self._left[self._waiting] = learning_rate * a
            self._right[self._waiting] = b
            self._waiting += 1
            if self._waiting == WAITING:
                self._weight.addmm_(self._left.T, self._right, alpha=-1)
                self._waiting = 0

    def _moves(self) -> tuple[Tensor, Tensor]:
        """The rows of ``left`` and ``right`` that wait."""
        return self._left[: self._waiting], self._right[: self._waiting]


def stored_maps(
    widths: Widths, scales: LayerScales, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> list[StoredMap]:
    """Newly drawn weights, stored. Raises ``ConfigError`` for widths beyond this machine's memory."""
    require_memory(widths, dtype.itemsize * widths.weight_count)
    return [StoredMap(weight) for weight in draw_weights(widths, scales, generator, dtype)]


def law_maps(widths: Widths, scales: LayerScales, generator: torch.Generator) -> list[TrainedMap]:
    """Newly drawn weights that exist in law only; their memory grows with the steps."""
    return [
        TrainedMap(GaussianMatrix(fan_in, fan_out, std, generator))
        for (fan_in, fan_out), std in zip(widths.layers(), scales.init_std, strict=True)
    ]


def law_memory_bytes(widths: Widths, steps: int, images: int = 1) -> int:
    """What ``losses`` on ``law_maps`` needs for so many steps with so many images each.

    Every image of a step leaves a pair of vectors of each side of each matrix, and the two factors of
    its gradient: all in rows with room for twice as many, four at least.
    """
    per_layer = sum(fan_in + fan_out for fan_in, fan_out in widths.layers())
    products = steps * images
    return 8 * per_layer * 3 * max(4, 2 * products)


def losses(
    maps: Sequence[TrainedMatrix],
    scales: LayerScales,
    images: Tensor,
    targets: Tensor,
    learning_rate: float,
    momentum: float = 0.0,
) -> Iterator[float]:
    """The loss before every step of SGD with momentum, on the images (images, n_0) of every step.

    Targets are (images, n_L); the loss is the mean of 1/2 ||f - y||^2. A step is taken when the next
    loss is asked for, without an end. Raises ``ConfigError`` for shapes that do not fit.

    Examples:
        >>> from itertools import islice
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths, random = Widths((64, 1000, 100, 1000, 2)), torch.Generator().manual_seed(0)
        >>> scales = layer_scales("dynamic", widths)
        >>> x, y = torch.ones(1, 64), torch.tensor([[1.0, 0.0]])
        >>> found = losses(stored_maps(widths, scales, random), scales, x, y, learning_rate=0.05)
        >>> [loss < 0.25 for loss in islice(found, 5)]
        [False, False, False, True, True]
    """
    check_batches(images[None], targets[None])
    images, targets = images.double(), targets.double()
    while True:
        forwards = [forward(maps, scales, x) for x in images]
        square = sum((z[-1] - y).square().sum().item() for z, y in zip(forwards, targets, strict=True))
        yield square / 2 / len(images)
        errors = [backward(maps, scales, z, y) for z, y in zip(forwards, targets, strict=True)]
        for layer, (w, g) in enumerate(zip(maps, scales.multiplier, strict=True)):
            inputs = images if layer == 0 else [z[layer - 1].relu() for z in forwards]
            share = g / len(images)
            w.accelerate(momentum, [(share * d[layer], h) for d, h in zip(errors, inputs, strict=True)])
            w.move(learning_rate)
