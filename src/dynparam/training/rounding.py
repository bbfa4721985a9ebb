"""How far rounding moves a run: twins whose initial weights differ by a millionth are trained beside it.

Training at a large rate is chaotic: what two processors round differently grows to a percent of the loss
within an epoch. Twins show how much of that a run has in it, whichever processor trains it.
"""

from __future__ import annotations

import numpy as np
import torch

from dynparam.support.arrays import FloatArray
from dynparam.support.progress import progress
from dynparam.support.randomness import torch_generator
from dynparam.training.protocol import Networks, Stack, Task, batch_order
from dynparam.training.settings import RunStage
from dynparam.training.stack_run import curve_row
from dynparam.training.table_audit import relative_differences

CHANGE = 1e-6
"""Relative size of the change: some ten times what float32 rounds a weight by."""

TWINS = 2


def retrain(
    settings: RunStage,
    parametrization: str,
    task: Task,
    seed: int,
    epochs: int,
    device: torch.device,
    twin: int | None = None,
) -> FloatArray:
    """The first rows of a run's curve, epochs 0 ... ``epochs``: (epochs + 1, numbers of a row).

    ``twin`` trains the twin of that number in its place.
    """
    (name,) = settings.data.pairs
    stack = Networks(settings, name, task, parametrization).draw([seed])
    label = f"auditing {name}, {parametrization}, seed {seed}"
    if twin is not None:
        _change(stack, twin)
        label = f"how far rounding moves {name}, {parametrization}, seed {seed}, twin {twin + 1}"
    rows = [curve_row(stack.evaluate(), 0)]
    with progress(label, epochs) as advance:
        for epoch in range(1, epochs + 1):
            for batch in batch_order(settings, name, seed, epoch):
                stack.train_batch(batch[None].to(device))
            rows.append(curve_row(stack.evaluate(), 0))
            advance(1)
    return np.array(rows)


def moved(
    settings: RunStage,
    parametrization: str,
    task: Task,
    seed: int,
    device: torch.device,
    mine: FloatArray,
) -> FloatArray:
    """The largest relative difference of each number of ``mine`` from its twins, up to each epoch.

    ``mine`` (epochs + 1, numbers of a row) is what ``retrain`` gave. The result is of that shape, and 1
    where a twin diverges.
    """
    epochs = len(mine) - 1
    apart = [
        relative_differences(
            retrain(settings, parametrization, task, seed, epochs, device, twin=twin), mine
        )
        for twin in range(TWINS)
    ]
    known = np.where(np.isfinite(apart), apart, 1.0)
    return np.minimum(np.maximum.accumulate(known.max(axis=0), axis=0), 1.0)


def _change(stack: Stack, twin: int) -> None:
    """Change the weights of a fresh stack a little; coefficients of a first layer are still zero."""
    generator = torch_generator(twin, "twin")
    for name, tensor in stack.tensors().items():
        if name.startswith("weights"):
            noise = torch.randn(tensor.shape, generator=generator).to(tensor)
            tensor.mul_(1 + CHANGE * noise)
    stack.refresh()
