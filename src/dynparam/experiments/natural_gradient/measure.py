"""Networks trained by gradients of all kinds: what each step leaves of the residual.

All approximations of a trial begin at the same network, on the same inputs with the same targets.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dynparam.data.images import Pair, draw_subset, normalize
from dynparam.engines.natural_gradient import Point, gradient, natural_gradient
from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.natural_gradient.controls import CONTROLS, Control
from dynparam.experiments.natural_gradient.settings import EqualLayers, NaturalGradientTrials
from dynparam.support.errors import NonFiniteError
from dynparam.support.progress import progress
from dynparam.support.randomness import seed_sequence, torch_generator
from dynparam.theory.natural_gradient import Approximation, speed
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.widths import INPUT_WIDTH, Widths

COLUMNS = ("part", "n", "scales", "method", "trial", "step", "residual")
"""The columns of ``results/natural_gradient/residuals.csv``. ``residual`` is |f - y| over the first."""

Data = tuple[Tensor, Tensor]
"""Inputs (N, n_0) and targets (N, 1)."""


def measure(settings: NaturalGradientTrials, pair: Pair) -> pd.DataFrame:
    """What is left after every step, in ``COLUMNS``; ``part`` is "gaussian", "images" or "one_step".

    Raises what ``draw_subset`` does, ``DataError`` for inputs on which a matrix is singular, and
    ``NonFiniteError`` for a residual that is not finite.
    """
    own = settings.natural_gradient
    rows: list[tuple[str | int | float, ...]] = []
    parts: tuple[tuple[str, EqualLayers], ...] = (("gaussian", own.gaussian), ("images", own.images))
    # A step multiplies by every weight of the network.
    work = {
        (part, n): float(layers.network(n, _inputs(settings, part)).weight_count) * own.steps
        for part, layers in parts
        for n in layers.widths
    }
    last = {n: float(own.one_step.network(n).weight_count) for n in own.one_step.widths}
    total = own.trials * sum(work.values()) + own.one_step.trials * sum(last.values())
    with progress("natural gradient", total) as advance:
        for part, layers in parts:
            for n in layers.widths:
                for trial in range(own.trials):
                    rows += _several(settings, pair, part, layers, n, trial)
                    advance(work[part, n])
        for n in own.one_step.widths:
            for trial in range(own.one_step.trials):
                rows += _one_step(settings, n, trial)
                advance(last[n])
    return pd.DataFrame(rows, columns=list(COLUMNS))


def gaussian_data(seed: int, part: str, trial: int, samples: int, inputs: int) -> Data:
    """Gaussian inputs, and targets that are the signs of independent normal numbers.

    A trial has the same at every width.
    """
    generator = torch_generator(seed, "natural gradient", part, "inputs", trial)
    x = torch.randn(samples, inputs, dtype=torch.float64, generator=generator)
    return x, torch.randn(samples, 1, dtype=torch.float64, generator=generator).sign()


def image_data(settings: NaturalGradientTrials, pair: Pair, trial: int) -> Data:
    """As many images of both classes, with targets 1 and -1; a trial has the same at every width."""
    own = settings.natural_gradient
    numbers = np.random.default_rng(seed_sequence(own.seed, "natural gradient", "images", trial))
    chosen = draw_subset(pair.train_labels, own.images.samples, True, numbers)
    x = normalize(pair.train_images[chosen], settings.inputs.normalization, pair.train_images)
    y = 1.0 - 2.0 * pair.train_labels[chosen].astype(np.float64)
    return torch.from_numpy(x), torch.from_numpy(y)[:, None]


def draw(seed: int, part: str, widths: Widths, n: int, trial: int) -> list[Tensor]:
    """Standard normal weights: every parametrization's network comes from the same numbers."""
    ones = LayerScales((1.0,) * widths.depth, (1.0,) * widths.depth)
    generator = torch_generator(seed, "natural gradient", part, "weights", n, trial)
    return draw_weights(widths, ones, generator, torch.float64)


def scaled(numbers: list[Tensor], scales: LayerScales) -> list[Tensor]:
    """The weights of a parametrization from standard normal ones."""
    return [std * one for std, one in zip(scales.init_std, numbers, strict=True)]


def descend(
    method: Approximation | Control,
    weights: list[Tensor],
    scales: LayerScales,
    data: Data,
    step: float,
    steps: int,
) -> list[float]:
    """|f - y| after each of ``steps`` steps, over that before them. The weights are left as they are.

    The learning rate is ``step`` c over the speed of an approximation, and c itself in a control.
    Raises ``ConfigError`` and ``DataError`` as ``natural_gradient`` does, and ``NonFiniteError`` naming
    the step after which the residual is not finite.
    """
    x, y = data
    moved = [weight.clone() for weight in weights]
    approximation: Approximation | None = None
    eta = step
    if method == "unscaled":
        approximation = "block_diagonal"
    elif method != "gradient":
        approximation = method
        eta = step / speed(method, len(weights), len(x))
    residual = outputs(moved, scales, x) - y
    first = float(residual.norm())
    found = []
    for taken in range(1, steps + 1):
        point = Point(moved, scales.multiplier, x, residual)
        moves = gradient(point) if approximation is None else natural_gradient(approximation, point)
        for weight, move in zip(moved, moves, strict=True):
            weight.sub_(move, alpha=eta)
        residual = outputs(moved, scales, x) - y
        left = float(residual.norm()) / first
        if not np.isfinite(left):
            raise NonFiniteError(
                f"the residual is not finite after step {taken} of {method}; take a smaller step, or "
                f"wider layers"
            )
        found.append(left)
    return found


def outputs(weights: list[Tensor], scales: LayerScales, x: Tensor) -> Tensor:
    """f, (N, 1)."""
    found: Tensor = MLP(weights, scales.multiplier, copy=False)(x).detach()
    return found


def _inputs(settings: NaturalGradientTrials, part: str) -> int:
    """n_0 of a part."""
    return settings.natural_gradient.gaussian.inputs if part == "gaussian" else INPUT_WIDTH


def _several(
    settings: NaturalGradientTrials, pair: Pair, part: str, layers: EqualLayers, n: int, trial: int
) -> Iterator[tuple[str | int | float, ...]]:
    """Rows of one network on one part's inputs, by every method."""
    own = settings.natural_gradient
    if part == "images":
        data = image_data(settings, pair, trial)
    else:
        data = gaussian_data(own.seed, part, trial, layers.samples, own.gaussian.inputs)
    widths = layers.network(n, data[0].shape[1])
    scales = layer_scales(own.parametrization, widths, own.r)
    weights = scaled(draw(own.seed, part, widths, n, trial), scales)
    for method in (*layers.tolerances, *CONTROLS):
        left = descend(method, weights, scales, data, own.step, own.steps)
        for taken, value in enumerate(left, start=1):
            yield part, n, own.parametrization, method, trial, taken, value


def _one_step(
    settings: NaturalGradientTrials, n: int, trial: int
) -> Iterator[tuple[str | int | float, ...]]:
    """Rows of one full step, which would leave nothing in the limit, under every parametrization."""
    own, part = settings.natural_gradient, settings.natural_gradient.one_step
    data = gaussian_data(own.seed, "one_step", trial, part.samples, part.inputs)
    widths = part.network(n)
    numbers = draw(own.seed, "one_step", widths, n, trial)
    for name in part.parametrizations:
        scales = layer_scales(name, widths, part.r)
        weights = scaled(numbers, scales)
        for method in part.approximations:
            (left,) = descend(method, weights, scales, data, 1.0, 1)
            yield "one_step", n, name, method, trial, 1, left
