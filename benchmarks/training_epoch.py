"""Time an epoch of training at the thesis's full width against plain torch, side by side.

    python -m benchmarks.training_epoch             3 epochs of each version
    python -m benchmarks.training_epoch --epochs 1  a third of that
    python -m benchmarks.training_epoch --quick     a small network, to see whether it runs

The versions alternate epoch by epoch from the same initial weights on the same batches, evaluation of
all images included, so that a change in the machine's speed meets all of them. Beside the ratios stand
the rates of matrix products measured in the same run, and how far the losses are from the plain
version's.
Images are random numbers of the right shape: no data are needed, and no time depends on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmarks import plain_training, record
from dynparam.configuration.config import Config
from dynparam.data.images import Pair
from dynparam.theory.parametrization import layer_scales
from dynparam.training.products import linear
from dynparam.training.protocol import Networks, Task, batch_order, initial_weights, network_widths
from dynparam.training.settings import RunStage, for_run

RESULTS = Path(__file__).with_name("training_epoch.json")
TASK, PARAMETRIZATION, SEED = "airplane-automobile", "dynamic", 0
MODES = {
    "engine, primal first layer": {"first_layer": "primal"},
    "engine, dual first layer": {},
    "engine, dual, bfloat16 products": {"products": "bfloat16"},
}

TrainEpoch = Callable[[int], None]
Evaluate = Callable[[], tuple[float, float]]


@dataclass
class Version:
    """A way to train: what runs an epoch, what evaluates, and the seconds and losses so far."""

    train: TrainEpoch
    evaluate: Evaluate
    operations: float
    training: list[float] = field(default_factory=list)
    evaluation: list[float] = field(default_factory=list)
    losses: list[tuple[float, float]] = field(default_factory=list)

    def run_epoch(self, epoch: int) -> None:
        """Train and evaluate one epoch, and keep what it took."""
        started = time.perf_counter()
        self.train(epoch)
        trained = time.perf_counter()
        self.losses.append(self.evaluate())
        self.training.append(trained - started)
        self.evaluation.append(time.perf_counter() - trained)


def main() -> None:
    """Run the benchmark, print its table and write it to ``training_epoch.json``."""
    parser = record.parser("Time an epoch of training at full width.", RESULTS)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    config = record.settings(Config, quick=arguments.quick)
    settings = for_run(config, TASK, config.protocol.network_name)
    pair = invented_pair(settings)
    made = {"plain torch": plain_version(settings, pair)}
    made |= {name: engine_version(settings, pair, changes) for name, changes in MODES.items()}
    for epoch in range(1, arguments.epochs + 1):
        for version in made.values():
            version.run_epoch(epoch)
    rates = product_rates(calls=1 if arguments.quick else 10)
    table = summarize(made)
    print(table.to_markdown(index=False, floatfmt=".3g"))
    print({name: f"{rate / 1e9:.0f} GFLOP/s" for name, rate in rates.items()})
    tables = {
        "epochs": arguments.epochs,
        "versions_timed": table.to_dict("records"),
        "product_flops_per_second": rates,
    }
    record.write(arguments.output, f"training_epoch --epochs {arguments.epochs}", tables)


def invented_pair(settings: RunStage) -> Pair:
    """Random images and labels, as many as the thesis takes."""
    generator = np.random.default_rng(0)

    def images(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """So many random images."""
        return generator.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)

    train, test = settings.data.train_images, settings.data.test_images
    labels = (np.arange(max(train, test)) % 2).astype(np.uint8)
    return Pair(images(train), labels[:train], images(test), labels[:test])


def plain_version(settings: RunStage, pair: Pair) -> Version:
    """nn.Linear, autograd and torch.optim.SGD."""
    task = Task.of_pair(pair, "half_range", torch.float32, torch.device("cpu"))
    scales = layer_scales(PARAMETRIZATION, network_widths(settings), settings.protocol.r)
    model = plain_training.network(initial_weights(settings, TASK, scales, SEED), scales)
    rate, momentum = settings.protocol.learning_rate, settings.protocol.momentum
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)
    train = task.train_count

    def train_epoch(epoch: int) -> None:
        """One epoch of batches."""
        order = batch_order(settings, TASK, SEED, epoch)
        plain_training.train_epoch(model, optimizer, task.inputs, task.targets, order)

    def evaluate() -> tuple[float, float]:
        """Losses on training and test images."""
        return (
            plain_training.evaluate(model, task.inputs[:train], task.targets[:train])[0],
            plain_training.evaluate(model, task.inputs[train:], task.targets[train:])[0],
        )

    return Version(train_epoch, evaluate, operations(settings, dual=False))


def engine_version(settings: RunStage, pair: Pair, changes: dict[str, str]) -> Version:
    """The library's engine with some keys of the protocol changed."""
    settings = settings.model_copy(update={"protocol": settings.protocol.model_copy(update=changes)})
    task = Task.of_pair(pair, "half_range", torch.float32, torch.device("cpu"))
    stack = Networks(settings, TASK, task, PARAMETRIZATION).draw([SEED])

    def train_epoch(epoch: int) -> None:
        """One epoch of batches."""
        for batch in batch_order(settings, TASK, SEED, epoch):
            stack.train_batch(batch[None])

    def evaluate() -> tuple[float, float]:
        """Losses on training and test images."""
        training, test = stack.evaluate().losses[0].tolist()
        return training, test

    dual = settings.protocol.first_layer == "dual"
    return Version(train_epoch, evaluate, operations(settings, dual=dual))


