"""The one-step probe as anybody would write it in torch; what the library's probe is held against."""

from __future__ import annotations

import torch
from torch import Tensor

from dynparam.engines.network import MLP, Step, own_updates
from dynparam.engines.one_step import OneStep, record
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths


def one_step(
    widths: Widths,
    scales: LayerScales,
    x: Tensor,
    y: Tensor,
    learning_rate: float,
    generator: torch.Generator,
) -> OneStep:
    """Draw all weights, go forward, call autograd, take an optimizer step, go forward again."""
    weights = [
        torch.randn(fan_out, fan_in, generator=generator, dtype=x.dtype).mul_(std)
        for (fan_in, fan_out), std in zip(widths.layers(), scales.init_std, strict=True)
    ]
    model = MLP(weights, scales.multiplier, copy=False)
    before = model.preactivations(x[None])
    for one in before:
        one.retain_grad()
    (before[-1][0] - y).square().sum().div(2).backward()  # type: ignore[no-untyped-call]
    torch.optim.SGD(model.parameters(), lr=learning_rate).step()
    with torch.no_grad():
        after = model.preactivations(x[None])
    preactivation = tuple(h.detach()[0] for h in before)
    gradient = tuple(h.grad[0] for h in before if h.grad is not None)
    return record(
        Step(
            preactivation=preactivation,
            gradient=gradient,
            update=tuple((b - a.detach())[0] for a, b in zip(before, after, strict=True)),
            own=tuple(own_updates(scales, x, preactivation, gradient, learning_rate)),
        )
    )
