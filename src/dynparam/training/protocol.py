"""The training protocol of Figs. 3.4 and 3.5 on explicit tensors (Sec. 3.3).

Networks of several seeds train in lockstep, each on batches of its own, by SGD with momentum on the
batch mean of 1/2 ||f(x) - y||^2; after each epoch all images are evaluated in large blocks. Everything
a run draws follows from (protocol seed, task, run's seed) alone: initial weights on the CPU, as standard
normals that each parametrization scales, and a permutation per epoch. Runs of one seed under two
parametrizations therefore see the same images in the same order, and can be compared in pairs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from dynparam.data.images import Pair, normalize, one_hot
from dynparam.data.settings import Normalization
from dynparam.engines.network import draw_weights
from dynparam.support.randomness import seed_sequence, torch_generator
from dynparam.theory.parametrization import (
    HALF,
    LayerScales,
    hybrid_scales,
    layer_scales,
    scales_of_update,
)
from dynparam.theory.widths import Widths, bottleneck
from dynparam.training.layers import (
    DenseLayer,
    DualFirstLayer,
    FirstLayer,
    MomentumRule,
    PrimalFirstLayer,
)
from dynparam.training.settings import Protocol, RunStage

EVALUATION_BLOCK = 500
"""Images evaluated at once: products this wide run at full speed, and what they need at 10^4 units
stays below the 32 MB from which on an allocator takes, and clears, new memory every time."""


@dataclass(frozen=True)
class Task:
    """A two-class task as tensors, training images before test images.

    Attributes:
        inputs: (images, n_0); first the training, then the test, then the validation images, if any.
        targets: one-hot, (images, 2).
        counts: numbers of training, test and, if there are any, validation images.
    """

    inputs: Tensor
    targets: Tensor
    counts: tuple[int, ...]

    @property
    def train_count(self) -> int:
        """Number of training images."""
        return self.counts[0]

    @classmethod
    def of_pair(
        cls, pair: Pair, normalization: Normalization, dtype: torch.dtype, device: torch.device
    ) -> Task:
        """The images of ``pair`` normalized (all by the training images' statistics)."""
        sets = [(pair.train_images, pair.train_labels), (pair.test_images, pair.test_labels)]
        if len(pair.validation_labels):
            sets.append((pair.validation_images, pair.validation_labels))
        parts = [normalize(images, normalization, reference=pair.train_images) for images, _ in sets]
        labels = np.concatenate([labels for _, labels in sets])
        return cls(
            inputs=torch.from_numpy(np.concatenate(parts)).to(device, dtype),
            targets=torch.from_numpy(one_hot(labels)).to(device, dtype),
            counts=tuple(len(labels) for _, labels in sets),
        )

    @cached_property
    def gram(self) -> Tensor:
        """<x, x'> of every image x with every training image x': (images, train)."""
        exact = self.inputs.double()
        return (exact @ exact[: self.train_count].mT).to(self.inputs.dtype)


@dataclass(frozen=True)
class Evaluation:
    """Losses and accuracies of a stack of networks at one moment, float64.

    Attributes:
        losses: mean loss over the training images, the test images, and the validation images if
            there are any: (stack, sets).
        accuracies: the share of them that is told right: (stack, sets).
    """

    losses: Tensor
    accuracies: Tensor


def network_widths(settings: RunStage) -> Widths:
    """The widths of the run's bottleneck network."""
    protocol = settings.protocol
    return bottleneck(protocol.n, protocol.n_min, hidden=settings.network.hidden)


def initial_weights(settings: RunStage, task: str, scales: LayerScales, seed: int) -> list[Tensor]:
    """W^l of one run, (n_l, n_{l-1}) each: float32 normals drawn on the CPU, whatever trains them.

    The normals depend on the task and the seed, not on the parametrization, which scales them.
    """
    generator = torch_generator(settings.protocol.seed, "training", task, seed, "weights")
    drawn = draw_weights(network_widths(settings), scales, generator, torch.float32)
    return [w.to(getattr(torch, settings.protocol.dtype)) for w in drawn]


def batch_order(settings: RunStage, task: str, seed: int, epoch: int) -> list[Tensor]:
    """The batches of an epoch (1, 2, ...): indices of training images, each image once."""
    protocol, count = settings.protocol, settings.data.train_images
    numbers = seed_sequence(protocol.seed, "training", task, seed, "order", epoch)
    order = torch.from_numpy(np.random.default_rng(numbers).permutation(count))
    batches = list(torch.split(order, protocol.batch_size))
    if protocol.last_batch == "dropped" and len(batches[-1]) < protocol.batch_size:
        batches.pop()
    return batches


def batches_per_epoch(settings: RunStage) -> int:
    """How many batches ``batch_order`` gives."""
    full, left = divmod(settings.data.train_images, settings.protocol.batch_size)
    return full + (left > 0 and settings.protocol.last_batch == "kept")


def run_scales(settings: RunStage, parametrization: str) -> LayerScales:
    """The scales of a run: its parametrization's, or its rates with the initial scales of another.

    An exponent r beyond 1/2, of dynamic parametrization alone, is one of larger updates (Sec. 2.3.2).
    """
    protocol, widths = settings.protocol, network_widths(settings)
    if parametrization == "dynamic" and protocol.r > HALF:
        rates = scales_of_update(widths, widths.n_min ** float(protocol.r))
    else:
        rates = layer_scales(parametrization, widths, min(protocol.r, HALF))
    if protocol.starts_as is None:
        return rates
    return hybrid_scales(layer_scales(protocol.starts_as, widths, min(protocol.r, HALF)), rates)


class Networks:
    """A stack of networks of one task and parametrization, one per seed, that train together."""

    def __init__(self, settings: RunStage, task_name: str, task: Task, parametrization: str) -> None:
        """Describe the networks; ``draw`` initializes those of given seeds."""
        self._settings = settings
        self._name = task_name
        self._task = task
        self._scales = run_scales(settings, parametrization)

    def draw(self, seeds: Sequence[int]) -> Stack:
        """The stack of networks of ``seeds`` at their initialization."""
        drawn = [initial_weights(self._settings, self._name, self._scales, seed) for seed in seeds]
        device = self._task.inputs.device
        weights = [_stacked(layer).to(device) for layer in zip(*drawn, strict=True)]
        return Stack(weights, self._scales, self._task, self._settings.protocol)


class Stack:
    """The trained state of several networks: their layers, moved by ``train_batch``."""

    def __init__(
        self, weights: list[Tensor], scales: LayerScales, task: Task, protocol: Protocol
    ) -> None:
        """Train from ``weights``, layer by layer (stack, n_l, n_{l-1}), which may be overwritten."""
        self._task = task
        self._rule = MomentumRule(
            protocol.learning_rate, protocol.momentum, protocol.dampening, protocol.decay
        )
        exact = protocol.products == "exact"
        self._factors = task.inputs.dtype if exact else torch.bfloat16
        first, multiplier = weights[0], scales.multiplier
        self._first: FirstLayer
        if protocol.first_layer == "dual":
            self._first = DualFirstLayer(first, multiplier[0], self._factors, task.inputs, task.gram)
        else:
            self._first = PrimalFirstLayer(first, multiplier[0], self._factors, task.inputs)
        self._layers = [
            DenseLayer(w, g, self._factors) for w, g in zip(weights[1:], multiplier[1:], strict=True)
        ]

    def train_batch(self, images: Tensor) -> Tensor:
        """One step on the training images (stack, batch); their mean loss before it, (stack,)."""
        activations = self._activations(self._first.forward(images))
        error = activations.pop().to(self._task.targets.dtype) - self._task.targets[images]
        delta = (error / images.shape[1]).to(self._factors)
        for layer, h in zip(reversed(self._layers), reversed(activations), strict=True):
            carried = layer.backward(delta)
            layer.step(delta, h, self._rule)
            delta = torch.ops.aten.threshold_backward(carried, h, 0)
        self._first.step(delta, images, self._rule)
        return _image_losses(error).mean(dim=1)

    def evaluate(self) -> Evaluation:
        """Losses and accuracies over all images of each set."""
        blocks = range(0, len(self._task.inputs), EVALUATION_BLOCK)
        outputs = torch.cat(
            [
                self._activations(self._first.forward_block(slice(start, start + EVALUATION_BLOCK)))[-1]
                for start in blocks
            ],
            dim=1,
        )
        losses = _image_losses(outputs.to(self._task.targets.dtype) - self._task.targets)
        right = (outputs.argmax(dim=2) == self._task.targets.argmax(dim=1)).double()
        return Evaluation(*(self._means(values).cpu() for values in (losses, right)))

    def _means(self, values: Tensor) -> Tensor:
        """The mean over every set of images: (stack, images) to (stack, sets)."""
        parts = torch.split(values, list(self._task.counts), dim=1)
        return torch.stack([part.mean(dim=1) for part in parts], dim=1)

    def tensors(self) -> dict[str, Tensor]:
        """Weights and velocities by name, each with the leading stack axis, to read or to write."""
        named: dict[str, Tensor] = {}
        for number, layer in enumerate(self._all_layers(), start=1):
            named[f"weights_{number}"] = layer.weights
            named[f"velocity_{number}"] = layer.velocity
        return named

    def refresh(self) -> None:
        """Take up what was written into ``tensors``."""
        for layer in self._all_layers():
            layer.refresh()

    def _all_layers(self) -> list[FirstLayer | DenseLayer]:
        return [self._first, *self._layers]

    def _activations(self, preactivation: Tensor) -> list[Tensor]:
        """h^1 ... h^{L-1} and f from htilde^1 (stack, batch, n_1), which is overwritten."""
        found = [preactivation.relu_()]
        for layer in self._layers[:-1]:
            found.append(layer.forward(found[-1]).relu_())
        found.append(self._layers[-1].forward(found[-1]))
        return found


def _stacked(layer: Sequence[Tensor]) -> Tensor:
    """One stack of equal matrices; a single one is not copied."""
    return layer[0][None] if len(layer) == 1 else torch.stack(list(layer))


def memory_bytes(settings: RunStage, stack: int) -> int:
    """Memory that training a stack needs at its peak, estimated from above."""
    protocol, data = settings.protocol, settings.data
    widths = network_widths(settings)
    images = data.train_images + data.test_images + data.validation_count
    size = torch.finfo(getattr(torch, protocol.dtype)).bits // 8
    # What is drawn, in float32 and then in the run's precision, is copied where there is a stack.
    drawn = widths.weight_count * (4 + size + 2 * (stack - 1) * size)
    trained = stack * _trained_count(settings) * size
    rounded = trained if protocol.products == "bfloat16" else 0
    shared = images * (widths.sizes[0] * 3 + data.train_images * 3) * 8
    preactivations = stack * images * widths.sizes[1] * size
    block = stack * min(images, EVALUATION_BLOCK) * sum(widths.sizes[1:]) * size * 2
    return drawn + 2 * trained + rounded + shared + preactivations + block


def trained_shapes(settings: RunStage) -> dict[str, tuple[int, ...]]:
    """The shapes of the weights and velocities of one run, by the names in ``Stack.tensors``."""
    widths = network_widths(settings)
    shapes = [(fan_out, fan_in) for fan_in, fan_out in widths.layers()]
    if settings.protocol.first_layer == "dual":
        shapes[0] = (settings.data.train_images, widths.sizes[1])
    return {
        f"{kind}_{number}": shape
        for number, shape in enumerate(shapes, start=1)
        for kind in ("weights", "velocity")
    }


def checkpoint_bytes(settings: RunStage) -> int:
    """Size of the checkpoint of one run: weights and velocities."""
    size = torch.finfo(getattr(torch, settings.protocol.dtype)).bits // 8
    return 2 * _trained_count(settings) * size


def _trained_count(settings: RunStage) -> int:
    """Weights of one run; there are as many velocities."""
    return sum(map(math.prod, trained_shapes(settings).values())) // 2


def _image_losses(error: Tensor) -> Tensor:
    """1/2 ||f - y||^2 of every image in float64: (stack, images, 2) to (stack, images)."""
    return error.double().square().sum(dim=2) / 2
