"""The table of the entries of Table 1.1 in the report."""

from __future__ import annotations

import pandas as pd

from dynparam.experiments.measured_orders.table1_1_page import readable as readable_entries
from dynparam.presentation.cells import Column, Table, _reach, _records, _rows, interval


def entries_table(table: pd.DataFrame, tolerance: float) -> Table:
    """Every entry of Table 1.1 (``experiments.measured_orders.table1_1.COLUMNS``)."""
    text = readable_entries(table).drop(columns="entry")
    reach = _reach(table[["slope", "ci_low", "ci_high", "exact"]].to_numpy().ravel())
    pictures = [
        interval(row["ci_low"], row["slope"], row["ci_high"], reach, row["exact"], tolerance)
        for row in _records(table)
    ]
    columns = (
        Column("parametrization"),
        Column("family", "how the narrow width grows with n"),
        Column("quantity", "one coordinate of the preactivation, or of its update"),
        Column("layer", numeric=True),
        Column("claimed", "the exponent that Table 1.1 gives", numeric=True),
        Column("exact", "the exponent that follows from the definitions", numeric=True),
        Column("expected", "the slope that theory expects on these widths", numeric=True),
        Column("measured", "the measured slope, with its interval", numeric=True),
        Column(
            "interval",
            "bar: interval; dot: measured; band: exact exponent with the tolerance",
            sortable=False,
        ),
        Column("verdict", "measured against the exact exponent"),
        Column("claim", "measured against the exponent of Table 1.1"),
        Column("note"),
    )
    numbers = {"layer": "layer", "claimed": "claimed", "exact": "exact", "expected": "expected"}
    numbers["measured"] = "slope"
    rows = _rows(text, table, columns, numbers, {"interval": pictures}, ("verdict", "claim"))
    chosen = ("parametrization", "family", "verdict", "claim")
    return Table("entries", "Every entry of Table 1.1", columns, rows, chosen)
