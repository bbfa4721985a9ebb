"""Layers that train in place by SGD with momentum, for a stack of independent networks at once.

Every tensor has a leading axis, one entry per network (seed): on a GPU several narrow products become
one wide one; on a CPU the stack holds one network. A layer computes htilde = g W h and moves by

    v <- mu v + (1 - d) dL/dW,   W <- W - eta v,   dL/dW = g delta^T h,

where delta (stack, batch, n_out) is dL/dhtilde and h (stack, batch, n_in) its input. No gradient is ever
stored as a whole: on a GPU it is added to the momentum within its product, on a CPU it is made and used
block by block while it is in cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dynparam.training.products import decay_and_add, linear

UPDATE_BLOCK_BYTES = 4 << 20
"""Weights are updated in blocks of rows that stay in the processor's cache until they are done."""


@dataclass(frozen=True)
class MomentumRule:
    """eta, mu, d and lambda of the update v <- mu v + (1 - d) (gradient + lambda W), W <- W - eta v."""

    learning_rate: float
    momentum: float
    dampening: float
    decay: float = 0.0


def row_blocks(weights: Tensor) -> list[slice]:
    """Ranges of rows of (stack, rows, columns): blocks for a cache, or all at once on a GPU."""
    rows, columns = weights.shape[1:]
    if weights.device.type != "cpu":
        return [slice(0, rows)]
    size = max(1, UPDATE_BLOCK_BYTES // (weights.shape[0] * columns * weights.element_size()))
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]


class FirstLayer(Protocol):
    """What the first layer offers: its inputs are images, known by their indices."""

    weights: Tensor
    velocity: Tensor

    def forward(self, images: Tensor) -> Tensor:
        """The first preactivation of the images (stack, batch): (stack, batch, n_1)."""
        ...

    def forward_block(self, block: slice) -> Tensor:
        """The first preactivation of a range of images, for all networks: (stack, block, n_1)."""
        ...

    def step(self, delta: Tensor, images: Tensor, rule: MomentumRule) -> None:
        """One update from dL/dhtilde^1 (stack, batch, n_1) of the images (stack, batch)."""
        ...

    def refresh(self) -> None:
        """Take up weights that were written from outside."""
        ...


class DenseLayer:
    """A stack of matrices W (stack, n_out, n_in) with their velocity of the same shape.

    ``factors`` is the precision of the factors of products; where it is not that of the weights, a
    rounded copy of the weights is kept beside them.
    """

    def __init__(self, weights: Tensor, multiplier: float, factors: torch.dtype) -> None:
        """Train ``weights`` in place."""
        self.weights = weights
        self.velocity = torch.zeros_like(weights)
        self._multiplier = multiplier
        self._factor = weights.to(factors)  # the weights themselves where the precision is the same

    def forward(self, h: Tensor) -> Tensor:
        """The preactivation g W h: (stack, batch, n_in) to (stack, batch, n_out)."""
        return linear(h, self._factor).mul_(self._multiplier)

    def backward(self, delta: Tensor) -> Tensor:
        """dL/dh = g W^T delta: (stack, batch, n_out) to (stack, batch, n_in)."""
        return linear(delta, self._factor.mT).mul_(self._multiplier)

    def step(self, delta: Tensor, h: Tensor, rule: MomentumRule) -> None:
        """One update from delta (stack, batch, n_out) and the input h (stack, batch, n_in)."""
        scaled = (delta * (self._multiplier * (1 - rule.dampening))).mT
        for rows in row_blocks(self.weights):
            decay_and_add(self.velocity[:, rows], scaled[:, rows], h.mT, rule.momentum)
            if rule.decay:
                share = rule.decay * (1 - rule.dampening)
                self.velocity[:, rows].add_(self.weights[:, rows], alpha=share)
            self._move(rows, rule)

    def refresh(self) -> None:
        """Take up weights that were written from outside."""
        if self._factor is not self.weights:
            self._factor.copy_(self.weights)

    def _move(self, rows: slice, rule: MomentumRule) -> None:
        weights = self.weights[:, rows]
        weights.add_(self.velocity[:, rows], alpha=-rule.learning_rate)
        if self._factor is not self.weights:
            self._factor[:, rows] = weights


