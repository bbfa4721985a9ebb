"""The columns of the table of verdicts."""

from __future__ import annotations

from dynparam.presentation.intervals import Interval
from dynparam.presentation.numbers import with_interval
from dynparam.presentation.tables import Column, TableView

EXPERIMENTS = (
    "widths: sharpness against width; thesis: its wide limit along the thesis's own families; "
    "normalization: of normalized outputs; rates: the largest stable learning rate; output scale: "
    "dynamic parametrization beside ntk"
)


def verdicts_view() -> TableView:
    """What a person sees of the verdicts (``judge.judged``)."""
    columns = (
        Column("experiment", EXPERIMENTS),
        Column("quantity"),
        Column("setting", "family of widths, parametrization and n; or inputs, normalization and M"),
        Column("expected", "from theory", show=_short, numeric=True),
        Column(
            "measured",
            "the mean over networks, with its interval; what no scatter enters has none",
            ("measured", "ci_low", "ci_high"),
            _measured,
            numeric=True,
        ),
        Column(
            "interval",
            "bar: interval; dot: measured; line: expected",
            picture=Interval("measured", expected=("expected",), own_scale=True),
        ),
        Column(
            "verdict", "whether the interval lies within a tolerance of what is expected", verdict=True
        ),
        Column("wanted", "what is to come out: a control must disagree"),
        Column("note", prose=True),
    )
    chosen = ("experiment", "quantity", "verdict", "wanted")
    return TableView("sharpness", "Sharpness", columns, chosen)


def _short(value: float) -> str:
    return f"{value:.3g}"


def _measured(value: float, low: float, high: float) -> str:
    return _short(value) if low == high else with_interval(value, low, high, _short)
