"""The table of edges in the report."""

from __future__ import annotations

import pandas as pd

from dynparam.presentation.cells import Column, Table, _reach, _records, _rows, interval


def edges_table(table: pd.DataFrame, tolerance: float) -> Table:
    """The edges in r (``experiments.r_sweep.edges.SUMMARY``)."""
    values = [
        f"{value:.3f} [{low:.3f}, {high:.3f}]" if pd.notna(value) else "none"
        for value, low, high in table[["edge", "ci_low", "ci_high"]].to_numpy(float)
    ]
    text = table.assign(
        reference=table["reference"].str.replace("geometric_mean", "geometric mean"),
        expected=table["edge_expected"].map("{:.3f}".format),
        measured=values,
    )
    reach = _reach(table[["edge", "ci_low", "ci_high", "edge_expected"]].to_numpy().ravel())
    pictures = [
        interval(row["ci_low"], row["edge"], row["ci_high"], reach, row["edge_expected"], tolerance)
        for row in _records(table)
    ]
    columns = (
        Column(
            "statistic", "drift: eq. 2.55 at step 2; growth: gradients within some steps of training"
        ),
        Column("reference", "the width m of updates of size m^r"),
        Column("expected", "the r at which m^r follows sqrt(n_min)", numeric=True),
        Column(
            "measured", "the r from which the statistic grows with n, with its interval", numeric=True
        ),
        Column("interval", "bar: interval; dot: measured; band: expected and tolerance", sortable=False),
        Column("verdict", "whether the interval lies within the tolerance of what is expected"),
        Column("note"),
    )
    numbers = {"expected": "edge_expected", "measured": "edge"}
    rows = _rows(text, table, columns, numbers, {"interval": pictures}, ("verdict",))
    return Table("edges", "Edges in r", columns, rows)
