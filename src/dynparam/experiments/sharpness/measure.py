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
from dynparam.experiments.sharpness.settings import (
    NormalizationPart,
    RatesStage,
    WidthsPart,
    WidthsStage,
)
from dynparam.settings.widths import NarrowWidth, Network
from dynparam.support.arrays import FloatArray
from dynparam.support.progress import progress
from dynparam.support.randomness import torch_generator
from dynparam.theory import kernels
from dynparam.theory.fisher import Normalization, normalized_sharpness, of_outputs, sharpness
from dynparam.theory.inner_products import inner_products
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.relu_kernels import layer_shapes, layer_weights, relu_ntk
from dynparam.theory.widths import Widths, bottleneck

Rows = Iterator[dict[str, Any]]

LARGEST_RATE = 4.0
"""Learning rate times sharpness that is surely unstable; a rate that is not shows as this one."""

RESOLUTION = 1.01
"""Ratio of learning rates that are told apart."""


def measure_widths(settings: WidthsStage, pair: Pair) -> pd.DataFrame:
    """A row for each family, parametrization, n and trial: n_min, sharpness, expected.

    ``expected`` is that of the wide limit on the same images. One draw of standard normal weights serves
    all parametrizations of a trial, layer by layer.
    """
    part = settings.sharpness
    images = drawn_images(settings, pair, part.widths.images, "widths")
    shapes = layer_shapes(inner_products(images), len(settings.network.hidden) + 1)
    every = [
        (family, n, widths)
        for family, found in families(settings).items()
        for n, widths in found.items()
    ]
    rows: list[dict[str, Any]] = []
    with progress("sharpness", float(sum(n for _, n, _ in every))) as advance:
        for family, n, widths in every:
            rows += _of_widths(part, family, n, widths, images, shapes)
            advance(n)
    return pd.DataFrame(rows)


def _trials(at_the_largest: int, width: int, largest: int) -> int:
    """Narrow networks scatter more and cost less: as many as make up for the former."""
    return at_the_largest * largest // width


def families(settings: WidthsStage) -> Mapping[str, Mapping[int, Widths]]:
    """The networks of every family, by n, on the grid that is measured."""
    part = settings.sharpness
    return {
        family: networks(settings.network, narrow, part.widths.widths.widths(), part.features)
        for family, narrow in part.families.items()
    }


def networks(
    network: Network, narrow: NarrowWidth, grid: Sequence[int], features: int
) -> Mapping[int, Widths]:
    """The networks of a family at these n, with so many inputs and one output.

    Raises ``ConfigError`` where the narrow width is none.
    """
    rule = narrow.rule()
    return {n: bottleneck(n, rule.n_min(n), hidden=network.hidden, n_in=features, n_out=1) for n in grid}


def _of_widths(
    settings: WidthsPart, family: str, n: int, widths: Widths, images: FloatArray, shapes: FloatArray
) -> Rows:
    scales = {name: layer_scales(name, widths) for name in settings.parametrizations}
    expected = {name: _wide_sharpness(shapes, widths, one) for name, one in scales.items()}
    for trial in range(_trials(settings.widths.trials, n, settings.widths.widths.largest)):
        layers = _drawn_layers(settings, family, n, widths, images, trial)
        for name, one in scales.items():
            yield {
                "family": family,
                "parametrization": name,
                "n": n,
                "n_min": widths.n_min,
                "trial": trial,
                "sharpness": sharpness(np.tensordot(layer_weights(one), layers, axes=1)),
                "expected": expected[name],
            }


def _wide_sharpness(shapes: FloatArray, widths: Widths, scales: LayerScales) -> float:
    """That of the wide limit, for one output."""
    return sharpness(of_outputs(relu_ntk(shapes, widths, scales), 1))


def _drawn_layers(
    settings: WidthsPart, family: str, n: int, widths: Widths, images: FloatArray, trial: int
) -> FloatArray:
    """Theta^l of standard normal weights without multipliers: what all parametrizations have in common.

    The numbers are drawn in float32, which takes a fifth of the time and was most of it.
    """
    random = torch_generator(settings.seed, "sharpness", "widths", family, n, trial)
    bare = LayerScales((1.0,) * widths.depth, (1.0,) * widths.depth)
    weights = [one.double() for one in draw_weights(widths, bare, random, torch.float32)]
    found: FloatArray = empirical_ntk.layer_kernels(
        weights, bare.multiplier, torch.from_numpy(images)
    ).numpy()
    return found


def wide_limits(settings: WidthsStage, pair: Pair) -> pd.DataFrame:
    """The wide limit far beyond what is measured: inputs, family, parametrization, n, sharpness.

    ``inputs`` is "pooled" along the measured families and "whole" along those of the thesis, with its
    n_0. Both run to the same n.
    """
    part = settings.sharpness
    to = part.thesis.widths
    measured = part.widths.widths
    grid = sorted({*measured.widths(), *(n for n in to.widths() if n > measured.largest)})
    pooled = drawn_images(settings, pair, part.widths.images, "widths")
    whole = drawn_images(settings, pair, part.thesis.images, "thesis", pool=1)
    rows: list[dict[str, Any]] = []
    rows += _limits(settings, "pooled", pooled, part.families, grid)
    rows += _limits(settings, "whole", whole, part.thesis.families, to.widths())
    return pd.DataFrame(rows)


