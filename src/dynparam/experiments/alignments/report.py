"""The table of slopes in the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dynparam.experiments.alignments.page import readable as readable_slopes
from dynparam.presentation.cells import Column, Table, _reach, _records, _rows, interval


def slopes_table(table: pd.DataFrame, tolerance: float) -> Table:
    """The slopes (``comparison.COLUMNS``), each with its interval drawn beside what was expected."""
    text = readable_slopes(table)
    numbers = {"layer": "layer", "asymptotic": "asymptotic", "expected": "expected"}
    numbers |= {"exact": "expected_exact", "measured": "slope"}
    reach = _reach(table[["slope", "ci_low", "ci_high", "expected"]].to_numpy().ravel())
    pictures = [
        interval(row["ci_low"], row["slope"], row["ci_high"], reach, _expected(row), tolerance)
        for row in _records(table)
    ]
    columns = (
        Column("figure", "the figure whose widths these are"),
        Column("curve", "the curve of the configuration: widths and parametrization"),
        Column("parametrization"),
        Column("layer", "1 is the first hidden layer, the last one the readout", numeric=True),
        Column("asymptotic", "the exact exponent as n grows", numeric=True),
        Column("expected", "the slope that mean-field theory expects on these widths", numeric=True),
        Column("exact", "the same slope from many trials on the exact-law engine", numeric=True),
        Column("measured", "least squares on log-log axes, with its interval", numeric=True),
        Column(
            "interval", "bar: interval; dot: measured; band: expected with the tolerance", sortable=False
        ),
        Column("verdict", "whether the interval lies within the tolerance of what is expected"),
        Column("note", "whether the claim of the thesis shows"),
    )
    rows = _rows(text, table, columns, numbers, {"interval": pictures}, ("verdict",))
    return Table("slopes", "Measured and expected slopes", columns, rows, ("figure", "verdict"))


def _expected(row: Mapping[str, Any]) -> float:
    """What a slope is compared with: the exact slope where there is one."""
    exact = row["expected_exact"]
    return float(row["expected"] if pd.isna(exact) else exact)