class PrimalFirstLayer(DenseLayer):
    """The first layer as a matrix, on images (all, n_0) known by their indices."""

    def __init__(self, weights: Tensor, multiplier: float, factors: torch.dtype, inputs: Tensor) -> None:
        """Train ``weights`` (stack, n_1, n_0) in place on ``inputs``."""
        super().__init__(weights, multiplier, factors)
        self._inputs = inputs.to(factors)

    def forward(self, images: Tensor) -> Tensor:
        """The first preactivation of the images (stack, batch): (stack, batch, n_1)."""
        return super().forward(self._inputs[images])

    def forward_block(self, block: slice) -> Tensor:
        """The first preactivation of a range of images: (stack, block, n_1)."""
        return super().forward(self._inputs[block])

    def step(self, delta: Tensor, images: Tensor, rule: MomentumRule) -> None:
        """One update from dL/dhtilde^1 (stack, batch, n_1) of the images (stack, batch)."""
        super().step(delta, self._inputs[images], rule)


class DualFirstLayer:
    """The first layer as coefficients of the training images: W(t) = W(0) + C(t)^T X.

    Every gradient g delta^T x lies in the span of the training images X (train, n_0), so C (stack,
    train, n_1) and its velocity move by the same rule as W, only that a batch touches its own rows,
    and htilde^1 of any image x follows from the Gram matrix:

        htilde^1(x) = g W(0) x + g C^T (X x).

    Exact, with train * n_1 numbers in place of n_0 * n_1. ``weights`` are the coefficients C.
    """

    def __init__(
        self,
        initial: Tensor,
        multiplier: float,
        factors: torch.dtype,
        inputs: Tensor,
        gram: Tensor,
    ) -> None:
        """Start from W(0) = ``initial`` (stack, n_1, n_0); ``gram`` (all, train) holds <x, x'>."""
        train = gram.shape[1]
        self._initial = torch.matmul(inputs, initial.mT).mul_(multiplier)
        self._gram = gram.to(factors)
        self._multiplier = multiplier
        self._stack = torch.arange(len(initial), device=initial.device)[:, None]
        self.weights = initial.new_zeros(len(initial), train, initial.shape[1])
        self.velocity = torch.zeros_like(self.weights)
        self._factor = self.weights.to(factors)

    def forward(self, images: Tensor) -> Tensor:
        """The first preactivation of the images (stack, batch): (stack, batch, n_1)."""
        moved = linear(self._gram[images], self._factor.mT).mul_(self._multiplier)
        return moved.add_(self._initial[self._stack, images])

    def forward_block(self, block: slice) -> Tensor:
        """The first preactivation of a range of images: (stack, block, n_1)."""
        moved = linear(self._gram[block], self._factor.mT).mul_(self._multiplier)
        return moved.add_(self._initial[:, block])

    def step(self, delta: Tensor, images: Tensor, rule: MomentumRule) -> None:
        """One update from dL/dhtilde^1 (stack, batch, n_1) of training images (stack, batch)."""
        gradient = delta.to(self.velocity.dtype) * (self._multiplier * (1 - rule.dampening))
        for rows in row_blocks(self.weights):
            velocity, weights = self.velocity[:, rows], self.weights[:, rows]
            velocity.mul_(rule.momentum)
            weights.add_(velocity, alpha=-rule.learning_rate)
        # Last the batch's own rows; no image is twice in a batch, so they are distinct.
        self.velocity[self._stack, images] += gradient
        self.weights[self._stack, images] -= rule.learning_rate * gradient
        self.refresh()

    def refresh(self) -> None:
        """Take up coefficients that were written from outside."""
        if self._factor is not self.weights:
            self._factor.copy_(self.weights)
