"""How a table of training curves ends: means over its seeds, for a terminal or a script."""

from __future__ import annotations

from typing import Any

import pandas as pd

METRICS = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")

VALIDATED_METRICS = (*METRICS[:2], "validation_loss", *METRICS[2:], "validation_accuracy")
"""The same where a third set of images is evaluated."""


def summarize(curves: pd.DataFrame) -> dict[str, Any]:
    """Seeds, epochs, and of each metric mean and sample standard deviation over seeds at the end.

    ``curves`` has the columns of ``curve_table.COLUMNS``. A run that diverged ends early; it is
    counted, and left out of the means. The standard deviation of one seed is ``None``.
    """
    ends = curves.sort_values("epoch").groupby("seed").tail(1)
    epochs = int(curves["epoch"].max())
    whole = ends[ends["epoch"] == epochs]
    spread = whole[list(METRICS)].std()
    return {
        "seeds": sorted(int(seed) for seed in ends["seed"]),
        "epochs": epochs,
        "ended_early": sorted(int(seed) for seed in ends.loc[ends["epoch"] < epochs, "seed"]),
        "mean": {name: float(whole[name].mean()) for name in METRICS},
        "standard_deviation": {
            name: float(spread[name]) if len(whole) > 1 else None for name in METRICS
        },
    }


def sentence(found: dict[str, Any]) -> str:
    """The same in a line."""
    count = len(found["seeds"])
    means = ", ".join(f"{name.replace('_', ' ')} {found['mean'][name]:.4g}" for name in METRICS)
    early = f"; {len(found['ended_early'])} ended early" if found["ended_early"] else ""
    return f"{count} {'seed' if count == 1 else 'seeds'}, epoch {found['epochs']}: {means}{early}"