def _limits(
    settings: WidthsStage,
    inputs: str,
    images: FloatArray,
    families: Mapping[str, NarrowWidth],
    grid: Sequence[int],
) -> Rows:
    shapes = layer_shapes(inner_products(images), len(settings.network.hidden) + 1)
    for family, narrow in families.items():
        for n, widths in networks(settings.network, narrow, grid, images.shape[1]).items():
            for name in settings.sharpness.parametrizations:
                value = _wide_sharpness(shapes, widths, layer_scales(name, widths))
                yield {
                    "inputs": inputs,
                    "family": family,
                    "parametrization": name,
                    "n": n,
                    "sharpness": value,
                }


def measure_normalization(settings: NormalizationPart) -> pd.DataFrame:
    """A row for each number of inputs, M, trial and normalization: sharpness, expected.

    ``inputs`` is "proportional" where there are M inputs and "fixed" in the control. ``expected`` is of
    the wide kernel, normalized by the measured outputs. Both are of one output, the mean over outputs,
    but for layer normalization.
    """
    part = settings.normalization
    grids = {"proportional": part.widths, "fixed": part.fixed_widths}
    every = [
        (rule, width, trial)
        for rule, widths in grids.items()
        for width in widths
        for trial in range(_trials(part.trials, width, widths[-1]))
    ]
    rows: list[dict[str, Any]] = []
    with progress("normalized outputs", float(sum(width**2 for _, width, _ in every))) as advance:
        for rule, width, trial in every:
            rows += _of_normalization(settings, rule, width, trial)
            advance(width**2)
    return pd.DataFrame(rows)


def _of_normalization(settings: NormalizationPart, rule: str, width: int, trial: int) -> Rows:
    part = settings.normalization
    count = width if rule == "proportional" else part.fixed_images
    random = torch_generator(settings.seed, "sharpness", "normalization", rule, width, trial)
    widths = Widths((*(width,) * part.layers, part.outputs))
    # He's variance in every layer, the readout too, and no multipliers.
    scales = LayerScales((1.0,) * part.layers, (math.sqrt(2 / width),) * part.layers)
    images = torch.empty(count, width, dtype=torch.float64).normal_(generator=random)
    weights = draw_weights(widths, scales, random, torch.float64)
    kernel = empirical_ntk.ntk(weights, scales.multiplier, images).numpy()
    wide = kernels.ntk(inner_products(images.numpy()), widths, scales)
    values = MLP(weights, scales.multiplier, copy=False)(images).detach().numpy()
    for normalization in get_args(Normalization):
        yield {
            "inputs": rule,
            "width": width,
            "trial": trial,
            "normalization": normalization,
            "sharpness": _normalized(kernel, values, normalization),
            "expected": _normalized_limit(wide, values, normalization),
        }


def _normalized(kernel: FloatArray, values: FloatArray, normalization: Normalization) -> float:
    """Of one output, the mean over them; of all together where the normalization couples them.

    That of all together is larger than theory by (1 + sqrt(C / M))^2 or so in every case: C equal
    eigenvalues split, as those of a Wishart matrix. What is asked here is how one of them grows.
    """
    if normalization == "layer":
        return normalized_sharpness(kernel, values, normalization)
    blocks = [kernel[one : one + 1, :, one : one + 1] for one in range(values.shape[1])]
    return float(
        np.mean(
            [
                normalized_sharpness(block, values[:, one : one + 1], normalization)
                for one, block in enumerate(blocks)
            ]
        )
    )


def _normalized_limit(wide: FloatArray, values: FloatArray, normalization: Normalization) -> float:
    """The same of the wide kernel of one output (T, T), which is that of each."""
    outputs = values.shape[1]
    if normalization in ("none", "mean"):  # the values do not matter: all outputs are one
        return normalized_sharpness(of_outputs(wide, 1), values[:, :1], normalization)
    return _normalized(of_outputs(wide, outputs), values, normalization)


def measure_rates(settings: RatesStage, pair: Pair) -> pd.DataFrame:
    """A row for each family, parametrization and n: sharpness, rate, product.

    ``rate`` is the largest learning rate at which the loss never exceeds its first value, to one per
    cent. Targets lie so near the initial outputs that the kernel does not move until then.
    """
    part, every = settings.sharpness.rates, settings.sharpness
    images = torch.from_numpy(drawn_images(settings, pair, part.images, "rates"))
    rows = []
    for family, narrow in every.families.items():
        for n, widths in networks(settings.network, narrow, part.n, every.features).items():
            for name in every.parametrizations:
                random = torch_generator(every.seed, "sharpness", "rates", family, n)
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
    first = math.inf
    for step in range(steps + 1):
        loss = (model(images) - targets).square().sum() / (2 * len(images))
        if not loss.item() <= first:
            return False
        first = loss.item() if step == 0 else first
        if step < steps:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return True
