"""What the page of the open choices says of training: where each is measured, and what it changes.

All numbers come from the table of changes in training (``trained.COLUMNS``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.open_choices.entries import OpenChoice, OpenChoices
from dynparam.experiments.open_choices.trained import Conclusion, title
from dynparam.presentation.numbers import plus_minus
from dynparam.presentation.sentences import counted, joined
from dynparam.presentation.verdicts import BAD, OPEN
from dynparam.support.errors import DataError

DIGITS = 4
"""Decimals of differences and their changes."""

MARKS: Mapping[str, str] = {
    Conclusion.SAME: "",
    Conclusion.CHANGED: f" {BAD.sign}",
    Conclusion.UNDECIDED: f" {OPEN.sign}",
}

Record = Mapping[str, Any]
"""A row of the table of changes in training."""


def require_trained(open_choices: OpenChoices, trained: pd.DataFrame) -> None:
    """Raise ``DataError`` if the table lacks a trained alternative or control."""
    missing = [name for name in open_choices.trained() if name not in set(trained["alternative"])]
    if missing:
        raise DataError(f"the changes in training curves lack {missing[0]}; run compare_trained again")


def measured_on(entry: OpenChoice, measured: Mapping[str, object]) -> str:
    """Where an entry's alternatives are measured; or that they are not, and why.

    ``measured`` are the alternatives that are measured on slopes, by name.
    """
    slopes = any(one.name in measured for one in entry.alternatives)
    curves = any(one.trained for one in entry.alternatives)
    if slopes and curves:
        return "both"
    if slopes or curves:
        return "slopes" if slopes else "training curves"
    reasons = [one.unaffected for one in entry.alternatives if one.unaffected is not None]
    return f"not measured: {'; '.join(reasons) or 'no alternative'}"


def cell(entry: OpenChoice, trained: pd.DataFrame) -> str:
    """What an entry's alternatives do to the conclusions on training; empty if none is trained."""
    names = [one.name for one in entry.alternatives]
    rows = _records(trained[trained["alternative"].isin(names)])
    if not rows:
        return ""
    same, changed, undecided = (_of(rows, one) for one in Conclusion)
    parts = [f"{len(same)} of {len(rows)} conclusions the same"]
    parts += [f"changed: {_places(changed)}"] if changed else []
    parts += [f"undecided: {_places(undecided)}"] if undecided else []
    return "; ".join(parts)


def answer(trained: pd.DataFrame) -> str:
    """Whether any alternative changes a conclusion on training, and whether the controls do."""
    rows = _records(trained[trained["role"] == "choice"])
    same, changed, undecided = (_of(rows, one) for one in Conclusion)
    names = list(dict.fromkeys(f"`{row['alternative']}`" for row in changed))
    told = f"Yes, {joined(names)}" if names else "No, as far as can be told" if undecided else "No"
    alternatives = counted(len({row["alternative"] for row in rows}), "alternative")
    endpoints = counted(trained["endpoint"].nunique(), "endpoint")
    sentences = [
        f"**{told}.** {alternatives} with {endpoints} each are measured.",
        f"Of these {counted(len(rows), 'conclusion')}, the same as by default: {len(same)}; "
        f"changed: {len(changed)}{_listed(changed)}; undecided: {len(undecided)}{_listed(undecided)}.",
    ]
    return " ".join([*sentences, *_controls(trained)])


def default_table(trained: pd.DataFrame, second: str) -> str:
    """The differences by default, and whether ``second`` is the better one, as Markdown."""
    rows = _records(trained.drop_duplicates("endpoint"))
    shown = pd.DataFrame(
        {
            "endpoint": [title(row["endpoint"]) for row in rows],
            "by default": [_known(row, "default", "default_low", "default_high") for row in rows],
            f"{second} is better": [row["stands_by_default"] for row in rows],
        }
    )
    return str(shown.to_markdown(index=False, disable_numparse=True))


def table(trained: pd.DataFrame) -> str:
    """Alternatives by endpoints as Markdown: the difference, its change in brackets, and a mark."""
    cells = [
        f"{_known(row, 'difference', 'ci_low', 'ci_high')} "
        f"({_known(row, 'change', 'change_low', 'change_high')}){MARKS[row['conclusion']]}"
        for row in _records(trained)
    ]
    shown = trained.assign(cell=cells).pivot(index="alternative", columns="endpoint", values="cell")
    shown = shown.loc[trained["alternative"].unique(), trained["endpoint"].unique()].reset_index()
    shown.columns = pd.Index(["alternative", *(title(name) for name in shown.columns[1:])])
    shown["alternative"] = [f"`{name}`" for name in shown["alternative"]]
    return str(shown.to_markdown(index=False, disable_numparse=True))


def _controls(trained: pd.DataFrame) -> list[str]:
    """A sentence on each control: it changes a conclusion, or nothing here could have."""
    found = []
    for name, rows in trained[trained["role"] == "control"].groupby("alternative", sort=False):
        changed = _of(_records(rows), Conclusion.CHANGED)
        told = (
            f"changes {len(changed)} of {counted(len(rows), 'conclusion')}{_listed(changed)}"
            if changed
            else "changes none, so that a change would not have been found here"
        )
        found.append(f"The control `{name}` {told}.")
    return found


def _of(rows: Sequence[Record], wanted: Conclusion) -> list[Record]:
    return [row for row in rows if row["conclusion"] == wanted]


def _listed(rows: Sequence[Record]) -> str:
    return f" ({_places(rows)})" if rows else ""


def _places(rows: Sequence[Record]) -> str:
    """Alternatives with their endpoints, in a sentence."""
    names = dict.fromkeys(row["alternative"] for row in rows)
    return ", ".join(
        f"`{name}` in {joined([title(row['endpoint']) for row in rows if row['alternative'] == name])}"
        for name in names
    )


def _known(row: Record, middle: str, low: str, high: str) -> str:
    """A number with its half-width; that nothing is known if too few seeds are left."""
    if np.isnan(row[low]):
        return "not known"
    return plus_minus(row[middle], (row[high] - row[low]) / 2, DIGITS)


def _records(trained: pd.DataFrame) -> list[Record]:
    return [{str(key): value for key, value in row.items()} for row in trained.to_dict("records")]
