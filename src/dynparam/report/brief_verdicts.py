"""A table of verdicts in few lines: what is not as theory has it one by one, and the rest counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from dynparam.presentation.judged import accepted, short
from dynparam.presentation.numbers import span, with_interval
from dynparam.presentation.plain_formulas import typeset
from dynparam.presentation.sentences import counted
from dynparam.presentation.tables import Column, TableView, markdown
from dynparam.presentation.verdicts import BAD, GOOD, OPEN, mark
from dynparam.statistics.judged import CLAIM, CONTROL, outcomes

LISTED = 24
"""A table of no more rows is listed one by one."""

UNSETTLED = 12
"""Of a larger one, so many rows that are against theory or undecided are."""

ROUNDING = 1e-9
"""What is smaller is rounding, another one on every machine, and written as 0."""

FIRST = ("failed", "undecided", "passed")
"""Outcomes in the order in which rows are listed."""

Line = dict[str, str]
"""The texts of one line by the heads of its columns."""

CLAIMS_VIEW = TableView(
    "measured",
    "What was measured",
    tuple(map(Column, ("part", "quantity", "setting", "measured", "expected", "verdict"))),
)

CONTROLS_VIEW = TableView(
    "controls",
    "Controls",
    tuple(
        map(
            Column,
            ("part", "quantity", "setting", "measured", "held against", "what is wrong", "control"),
        )
    ),
)

OF_CONTROLS = {
    "passed": f"{GOOD.sign} refuted",
    "failed": f"{BAD.sign} not refuted",
    "undecided": f"{OPEN.sign} undecided",
}
"""How a control came out, by its outcome: it passes if what is wrong is refuted."""


def claims(table: pd.DataFrame) -> str:
    """The rows that should agree (``statistics.judged``), in Markdown; those that do not come first."""
    return _shown(CLAIMS_VIEW, table, CLAIM, _verdicts)


def controls(table: pd.DataFrame) -> str:
    """The rows that must not agree, in Markdown, with what wrong thing each is held against."""
    return _shown(CONTROLS_VIEW, table, CONTROL, _refutations)


def _shown(view: TableView, table: pd.DataFrame, role: str, last: Callable[[pd.DataFrame], Line]) -> str:
    found = outcomes(table, role)
    rows = table.loc[found.index].assign(outcome=found)
    lines = [_line(part) | last(part) for part in _parts(rows)]
    told = pd.DataFrame(lines, columns=[column.head for column in view.columns])
    return markdown(view, told.map(typeset))


def _parts(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows of each line: one, or all of a quantity that are left when the first ones are listed."""
    first = rows["outcome"].map(FIRST.index).sort_values(kind="stable").index
    ordered = rows.loc[first]
    unsettled = int((ordered["outcome"] != FIRST[-1]).sum())
    single = len(rows) if len(rows) <= LISTED else min(UNSETTLED, unsettled)
    for place in range(single):
        yield ordered.iloc[place : place + 1]
    for _, part in ordered.iloc[single:].groupby(["experiment", "quantity"], sort=False):
        yield part


def _line(rows: pd.DataFrame) -> Line:
    """What was measured: of one row with its interval, of several the least and the greatest."""
    first = rows.iloc[0]
    several = len(rows) > 1
    return {
        "part": str(first["experiment"]),
        "quantity": str(first["quantity"]),
        "setting": counted(len(rows), "setting") if several else str(first["setting"]),
        "measured": _span(rows["measured"]) if several else _measured(first),
    }


def _measured(row: pd.Series[Any]) -> str:
    value, low, high = (float(row[name]) for name in ("measured", "ci_low", "ci_high"))
    if math.isnan(value):
        return "none"
    alone = low == high or math.isnan(low)
    return _number(value) if alone else with_interval(value, low, high, _number)


def _span(values: pd.Series[float]) -> str:
    known = values.dropna()
    return span(float(known.min()), float(known.max()), _number) if len(known) else "none"


def _number(value: float) -> str:
    return "0" if abs(value) < ROUNDING else short(value)


def _expected(rows: pd.DataFrame) -> str:
    """The expected values; where only a bound is claimed, the bound with its side."""
    ends = rows[["accepted_low", "accepted_high"]]
    bound = ends.notna().sum(axis=1) == 1
    if not bound.all():
        return _span(rows["expected"])
    texts = [accepted(CLAIM, float(low), float(high)) for low, high in ends.itertuples(index=False)]
    return " or ".join(dict.fromkeys(texts))


def _verdicts(rows: pd.DataFrame) -> Line:
    counts = rows["verdict"].value_counts(sort=False)
    several = ", ".join(f"{mark(str(word))}: {count}" for word, count in counts.items())
    return {
        "expected": _expected(rows),
        "verdict": several if len(rows) > 1 else mark(str(rows["verdict"].iloc[0])),
    }


def _refutations(rows: pd.DataFrame) -> Line:
    counts = rows["outcome"].value_counts(sort=False)
    several = ", ".join(f"{OF_CONTROLS[str(word)]}: {count}" for word, count in counts.items())
    return {
        "held against": _expected(rows),
        "what is wrong": "; ".join(dict.fromkeys(rows["note"].dropna().astype(str))),
        "control": several if len(rows) > 1 else OF_CONTROLS[str(rows["outcome"].iloc[0])],
    }
