"""What the findings say of training: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from dynparam.presentation import numbers
from dynparam.provenance.experiment import Files

Rows = list[dict[str, Any]]


class Found:
    """The questions the template asks."""

    def __init__(self, claims: pd.DataFrame, domain: pd.DataFrame | None, seeds: int) -> None:
        """Answer from ``results/comparison/claims.csv`` and ``figures/claim_domain.csv``.

        ``domain`` is missing if other networks are left out; ``seeds`` are the runs of a curve.
        """
        self._claims = claims
        self._domain = domain
        self._seeds = seeds

    def paired(self, *tasks: str) -> Rows:
        """The claims on training curves, a row per metric, with the cells of each task's source.

        Accuracy on the training images is left out: it soon is 1 everywhere.
        """
        table = self._claims
        metrics = table["metric"].drop_duplicates()
        metrics = metrics[~metrics.str.startswith("train_accuracy")]
        return [
            {
                "metric": metric.replace("_", " "),
                "cells": [
                    cell
                    for source in tasks
                    for cell in _cells(table[(table["metric"] == metric) & (table["source"] == source)])
                ],
            }
            for metric in metrics
        ]

    def claim(self, source: str, metric: str) -> dict[str, Any]:
        """One row of the claims."""
        table = self._claims
        return _only(table[(table["source"] == source) & (table["metric"] == metric)])

    def domain(self, metric: str, epoch: str) -> Rows:
        """The domain study at the thesis's ratio: a row per n, with the cells of each task."""
        table = self._domain
        if table is None:
            return []
        epochs = table["epoch"].astype(str)
        chosen = table[(table["panel"] == "n") & (table["metric"] == metric) & (epochs == epoch)]
        return [
            {
                "n": n,
                "cells": [
                    cell
                    for _, row in chosen[chosen["n"] == n].sort_values("task").iterrows()
                    for cell in _cells(row)
                ],
            }
            for n in sorted(chosen["n"].unique().tolist())
        ]

    def seeds(self) -> int:
        """How many runs each curve of Figs. 3.4 and 3.5 has."""
        return self._seeds


def _cells(rows: pd.DataFrame | pd.Series[Any]) -> list[str]:
    row = rows if isinstance(rows, pd.Series) else rows.iloc[0]
    show = partial(numbers.significant, digits=2, pad=False)
    difference = numbers.with_interval(row["value"], row["ci_low"], row["ci_high"], show)
    return [difference, str(row["verdict"])]


def _only(rows: pd.DataFrame) -> dict[str, Any]:
    if len(rows) != 1:
        raise KeyError(f"{len(rows)} rows where one is quoted")
    return {str(key): value for key, value in rows.iloc[0].items()}


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    curves = files.plotted(next(iter(config.figures.training)))
    domain = files.plotted(config.figures.domain) if config.figures.domain else None
    return Found(files.table("comparison/claims"), domain, int(curves["seeds"].max()))
