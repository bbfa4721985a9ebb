"""How far seeds lie apart in training: the scatter of the training loss within a draw of the images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dynparam.experiments.fluctuations.settings import SpreadStage
from dynparam.support.errors import DataError
from dynparam.theory.fluctuations import inverse_sum
from dynparam.theory.widths import bottleneck
from dynparam.training.settings import Run

COLUMNS = (
    "task",
    "parametrization",
    "n",
    "n_min",
    "draw",
    "quantity",
    "inverse_sum",
    "seeds",
    "mean",
    "variance",
)
"""The columns of ``results/fluctuations/spread.csv``. ``variance`` is missing for a single seed."""

QUANTITIES = ("loss", "fall")
"""The training loss at the epoch, and by how much it has fallen since before the first step."""


def spread(settings: SpreadStage, curves: Mapping[Run, pd.DataFrame]) -> pd.DataFrame:
    """Mean and variance over the seeds of every draw of the images, in ``COLUMNS``.

    ``inverse_sum`` is sum_l 1/n_l over the hidden layers. Seeds that diverged before the epoch are left
    out. Raises ``DataError`` for curves without any seed that reached it.
    """
    rows = []
    for run, table in curves.items():
        n, n_min = _widths(run)
        hidden = bottleneck(n, n_min, hidden=settings.network.hidden).hidden
        values = _values(run, table, settings.fluctuations.epoch)
        for quantity in QUANTITIES:
            found = values[quantity]
            rows.append(
                {
                    "task": run.task,
                    "parametrization": run.parametrization,
                    "n": n,
                    "n_min": n_min,
                    "draw": run.draw,
                    "quantity": quantity,
                    "inverse_sum": inverse_sum(hidden),
                    "seeds": len(found),
                    "mean": found.mean(),
                    "variance": found.var(ddof=1),
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _widths(run: Run) -> tuple[int, int]:
    """N and n_min from a run's name, ``1000-50.draw-2``."""
    n, n_min = run.network.partition(".")[0].split("-")
    return int(n), int(n_min)


def _values(run: Run, table: pd.DataFrame, epoch: int) -> dict[str, pd.Series]:
    """The quantities by seed, of seeds that reached the epoch."""
    losses = table.pivot(index="seed", columns="epoch", values="train_loss")
    reached = np.isfinite(losses.get(epoch, pd.Series(np.nan, losses.index)))
    if not reached.any():
        raise DataError(
            f"no run of {run.place} has a training loss at epoch {epoch}; set fluctuations.epoch to an "
            f"earlier one"
        )
    losses = losses.loc[reached]
    return {"loss": losses[epoch], "fall": losses[0] - losses[epoch]}
