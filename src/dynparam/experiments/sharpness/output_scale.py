"""Dynamic parametrization is ntk with a factor at the output: checked on networks, to rounding.

Both take the same standard normal numbers. With alpha = n_min^(-r), the kernels are the same, layer by
layer; and dynamic at learning rate eta gives the outputs of alpha times ntk at eta / alpha^2, step by
step (``theory.output_scale``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from dynparam.data.images import Pair
from dynparam.engines import empirical_ntk
from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.sharpness.images import drawn_images
from dynparam.experiments.sharpness.measure import networks
from dynparam.experiments.sharpness.settings import RatesStage
from dynparam.support.errors import NonFiniteError
from dynparam.support.randomness import torch_generator
from dynparam.theory.fisher import sharpness
from dynparam.theory.output_scale import output_scale
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.widths import Widths

Rows = Iterator[dict[str, Any]]

R = (0.2, 0.5)
MOMENTUM = (0.0, 0.9)
STEPS = 40

RATE = 0.1
"""Learning rate times sharpness, over 1 - momentum: kernels move, and nothing diverges."""


def measure_output_scale(settings: RatesStage, pair: Pair) -> pd.DataFrame:
    """A row for each family, r and momentum: largest differences, relative to the largest value.

    ``kernels`` compares the initial kernels of all layers, ``outputs`` those of 40 steps of gradient
    descent, and ``same_rate`` these again without the factor in the learning rate: a control.
    """
    part = settings.sharpness
    images = torch.from_numpy(drawn_images(settings, pair, part.rates.images, "rates"))
    rows: list[dict[str, Any]] = []
    for family, narrow in part.families.items():
        found = networks(settings.network, narrow, part.rates.n[:1], part.features)
        for n, widths in found.items():
            rows += [{"family": family, "n": n, **row} for row in _rows(widths, images, part.seed)]
    return pd.DataFrame(rows)


def _rows(widths: Widths, images: Tensor, seed: int) -> Rows:
    targets = torch.randint(2, (len(images), 1), generator=torch_generator(seed, "sharpness", "signs"))
    signs = targets * 2.0 - 1
    ntk = _drawn("ntk", widths, seed)
    kernels = empirical_ntk.layer_kernels(*ntk, images)
    top = sharpness(kernels.sum(dim=0).numpy())
    for r in R:
        scale = output_scale(widths, r)
        dynamic = _drawn("dynamic", widths, seed, r)
        ours = empirical_ntk.layer_kernels(*dynamic, images)
        for momentum in MOMENTUM:
            rate = RATE * (1 - momentum) / top
            outputs = _trained(dynamic, images, signs, rate, momentum)
            scaled, unscaled = (
                _trained(ntk, images, signs, rate * factor, momentum, scale.factor)
                for factor in (scale.learning_rate_factor, 1.0)
            )
            yield {
                "r": r,
                "momentum": momentum,
                "kernels": max(map(_difference, ours, kernels)),
                "outputs": _difference(outputs, scaled),
                "same_rate": _difference(outputs, unscaled),
            }


def _drawn(
    name: str, widths: Widths, seed: int, r: float = 0.5
) -> tuple[list[Tensor], tuple[float, ...]]:
    """Weights, from the same numbers for all names and r, and multipliers."""
    scales: LayerScales = layer_scales(name, widths, r)
    random = torch_generator(seed, "sharpness", "output scale", *widths.sizes)
    return draw_weights(widths, scales, random, torch.float64), scales.multiplier


def _trained(
    network: tuple[list[Tensor], tuple[float, ...]],
    images: Tensor,
    targets: Tensor,
    rate: float,
    momentum: float,
    factor: float = 1.0,
) -> Tensor:
    """Outputs, times ``factor``, before each step and after the last: (STEPS + 1, T, C)."""
    model = MLP(*network)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)
    found = []
    for step in range(STEPS + 1):
        outputs = factor * model(images)
        found.append(outputs.detach())
        if step < STEPS:
            optimizer.zero_grad()
            loss = (outputs - targets).square().sum() / (2 * len(images))
            loss.backward()
            optimizer.step()
    return torch.stack(found)


def _difference(found: Tensor, expected: Tensor) -> float:
    """The largest one, relative to the largest value. Raises ``NonFiniteError`` if there is none."""
    largest = ((found - expected).abs().max() / expected.abs().max()).item()
    if not math.isfinite(largest):
        raise NonFiniteError(
            "outputs of the check of the output scale are not finite; choose a larger sharpness.rates.n"
        )
    return largest
