"""Dynamic parametrization as ntk with an output scale, checked draw by draw (``theory.output_scale``).

With the same standard normal numbers, the kernels of both are the same layer by layer. SGD takes both to
the same outputs at every step, momentum or none, if ntk's output is multiplied by alpha = n_min^(-r) and
its learning rate by 1/alpha^2. The control keeps the learning rate as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pandas as pd
import torch
from torch import Tensor

from dynparam.engines.empirical_ntk import layer_kernels
from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.lazy_or_rich.settings import LazyOrRich
from dynparam.support.randomness import torch_generator
from dynparam.theory.output_scale import output_scale
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths, bottleneck

SAMPLES = 8
"""Inputs of a trial, enough for kernels and outputs to have no symmetry."""

MOVE = 0.5
"""The learning rate in units of T over the trace of the kernel, which keeps SGD stable."""


def measure(lazy: LazyOrRich) -> pd.DataFrame:
    """Relative differences of both sides, in the columns of ``tables.IDENTITIES``.

    "kernel" is the largest difference of an entry of a layer's kernel over the largest entry of that
    layer, "outputs" that of an output over all steps over the largest output; "control" the same where
    the learning rate of ntk is left as it is.
    """
    chosen = lazy.identities
    widths = bottleneck(chosen.n, chosen.n_min, hidden=lazy.index.hidden, n_in=lazy.inputs, n_out=1)
    rows = []
    for r in chosen.r:
        rows.append(_row("kernel", r, 0.0, _kernel_difference(lazy, widths, r)))
        for momentum in chosen.momenta:
            for identity, scaled in (("outputs", True), ("control", False)):
                difference = _output_difference(lazy, widths, r, momentum, scaled)
                rows.append(_row(identity, r, momentum, difference))
    return pd.DataFrame(rows)


def trajectory(
    model: MLP, factor: float, images: Tensor, targets: Tensor, rate: float, momentum: float, steps: int
) -> Tensor:
    """The outputs times ``factor``, before SGD and after each step: (steps + 1, T). Trains ``model``."""
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)
    seen = []
    for _ in range(steps):
        optimizer.zero_grad()
        found = factor * model(images)[:, 0]
        seen.append(found.detach())
        ((found - targets).square().sum() / (2 * len(images))).backward()
        optimizer.step()
    return torch.stack([*seen, factor * model(images)[:, 0].detach()])


def _row(identity: str, r: Fraction, momentum: float, difference: float) -> dict[str, object]:
    return {"identity": identity, "r": float(r), "momentum": momentum, "difference": difference}


def _draws(lazy: LazyOrRich, widths: Widths, r: Fraction) -> tuple[Tensor, Tensor, list[list[Tensor]]]:
    """Inputs, targets, and the weights of dynamic and of ntk of the same standard normal numbers."""
    generator = torch_generator(lazy.seed, "identities")
    images = torch.randn(SAMPLES, widths.sizes[0], dtype=torch.float64, generator=generator)
    targets = torch.randn(SAMPLES, dtype=torch.float64, generator=generator)
    weights = [
        draw_weights(
            widths,
            layer_scales(name, widths, r),
            torch_generator(lazy.seed, "identities", "weights"),
            torch.float64,
        )
        for name in ("dynamic", "ntk")
    ]
    return images, targets, weights


def _multipliers(widths: Widths, r: Fraction) -> Sequence[tuple[float, ...]]:
    return [layer_scales(name, widths, r).multiplier for name in ("dynamic", "ntk")]


def _kernel_difference(lazy: LazyOrRich, widths: Widths, r: Fraction) -> float:
    images, _, weights = _draws(lazy, widths, r)
    dynamic, ntk = (
        layer_kernels(one, multiplier, images, outputs="summed")
        for one, multiplier in zip(weights, _multipliers(widths, r), strict=True)
    )
    largest = ntk.abs().amax(dim=(1, 2), keepdim=True)
    return float(((dynamic - ntk).abs() / largest).max())


def _output_difference(
    lazy: LazyOrRich, widths: Widths, r: Fraction, momentum: float, scaled: bool
) -> float:
    images, targets, weights = _draws(lazy, widths, r)
    models = [
        MLP(one, multiplier) for one, multiplier in zip(weights, _multipliers(widths, r), strict=True)
    ]
    kernels = layer_kernels(weights[0], models[0].multiplier, images, outputs="summed")
    rate = MOVE * len(images) / float(kernels.sum(dim=0).trace()) * (1 - momentum)
    scale = output_scale(widths, r)
    rates = rate, rate * (scale.learning_rate_factor if scaled else 1.0)
    dynamic, ntk = (
        trajectory(model, factor, images, targets, one, momentum, lazy.identities.steps)
        for model, factor, one in zip(models, (1.0, scale.factor), rates, strict=True)
    )
    return float((dynamic - ntk).abs().max() / ntk.abs().max())
