"""The page of the open choices: each of them, and what its alternatives change.

All numbers come from the configuration, the table of changes of slopes (``changes.COLUMNS``) and that of
changes in training (``trained.COLUMNS``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dynparam.experiments.open_choices import trained_page
from dynparam.experiments.open_choices.entries import Alternative, OpenChoice, OpenChoices, written
from dynparam.experiments.open_choices.settings import PageBlocks
from dynparam.experiments.open_choices.trained import title
from dynparam.presentation.numbers import fitting, plus_minus, signed, with_interval
from dynparam.presentation.sentences import joined
from dynparam.presentation.templates import template
from dynparam.presentation.verdicts import BAD, OPEN, TONES
from dynparam.settings.base import Block, pick, value_at
from dynparam.statistics.verdicts import Verdict
from dynparam.support.errors import DataError
from dynparam.theory.widths import INPUT_WIDTH
from dynparam.trials.claims import Showing

TEMPLATE = "page.md.j2"

DIGITS = 4
"""Decimals of slopes and their changes."""

NONE = "none"
"""A cell of the page: no alternative of this entry can change a slope."""

Record = dict[str, Any]
"""A row of the table of changes."""


@dataclass(frozen=True)
class Row:
    """An entry as cells of a table: key, alternatives, and what these change.

    Attributes:
        change: the largest change of a slope.
        training: what becomes of the conclusions on training; empty if training reads none of it.
        measured_on: slopes, training curves, both, or why neither.
    """

    point: str
    thesis: str
    choice: str
    key: str
    alternatives: str
    change: str
    training: str
    measured_on: str


@dataclass(frozen=True)
class MeasuredAlternative:
    """What one alternative changes: its name, description, engine, and sentences and cells.

    Attributes:
        largest: the largest change with its interval, curve and layer.
        excluding: how many of the intervals exclude zero, out of how many.
        moved: what the claims show under it if that differs from the default.
        at_exponent: how many slopes agree with their exact exponents under it, out of how many.
        at_exponent_by_default: the same by default.
        table: curves by layers, changes with half-widths, as Markdown.
    """

    name: str
    description: str
    engine: str
    largest: str
    excluding: str
    moved: str
    at_exponent: str
    at_exponent_by_default: str
    table: str


def page(open_choices: OpenChoices, config: Block, changes: pd.DataFrame, trained: pd.DataFrame) -> str:
    """The page as Markdown, with the values that a whole configuration gives to the keys of the entries.

    Raises ``DataError`` if ``changes`` or ``trained`` lacks a measured alternative.
    """
    trained_page.require_trained(open_choices, trained)
    missing = [name for name in open_choices.measured() if name not in set(changes["alternative"])]
    if missing:
        raise DataError(f"the changes of slopes lack {missing[0]}; run compare_choices again")
    shown, on_slopes = pick(PageBlocks, config), open_choices.measured()
    measured = [
        _measured(alternative, changes[changes["alternative"] == alternative.name])
        for alternative in on_slopes.values()
    ]
    return template("dynparam.experiments.open_choices", TEMPLATE).render(
        probe=[_row(entry, config, changes, trained, on_slopes) for entry in open_choices.probe],
        training=[
            _row(entry, config, changes.head(0), trained, on_slopes) for entry in open_choices.training
        ],
        measured=measured,
        unaffected=[
            one
            for entry in open_choices.probe
            for one in entry.alternatives
            if one.unaffected is not None
        ],
        answer=answer(changes, shown.comparison.tolerance),
        trained={
            "names": [one.name for one in open_choices.alternatives() if one.trained],
            "controls": open_choices.controls,
            "endpoints": [title(name) for name in shown.open_choices.training.endpoints],
            "answer": trained_page.answer(trained),
            "default": trained_page.default_table(trained, shown.training.parametrizations[1]),
            "table": trained_page.table(trained),
            "figure": _picture(shown, shown.open_choices.training.figure),
        },
        default=_default_table(changes),
        figure=_picture(shown, shown.open_choices.figure),
        slopes=len(changes.drop_duplicates(["curve", "layer"])),
        n_0=INPUT_WIDTH,
        settings=shown,
        signs={tone.name: tone.sign for tone in TONES},
    )


def _picture(shown: PageBlocks, figure: str) -> str:
    """Where a figure lies, from the page."""
    return os.path.relpath(shown.paths.figures / f"{figure}.png", shown.open_choices.page.parent)


def answer(changes: pd.DataFrame, tolerance: float) -> str:
    """Whether any alternative changes whether a claim shows, and what the others do, in sentences."""
    moved = [row for row in _records(changes) if row["shows"] != row["shows_by_default"]]
    unclear = [row for row in moved if Showing.UNDECIDED in (row["shows"], row["shows_by_default"])]
    definite = [row for row in moved if row not in unclear]
    names = list(dict.fromkeys(str(row["alternative"]) for row in definite))
    told = f"Yes, {joined([f'`{name}`' for name in names])}" if names else "No"
    sentences = [
        f"**{told}.** {changes['alternative'].nunique()} alternatives of "
        f"{len(changes.drop_duplicates(['curve', 'layer']))} slopes each are measured, and "
        f"{len(definite) or 'none'} of these {len(changes)} slopes "
        f"{'takes' if len(definite) < 2 else 'take'} a claim from showing to not "
        f"showing or back{': ' + _listed(definite) if definite else ''}."
    ]
    for name in names:
        rows = changes[changes["alternative"] == name]
        sentences.append(
            f"Under `{name}`, {_agreeing(rows, 'at_exponent')} slopes agree with the exact exponents of "
            f"theory to within {tolerance:g}, by default {_agreeing(rows, 'at_exponent_by_default')}."
        )
    if unclear:
        sentences.append(
            f"For {len(unclear)} the interval lies across the limit under one of the two choices only, "
            f"which decides nothing: {_listed(unclear)}."
        )
    others = changes[~changes["alternative"].isin(names)]
    if not others.empty:
        largest = _largest(others)
        whose = "The others' largest change" if names else "The largest change"
        sentences.append(
            f"{whose} is {interval(largest)}, of {_place(largest)}, under `{largest['alternative']}`."
        )
    return " ".join(sentences)


def interval(row: Record) -> str:
    """A change with its interval, ``+0.0123 [+0.0043, +0.0203]``; 0 if no trial changes at all."""
    low, middle, high = (float(row[name]) for name in ("change_low", "change", "change_high"))
    if low == high == 0:
        return "0"
    return with_interval(middle, low, high, fitting(DIGITS, low, high))


def _row(
    entry: OpenChoice,
    config: Block,
    changes: pd.DataFrame,
    trained: pd.DataFrame,
    on_slopes: Mapping[str, Alternative],
) -> Row:
    keys = [f"`{key}: {written(value_at(config, key))}`" for key in entry.values]
    keys += [f"`{module}`" for module in entry.where]
    return Row(
        entry.point,
        entry.thesis,
        entry.choice,
        ", ".join(keys),
        "; ".join(f"`{one.name}`: {one.description}" for one in entry.alternatives),
        _largest_of(entry.alternatives, changes),
        trained_page.cell(entry, trained),
        trained_page.measured_on(entry, on_slopes),
    )


def _largest_of(alternatives: Sequence[Alternative], changes: pd.DataFrame) -> str:
    names = [one.name for one in alternatives]
    rows = changes[changes["alternative"].isin(names)]
    if not names:
        return ""
    if rows.empty:
        return NONE
    row = _largest(rows)
    return f"{interval(row)} (`{row['alternative']}`, {_place(row)})"


def _measured(alternative: Alternative, rows: pd.DataFrame) -> MeasuredAlternative:
    largest = _largest(rows)
    excluding = int(((rows["change_low"] > 0) | (rows["change_high"] < 0)).sum())
    return MeasuredAlternative(
        alternative.name,
        alternative.description,
        alternative.engine,
        f"{interval(largest)} ({_place(largest)})",
        f"{excluding} of {len(rows)}",
        _listed([row for row in _records(rows) if row["shows"] != row["shows_by_default"]]),
        _agreeing(rows, "at_exponent"),
        _agreeing(rows, "at_exponent_by_default"),
        _grid(rows, ("change", "change_low", "change_high")),
    )


def _agreeing(rows: pd.DataFrame, column: str) -> str:
    return f"{int((rows[column] == Verdict.AGREES).sum())} of {len(rows)}"


def _default_table(changes: pd.DataFrame) -> str:
    """The default's slopes, with a mark where the claim does not show or is undecided."""
    rows = changes.drop_duplicates(["curve", "layer"])
    marks = {Showing.YES: "", Showing.NO: f" {BAD.sign}", Showing.UNDECIDED: f" {OPEN.sign}"}
    signs = [marks[Showing(name)] for name in rows["shows_by_default"]]
    return _grid(rows, ("default", "default_low", "default_high"), signs)


