"""Gradient descent on a whole batch, and how far the kernel moves by it.

The loss is (1/2T) sum_t (f(x_t) - y_t)^2 for one output. Targets are f(x; theta_0) + y, so that what is
to be learned is y under every parametrization, however large its output is at initialization. Learning
rates are c T / lambda_max, of the kernel at theta_0. Gradient descent on the linearization is stable for
c below 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from torch import Tensor

from dynparam.engines.empirical_ntk import ntk
from dynparam.support.arrays import FloatArray
from dynparam.support.progress import say
from dynparam.theory.linearization import Spectrum, spectrum

Outcome = Literal["reached", "stopped", "diverged"]
"""How a descent ended: at the loss asked for, at the last step, or beyond ``BLOWN_UP``."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

BLOWN_UP = 1000.0
"""The loss over that at initialization beyond which a descent has diverged."""


@dataclass(frozen=True)
class Start:
    """A network at initialization on the inputs that it is trained on.

    Attributes:
        weights: W^l, (n_l, n_{l-1}).
        multiplier: g_l.
        images: X, (T, n_0).
        residual: y, what is to be learned on top of the outputs, (T,).
    """

    weights: Sequence[Tensor]
    multiplier: Sequence[float]
    images: Tensor
    residual: Tensor

    def kernel(self) -> FloatArray:
        """K = Theta(X, X), (T, T)."""
        return kernel_of(self.weights, self.multiplier, self.images)


@dataclass(frozen=True)
class End:
    """What gradient descent leaves.

    Attributes:
        weights: W^l.
        steps: taken.
        loss: over that at initialization.
        outcome: how it ended.
    """

    weights: list[Tensor]
    steps: int
    loss: float
    outcome: Outcome


def kernel_of(
    weights: Sequence[Tensor], multiplier: Sequence[float], images: Tensor, others: Tensor | None = None
) -> FloatArray:
    """The neural tangent kernel of one output on images (T, n_0), with others or themselves: (T, T')."""
    return ntk(weights, multiplier, images, others, outputs="summed").numpy()


def checked_spectrum(kernel: FloatArray, where: str) -> Spectrum:
    """The kernel's spectrum, with a line on standard error if it is singular."""
    found = spectrum(kernel)
    if found.rank < found.inputs:
        say(
            f"{where}: the kernel of {found.inputs} inputs has the rank {found.rank}, so its inverse is "
            f"that of Moore and Penrose; are there equal inputs?"
        )
    return found


def descend(start: Start, learning_rate: float, steps: int, until: float = 0.0) -> End:
    """Gradient descent for ``steps`` steps, or until the loss is ``until`` of that at initialization.

    It ends as well where the loss exceeds ``BLOWN_UP`` times that, or is no number. The precision is
    that of the weights. The arguments are left as they are.
    """
    weights = [weight.clone() for weight in start.weights]
    begun = outputs(weights, start.multiplier, start.images)
    first = float(start.residual.square().sum())
    miss, taken, loss = -start.residual, 0, 1.0
    while taken < steps and until < loss <= BLOWN_UP:
        below, slopes = _forward(weights, start.multiplier, start.images)
        _step(weights, start.multiplier, below, slopes, learning_rate * miss / len(miss))
        miss = outputs(weights, start.multiplier, start.images) - begun - start.residual
        loss = float(miss.square().sum()) / first
        taken += 1
    return End(weights, taken, loss, _outcome(loss, until))


def outputs(weights: Sequence[Tensor], multiplier: Sequence[float], images: Tensor) -> Tensor:
    """f(x) of a network of one output: (T, n_0) to (T,)."""
    below, _ = _forward(weights, multiplier, images)
    return multiplier[-1] * (below[-1] @ weights[-1][0])


def change(before: FloatArray, after: FloatArray) -> float:
    """|K_t - K_0|_F / |K_0|_F."""
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def _outcome(loss: float, until: float) -> Outcome:
    if not loss <= BLOWN_UP:
        return "diverged"
    return "reached" if loss <= until else "stopped"


def _forward(
    weights: Sequence[Tensor], multiplier: Sequence[float], images: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """h^0 ... h^{L-1} of all images, and which units of the hidden layers are active."""
    below, slopes = [images], []
    for weight, g in zip(weights[:-1], multiplier, strict=False):
        below.append((g * (below[-1] @ weight.T)).relu_())
        slopes.append(below[-1] > 0)
    return below, slopes


def _step(
    weights: Sequence[Tensor],
    multiplier: Sequence[float],
    below: Sequence[Tensor],
    slopes: Sequence[Tensor],
    moved: Tensor,
) -> None:
    """Add -sum_t moved_t grad f(x_t) to the weights, in place; ``moved`` (T,) has the step in it."""
    delta = moved[:, None]
    for layer in range(len(weights) - 1, -1, -1):
        g, weight = multiplier[layer], weights[layer]
        carried = g * (delta @ weight) * slopes[layer - 1] if layer else None
        weight.addmm_(delta.T, below[layer], alpha=-g)
        if carried is not None:
            delta = carried
