"""What the findings page quotes: numbers of the finished tables, ready for sentences.

The page (``findings.md.j2``) holds the sentences. Where another run's numbers could turn what
they say round, the template asks, and marks the sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import pandas as pd
from scipy import stats

from dynparam.configuration.config import FindingsStage
from dynparam.experiments.measured_orders.table1_1_page import disagreements
from dynparam.presentation.templates import template
from dynparam.support.errors import DataError
from dynparam.trials.claims import Showing

TEMPLATE = "findings.md.j2"


Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Evidence:
    """The finished tables.

    Attributes:
        slopes: ``results/comparison/slopes.csv``.
        claims: ``results/comparison/claims.csv``.
        domain: ``figures/claim_domain.csv``; nothing if that study is left out.
        table1_1: ``results/table1_1/table1_1.csv``.
        conditions: ``figures/conditions.csv``.
        edges: ``results/sweep/edges.csv``.
        changes: ``results/ledger/changes.csv``.
        seeds: runs per curve of Figs. 3.4 and 3.5.
    """

    slopes: pd.DataFrame
    claims: pd.DataFrame
    domain: pd.DataFrame | None
    table1_1: pd.DataFrame
    conditions: pd.DataFrame
    edges: pd.DataFrame
    changes: pd.DataFrame
    seeds: int


@dataclass(frozen=True)
class Slopes:
    """Slopes of one figure's curve, layer by layer."""

    measured: tuple[float, ...]
    expected: tuple[float, ...]
    exact: tuple[float, ...]
    asymptotic: tuple[float, ...]
    half_width: float


def page(evidence: Evidence, settings: FindingsStage) -> str:
    """The findings as Markdown. Raises ``DataError`` if a table lacks what the page quotes."""
    filters: dict[str, Callable[..., str]] = {"series": series, "span": span, "signed": signed}
    try:
        return template("dynparam.report", TEMPLATE, filters=filters).render(
            found=Found(evidence), settings=settings
        )
    except (KeyError, IndexError, jinja2.UndefinedError) as error:
        raise DataError(
            f"the findings quote something that the tables lack ({error}); run the target findings of "
            f"the whole configuration"
        ) from None


