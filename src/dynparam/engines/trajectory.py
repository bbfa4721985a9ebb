"""Several steps of SGD, written as products with the initial weights and seen from every layer.

A step changes W^l by a sum of rank-one terms, one for each image of its batch (eq. 2.24). So after any
number of steps

    W^l_t = W^l_0 + sum_k c_k a_k b_k^T,

and a product with W^l_t is one with W^l_0 and a few inner products. The program below asks for nothing
else; it runs on stored matrices (``engines.network.DenseMap``) and on matrices that exist in law only
(``engines.gaussian_matrix.GaussianMatrix``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dynparam.engines.gaussian_matrix import GrowingRows
from dynparam.engines.network import LinearMap, backward, forward
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory.parametrization import LayerScales

Diverging = Literal["raise", "stop"]


@dataclass(frozen=True)
class Trajectory:
    """What every step shows of every layer; arrays (steps, L), entry [t, l - 1] of step t + 1, layer l.

    Of the images of the step's batch, with the loss averaged over them:

    Attributes:
        alignment: |<dL/dhtilde^l, Delta htilde^l>|, the gradient before the step (eq. 2.31).
        preactivation_rms: root mean square of htilde^l before the step.
        update_rms: root mean square of Delta htilde^l, the step's effect on the same images.
        gradient_norm: ||dL/dhtilde^l|| before the step.
        drift: what all earlier steps' changes of W^{l+1} carry back to layer l, relative to what
            W^{l+1}_0 does: the second term of eq. 2.55 over the first. Zero at the first step; nan at
            the output layer, which nothing is carried back to.
    """

    alignment: FloatArray
    preactivation_rms: FloatArray
    update_rms: FloatArray
    gradient_norm: FloatArray
    drift: FloatArray


class TrainedMap:
    """A matrix W_0 + sum_k c_k a_k b_k^T that SGD with momentum moves, one rank at a time."""

    def __init__(self, initial: LinearMap) -> None:
        """Start at ``initial``, at rest."""
        self._initial = initial
        self._left, self._right = GrowingRows(), GrowingRows()
        self._weight = torch.zeros(0, dtype=torch.float64)
        self._velocity = torch.zeros(0, dtype=torch.float64)

    def times(self, u: Tensor) -> Tensor:
        """W u: (n_in,) to (n_out,)."""
        return self._initial.times(u) + _combine(self._weight, self._left, self._right, u)

    def transpose_times(self, v: Tensor) -> Tensor:
        """W^T v: (n_out,) to (n_in,)."""
        initial, learned = self.transposed_parts(v)
        return initial + learned

    def transposed_parts(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """W_0^T v and (W - W_0)^T v; the second a zero of no dimension before the first step."""
        return self._initial.transpose_times(v), _combine(self._weight, self._right, self._left, v)

    def accelerate(self, momentum: float, gradient: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Velocity <- momentum * velocity + sum_k a_k b_k^T over the pairs (a, b) of ``gradient``."""
        fresh = torch.ones(len(gradient), dtype=torch.float64)
        self._velocity = torch.cat([momentum * self._velocity, fresh])
        self._weight = torch.cat([self._weight, 0 * fresh])
        for a, b in gradient:
            self._left.add(a)
            self._right.add(b)

    def velocity_times(self, u: Tensor) -> Tensor:
        """Velocity times u: (n_in,) to (n_out,)."""
        return _combine(self._velocity, self._left, self._right, u)

    def move(self, learning_rate: float) -> None:
        """W <- W - learning_rate * velocity."""
        self._weight = self._weight - learning_rate * self._velocity


class _Asked:
    """A trained matrix that keeps how large the two parts of its transposed products were."""

    def __init__(self, trained: TrainedMap) -> None:
        self._trained = trained
        self._initial = self._learned = 0.0

    def times(self, u: Tensor) -> Tensor:
        """W u: (n_in,) to (n_out,)."""
        return self._trained.times(u)

    def transpose_times(self, v: Tensor) -> Tensor:
        """W^T v: (n_out,) to (n_in,)."""
        initial, learned = self._trained.transposed_parts(v)
        self._initial += initial.square().sum().item()
        self._learned += learned.square().sum().item()
        return initial + learned

    def drift(self) -> float:
        """The learned part over the initial one, of all products together; zero if there was none."""
        return math.sqrt(self._learned / self._initial) if self._initial > 0 else 0.0


def sgd_trajectory(
    initial: Sequence[LinearMap],
    scales: LayerScales,
    images: Tensor,
    targets: Tensor,
    learning_rate: float,
    momentum: float = 0.0,
    *,
    diverging: Diverging = "raise",
) -> Trajectory:
    """SGD from ``initial`` on batches ``images`` (steps, batch, n_0), ``targets`` (steps, batch, n_L).

    Loss: batch mean of 1/2 ||f - y||^2; v <- momentum v + gradient, W <- W - learning_rate v.
    ``diverging`` says what happens at the first value that is not finite: ``NonFiniteError`` naming the
    step, or a trajectory of the steps before it. Raises ``ConfigError`` for shapes that do not fit
    each other.

    Examples:
        >>> from dynparam.engines.network import DenseMap, draw_weights
        >>> from dynparam.theory.parametrization import layer_scales
        >>> from dynparam.theory.widths import Widths
        >>> widths, random = Widths((64, 32, 8, 32, 2)), torch.Generator().manual_seed(0)
        >>> scales = layer_scales("dynamic", widths)
        >>> maps = list(map(DenseMap, draw_weights(widths, scales, random, torch.float64)))
        >>> images, targets = torch.ones(50, 1, 64), torch.tensor([1.0, 0.0]).expand(50, 1, 2)
        >>> found = sgd_trajectory(maps, scales, images, targets, learning_rate=0.1)
        >>> bool(found.gradient_norm[-1, -1] < 0.01 * found.gradient_norm[0, -1])  # f has come to y
        True
    """
    check_batches(images, targets)
    maps = [TrainedMap(matrix) for matrix in initial]
    steps: list[Trajectory] = []
    for step, (x, y) in enumerate(zip(images.double(), targets.double(), strict=True), start=1):
        try:
            steps.append(_step(maps, scales, x, y, learning_rate, momentum))
        except NonFiniteError as error:
            if diverging == "stop":
                break
            raise NonFiniteError(f"step {step}: {error}") from None
    return _stack(steps, len(maps))


