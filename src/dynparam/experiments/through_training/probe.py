"""One look at a network while it trains: its kernel, contributions, weights and features.

All of it is exact for the weights as they are, and nothing is drawn or changed: a training that is
looked at goes on as if it were not. With T images x_s, targets y_s, and residuals e_s = f(x_s) - y_s:

- the neural tangent kernel of layer l, summed over outputs, Theta^l(x_s, x_t) = sum_c Theta^l_{cs,ct};
- the contribution C_l = ||dL/dW^l||^2 of a layer (eq. 2.41), where L is the mean over the images of
  1/2 ||e_s||^2: a step of gradient descent on them lowers L by eta (C_1 + ... + C_L) to first order. For
  one image it is g_l^2 ||h^{l-1}||^2 ||dL/dhtilde^l||^2. It follows from the kernel of all outputs,
  C_l = 1/T^2 sum_{cs,dt} e_{cs} Theta^l_{cs,dt} e_{dt};
- the movement ||W^l_t - W^l_0|| / ||W^l_0|| (Frobenius);
- of h^l over the images the participation ratio and the ratio of variances between and within classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dynparam.data.images import Pair, draw_subset
from dynparam.engines.empirical_ntk import layer_kernels
from dynparam.experiments.through_training.settings import Probes
from dynparam.support.errors import NonFiniteError
from dynparam.support.randomness import seed_sequence
from dynparam.training.protocol import Stack, Task


@dataclass(frozen=True)
class Look:
    """What is seen of a network with L layers at T images; index l - 1 belongs to layer l.

    Attributes:
        loss: mean over the images of 1/2 ||f - y||^2.
        kernels: Theta^1 ... Theta^L, summed over outputs, (L, T, T) in float64.
        contributions: C_1 ... C_L.
        moves: ||W^l_t - W^l_0||.
        sizes: ||W^l_0||.
        participation: participation ratios of h^1 ... h^{L-1}; nan where all h^l are equal.
        class_ratios: variance between over variance within classes, of the same; nan where the latter
            is zero.
    """

    loss: float
    kernels: Tensor
    contributions: tuple[float, ...]
    moves: tuple[float, ...]
    sizes: tuple[float, ...]
    participation: tuple[float, ...]
    class_ratios: tuple[float, ...]


def probe_images(pair: Pair, task: str, probes: Probes) -> Tensor:
    """Indices of the training images that networks are looked at on, as many of both classes.

    They depend on the task and ``probes.seed`` alone. Raises ``DataError`` if a class has too few.
    """
    numbers = seed_sequence(probes.seed, "through training", task)
    chosen = draw_subset(pair.train_labels, probes.images, True, np.random.default_rng(numbers))
    return torch.from_numpy(np.sort(chosen))


def matrices(stack: Stack, initial: Sequence[Tensor], task: Task) -> list[Tensor]:
    """W^1 ... W^L of the only network of a stack, (n_l, n_{l-1}) each; ``initial`` are W^l(0).

    A first layer that is trained as coefficients C (train, n_1) of the training images X is
    W^1 = W^1(0) + C^T X.
    """
    trained = stack.tensors()
    found = [trained[f"weights_{layer}"][0] for layer in range(1, len(initial) + 1)]
    if found[0].shape != initial[0].shape:
        images = task.inputs[: task.train_count]
        found[0] = torch.addmm(initial[0], found[0].mT, images)
    return found


def look(
    weights: Sequence[Tensor],
    initial: Sequence[Tensor],
    multiplier: Sequence[float],
    images: Tensor,
    targets: Tensor,
) -> Look:
    """What is seen of the network with ``weights`` at ``images`` (T, n_0) with ``targets`` (T, n_L).

    ``multiplier`` are the g_l, ``initial`` the weights it began with; one-hot targets tell the classes.
    Raises ``NonFiniteError`` if the outputs or a kernel are not finite.
    """
    hidden, outputs = _forward(weights, multiplier, images)
    residual = (outputs - targets).double()
    if not residual.isfinite().all():
        raise NonFiniteError("the outputs are not finite; training has diverged, so lower the rate")
    kernels = layer_kernels(weights, multiplier, images, outputs="all").double()
    return Look(
        loss=float(residual.square().sum(dim=1).mean() / 2),
        kernels=torch.einsum("lcsct->lst", kernels),
        contributions=tuple(
            torch.einsum("sc,lcsdt,td->l", residual, kernels, residual).div(len(images) ** 2).tolist()
        ),
        moves=tuple(_norm(w - w_0) for w, w_0 in zip(weights, initial, strict=True)),
        sizes=tuple(map(_norm, initial)),
        participation=tuple(participation_ratio(h) for h in hidden),
        class_ratios=tuple(class_ratio(h, targets) for h in hidden),
    )


def cosine(kernel: Tensor, other: Tensor) -> float:
    """<K, K'> / (||K|| ||K'||) of two kernels (T, T), without centring; nan if one is zero.

    >>> cosine(torch.eye(2), torch.ones(2, 2)) == 0.5 ** 0.5
    True
    """
    lengths = float(kernel.norm() * other.norm())
    return float((kernel * other).sum()) / lengths if lengths > 0 else float("nan")


def centred(kernel: Tensor) -> Tensor:
    """The kernel (T, T) of gradients from which their mean over the images has been subtracted."""
    rows = kernel - kernel.mean(dim=0, keepdim=True)
    return rows - rows.mean(dim=1, keepdim=True)


def participation_ratio(h: Tensor) -> float:
    """(sum lambda)^2 / sum lambda^2 of the covariance of h (T, n) over its rows; nan if it is zero.

    As many directions as share the variance equally. The T x T matrix of inner products of centred rows
    has the same eigenvalues other than zero.

    >>> square = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> participation_ratio(square), participation_ratio(square[:, :1])
    (2.0, 1.0)
    """
    rows = h.double() - h.double().mean(dim=0)
    products = rows @ rows.mT
    squares = float(products.square().sum())
    return float(products.trace()) ** 2 / squares if squares > 0 else float("nan")


def class_ratio(h: Tensor, targets: Tensor) -> float:
    """Variance of h (T, n) between classes over that within them, both summed over units.

    ``targets`` are one-hot, (T, classes). Classes count by their numbers of images; nan if
    nothing varies within them.

    >>> h = torch.tensor([[0.0], [2.0], [10.0], [12.0]])
    >>> class_ratio(h, torch.eye(2)[[0, 0, 1, 1]])
    25.0
    """
    values, classes = h.double(), targets.double()
    centres = (classes.mT @ values) / classes.sum(dim=0).clamp(min=1)[:, None]
    own = classes @ centres
    within = float((values - own).square().sum())
    between = float((own - values.mean(dim=0)).square().sum())
    return between / within if within > 0 else float("nan")


def _forward(
    weights: Sequence[Tensor], multiplier: Sequence[float], images: Tensor
) -> tuple[list[Tensor], Tensor]:
    """h^1 ... h^{L-1}, (T, n_l) each, and f, (T, n_L)."""
    hidden, h = list[Tensor](), images
    for weight, g in zip(weights[:-1], multiplier, strict=False):
        h = (g * (h @ weight.mT)).relu_()
        hidden.append(h)
    return hidden, multiplier[-1] * (h @ weights[-1].mT)


def _norm(matrix: Tensor) -> float:
    """The Frobenius norm, added up in double precision."""
    return float(torch.linalg.vector_norm(matrix, dtype=torch.float64))
