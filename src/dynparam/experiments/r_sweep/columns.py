"""The columns of the table of edges."""

from __future__ import annotations

from functools import partial

from dynparam.presentation.intervals import Interval
from dynparam.presentation.numbers import fixed, with_interval
from dynparam.presentation.tables import Column, TableView, shortened


def edges_view(tolerance: float) -> TableView:
    """What a person sees of the edges in r (``experiments.r_sweep.edges.SUMMARY``)."""
    columns = (
        Column(
            "statistic", "drift: eq. 2.55 at step 2; growth: gradients within some steps of training"
        ),
        Column("reference", "the width m of updates of size m^r", show=_width),
        Column(
            "expected", "the r at which m^r follows sqrt(n_min)", ("edge_expected",), fixed, numeric=True
        ),
        Column(
            "measured",
            "the r from which the statistic grows with n, with its interval",
            ("edge", "ci_low", "ci_high"),
            partial(with_interval, show=fixed),
            missing="none",
            numeric=True,
        ),
        Column(
            "verdict", "whether the interval lies within the tolerance of what is expected", verdict=True
        ),
        Column(
            "interval",
            "bar: interval; dot: measured; band: expected and tolerance",
            picture=Interval("edge", expected=("edge_expected",), tolerance=tolerance),
        ),
        Column("note", prose=True, code=shortened),
    )
    return TableView("edges", "Edges in r", columns)


def _width(name: str) -> str:
    return name.replace("geometric_mean", "geometric mean")
