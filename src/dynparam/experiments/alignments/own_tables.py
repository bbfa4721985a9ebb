"""Slopes of tables of one's own: measured against expected, layer by layer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from tabulate import tabulate

from dynparam.experiments.alignments.fits import by_width
from dynparam.experiments.alignments.settings import OwnComparisonStage
from dynparam.statistics.slopes import fit_slope, log_slope
from dynparam.statistics.verdicts import equivalence
from dynparam.support.errors import DataError
from dynparam.support.randomness import seed_sequence

MEASURED = ("layer", "n", "trial", "alignment")


EXPECTED = ("layer", "n", "alignment")
"""Columns that the tables must have; others are passed over."""


def compare_tables(
    settings: OwnComparisonStage, measured: pd.DataFrame, expected: pd.DataFrame | None = None
) -> pd.DataFrame:
    """A row per layer: slope with interval and, against ``expected``, expected slope and verdict.

    Slopes are those of log mean alignment against log n, intervals by bootstrap over trials. Raises
    ``DataError`` for a table without the columns, layers or widths that this needs.
    """
    _require_columns(measured, MEASURED, "measured")
    if expected is not None:
        _require_columns(expected, EXPECTED, "expected")
    rows = []
    for layer, trials in measured.groupby("layer", sort=True):
        widths, values = by_width(trials)
        if len(widths) < 2 or min(map(len, values)) < 2:
            raise DataError(f"layer {layer} needs two n or more, and two trials or more at each")
        fit = fit_slope(
            widths,
            values,
            confidence=settings.fit.confidence,
            resamples=settings.fit.resamples,
            generator=np.random.default_rng(seed_sequence(settings.fit.seed, "own", str(layer))),
        )
        row = {"layer": layer, **fit.row("slope")}
        if expected is not None:
            slope = _expected_slope(expected, layer, widths)
            verdict = equivalence(*fit.interval, slope, settings.comparison.tolerance)
            row |= {"expected": slope, "verdict": str(verdict)}
        rows.append(row)
    return pd.DataFrame(rows)


def as_text(table: pd.DataFrame) -> str:
    """The comparison for a terminal."""
    return str(tabulate(table, headers="keys", showindex=False, floatfmt="+.3f")) + "\n"


def as_json(table: pd.DataFrame) -> str:
    """The comparison as JSON, a list with an object per layer."""
    return json.dumps(json.loads(table.to_json(orient="records")), indent=2) + "\n"


def _expected_slope(expected: pd.DataFrame, layer: object, widths: list[int]) -> float:
    rows = expected[(expected["layer"] == layer) & expected["n"].isin(widths)]
    if rows["n"].nunique() < 2:
        raise DataError(f"layer {layer} is expected at fewer than two of the measured n; add them")
    return float(log_slope(rows["n"], rows["alignment"]))


def _require_columns(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    missing = [column for column in columns if column not in table]
    if missing:
        raise DataError(f"the {name} table has no column {missing[0]!r}; name it so, or add it")
    if table.empty or not np.isfinite(table[list(columns)].to_numpy(float)).all():
        raise DataError(f"the {name} table is empty or has gaps in {', '.join(columns)}; fill them")