def operations(settings: RunStage, *, dual: bool) -> float:
    """Additions and multiplications of an epoch's matrix products, evaluation included."""
    widths, train = network_widths(settings), settings.data.train_images
    images = train + settings.data.test_images
    first = widths.sizes[0] * widths.sizes[1]
    rest = widths.weight_count - first
    # Forward, backward and gradient for the inner layers; the first layer has nothing to carry back,
    # and in dual form no gradient to multiply either.
    first_layer = (train * widths.sizes[1]) * (train + images) if dual else first * (2 * train + images)
    return 2.0 * (rest * (3 * train + images) + first_layer)


def product_rates(calls: int) -> dict[str, float]:
    """Operations per second of products of the engine's shapes, the best of several calls."""
    h, w = torch.randn(1, 500, 2000), torch.randn(1, 10_000, 2000)
    low_h, low_w = h.bfloat16(), w.bfloat16()
    return {
        "torch float32": rate(lambda: torch.matmul(h, w.mT), 500 * 2000 * 10_000, calls),
        "float32 as used": rate(lambda: linear(h, w), 500 * 2000 * 10_000, calls),
        "bfloat16 as used": rate(lambda: linear(low_h, low_w), 500 * 2000 * 10_000, calls),
    }


def rate(product: Callable[[], Tensor], multiplications: int, calls: int) -> float:
    """Operations per second of the fastest of some calls."""
    best = float("inf")
    for _ in range(calls):
        started = time.perf_counter()
        product()
        best = min(best, time.perf_counter() - started)
    return 2 * multiplications / best


def summarize(made: dict[str, Version]) -> pd.DataFrame:
    """Medians over epochs: seconds, ratio to the plain version, operations, difference of losses."""
    plain = made["plain torch"]
    total = np.median(np.add(plain.training, plain.evaluation))
    rows = []
    for name, version in made.items():
        seconds = np.median(np.add(version.training, version.evaluation))
        difference = np.abs(np.array(version.losses) / np.array(plain.losses) - 1).max(axis=1)
        rows.append(
            {
                "version": name,
                "training_seconds": float(np.median(version.training)),
                "evaluation_seconds": float(np.median(version.evaluation)),
                "ratio": float(seconds / total),
                "tera_operations": version.operations / 1e12,
                "gflops_per_second": float(version.operations / seconds / 1e9),
                "loss_difference_epoch_1": float(difference[0]),
                "loss_difference_last": float(difference[-1]),
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
