"""What the findings say of training: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from dynparam.experiments.training_curves.settings import ClaimsStage, for_claims
from dynparam.experiments.training_curves.stages import curve_files
from dynparam.experiments.training_curves.tables import CLAIMS, CURVES, DOMAIN
from dynparam.presentation import numbers
from dynparam.presentation.sentences import counted, figure_title, joined
from dynparam.provenance.experiment import Files

Rows = list[dict[str, Any]]

TEMPLATE = "findings.md.j2"
"""The sentences, in this folder."""


class Found:
    """The questions the template asks."""

    def __init__(
        self,
        settings: ClaimsStage,
        claims: pd.DataFrame,
        curves: Mapping[tuple[str, str], pd.DataFrame],
        domain: pd.DataFrame | None,
    ) -> None:
        """Answer from ``results/comparison/claims.csv``, the curves, and the figure of other networks.

        ``curves`` are by figure and parametrization; ``domain`` is missing if other networks are left
        out.
        """
        self._settings = settings
        self._claims = claims
        self._curves = curves
        self._domain = domain

    def figures(self) -> dict[str, str]:
        """The task of each figure."""
        return self._settings.figures.training

    def seeds(self) -> str:
        """How many runs a curve has: ``3 seeds``; the least and the most if they differ."""
        seeds = [table["seed"].nunique() for table in self._curves.values()]
        least = f"{min(seeds)} to " if min(seeds) < max(seeds) else ""
        return least + counted(max(seeds), "seed")

    def paired(self) -> Rows:
        """The claims on training curves, a row per metric, with the cells of each figure.

        Accuracy on the training images is left out: it soon is 1 everywhere.
        """
        metrics = self._claims["metric"].drop_duplicates()
        metrics = metrics[~metrics.str.startswith("train_accuracy")]
        return [
            {
                "metric": metric.replace("_", " "),
                "cells": [cell for claim in self.claims(metric) for cell in _cells(claim)],
            }
            for metric in metrics
        ]

    def claims(self, metric: str) -> Rows:
        """The rows of a metric in the order of the figures, each with its task."""
        table = self._claims
        return [
            _only(table[(table["source"] == figure_title(figure)) & (table["metric"] == metric)])
            | {"figure": figure, "task": task}
            for figure, task in self.figures().items()
        ]

    def right_from(self, figure: str) -> int | None:
        """The epoch from which on all runs of a figure classify every training image right."""
        runs = pd.concat([table for (shown, _), table in self._curves.items() if shown == figure])
        wrong: list[int] = runs.loc[~(runs["train_accuracy"] >= 1), "epoch"].tolist()
        after = max(wrong, default=-1) + 1
        return after if after <= runs["epoch"].max() else None

    def other_tasks(self) -> list[str]:
        """The tasks of the domain study, in the order of its columns."""
        return sorted(self._settings.domain.tasks)

    def ratio(self) -> float:
        """n/n_min of the network of the figures."""
        return self._settings.protocol.n / self._settings.protocol.n_min

    def domain(self, metric: str) -> Rows:
        """The domain study at the ratio of the figures, at its last epoch: a row per n.

        Each with the claims of each task, their cells, the epoch and the numbers of seeds.
        """
        table = self._domain
        if table is None:
            return []
        chosen = table[
            (table["panel"] == "n") & (table["metric"] == metric) & (table["epoch"] != "area")
        ]
        widths: list[int] = sorted(chosen["n"].unique().tolist())
        return [self._network(n, chosen[chosen["n"] == n]) for n in widths]

    def domain_seeds(self, rows: Rows) -> str:
        """How many seeds the networks of these rows have: ``5 seeds at n = 1000, 3 at n = 5000``."""
        by_count: dict[str, list[int]] = {}
        for row in rows:
            by_count.setdefault(joined(row["seeds"], "or"), []).append(row["n"])
        first, *others = by_count.items()
        if not others:
            return f"{first[0]} seeds"
        return ", ".join(
            f"{count}{' seeds' if count == first[0] else ''} at n = {joined(widths)}"
            for count, widths in by_count.items()
        )

    def needs_width(self, rows: Rows) -> bool:
        """Whether a claim holds for every task at the largest n and for none at the smallest."""
        verdicts = [[claim["verdict"] for claim in row["claims"]] for row in rows]
        return set(verdicts[-1]) == {"holds"} and "holds" not in verdicts[0]

    def _network(self, n: int, rows: pd.DataFrame) -> dict[str, Any]:
        by_task = {task: rows[rows["task"] == task] for task in self.other_tasks()}
        claims = [_only(mine) for mine in by_task.values() if not mine.empty]
        cells = [["", ""] if mine.empty else _cells(_only(mine)) for mine in by_task.values()]
        return {
            "n": n,
            "epoch": claims[0]["epoch"],
            "seeds": sorted({claim["seeds"] for claim in claims}),
            "claims": claims,
            "cells": [cell for pair in cells for cell in pair],
        }


def _cells(claim: Mapping[str, Any]) -> list[str]:
    show = partial(numbers.significant, digits=2, pad=False)
    difference = numbers.with_interval(claim["value"], claim["ci_low"], claim["ci_high"], show)
    return [difference, str(claim["verdict"])]


def _only(rows: pd.DataFrame) -> dict[str, Any]:
    if len(rows) != 1:
        raise KeyError(f"{len(rows)} rows where one is quoted")
    return {str(key): value for key, value in rows.iloc[0].items()}


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    from dynparam.support.tables import read_csv

    settings = for_claims(config)
    curves = {
        (figure, name): read_csv(
            path, CURVES, task=settings.figures.training[figure], parametrization=name
        )
        for (figure, name), path in curve_files(settings, files.results).items()
    }
    domain = files.plotted(config.figures.domain, DOMAIN) if config.figures.domain else None
    return Found(settings, files.table("comparison/claims", CLAIMS), curves, domain)
