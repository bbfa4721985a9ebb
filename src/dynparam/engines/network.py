"""The multilayer perceptron of Sec. 2.1 on tensors: forward, backward, and one exact SGD step.

    htilde^l = g_l W^l h^{l-1},   h^l = max(0, htilde^l) for l < L,   h^0 = x,   f(x) = htilde^L

without biases, for the loss 1/2 ||f(x) - y||^2. The weights enter only through products W u and
W^T v (``LinearMap``), so the same program runs on a stored matrix (``DenseMap``), on one that is
drawn while it is used (``gaussian_columns.GaussianColumns``), or on anything else that answers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths


class LinearMap(Protocol):
    """A matrix W of shape (n_out, n_in), known by its products with vectors."""

    def times(self, u: Tensor) -> Tensor:
        """W u: (n_in,) to (n_out,)."""
        ...

    def transpose_times(self, v: Tensor) -> Tensor:
        """W^T v: (n_out,) to (n_in,).

        An entry whose input has been zero in every ``times`` so far may be left at zero: the input
        is a silent ReLU unit, and psi' multiplies the entry by zero.
        """
        ...


@dataclass(frozen=True)
class DenseMap:
    """A stored matrix: weight (n_out, n_in)."""

    weight: Tensor

    def times(self, u: Tensor) -> Tensor:
        """W u: (n_in,) to (n_out,)."""
        return self.weight @ u

    def transpose_times(self, v: Tensor) -> Tensor:
        """W^T v: (n_out,) to (n_in,)."""
        return self.weight.T @ v


@dataclass(frozen=True)
class Step:
    """One step of gradient descent on one image, seen from every layer l = 1 ... L (index l - 1).

    Attributes:
        preactivation: htilde^l before the step, (n_l,).
        gradient: dL/dhtilde^l before the step, (n_l,).
        update: Delta htilde^l, the change of htilde^l on the same image, (n_l,).
        own: g_l Delta W^l h^{l-1}, the layer's own part of it (eq. 2.30), (n_l,).
    """

    preactivation: tuple[Tensor, ...]
    gradient: tuple[Tensor, ...]
    update: tuple[Tensor, ...]
    own: tuple[Tensor, ...]


def sgd_step(
    maps: Sequence[LinearMap], scales: LayerScales, x: Tensor, y: Tensor, learning_rate: float
) -> Step:
    """One SGD step of all layers on the image x (n_0,) with target y (n_L,), and its exact effect.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths, random = Widths((64, 32, 8, 32, 2)), torch.Generator().manual_seed(0)
        >>> scales = layer_scales("dynamic", widths)
        >>> maps = [DenseMap(w) for w in draw_weights(widths, scales, random, torch.float64)]
        >>> x, y = torch.ones(64, dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64)
        >>> step = sgd_step(maps, scales, x, y, learning_rate=1e-3)
        >>> bool(step.gradient[0] @ step.update[0] < 0)  # the first layer's own share lowers the loss
        True
    """
    preactivation = forward(maps, scales, x)
    gradient = backward(maps, scales, preactivation, y)
    update = propagate_update(maps, scales, x, preactivation, gradient, learning_rate)
    own = own_updates(scales, x, preactivation, gradient, learning_rate)
    return Step(tuple(preactivation), tuple(gradient), tuple(update), tuple(own))


def forward(maps: Sequence[LinearMap], scales: LayerScales, x: Tensor) -> list[Tensor]:
    """htilde^1 ... htilde^L of the image x (n_0,) (eqs. 2.1-2.4)."""
    preactivation: list[Tensor] = []
    h = x
    for w, g in zip(maps, scales.multiplier, strict=True):
        preactivation.append(g * w.times(h))
        h = preactivation[-1].relu()
    return preactivation


def backward(
    maps: Sequence[LinearMap], scales: LayerScales, preactivation: Sequence[Tensor], y: Tensor
) -> list[Tensor]:
    """dL/dhtilde^1 ... dL/dhtilde^L for the loss 1/2 ||f - y||^2 (eqs. 2.33-2.35, with psi')."""
    gradient = [preactivation[-1] - y]
    for layer in range(len(maps) - 1, 0, -1):
        carried = scales.multiplier[layer] * maps[layer].transpose_times(gradient[0])
        gradient.insert(0, carried * (preactivation[layer - 1] > 0))
    return gradient


def propagate_update(
    maps: Sequence[LinearMap],
    scales: LayerScales,
    x: Tensor,
    preactivation: Sequence[Tensor],
    gradient: Sequence[Tensor],
    learning_rate: float,
) -> list[Tensor]:
    """Delta htilde^1 ... Delta htilde^L after one SGD step of all layers (eq. 2.26).

    The step is of rank one, Delta W^l = -eta g_l delta^l h^{(l-1)T} (eq. 2.24), so that

        Delta htilde^l = g_l W^l Delta h^{l-1} - eta g_l^2 <h^{l-1}, h^{l-1} + Delta h^{l-1}> delta^l

    needs no second weight matrix and no difference of two forward passes. Delta h^l is a difference of
    nearly equal numbers where the update is small, and loses the digits that it is smaller by.
    """
    update: list[Tensor] = []
    h, change = x, torch.zeros_like(x)
    for layer, (w, g) in enumerate(zip(maps, scales.multiplier, strict=True)):
        own = -learning_rate * g**2 * torch.dot(h, h + change) * gradient[layer]
        # The image itself does not change, so the first layer has nothing to carry.
        update.append(own + g * w.times(change) if layer > 0 else own)
        h = preactivation[layer].relu()
        change = (preactivation[layer] + update[layer]).relu() - h
    return update


def own_updates(
    scales: LayerScales,
    x: Tensor,
    preactivation: Sequence[Tensor],
    gradient: Sequence[Tensor],
    learning_rate: float,
) -> list[Tensor]:
    """Own parts g_l Delta W^l h^{l-1}: what each layer's move alone does to its htilde^l (eq. 2.30)."""
    inputs = [x, *(z.relu() for z in preactivation[:-1])]
    return [
        -learning_rate * g**2 * torch.dot(h, h) * delta
        for g, h, delta in zip(scales.multiplier, inputs, gradient, strict=True)
    ]


def second_gradient(
    maps: Sequence[LinearMap], scales: LayerScales, step: Step, learning_rate: float
) -> list[Tensor]:
    """dL/dhtilde^1 ... dL/dhtilde^L of the same image after the step (eqs. 2.54-2.55).

    ``maps`` are the weights before it; the step itself is known,

        (W^l + Delta W^l)^T v = W^{lT} v - eta g_l <delta^l, v> h^{l-1}.
    """
    # f - y moves by the change of f.
    second = [step.gradient[-1] + step.update[-1]]
    for layer in range(len(maps) - 1, 0, -1):
        g, below = scales.multiplier[layer], step.preactivation[layer - 1]
        learned = learning_rate * g**2 * torch.dot(step.gradient[layer], second[0])
        carried = g * maps[layer].transpose_times(second[0]) - learned * below.relu()
        second.insert(0, carried * (below + step.update[layer - 1] > 0))
    return second


def draw_weights(
    widths: Widths, scales: LayerScales, generator: torch.Generator, dtype: torch.dtype
) -> list[Tensor]:
    """Initial weights W^l ~ N(0, init_std_l^2), each (n_l, n_{l-1}), drawn on the CPU in order.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths, random = Widths((64, 16, 4, 16, 2)), torch.Generator().manual_seed(0)
        >>> weights = draw_weights(widths, layer_scales("dynamic", widths), random, torch.float32)
        >>> [tuple(weight.shape) for weight in weights]
        [(16, 64), (4, 16), (16, 4), (2, 16)]
    """
    return [
        torch.empty(fan_out, fan_in, dtype=dtype).normal_(0.0, std, generator=generator)
        for (fan_in, fan_out), std in zip(widths.layers(), scales.init_std, strict=True)
    ]


class MLP(nn.Module):
    """The network as a torch module: x (batch, n_0) to f(x) (batch, n_L), without biases."""

    def __init__(
        self, weights: Sequence[Tensor], multiplier: Sequence[float], *, copy: bool = True
    ) -> None:
        """Take the weights, each (n_l, n_{l-1}), copied or to be trained in place, and g_1 ... g_L."""
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(w.clone() if copy else w) for w in weights)
        self.multiplier = tuple(multiplier)

    def preactivations(self, x: Tensor) -> list[Tensor]:
        """htilde^1 ... htilde^L of a batch x (batch, n_0), each (batch, n_l)."""
        found: list[Tensor] = []
        h = x
        for w, g in zip(self.weights, self.multiplier, strict=True):
            found.append(g * nn.functional.linear(h, w))
            h = found[-1].relu()
        return found

    def forward(self, x: Tensor) -> Tensor:
        """f(x): (batch, n_0) to (batch, n_L)."""
        return self.preactivations(x)[-1]
