"""How a table of verdicts is seen (``statistics.judged``)."""

from __future__ import annotations

from functools import partial

from dynparam.presentation.numbers import with_interval
from dynparam.presentation.tables import Column, TableView


def short(value: float) -> str:
    """Up to four significant digits: ``0.01667``, ``227.4``, ``1150``."""
    return f"{value + 0.0:.4g}"


def view(name: str, title: str) -> TableView:
    """What a person sees of such a table."""
    columns = (
        Column("experiment"),
        Column("quantity", prose=True),
        Column("setting", prose=True),
        Column(
            "role", "claim: should agree; control: must not; shown: the numbers alone, without a verdict"
        ),
        Column(
            "expected", "the value that theory gives, or the bound of a claim", show=short, numeric=True
        ),
        Column(
            "measured",
            "the measured value, with its interval over trials",
            ("measured", "ci_low", "ci_high"),
            partial(with_interval, show=short),
            numeric=True,
        ),
        Column("verdict", verdict=True),
        Column("note", prose=True),
    )
    return TableView(name, title, columns, ("experiment", "role", "verdict"))
