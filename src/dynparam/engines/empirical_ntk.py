"""The neural tangent kernel (eq. 1.9) of a network with given weights, layer by layer.

The gradient of output c at x_s for W^l is g_l delta^l_{c,s} h^{l-1}(x_s)^T, with
delta^l_{c,s} = df_c/dhtilde^l at x_s, so that its inner products need no Jacobian:

    Theta^l_{cs,dt} = g_l^2 <delta^l_{c,s}, delta^l_{d,t}> <h^{l-1}(x_s), h^{l-1}(x_t)> .

Exact for any weights, trained ones too. Inputs are taken in blocks, as large as memory allows; where
more than one is needed, the later ones go through the network once for each earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.support.memory import free_bytes, require_memory
from dynparam.theory.inner_products import checked_inputs
from dynparam.theory.widths import Widths

Outputs = Literal["all", "summed"]
"""Whether a kernel keeps pairs of outputs, or is the sum over equal ones.

The nonzero eigenvalues of the Fisher information, the mean over inputs of the sum over outputs of
grad f grad f^T, are those of the kernel of all outputs over T. The sum is what many call the kernel.
"""

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Shape:
    """What decides the memory of a kernel.

    Attributes:
        widths: n_0 ... n_L.
        inputs: T.
        others: T'.
        outputs: whether all pairs are kept.
        by_layer: whether the layers are kept apart.
        itemsize: bytes of a number.
    """

    widths: Widths
    inputs: int
    others: int
    outputs: Outputs = "all"
    by_layer: bool = True
    itemsize: int = 8

    @property
    def kept_outputs(self) -> int:
        """The rows that an input has in a kernel."""
        return self.widths.sizes[-1] if self.outputs == "all" else 1


def memory_bytes(shape: Shape, block: int) -> int:
    """Bytes of the kernel, the images, and two blocks of them with what the network makes of them.

    Examples:
        >>> shape = Shape(Widths((3072, 1000, 250, 1000, 1)), inputs=2000, others=2000)
        >>> [round(memory_bytes(shape, block) / 2**30, 2) for block in (2000, 200)]
        [0.62, 0.24]
    """
    sizes, kept = shape.widths.sizes, shape.kept_outputs
    layers = shape.widths.depth if shape.by_layer else 1
    kernel = layers * kept**2 * shape.inputs * shape.others
    # h and the slopes, delta for every output, and the widest delta before it meets its slopes.
    outputs = sizes[-1]
    row = sum(sizes[:-1]) + sum(sizes[1:-1]) + outputs * sum(sizes[1:]) + outputs * max(sizes[1:])
    products = (1 + 2 * kept**2) * block**2
    images = 8 * sizes[0] * (shape.inputs + shape.others)
    return images + shape.itemsize * (kernel + 2 * row * block + products)


def layer_kernels(
    weights: Sequence[Tensor],
    multiplier: Sequence[float],
    images: Tensor,
    others: Tensor | None = None,
    *,
    outputs: Outputs = "all",
    activation: Function = torch.relu,
    memory_limit: int | None = None,
) -> Tensor:
    """Theta^1 ... Theta^L of the network on images (T, n_0), with others (T', n_0) or themselves.

    ``weights`` are W^l (n_l, n_{l-1}), ``multiplier`` g_l, without biases; ``activation`` works
    elementwise, and its slope is autograd's. The precision is that of the weights. Returns
    (L, C, T, C, T') for ``outputs`` "all" and (L, T, T') for "summed". ``memory_limit``, in bytes, is
    half of what is free unless given.

    Raises ``ConfigError`` for weights that are no chain, no hidden layer, images that do not fit them or
    a kernel that does not fit into memory, ``DataError`` for fewer than two images or one that is zero
    everywhere or not finite, and ``NonFiniteError`` naming the layer if the kernel is not finite.

    Examples:
        >>> from dynparam.engines.network import draw_weights
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths, random = Widths((6, 50, 10, 50, 2)), torch.Generator().manual_seed(0)
        >>> scales = layer_scales("ntk", widths)
        >>> weights = draw_weights(widths, scales, random, torch.float64)
        >>> images = torch.eye(6, dtype=torch.float64)[:3]
        >>> found = layer_kernels(weights, scales.multiplier, images)
        >>> tuple(found.shape)
        (4, 2, 3, 2, 3)
        >>> bool((found[0, 0, 0, 0, 1:] == 0).all())  # <x_s, x_t> = 0: no gradients of W^1 in common
        True
    """
    network = _Network.of(weights, multiplier, activation)
    return _kernels(network, images, others, outputs, True, memory_limit)


def ntk(
    weights: Sequence[Tensor],
    multiplier: Sequence[float],
    images: Tensor,
    others: Tensor | None = None,
    *,
    outputs: Outputs = "all",
    activation: Function = torch.relu,
    memory_limit: int | None = None,
) -> Tensor:
    """The sum of ``layer_kernels`` over the layers: (C, T, C, T'), or (T, T') for ``outputs`` "summed".

    Takes and raises what ``layer_kernels`` does, and keeps one layer's worth of memory.

    Examples:
        >>> images = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        >>> weights = [torch.eye(2), torch.ones(1, 2)]  # f = max(0, x_1) + max(0, x_2)
        >>> ntk(weights, (1.0, 1.0), images, outputs="summed").tolist()  # twice |x|^2
        [[2.0, 0.0], [0.0, 8.0]]
    """
    network = _Network.of(weights, multiplier, activation)
    return _kernels(network, images, others, outputs, False, memory_limit)[0]


@dataclass(frozen=True)
class _Factors:
    """What gradients are made of, for some inputs; entry l - 1 belongs to layer l.

    Attributes:
        below: h^{l-1}, (t, n_{l-1}).
        delta: df_c/dhtilde^l, (C, t, n_l).
    """

    below: list[Tensor]
    delta: list[Tensor]


@dataclass(frozen=True)
class _Network:
    """Weights, multipliers and an activation that belong together."""

    widths: Widths
    weights: list[Tensor]
    multiplier: tuple[float, ...]
    activation: Function

    @classmethod
    def of(
        cls, weights: Sequence[Tensor], multiplier: Sequence[float], activation: Function
    ) -> _Network:
        """Checked: matrices of one precision that follow each other, a hidden layer, a g_l each."""
        if len(weights) < 2:
            raise ConfigError("kernels need at least one hidden layer; this network has none")
        if len(multiplier) != len(weights):
            raise ConfigError(f"{len(weights)} weight matrices have {len(multiplier)} multipliers")
        sizes = [weights[0].shape[-1]]
        for layer, weight in enumerate(weights, start=1):
            if weight.ndim != 2 or weight.shape[1] != sizes[-1] or weight.dtype != weights[0].dtype:
                raise ConfigError(
                    f"W^{layer} has the shape {tuple(weight.shape)} in {weight.dtype}; the layers below "
                    f"need (n_{layer}, {sizes[-1]}) in {weights[0].dtype}"
                )
            sizes.append(weight.shape[0])
        detached = [weight.detach() for weight in weights]
        return cls(Widths(tuple(sizes)), detached, tuple(multiplier), activation)

    def factors(self, images: Tensor) -> _Factors:
        """Forward, and back from every output."""
        below, slopes = [images], []
        for weight, g in zip(self.weights[:-1], self.multiplier, strict=False):
            h, slope = _with_slope(self.activation, g * (below[-1] @ weight.T))
            below.append(h)
            slopes.append(slope)
        outputs = self.widths.sizes[-1]
        delta = [torch.eye(outputs, dtype=images.dtype)[:, None, :].expand(-1, len(images), -1)]
        for layer in range(len(slopes) - 1, -1, -1):
            carried = delta[0] @ self.weights[layer + 1]
            delta.insert(0, carried.mul_(slopes[layer]).mul_(self.multiplier[layer + 1]))
        return _Factors(below, delta)


def _with_slope(phi: Function, z: Tensor) -> tuple[Tensor, Tensor]:
    """phi(z) and phi'(z), elementwise."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        value = phi(z)
        (slope,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), slope


def _kernels(
    network: _Network,
    images: Tensor,
    others: Tensor | None,
    outputs: Outputs,
    by_layer: bool,
    memory_limit: int | None,
) -> Tensor:
    """(L, ...) or, summed over layers, (1, ...)."""
    if outputs not in get_args(Outputs):
        raise ConfigError(f"outputs is {outputs!r}; it must be one of {', '.join(get_args(Outputs))}")
    rows = _prepared(network, images, "images", 2)
    columns = rows if others is None else _prepared(network, others, "others", 1)
    shape = Shape(network.widths, len(rows), len(columns), outputs, by_layer, rows.element_size())
    block = _block_size(shape, memory_limit)
    kept = shape.kept_outputs
    found = rows.new_zeros(
        (network.widths.depth if by_layer else 1, kept, len(rows), kept, len(columns))
    )
    for start in range(0, len(rows), block):
        at = slice(start, start + block)
        left = network.factors(rows[at])
        for begin in range(start if others is None else 0, len(columns), block):
            to = slice(begin, begin + block)
            same = others is None and begin == start
            right = left if same else network.factors(columns[to])
            for layer, kernel in enumerate(_products(network, left, right, outputs)):
                place = found[layer if by_layer else 0]
                place[:, at, :, to] += kernel
                if others is None and not same:
                    place[:, to, :, at] += kernel.permute(2, 3, 0, 1)
    _check_finite(found, by_layer)
    return found if outputs == "all" else found[:, 0, :, 0]


def _products(network: _Network, left: _Factors, right: _Factors, outputs: Outputs) -> Iterator[Tensor]:
    """Theta^1 ... Theta^L of two blocks, (C, t, C, t'), or (1, t, 1, t') summed over outputs."""
    for layer, g in enumerate(network.multiplier):
        forward = left.below[layer] @ right.below[layer].T
        a, b = left.delta[layer], right.delta[layer]
        if outputs == "summed":
            backward = torch.einsum("csi,cti->st", a, b)[None, :, None, :]
        else:
            backward = torch.einsum("csi,dti->csdt", a, b)
        yield backward.mul_(forward[None, :, None, :]).mul_(g**2)


def _prepared(network: _Network, images: Tensor, name: str, at_least: int) -> Tensor:
    """In the precision of the weights, checked."""
    array, _ = checked_inputs(images.detach().cpu().numpy(), name, at_least=at_least)
    needed = network.widths.sizes[0]
    if array.shape[1] != needed:
        raise ConfigError(f"the {name} hold {array.shape[1]} numbers each; W^1 needs {needed}")
    return torch.as_tensor(array).to(network.weights[0].dtype)


def _block_size(shape: Shape, memory_limit: int | None) -> int:
    """The most inputs at once that memory allows. Raises ``ConfigError`` if it does not allow one."""
    limit = free_bytes() // 2 if memory_limit is None else memory_limit
    require_memory(
        memory_bytes(shape, 1),
        f"kernels of {shape.inputs} by {shape.others} inputs and {shape.kept_outputs} outputs",
        "take fewer inputs, sum over outputs or layers, or allow more memory",
        limit,
    )
    low, high = 1, max(shape.inputs, shape.others)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if memory_bytes(shape, middle) <= limit else (low, middle - 1)
    return low


def _check_finite(found: Tensor, by_layer: bool) -> None:
    for layer, kernel in enumerate(found, start=1):
        if not kernel.isfinite().all():
            what = f"the kernel of layer {layer}" if by_layer else "the kernel"
            raise NonFiniteError(
                f"{what} is not finite; check the weights, and whether training has diverged"
            )