class Found:
    """The questions the template asks."""

    def __init__(self, evidence: Evidence) -> None:
        """Answer from ``evidence``."""
        self._evidence = evidence

    def slopes(self, figure: str, curve: str) -> Slopes:
        """The slopes of a curve in a figure of the comparison table."""
        table = self._evidence.slopes
        rows = table[(table["figure"] == figure) & (table["curve"] == curve)].sort_values("layer")
        if rows.empty:
            raise KeyError(f"slopes of {curve} in {figure}")
        return Slopes(
            measured=tuple(rows["slope"].tolist()),
            expected=tuple(rows["expected"].tolist()),
            exact=tuple(rows["expected_exact"].tolist()),
            asymptotic=tuple(rows["asymptotic"].tolist()),
            half_width=float((rows["ci_high"] - rows["ci_low"]).mean() / 2),
        )

    def verdicts(self, *figures: str) -> dict[str, int]:
        """How many slopes of the figures agree, disagree, are undecided, and how many there are."""
        chosen = self._evidence.slopes[self._evidence.slopes["figure"].isin(figures)]
        counts = chosen["verdict"].value_counts()
        names = ("agrees", "disagrees", "undecided")
        return {name: int(counts.get(name, 0)) for name in names} | {"all": len(chosen)}

    def visible(self, figure: str, curve: str) -> int:
        """In how many layers of a curve the thesis's claim shows."""
        table = self._evidence.slopes
        notes = table.loc[(table["figure"] == figure) & (table["curve"] == curve), "note"]
        return int((notes.str.contains("visible") & ~notes.str.contains("not visible")).sum())

    def exact_error(self) -> float:
        """The standard error of the exact slopes on the thesis's window, on average."""
        return float(self._evidence.slopes["expected_exact_error"].mean())

    def largest_deviation(self) -> dict[str, Any]:
        """Of a measured slope from the exact one: by curve, and how likely one so large is by chance.

        The layers of a curve share their trials, so that a curve counts as one.
        """
        deviation = self._evidence.slopes.set_index("curve")["deviation"].dropna().abs()
        largest = float(deviation.max())
        curves = deviation.index.nunique()
        single = 2 * stats.norm.sf(largest)
        return {
            "curve": deviation.idxmax(),
            "errors": largest,
            "chance": 1 - (1 - single) ** curves,
            "curves": curves,
        }

    def paired(self, *tasks: str) -> Rows:
        """The claims on training curves, a row per metric, with the cells of each task's source.

        Accuracy on the training images is left out: it soon is 1 everywhere.
        """
        table = self._evidence.claims
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
        table = self._evidence.claims
        return _only(table[(table["source"] == source) & (table["metric"] == metric)])

    def domain(self, metric: str, epoch: str) -> Rows:
        """The domain study at the thesis's ratio: a row per n, with the cells of each task."""
        table = self._evidence.domain
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
        return self._evidence.seeds

    def table_counts(self) -> dict[str, int]:
        """Entries of Table 1.1: all, those that agree with the exact exponent, claims that hold."""
        table = self._evidence.table1_1
        return {
            "all": len(table),
            "agrees": int((table["verdict"] == "agrees").sum()),
            "holds": int((table["claim"] == "holds").sum()),
        }

    def table_disagreements(self) -> list[str]:
        """Where Table 1.1 and its definitions differ, a sentence a reason."""
        return disagreements(self._evidence.table1_1)

    def table_surprises(self) -> list[str]:
        """Entries whose measured slope disagrees with the exact exponent, and why."""
        table = self._evidence.table1_1
        return [
            f"{row['parametrization']}, {row['family'].replace('_', ' ')}, layer {row['layer']}, "
            f"{row['quantity']}: {signed(row['slope'])} instead of {signed(row['exact'])}; {row['note']}"
            for _, row in table[table["verdict"] == "disagrees"].iterrows()
        ]

    def condition_counts(self) -> dict[str, int]:
        """Cells of the matrix of conditions: all, and those of each verdict."""
        table = self._evidence.conditions
        counts = table["verdict"].value_counts()
        names = ("agrees", "disagrees", "undecided")
        return {name: int(counts.get(name, 0)) for name in names} | {"all": len(table)}

    def failing_conditions(self) -> Rows:
        """The conditions that each parametrization but the standard one fails by exact exponents."""
        table = self._evidence.conditions
        failing = table[(table["theory"] == "fails") & (table["parametrization"] != "standard")]
        return [
            {
                "parametrization": name,
                "conditions": "; ".join(
                    f"{condition} at {' and '.join(part['family'].str.replace('_', ' '))}"
                    for condition, part in rows.groupby("condition", sort=False)
                ),
            }
            for name, rows in failing.groupby("parametrization", sort=False)
        ]

    def edges(self, statistic: str) -> Rows:
        """The measured edges of the r-sweep, of the drift or of the growth of gradients."""
        table = self._evidence.edges
        return [
            {str(key): value for key, value in row.items()}
            for _, row in table[table["statistic"] == statistic].iterrows()
        ]

    def ledger(self) -> dict[str, Any]:
        """How many alternatives there are, how many slopes change sides, and the largest change."""
        table = self._evidence.changes
        decided = table[["shows_by_default", "shows"]].isin([Showing.YES, Showing.NO]).all(axis=1)
        moved = decided & (table["shows_by_default"] != table["shows"])
        return {
            "alternatives": table["alternative"].nunique(),
            "moved": int(moved.sum()),
            "largest": table.iloc[int(table["change"].abs().argmax())].to_dict(),
        }


def series(values: Sequence[float]) -> str:
    """Numbers with two decimals and their signs, separated by commas."""
    return ", ".join(signed(value) for value in values)


def span(values: Sequence[float]) -> str:
    """The least and the greatest: ``-1.61 to -1.19``."""
    return f"{signed(min(values))} to {signed(max(values))}"


def signed(value: float, digits: int = 2) -> str:
    """Fixed decimals with the sign; what rounds to zero has none."""
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"


def _cells(rows: pd.DataFrame | pd.Series[Any]) -> list[str]:
    row = rows if isinstance(rows, pd.Series) else rows.iloc[0]
    difference = f"{row['value']:+.2g} [{row['ci_low']:+.2g}, {row['ci_high']:+.2g}]"
    return [difference, str(row["verdict"])]


def _only(rows: pd.DataFrame) -> dict[str, Any]:
    if len(rows) != 1:
        raise KeyError(f"{len(rows)} rows where one is quoted")
    return {str(key): value for key, value in rows.iloc[0].items()}
