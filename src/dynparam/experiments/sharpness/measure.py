"""Sharpness measured: against width, with normalized outputs, and as the edge of stable rates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dynparam.data.images import Pair
from dynparam.engines import empirical_ntk
from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.sharpness.images import drawn_images
from dynparam.experiments.sharpness.settings import Sharpness, SharpnessStage
from dynparam.settings.widths import NarrowWidth
from dynparam.support.arrays import FloatArray
from dynparam.support.randomness import torch_generator
from dynparam.theory import kernels
from dynparam.theory.fisher import Normalization, normalized_kernel, of_outputs, sharpness
from dynparam.theory.inner_products import inner_products
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.relu_kernels import layer_shapes, layer_weights, relu_ntk
from dynparam.theory.widths import Widths, bottleneck

Rows = Iterator[dict[str, Any]]

LARGEST_RATE = 4.0
"""Learning rate times sharpness that is surely unstable; a rate that is not shows as this one."""

RESOLUTION = 1.01
"""Ratio of learning rates that are told apart."""


def measure_widths(settings: SharpnessStage, pair: Pair) -> pd.DataFrame:
    """A row for each family, parametrization, n and trial: n_min, sharpness, expected.

    ``expected`` is that of the wide limit on the same images. One draw of standard normal weights serves
    all parametrizations of a trial, layer by layer.
    """
    images = drawn_images(settings, pair, settings.sharpness.widths.images, "widths")
    shapes = layer_shapes(inner_products(images), len(settings.network.hidden) + 1)
    rows = [
        row
        for family, networks in families(settings).items()
        for n, widths in networks.items()
        for row in _of_widths(settings.sharpness, family, n, widths, images, shapes)
    ]
    return pd.DataFrame(rows)


def families(settings: SharpnessStage) -> Mapping[str, Mapping[int, Widths]]:
    """The networks of every family, by n, on the grid that is measured."""
    part = settings.sharpness.widths
    return {
        family: networks(settings, narrow, part.widths.widths())
        for family, narrow in part.families.items()
    }


def networks(settings: SharpnessStage, narrow: NarrowWidth, grid: Sequence[int]) -> Mapping[int, Widths]:
    """The networks of a family at these n, with pooled inputs and one output.

    Raises ``ConfigError`` where the narrow width is none.
    """
    return {
        n: bottleneck(
            n,
            narrow.rule().n_min(n),
            hidden=settings.network.hidden,
            n_in=settings.sharpness.features,
            n_out=1,
        )
        for n in grid
    }


def _of_widths(
    settings: Sharpness, family: str, n: int, widths: Widths, images: FloatArray, shapes: FloatArray
) -> Rows:
    part = settings.widths
    scales = {name: layer_scales(name, widths) for name in part.parametrizations}
    expected = {
        name: sharpness(of_outputs(relu_ntk(shapes, widths, one), 1)) for name, one in scales.items()
    }
    bare = LayerScales((1.0,) * widths.depth, (1.0,) * widths.depth)
    for trial in range(part.trials):
        random = torch_generator(settings.seed, "sharpness", "widths", family, n, trial)
        weights = draw_weights(widths, bare, random, torch.float64)
        layers = empirical_ntk.layer_kernels(weights, bare.multiplier, torch.from_numpy(images)).numpy()
        for name, one in scales.items():
            found = sharpness(np.tensordot(layer_weights(one), layers, axes=1))
            yield {
                "family": family,
                "parametrization": name,
                "n": n,
                "n_min": widths.n_min,
                "trial": trial,
                "sharpness": found,
                "expected": expected[name],
            }


def measure_normalization(settings: Sharpness) -> pd.DataFrame:
    """A row for each number of inputs, M, trial and normalization: sharpness, expected.

    ``inputs`` is "proportional" where there are M inputs and "fixed" in the control. ``expected`` is of
    the wide kernel, normalized by the measured outputs. Both are of one output, the mean over outputs,
    but for layer normalization.
    """
    part = settings.normalization
    return pd.DataFrame(
        [
            row
            for rule in ("proportional", "fixed")
            for width in part.widths
            for trial in range(part.trials)
            for row in _of_normalization(settings, rule, width, trial)
        ]
    )


def _of_normalization(settings: Sharpness, rule: str, width: int, trial: int) -> Rows:
    part = settings.normalization
    count = width if rule == "proportional" else part.fixed_images
    random = torch_generator(settings.seed, "sharpness", "normalization", rule, width, trial)
    widths = Widths((*(width,) * part.layers, part.outputs))
    # He's variance in every layer, the readout too, and no multipliers.
    scales = LayerScales((1.0,) * part.layers, (math.sqrt(2 / width),) * part.layers)
    images = torch.empty(count, width, dtype=torch.float64).normal_(generator=random)
    weights = draw_weights(widths, scales, random, torch.float64)
    kernel = empirical_ntk.ntk(weights, scales.multiplier, images).numpy()
    wide = of_outputs(kernels.ntk(inner_products(images.numpy()), widths, scales), part.outputs)
    values = MLP(weights, scales.multiplier, copy=False)(images).detach().numpy()
    for normalization in get_args(Normalization):
        yield {
            "inputs": rule,
            "width": width,
            "trial": trial,
            "normalization": normalization,
            "sharpness": _normalized_sharpness(kernel, values, normalization),
            "expected": _normalized_sharpness(wide, values, normalization),
        }


def _normalized_sharpness(kernel: FloatArray, values: FloatArray, normalization: Normalization) -> float:
    """Of one output, the mean over them; of all together where the normalization couples them.

    That of all together is larger than theory by (1 + sqrt(C / M))^2 or so in every case: C equal
    eigenvalues split, as those of a Wishart matrix. What is asked here is how one of them grows.
    """
    if normalization == "layer":
        return sharpness(normalized_kernel(kernel, values, normalization))
    outputs = [slice(output, output + 1) for output in range(values.shape[1])]
    return float(
        np.mean(
            [
                sharpness(normalized_kernel(kernel[one, :, one], values[:, one], normalization))
                for one in outputs
            ]
        )
    )


def measure_rates(settings: SharpnessStage, pair: Pair) -> pd.DataFrame:
    """A row for each family, parametrization and n: sharpness, rate, product.

    ``rate`` is the largest learning rate at which the loss never exceeds its first value, to one per
    cent. Targets lie so near the initial outputs that the kernel does not move until then.
    """
    part, every = settings.sharpness.rates, settings.sharpness.widths
    images = torch.from_numpy(drawn_images(settings, pair, part.images, "rates"))
    rows = []
    for family, narrow in every.families.items():
        for n, widths in networks(settings, narrow, part.n).items():
            for name in every.parametrizations:
                random = torch_generator(settings.sharpness.seed, "sharpness", "rates", family, n)
                scales = layer_scales(name, widths)
                weights = draw_weights(widths, scales, random, torch.float64)
                signs = torch.randint(2, (len(images), 1), generator=random) * 2.0 - 1
                top = sharpness(empirical_ntk.ntk(weights, scales.multiplier, images).numpy())
                product = _largest_product(weights, scales, images, signs, top, part.steps)
                rows.append(
                    {
                        "family": family,
                        "parametrization": name,
                        "n": n,
                        "sharpness": top,
                        "rate": product / top,
                        "product": product,
                    }
                )
    return pd.DataFrame(rows)


def _largest_product(
    weights: list[Tensor], scales: LayerScales, images: Tensor, signs: Tensor, top: float, steps: int
) -> float:
    """The largest stable learning rate times sharpness, by bisection."""
    low, high = 1.0, LARGEST_RATE
    while high / low > RESOLUTION:
        middle = math.sqrt(low * high)
        stable = _is_stable(weights, scales, images, signs, middle / top, steps)
        low, high = (middle, high) if stable else (low, middle)
    return math.sqrt(low * high)


def _is_stable(
    weights: list[Tensor], scales: LayerScales, images: Tensor, signs: Tensor, rate: float, steps: int
) -> bool:
    """Whether the loss (1/2T) |f - y|^2 never exceeds its first value under gradient descent.

    Its end would not do: a loss that has grown far enough moves the kernel, and may come down again.
    """
    model = MLP(weights, scales.multiplier)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    with torch.no_grad():
        start = model(images)
        targets = start + 1e-3 * start.abs().mean() * signs

    def loss() -> Tensor:
        error: Tensor = model(images) - targets
        return error.square().sum() / (2 * len(images))

    first = loss().item()
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            if not loss().item() <= first:
                return False
    return True