def _grid(rows: pd.DataFrame, columns: tuple[str, str, str], marks: Sequence[str] | None = None) -> str:
    """Curves by layers as Markdown: a number with its half-width, and a mark."""
    values = rows[list(columns)].to_numpy(float).tolist()
    signs = marks or [""] * len(values)
    cells = [
        plus_minus(middle, (high - low) / 2, DIGITS) + sign
        for (middle, low, high), sign in zip(values, signs, strict=True)
    ]
    shown = rows.assign(cell=cells).pivot(index="curve", columns="layer", values="cell")
    shown = shown.loc[rows["curve"].unique().tolist()].reset_index()
    shown.columns = pd.Index(["curve", *(f"layer {layer}" for layer in shown.columns[1:])])
    return str(shown.to_markdown(index=False, disable_numparse=True))


def _listed(rows: Sequence[Record]) -> str:
    """Where a claim shows otherwise than by default."""
    return "; ".join(
        f"{_place(row)} under `{row['alternative']}`: {row['shows_by_default']} by default "
        f"({signed(row['default'], DIGITS)}), {row['shows']} there ({signed(row['slope'], DIGITS)})"
        for row in rows
    )


def _records(changes: pd.DataFrame) -> list[Record]:
    return [{str(key): value for key, value in row.items()} for row in changes.to_dict("records")]


def _largest(changes: pd.DataFrame) -> Record:
    return max(_records(changes), key=lambda row: abs(row["change"]))


def _place(row: Record) -> str:
    return f"`{row['curve']}`, layer {row['layer']}"
