"""How far rounding moves training curves, beside how far apart seeds are: the audit's tolerance.

    python -m benchmarks.rounding_growth --images data/processed     full width, minutes on two cores

Seed 0 of each curve is trained in float64, and in float32 with either form of the first layer; seed 1 in
float64. Printed are the largest relative differences of a loss from seed 0 in float64, epoch by epoch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.data.images import load_pair
from dynparam.training.protocol import Task
from dynparam.training.rounding import retrain
from dynparam.training.settings import for_run

ROOT = Path(__file__).parents[1]
VARIANTS = {
    "float32, dual": (0, {}),
    "float32, primal": (0, {"first_layer": "primal"}),
    "another seed": (1, {"dtype": "float64"}),
}


def main() -> None:
    """Train all variants and print the table of docs/statistics/audit.md."""
    parser = argparse.ArgumentParser(description="Measure how rounding grows in training.")
    parser.add_argument("--images", type=Path, required=True, help="directory of extracted pairs")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--n-min", type=int, default=500)
    arguments = parser.parse_args()
    config = load(Config, [ROOT / "config" / "thesis.yaml"])
    sizes = {"n": arguments.n, "n_min": arguments.n_min, "epochs": arguments.epochs}
    rows = [
        row
        for task in config.figures.training.values()
        for parametrization in config.training.parametrizations
        for row in differences(config, task, parametrization, arguments.images, sizes)
    ]
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".0e"))


def differences(
    config: Config, task: str, parametrization: str, folder: Path, sizes: dict[str, int]
) -> list[dict[str, object]]:
    """A row per variant: the largest relative difference of a loss after each epoch."""
    pair = load_pair(folder / f"{task}.npz")
    settings = for_run(config, task, config.protocol.network_name)

    def losses(seed: int, changes: dict[str, str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Training and test loss after each epoch, (epochs + 1, 2)."""
        protocol = settings.protocol.model_copy(update={**sizes, **changes})
        changed = settings.model_copy(update={"protocol": protocol})
        cpu, dtype = torch.device("cpu"), getattr(torch, changed.protocol.dtype)
        images = Task.of_pair(pair, changed.inputs.normalization, dtype, cpu)
        return retrain(changed, parametrization, images, seed, sizes["epochs"], cpu)[:, :2]

    exact = losses(0, {"dtype": "float64"})
    rows: list[dict[str, object]] = []
    for name, (seed, changes) in VARIANTS.items():
        apart = (np.abs(losses(seed, changes) - exact) / exact).max(axis=1)
        epochs = {f"epoch {epoch}": float(value) for epoch, value in enumerate(apart)}
        rows.append({"task": task, "parametrization": parametrization, "variant": name, **epochs})
    return rows


if __name__ == "__main__":
    main()
