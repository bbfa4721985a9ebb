"""The tables of the report: cells a person reads, with the values they sort by and small pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from markupsafe import Markup

from dynparam.presentation.verdicts import CLAIM_MARKS, VERDICT_MARKS

MARKS = {**VERDICT_MARKS, **CLAIM_MARKS, "passed": "✓ passed", "failed": "✗ failed"}
"""Every verdict as sign and word."""


TONES = {"✓": "good", "✗": "bad", "?": "open"}
"""For a verdict's sign, how the page colours it; sign and word say the same without colour."""


PLOT_WIDTH, PLOT_HEIGHT = 132, 16


@dataclass(frozen=True)
class Cell:
    """A cell: text or picture, what it sorts by (its text if empty), and the tone of a verdict."""

    text: str | Markup
    sort: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Column:
    """A column: its head and meaning, whether it holds numbers, whether it can be sorted by."""

    head: str
    meaning: str = ""
    numeric: bool = False
    sortable: bool = True


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        name: its anchor.
        title: what it is called.
        columns: its columns.
        rows: its cells, row by row.
        filters: columns that can be chosen by value.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    filters: tuple[str, ...] = ()

    def choices(self, head: str) -> list[str]:
        """The values of a column, each once."""
        place = [column.head for column in self.columns].index(head)
        return list(dict.fromkeys(str(row[place].text) for row in self.rows))


@dataclass(frozen=True)
class Count:
    """How many verdicts of each tone something has; ``anchor`` is where they are listed."""

    what: str
    anchor: str
    meaning: str
    tones: Mapping[str, int] = field(default_factory=dict)

    @property
    def all(self) -> int:
        """All verdicts together."""
        return sum(self.tones.values())


def verdict(value: str) -> Cell:
    """A verdict as sign, word and tone; a word that is none of ``MARKS`` as it is."""
    text = MARKS.get(value, value)
    return Cell(text, tone=TONES.get(text[:1], ""))


def count(what: str, anchor: str, meaning: str, verdicts: Iterable[str]) -> Count:
    """Verdicts counted by tone."""
    found = [verdict(one).tone for one in verdicts]
    return Count(what, anchor, meaning, {tone: found.count(tone) for tone in TONES.values()})


def interval(
    low: float,
    value: float,
    high: float,
    reach: tuple[float, float],
    expected: float | None = None,
    tolerance: float = 0.0,
) -> Markup:
    """An interval as a line with a dot on an axis that spans ``reach``; nothing if it is unknown.

    Zero is marked; ``expected`` with ``tolerance`` to either side is a band behind. The numbers stand in
    the cell beside it, so that the picture is hidden from screen readers.
    """
    if not all(pd.notna(one) for one in (low, value, high)):
        return Markup("")

    def place(at: float) -> float:
        """Horizontal position in pixels; what lies outside is drawn at the edge."""
        inside = min(max(at, reach[0]), reach[1])
        return round(3 + (PLOT_WIDTH - 6) * (inside - reach[0]) / (reach[1] - reach[0]), 1)

    middle = PLOT_HEIGHT / 2
    band = Markup("")
    if expected is not None and pd.notna(expected):
        left, right = place(expected - tolerance), place(expected + tolerance)
        band = Markup('<rect x="{}" y="1" width="{}" height="{}"/>').format(
            left, round(right - left, 1), PLOT_HEIGHT - 2
        )
    return Markup(
        '<svg class="interval" aria-hidden="true" width="{w}" height="{h}" viewBox="0 0 {w} {h}">{band}'
        '<path class="zero" d="M{zero} 0V{h}"/><path d="M{low} {mid}H{high}"/>'
        '<circle cx="{at}" cy="{mid}" r="3"/></svg>'
    ).format(
        w=PLOT_WIDTH,
        h=PLOT_HEIGHT,
        band=band,
        zero=place(0.0),
        low=place(low),
        high=place(high),
        mid=middle,
        at=place(value),
    )


def _rows(
    text: pd.DataFrame,
    raw: pd.DataFrame,
    columns: Sequence[Column],
    numbers: Mapping[str, str],
    pictures: Mapping[str, Sequence[Markup]],
    verdicts: Sequence[str],
) -> tuple[tuple[Cell, ...], ...]:
    """Cells of ``text``, sorting by columns ``numbers`` of ``raw``, pictures by the first of them."""
    cells: list[list[Cell]] = []
    for column in columns:
        name = column.head
        if name in pictures:
            cells.append([Cell(picture) for picture in pictures[name]])
        elif name in verdicts:
            cells.append([verdict(str(value)) for value in raw[name]])
        else:
            keys = raw[numbers[name]].map(_key) if name in numbers else [""] * len(raw)
            shown = text[name].fillna("").astype(str)
            cells.append([Cell(one, key) for one, key in zip(shown, keys, strict=True)])
    return tuple(zip(*cells, strict=True))


def _key(value: Any) -> str:
    """A number as text that scripts read; nothing if it is missing."""
    return "" if pd.isna(value) else f"{float(value):.9g}"


def _number(value: float) -> Cell:
    return Cell(f"{value:.1e}", _key(value))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _reach(values: Iterable[float]) -> tuple[float, float]:
    """The span of all finite values and zero, with some room."""
    finite = [float(value) for value in values if pd.notna(value) and abs(value) != float("inf")]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room
