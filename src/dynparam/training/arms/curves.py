"""The curves of arms as arrays, and what each run comes to: at its best epoch, its last, on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.training.arms.settings import Arm
from dynparam.training.arms.table import of_arm
from dynparam.training.summary import VALIDATED_METRICS

Place = Literal["area", "best", "last"]
"""The mean over epochs, the run's best epoch, or its last."""


@dataclass(frozen=True)
class Curves:
    """The runs of several arms, seed by seed.

    Attributes:
        values: (arms, seeds, metrics, epochs 0 to the last), in the order of ``VALIDATED_METRICS``; nan
            after the end of a run that diverged.
        chosen_by: the column by which a run's best epoch is known: a loss or an accuracy on the
            validation images.
    """

    values: FloatArray
    chosen_by: str

    @classmethod
    def of(
        cls, table: pd.DataFrame, arms: Sequence[Arm], seeds: int, epochs: int, chosen_by: str
    ) -> Curves:
        """Those of a table of arms. Raises ``DataError`` if it lacks a run, or an epoch of one."""
        values = np.full((len(arms), seeds, len(VALIDATED_METRICS), epochs + 1), np.nan)
        for place, arm in enumerate(arms):
            rows = of_arm(table, arm)
            for seed in range(seeds):
                run = rows[rows["seed"] == seed].sort_values("epoch")
                count = len(run)
                if not count or run["epoch"].tolist() != list(range(count)) or count > epochs + 1:
                    raise DataError(
                        f"the table of arms lacks epochs of seed {seed} of {arm.sentence()}, or has "
                        f"others; collect it again"
                    )
                values[place, seed, :, :count] = run[list(VALIDATED_METRICS)].to_numpy(float).T
        return cls(values, chosen_by)

    def of_metric(self, metric: str) -> FloatArray:
        """The curves of a column: (arms, seeds, epochs + 1)."""
        found: FloatArray = self.values[:, :, VALIDATED_METRICS.index(metric)]
        return found

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Which runs did not diverge: (arms, seeds)."""
        return np.asarray(np.isfinite(self.values).all(axis=(2, 3)))

    @property
    def learns(self) -> NDArray[np.bool_]:
        """Which arms have no run that diverges, or ends with more training loss than it began with."""
        loss = self.of_metric("train_loss")
        with np.errstate(invalid="ignore"):
            fallen = loss[..., -1] < loss[..., 0]
        return np.asarray((self.whole & fallen).all(axis=1))

    @property
    def best_epochs(self) -> NDArray[np.int64]:
        """The epoch at which each run does best on the validation images: (arms, seeds).

        Of a run that diverged it is 0, and nothing is told of it.
        """
        scores = self._scores()
        scores[~self.whole] = 0.0
        return np.asarray(scores.argmin(axis=-1))

    def at(self, metric: str, place: Place) -> FloatArray:
        """A column at a place, (arms, seeds); nan for a run that diverged."""
        curves = self.of_metric(metric)
        if place == "area":
            found = np.asarray(np.trapezoid(curves, axis=-1)) / (curves.shape[-1] - 1)
        elif place == "last":
            found = curves[..., -1]
        else:
            found = np.take_along_axis(curves, self.best_epochs[..., None], axis=-1)[..., 0]
        values: FloatArray = np.where(self.whole, found, np.nan)
        return values

    def scores(self) -> FloatArray:
        """The mean over seeds of each run's best value of ``chosen_by``, the lower the better: (arms,).

        Of an accuracy it is the share of images told wrong. Infinite where a run diverged.
        """
        best = self._scores().min(axis=-1)
        best[~self.whole] = np.inf
        found: FloatArray = best.mean(axis=1)
        return found

    def best(self) -> int:
        """The arm that does best on the validation images. Raises ``DataError`` if all diverged."""
        scores = self.scores()
        if not np.isfinite(scores).any():
            raise DataError("a run diverged in every arm, so that none is the best; try smaller rates")
        return int(scores.argmin())

    def _scores(self) -> FloatArray:
        values = self.of_metric(self.chosen_by).copy()
        return 1 - values if self.chosen_by.endswith("accuracy") else values
