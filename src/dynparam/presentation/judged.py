"""How a table of verdicts is seen (``statistics.judged``)."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from dynparam.presentation.intervals import Interval
from dynparam.presentation.numbers import with_interval
from dynparam.presentation.pages import Section, write_pages
from dynparam.presentation.tables import Column, TableView, shortened


def short(value: float) -> str:
    """Up to four significant digits: ``0.01667``, ``227.4``, ``1150``."""
    return f"{value + 0.0:.4g}"


def view(name: str, title: str) -> TableView:
    """What a person sees of such a table, under this anchor."""
    columns = (
        Column("experiment", prose=True),
        Column("quantity", prose=True),
        Column("setting", prose=True),
        Column(
            "expected", "the value that theory gives, or the bound of a claim", show=short, numeric=True
        ),
        Column(
            "measured",
            "the measured value, with its interval over trials; what no scatter enters has none",
            ("measured", "ci_low", "ci_high"),
            measured,
            missing="none",
            numeric=True,
        ),
        Column(
            "verdict", "whether it lies where it is accepted; what else decides is noted", verdict=True
        ),
        Column(
            "accepted",
            "where the whole interval has to lie",
            ("role", "accepted_low", "accepted_high"),
            accepted,
        ),
        Column(
            "interval",
            "bar: interval; dot: measured; line: expected",
            picture=Interval("measured", expected=("expected",), own_scale=True),
        ),
        Column(
            "role", "claim: should agree; control: must not; shown: the numbers alone, without a verdict"
        ),
        Column("note", "of a control, what wrong thing it is held against", prose=True, code=shortened),
    )
    return TableView(name, f"{title}: verdicts", columns, ("experiment", "role", "verdict"))


def measured(value: float, low: float, high: float) -> str:
    """A number with its interval: ``1.02 [0.98, 1.06]``; alone if it has none, or none is known."""
    alone = low == high or math.isnan(low)
    return short(value) if alone else with_interval(value, low, high, short)


def accepted(role: str, low: float, high: float) -> str:
    """A range: ``0.8 to 1.2``, ``above 2``, ``below 1.1``; empty if both ends are open."""
    if math.isnan(low):
        return "" if math.isnan(high) else f"below {short(high)}"
    return f"above {short(low)}" if math.isnan(high) else f"{short(low)} to {short(high)}"


def write(table: pd.DataFrame, csv: Path, title: str, name: str) -> list[Path]:
    """Write such a table as CSV with its two pages beside it; returns the three paths."""
    return write_pages(table, csv, title, [Section(view=view(name, title), table=table)])
