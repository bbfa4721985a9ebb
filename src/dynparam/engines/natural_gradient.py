"""One step of gradient descent, or of a natural gradient, on all inputs at once.

The loss is (1/2N) |f - y|^2 over N inputs; what a network has to unlearn is r = f - y. Natural gradients
are taken without damping in the space of inputs (``theory.natural_gradient``): no matrix of weights by
weights is formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dynparam.engines import empirical_ntk
from dynparam.engines.network import MLP
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError
from dynparam.theory import natural_gradient as theory
from dynparam.theory.natural_gradient import Approximation
from dynparam.theory.widths import Widths


@dataclass(frozen=True)
class Point:
    """A network at work on inputs.

    Attributes:
        weights: W^l, (n_l, n_{l-1}), in double precision.
        multiplier: g_l.
        images: X, (N, n_0).
        residual: r = f - y, (N, C).
    """

    weights: Sequence[Tensor]
    multiplier: Sequence[float]
    images: Tensor
    residual: Tensor


def gradient(point: Point) -> list[Tensor]:
    """The gradients of the loss for W^1 ... W^L: those by autograd of (1/2N) |f - y|^2."""
    factors = _Factors.of(point)
    same = (point.residual / len(point.residual)).expand(len(point.weights), -1, -1)
    return factors.combined(same, point.multiplier)


def natural_gradient(approximation: Approximation, point: Point) -> list[Tensor]:
    """The moves of W^1 ... W^L, each (n_l, n_{l-1}), that a learning rate of -1 would make.

    In the limit of wide layers a step of eta leaves 1 - eta a of the residual, with the ``speed`` a of
    the approximation. Raises ``ConfigError`` for an unknown approximation, a network it is not for
    (``require_possible``), or a residual that does not fit, ``DataError`` where a matrix to be inverted
    is singular on these inputs, and what ``empirical_ntk.layer_kernels`` does.

    Examples:
        >>> from dynparam.engines.network import draw_weights
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths, random = Widths((8, 400, 400, 1)), torch.Generator().manual_seed(0)
        >>> scales = layer_scales("ntk", widths)
        >>> weights = draw_weights(widths, scales, random, torch.float64)
        >>> x = torch.randn(4, 8, dtype=torch.float64, generator=random)
        >>> f = MLP(weights, scales.multiplier)(x).detach()
        >>> point = Point(weights, scales.multiplier, x, f - 1)
        >>> for name in theory.APPROXIMATIONS:  # a small step, to learn 1 for every input
        ...     eta = 0.001 / theory.speed(name, widths.depth, inputs=4)
        ...     moves = natural_gradient(name, point)
        ...     moved = [w - eta * move for w, move in zip(weights, moves, strict=True)]
        ...     left = MLP(moved, scales.multiplier)(x).detach() - 1
        ...     print(name, (left / (f - 1)).flatten().round(decimals=4).tolist())
        exact [0.999, 0.999, 0.999, 0.999]
        block_diagonal [0.999, 0.999, 0.999, 0.999]
        block_tridiagonal [0.999, 0.999, 0.999, 0.999]
        kfac [0.999, 0.999, 0.999, 0.999]
    """
    shape = Widths((point.weights[0].shape[1], *(len(weight) for weight in point.weights)))
    theory.require_possible(approximation, shape, len(point.images))
    factors = _Factors.of(point)
    if approximation == "kfac":
        return factors.whitened(point)
    kernels = empirical_ntk.layer_kernels(point.weights, point.multiplier, point.images).numpy()
    found = theory.coefficients(approximation, kernels, point.residual.numpy())
    return factors.combined(torch.from_numpy(found), point.multiplier)


@dataclass(frozen=True)
class _Factors:
    """What gradients are made of; entry l - 1 belongs to layer l.

    Attributes:
        below: h^{l-1}, (N, n_{l-1}).
        delta: df_c/dhtilde^l, (C, N, n_l).
    """

    below: list[Tensor]
    delta: list[Tensor]

    @classmethod
    def of(cls, point: Point) -> _Factors:
        """Those at a point. Raises ``ConfigError`` if its residual is not of the outputs' shape."""
        found = MLP(point.weights, point.multiplier, copy=False).preactivations(point.images)
        f = found[-1]
        if f.shape != point.residual.shape:
            raise ConfigError(
                f"a residual of shape {tuple(point.residual.shape)} does not fit outputs of shape "
                f"{tuple(f.shape)}"
            )
        back = [torch.autograd.grad(one.sum(), found, retain_graph=True) for one in f.T]
        below = [point.images, *(z.detach().relu() for z in found[:-1])]
        return cls(below, [torch.stack(one) for one in zip(*back, strict=True)])

    def combined(self, coefficients: Tensor, multiplier: Sequence[float]) -> list[Tensor]:
        """J_l^T v_l for v (L, N, C), as matrices."""
        return [
            g * torch.einsum("nc,cni->in", v, delta) @ below
            for v, g, delta, below in zip(coefficients, multiplier, self.delta, self.below, strict=True)
        ]

    def whitened(self, point: Point) -> list[Tensor]:
        """K-FAC's B_l^+ G_l A_l^+. B_L is one: the readout's delta is, at every input."""
        r, last = point.residual.numpy(), len(self.below)
        found = []
        for layer, (g, below, delta) in enumerate(
            zip(point.multiplier, self.below, self.delta, strict=True), start=1
        ):
            right = theory.preconditioned(g * below.numpy(), f"h^{layer - 1}")
            left = delta[0].numpy()
            if layer < last:
                left = theory.preconditioned(left, f"delta^{layer}")
            move: FloatArray = np.ascontiguousarray((r * left).T @ right / len(r))
            found.append(torch.from_numpy(move))
        return found
