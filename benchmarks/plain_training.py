"""Training as anybody would write it in torch: nn.Linear, autograd, torch.optim.SGD.

What the library's engine is held against, in tests for its numbers and in the benchmark for its speed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dynparam.theory.parametrization import LayerScales


class Scaled(nn.Module):
    """g times a linear layer."""

    def __init__(self, weight: Tensor, multiplier: float) -> None:
        """Copy the weight (n_out, n_in)."""
        super().__init__()
        self.linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=weight.dtype)
        self.multiplier = multiplier
        with torch.no_grad():
            self.linear.weight.copy_(weight)

    def forward(self, h: Tensor) -> Tensor:
        """G W h: (batch, n_in) to (batch, n_out)."""
        product: Tensor = self.linear(h)
        return self.multiplier * product


def network(weights: Sequence[Tensor], scales: LayerScales) -> nn.Sequential:
    """The multilayer perceptron with ReLU between its layers."""
    layers: list[nn.Module] = []
    for weight, multiplier in zip(weights, scales.multiplier, strict=True):
        layers += [Scaled(weight, multiplier), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def half_square(f: Tensor, y: Tensor) -> Tensor:
    """Batch mean of 1/2 ||f - y||^2."""
    return (f - y).square().sum(dim=1).div(2).mean()


def train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, order: Sequence[Tensor]
) -> None:
    """One epoch over the batches of indices in ``order``."""
    for batch in order:
        optimizer.zero_grad()
        half_square(model(x[batch]), y[batch]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@torch.no_grad()
def evaluate(model: nn.Module, x: Tensor, y: Tensor, block: int = 1000) -> tuple[float, float]:
    """Mean loss and accuracy over all images, in blocks."""
    outputs = torch.cat([model(part) for part in torch.split(x, block)])
    right = outputs.argmax(dim=1) == y.argmax(dim=1)
    return float(half_square(outputs, y)), float(right.double().mean())
