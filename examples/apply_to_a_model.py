"""Dynamic parametrization on a small model of one's own: initial values, learning rates, training.

A perceptron with a narrow layer of 8 units learns to copy the signs of two of its 64 inputs. ``apply``
draws its weights anew and returns one optimizer group a parameter; plain SGD does the rest. Run it with

    python -m examples.apply_to_a_model
"""

from __future__ import annotations

import torch
from torch import nn

from dynparam import apply


def main() -> None:
    """Print what ``apply`` sets, and the loss before and after 200 steps."""
    torch.set_num_threads(1)  # So small a model gains nothing from more.
    torch.manual_seed(0)
    images = torch.randn(256, 64)
    targets = images[:, :2].sign()
    model = nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 8), nn.ReLU(), nn.Linear(8, 256), nn.ReLU(),
        nn.Linear(256, 2),
    )  # fmt: skip
    applied = apply(model, "dynamic", learning_rate=0.5, sample_input=images[:1])
    print(applied)
    optimizer = torch.optim.SGD(applied.parameter_groups)
    for step in range(201):
        loss = (model(images) - targets).square().sum() / (2 * len(images))
        if step % 50 == 0:
            print(f"step {step}: loss {loss.item():.4f}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


if __name__ == "__main__":
    main()