def check_batches(images: Tensor, targets: Tensor) -> None:
    """Raise ``ConfigError`` unless these are (steps, batch, n_0) and (steps, batch, n_L), batch > 0."""
    if not images.ndim == targets.ndim == 3 or targets.shape[:2] != images.shape[:2]:
        raise ConfigError(
            f"images {tuple(images.shape)} and targets {tuple(targets.shape)} are not (steps, batch, "
            f"n_0) and (steps, batch, n_L) with the same steps and batch"
        )
    if not images.shape[1]:
        raise ConfigError("a batch holds no images; every step needs at least one")


def _step(
    maps: Sequence[TrainedMap],
    scales: LayerScales,
    images: Tensor,
    targets: Tensor,
    learning_rate: float,
    momentum: float,
) -> Trajectory:
    """One step on a batch (batch, n_0), (batch, n_L); every attribute (L,)."""
    forwards = [forward(maps, scales, x) for x in images]
    asked = [_Asked(w) for w in maps]
    errors = [backward(asked, scales, seen, y) for seen, y in zip(forwards, targets, strict=True)]
    gradients = [[delta / len(images) for delta in deltas] for deltas in errors]
    for layer, (w, g) in enumerate(zip(maps, scales.multiplier, strict=True)):
        inputs = images if layer == 0 else [seen[layer - 1].relu() for seen in forwards]
        outer = [(g * deltas[layer], h) for deltas, h in zip(gradients, inputs, strict=True)]
        w.accelerate(momentum, outer)
    updates = [
        _propagate(maps, scales, x, seen, learning_rate)
        for x, seen in zip(images, forwards, strict=True)
    ]
    for w in maps:
        w.move(learning_rate)
    layers = [
        [torch.stack([vectors[layer] for vectors in per_image]) for layer in range(len(maps))]
        for per_image in (gradients, forwards, updates)
    ]
    seen = Trajectory(
        alignment=np.array(
            [abs((d * u).sum().item()) for d, u in zip(layers[0], layers[2], strict=True)]
        ),
        preactivation_rms=np.array([_rms(z) for z in layers[1]]),
        update_rms=np.array([_rms(u) for u in layers[2]]),
        gradient_norm=np.array([d.norm().item() for d in layers[0]]),
        drift=np.array([*(w.drift() for w in asked[1:]), np.nan]),
    )
    _require_finite(seen)
    return seen


def _propagate(
    maps: Sequence[TrainedMap],
    scales: LayerScales,
    x: Tensor,
    preactivation: Sequence[Tensor],
    learning_rate: float,
) -> list[Tensor]:
    """Delta htilde^1 ... Delta htilde^L if every W^l moves by -learning_rate * velocity (eq. 2.26)."""
    updates: list[Tensor] = []
    h, change = x, torch.zeros_like(x)
    for layer, (w, g) in enumerate(zip(maps, scales.multiplier, strict=True)):
        own = -learning_rate * g * w.velocity_times(h + change)
        # The image itself does not change, so the first layer has nothing to carry.
        updates.append(own + g * w.times(change) if layer > 0 else own)
        h = preactivation[layer].relu()
        change = (preactivation[layer] + updates[layer]).relu() - h
    return updates


def _combine(coefficients: Tensor, outer: GrowingRows, inner: GrowingRows, u: Tensor) -> Tensor:
    """sum_k c_k outer_k <inner_k, u>; a zero of no dimension if there are no terms."""
    if not inner.count:
        return torch.zeros((), dtype=torch.float64)
    # Without momentum the velocity has forgotten all but its last terms.
    known = slice(int(coefficients.ne(0).byte().argmax()), None)
    combined: Tensor = (coefficients[known] * (inner.rows[known] @ u)) @ outer.rows[known]
    return combined


def _stack(steps: Sequence[Trajectory], depth: int) -> Trajectory:
    """Single steps, every attribute (L,), as one trajectory, every attribute (steps, L)."""
    rows = {field.name: [getattr(seen, field.name) for seen in steps] for field in fields(Trajectory)}
    return Trajectory(**{name: np.reshape(values, (-1, depth)) for name, values in rows.items()})


def _require_finite(seen: Trajectory) -> None:
    for quantity, values in asdict(seen).items():
        if quantity != "drift" and not np.isfinite(values).all():
            layer = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
            raise NonFiniteError(
                f"{quantity} of layer {layer} is {values[layer - 1]}; lower the learning rate or check "
                f"the input"
            )


def _rms(vectors: Tensor) -> float:
    return vectors.square().mean().sqrt().item()
