"""Eigenvalues of drawn networks, beside what theory makes of the same probabilities and inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dynparam.data.images import Pair, draw_subset, normalize
from dynparam.engines import empirical_ntk
from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.softmax_fisher.settings import SoftmaxTrials
from dynparam.experiments.softmax_fisher.tables import HE
from dynparam.support.arrays import FloatArray
from dynparam.support.progress import progress
from dynparam.support.randomness import seed_sequence, torch_generator
from dynparam.theory import classification, fisher, kernels
from dynparam.theory.inner_products import inner_products
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.relu_kernels import layer_weights, output_square
from dynparam.theory.widths import Widths, bottleneck

COLUMNS = ("part", "n", "scales", "trial", "quantity", "rank", "value")
"""The columns of ``results/softmax_fisher/eigenvalues.csv``."""


@dataclass(frozen=True)
class Drawn:
    """A network at work on inputs.

    Attributes:
        widths: n_0 ... n_L.
        scales: its scales.
        inputs: (T, n_0).
        kernel: Theta of all outputs, (C, T, C, T).
        outputs: f, (T, C).
    """

    widths: Widths
    scales: LayerScales
    inputs: FloatArray
    kernel: FloatArray
    outputs: FloatArray


def measure(settings: SoftmaxTrials, pair: Pair) -> pd.DataFrame:
    """The eigenvalues of all networks, in ``COLUMNS``; ``part`` is "gaussian" or "images".

    Quantities with ``ranks`` of the largest eigenvalues: "softmax", of the Fisher information with
    softmax, "refined", the same from the wide kernel and the measured probabilities, "squared" and
    "squared_wide", without softmax. With C - 1: "simple" (``classification.outliers``). With one: the
    sums of all, "trace" and "trace_refined"; "input" and "input_wide", the largest eigenvalue of the
    metric of inputs, on Gaussian ones; "output_rms", sqrt(E f^2) over networks in theory; and
    "remainder", K1 / (T K2). Raises what ``draw_subset`` and ``empirical_ntk`` do.
    """
    own = settings.softmax_fisher
    grid = list(product(own.images.widths, range(own.trials)))
    work = [float(n) for n, _ in grid]
    gaussian = float(max(own.gaussian.hidden))
    found: list[pd.DataFrame] = []
    with progress("softmax", sum(work) + own.trials * gaussian) as advance:
        for trial in range(own.trials):
            found.append(_table("gaussian", HE, trial, _gaussian(settings, trial), own.ranks))
            advance(gaussian)
        for n, trial in grid:
            for name, drawn in draw_on_images(settings, pair, n, trial):
                found.append(_table("images", name, trial, _values(drawn), own.ranks, n))
            advance(float(n))
    return pd.concat(found, ignore_index=True)[list(COLUMNS)]


def draw_gaussian(settings: SoftmaxTrials, trial: int) -> tuple[Drawn, list[Tensor]]:
    """The network on Gaussian inputs of one trial, and its weights."""
    own = settings.softmax_fisher
    widths = Widths((own.gaussian.inputs, *own.gaussian.hidden, own.gaussian.outputs))
    stds = tuple((2 / fan_in) ** 0.5 for fan_in, _ in widths.layers())
    scales = LayerScales((1.0,) * widths.depth, stds)
    generator = torch_generator(own.seed, "softmax", "gaussian", trial)
    weights = draw_weights(widths, scales, generator, torch.float64)
    inputs = torch.randn(own.samples, widths.sizes[0], dtype=torch.float64, generator=generator)
    kernel = empirical_ntk.ntk(weights, scales.multiplier, inputs).numpy()
    return Drawn(widths, scales, inputs.numpy(), kernel, _outputs(weights, scales, inputs)), weights


def draw_on_images(
    settings: SoftmaxTrials, pair: Pair, n: int, trial: int
) -> Iterator[tuple[str, Drawn]]:
    """One draw of standard normal numbers and of images, with the scales of every parametrization.

    ReLU has no scale: kernels and outputs of the parametrizations differ by factors of layers alone.
    A trial has the same images at every width.
    """
    own = settings.softmax_fisher
    narrow = own.images.narrow.rule().n_min(n)
    widths = bottleneck(n, narrow, hidden=settings.network.hidden, n_out=own.images.outputs)
    numbers = np.random.default_rng(seed_sequence(own.seed, "softmax", "subset", trial))
    chosen = draw_subset(pair.train_labels, own.samples, True, numbers)
    inputs = normalize(
        pair.train_images[chosen], settings.inputs.normalization, reference=pair.train_images
    )
    ones = LayerScales((1.0,) * widths.depth, (1.0,) * widths.depth)
    generator = torch_generator(own.seed, "softmax", "images", n, trial)
    weights = draw_weights(widths, ones, generator, torch.float64)
    images = torch.from_numpy(inputs)
    layers = empirical_ntk.layer_kernels(weights, ones.multiplier, images).numpy()
    outputs = _outputs(weights, ones, images)
    for name in own.parametrizations:
        scales = layer_scales(name, widths, own.r)
        kernel = np.tensordot(layer_weights(scales), layers, axes=1)
        yield name, Drawn(widths, scales, inputs, kernel, float(np.prod(scales.signal)) * outputs)


def input_metric(weights: list[Tensor], scales: LayerScales, inputs: FloatArray) -> FloatArray:
    """Inner products of the gradients of the first output for the inputs, (T, T)."""
    x = torch.from_numpy(inputs).requires_grad_()
    f = MLP(weights, scales.multiplier)(x)
    (gradient,) = torch.autograd.grad(f[:, 0].sum(), x)
    found: FloatArray = (gradient @ gradient.T).numpy()
    return found


def _outputs(weights: list[Tensor], scales: LayerScales, inputs: Tensor) -> FloatArray:
    found: FloatArray = MLP(weights, scales.multiplier)(inputs).detach().numpy()
    return found


def _gaussian(settings: SoftmaxTrials, trial: int) -> dict[str, FloatArray]:
    """What the network on Gaussian inputs shows, the metric of inputs too."""
    drawn, weights = draw_gaussian(settings, trial)
    inner = inner_products(drawn.inputs)
    backward = kernels.gram_matrices(inner, drawn.widths, drawn.scales).backward
    wide = classification.input_kernel(backward, drawn.widths, drawn.scales)
    metric = input_metric(weights, drawn.scales, drawn.inputs)
    largest = {"input": metric, "input_wide": wide}
    return _values(drawn) | {
        name: np.array([fisher.sharpness(one[None, :, None, :])]) for name, one in largest.items()
    }


def _values(drawn: Drawn) -> dict[str, FloatArray]:
    """Every quantity of one network, the largest first."""
    wide = kernels.ntk(inner_products(drawn.inputs), drawn.widths, drawn.scales)
    probabilities = classification.softmax(drawn.outputs)
    outputs, inputs = drawn.outputs.shape[1], len(wide)
    dual = {"softmax": drawn.kernel, "refined": fisher.of_outputs(wide, outputs)}
    spectra = {
        name: fisher.spectrum(classification.cross_entropy_kernel(kernel, probabilities))
        for name, kernel in dual.items()
    }
    squares = np.square(drawn.inputs).sum(axis=1).mean()
    different = classification.off_diagonal_mean(wide)
    return {
        **spectra,
        "squared": fisher.spectrum(drawn.kernel),
        "squared_wide": np.repeat(np.linalg.eigvalsh(wide)[::-1] / inputs, outputs),
        "simple": classification.outliers(wide, probabilities),
        "trace": spectra["softmax"].sum(keepdims=True),
        "trace_refined": spectra["refined"].sum(keepdims=True),
        "output_rms": np.sqrt([output_square(drawn.widths, drawn.scales) * squares]),
        "remainder": np.array([np.trace(wide) / (inputs**2 * different)]),
    }


def _table(
    part: str, scales: str, trial: int, values: dict[str, FloatArray], ranks: int, n: int = 0
) -> pd.DataFrame:
    """One network's quantities as rows; ``n`` is zero where there is one network only."""
    rows = [
        (part, n, scales, trial, quantity, rank, value)
        for quantity, found in values.items()
        for rank, value in enumerate(found[:ranks], start=1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
