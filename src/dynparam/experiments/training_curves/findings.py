"""What the findings say of training: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pandas as pd

from dynparam.experiments.training_curves.settings import ClaimsStage, for_claims
from dynparam.experiments.training_curves.stages import curve_files
from dynparam.experiments.training_curves.tables import CLAIMS, CURVES, DOMAIN
from dynparam.presentation.sentences import counted, figure_title, joined, with_error
from dynparam.provenance.experiment import Files
from dynparam.training.paired_curves import JUMPS_PER

Rows = list[dict[str, Any]]

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""

LAST = "last"
"""The last epoch of the domain study."""


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

    def seed_range(self) -> tuple[int, int]:
        """The least and the greatest number of runs of a curve."""
        seeds = [table["seed"].nunique() for table in self._curves.values()]
        return min(seeds), max(seeds)

    def seeds(self) -> str:
        """How many runs a curve has: ``3 seeds``; the least and the most if they differ."""
        least, most = self.seed_range()
        return (f"{least} to " if least < most else "") + counted(most, "seed")

    def primary(self) -> Rows:
        """The primary claims, a row per metric, with the cells of each figure."""
        table = self._claims
        metrics = table.loc[table["role"] == "primary", "metric"].drop_duplicates()
        return [
            {
                "metric": metric.replace("_", " "),
                "claims": self.claims(metric),
                "cells": [cell for claim in self.claims(metric) for cell in _cells(claim)],
            }
            for metric in metrics
        ]

    def largest_p(self) -> float:
        """The largest corrected p-value of the primary claims."""
        return float(self._claims["p_holm"].max())

    def claims(self, metric: str) -> Rows:
        """The rows of a metric in the order of the figures, each with its task."""
        table = self._claims
        return [
            _only(table[(table["source"] == figure_title(figure)) & (table["metric"] == metric)])
            | {"figure": figure, "task": task}
            for figure, task in self.figures().items()
        ]

    def mostly_late(self, best: Rows, last: Rows) -> bool:
        """Whether less than half of every difference at the last epoch is left at the best ones."""
        return all(
            2 * abs(one["value"]) < abs(two["value"]) for one, two in zip(best, last, strict=True)
        )

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

    def domain(self, metric: str, place: str = LAST) -> Rows:
        """The domain study at the ratio of the figures, at a place of the curves: a row per n.

        ``place`` is the last epoch unless it is named. Each row has the claims of each task, their
        cells, the epoch and the numbers of seeds and draws of the images.
        """
        if self._domain is None:
            return []
        chosen = self._at(metric, place)
        chosen = chosen[chosen["panel"] == "n"]
        widths: list[int] = sorted(chosen["n"].unique().tolist())
        return [self._network(n, chosen[chosen["n"] == n]) for n in widths]

    def others(self, metric: str, place: str = LAST) -> Rows:
        """The claims on all networks but that of the figures, each once."""
        if self._domain is None:
            return []
        protocol = self._settings.protocol
        rows = self._at(metric, place).drop_duplicates(["task", "n", "n_min"])
        rows = rows[(rows["n"] != protocol.n) | (rows["n_min"] != protocol.n_min)]
        return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]

    def _at(self, metric: str, place: str) -> pd.DataFrame:
        table = cast("pd.DataFrame", self._domain)
        epochs = table["epoch"].astype(str)
        if place == LAST:
            place = str(max(int(epoch) for epoch in epochs if epoch.isdigit()))
        return table[(table["metric"] == metric) & (epochs == place)]

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

    def below(self, rows: Rows) -> Rows:
        """The rows whose difference is below zero."""
        return [row for row in rows if row["value"] < 0]

    def jumps_per(self) -> int:
        """The epochs that jumps are counted in."""
        return JUMPS_PER

    def drawn(self) -> str:
        """Over how many draws of the images these seeds are spread: ``4 draws of the images``."""
        table = cast("pd.DataFrame", self._domain)
        least, most = int(table["draws"].min()), int(table["draws"].max())
        return (f"{least} to " if least < most else "") + counted(most, "draw") + " of the images"

    def _network(self, n: int, rows: pd.DataFrame) -> dict[str, Any]:
        by_task = {task: rows[rows["task"] == task] for task in self.other_tasks()}
        claims = [_only(mine) for mine in by_task.values() if not mine.empty]
        cells = [["", ""] if mine.empty else _cells(_only(mine)) for mine in by_task.values()]
        return {
            "n": n,
            "epoch": claims[0]["epoch"],
            "seeds": sorted({claim["seeds"] for claim in claims}),
            "draws": sorted({claim["draws"] for claim in claims}),
            "claims": claims,
            "cells": [cell for pair in cells for cell in pair],
        }


def _cells(claim: Mapping[str, Any]) -> list[str]:
    return [with_error(claim), str(claim["verdict"])]


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
