"""Time an epoch of training for stacks of seeds on a device, beside the rate of its products.

    python -m benchmarks.training_stack --device cuda               stacks of 1, 5 and 10 seeds
    python -m benchmarks.training_stack --device cuda --seeds 1 20
    python -m benchmarks.training_stack --quick                     a small network: does it run?

The network is that of Figs. 3.4 and 3.5. Stacks take turns, epoch by epoch. Beside their times stand the
rates of float32 products, TF32 off: of large ones, which are the device's limit, and of 64 images into a
narrow layer, which most of a step consists of.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks import record
from benchmarks.training_epoch import PARAMETRIZATION, TASK, invented_pair, operations, rate
from dynparam.configuration.config import Config
from dynparam.training.devices import device_name, resolve_device
from dynparam.training.products import linear
from dynparam.training.protocol import Networks, Stack, Task, batch_order
from dynparam.training.settings import RunStage, for_run

RESULTS = Path(__file__).with_name("training_stack.json")
SHAPES = {"large": (4096, 4096, 4096), "64 images into a narrow layer": (64, 10_000, 500)}
"""Images, n_in and n_out of the products whose rates are measured."""


def main() -> None:
    """Run the benchmark, print its tables and write them to ``training_stack.json``."""
    parser = record.parser("Time stacks of seeds on a device.", RESULTS)
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 5, 10], help="sizes of stacks")
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    config = record.settings(Config, quick=arguments.quick)
    settings = for_run(config, TASK, config.protocol.network_name)
    table = time_stacks(settings, arguments.seeds, arguments.epochs, device)
    rates = {name: product_rate(shape, device, quick=arguments.quick) for name, shape in SHAPES.items()}
    print(table.to_markdown(index=False, floatfmt=".3g"))
    print({name: f"{one / 1e12:.2f} TFLOP/s" for name, one in rates.items()})
    command = f"training_stack --device {arguments.device}"
    tables = {"device": device_name(device), "stacks": table.to_dict("records"), "flops": rates}
    record.write(arguments.output, command, tables)


def time_stacks(
    settings: RunStage, sizes: Sequence[int], epochs: int, device: torch.device
) -> pd.DataFrame:
    """A row per size of a stack: seconds of an epoch of one run, ratio to one alone, and the rate."""
    pair = invented_pair(settings)
    task = Task.of_pair(pair, settings.inputs.normalization, torch.float32, device)
    networks = Networks(settings, TASK, task, PARAMETRIZATION)
    stacks = {size: networks.draw(range(size)) for size in sizes}
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    for epoch in range(1, epochs + 1):
        for size, stack in stacks.items():
            seconds[size].append(train_epoch(settings, stack, size, epoch, device) / size)
    medians = {size: float(np.median(found)) for size, found in seconds.items()}
    work = operations(settings, dual=settings.protocol.first_layer == "dual")
    return pd.DataFrame(
        {
            "seeds at once": size,
            "seconds of an epoch of one run": one,
            "ratio": one / medians[sizes[0]],
            "tera-operations per second": work / one / 1e12,
        }
        for size, one in medians.items()
    )


def train_epoch(settings: RunStage, stack: Stack, size: int, epoch: int, device: torch.device) -> float:
    """Train and evaluate an epoch of all seeds of a stack: seconds, until its losses are known here."""
    started = time.perf_counter()
    orders = [batch_order(settings, TASK, seed, epoch) for seed in range(size)]
    for batches in zip(*orders, strict=True):
        stack.train_batch(torch.stack(batches).to(device))
    stack.evaluate().losses.cpu()
    return time.perf_counter() - started


def product_rate(shape: tuple[int, int, int], device: torch.device, *, quick: bool) -> float:
    """Operations per second of a product of that shape, the best of several; small if ``quick``."""
    images, fan_in, fan_out = (size // 64 + 1 if quick else size for size in shape)
    h = torch.randn(1, images, fan_in, device=device)
    w = torch.randn(1, fan_out, fan_in, device=device)

    def multiply() -> torch.Tensor:
        """H W^T, waited for."""
        found = linear(h, w)
        found[0, 0, 0].item()
        return found

    return rate(multiply, images * fan_in * fan_out, calls=1 if quick else 20)


if __name__ == "__main__":
    main()
