"""Tables, their columns described once: as Markdown, and as cells of the HTML pages.

A ``TableView`` says what a person sees of a tidy table. ``markdown`` and ``cells`` render it;
``presentation.pages`` puts either on a page.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup
from tabulate import tabulate

from dynparam.presentation import verdicts
from dynparam.presentation.intervals import Interval

BREAK = re.compile(r"[;:] ")
"""Where the first part of a note ends."""

CODE_WIDTH = 26
"""The most characters of a code."""


@dataclass(frozen=True)
class Column:
    """What a person sees of one or more columns of a tidy table.

    Attributes:
        head: its head.
        meaning: what it holds, in words.
        of: the columns of the tidy table that it shows; it sorts by the first. Else that of its head.
        show: their values in a row as text, or as what text can be made of.
        missing: what stands where the first of them is missing.
        numeric: whether it holds numbers.
        verdict: whether it holds verdicts.
        prose: whether it holds sentences, which need room and may be broken into lines.
        code: what stands for a text where room is scarce; the text itself opens on demand.
        picture: the interval that it draws in place of text; Markdown leaves such a column out.
    """

    head: str
    meaning: str = ""
    of: tuple[str, ...] = ()
    show: Callable[..., object] = str
    missing: str = ""
    numeric: bool = False
    verdict: bool = False
    prose: bool = False
    code: Callable[[str], str] | None = None
    picture: Interval | None = None

    @property
    def sortable(self) -> bool:
        """Whether rows can be sorted by it."""
        return self.picture is None

    def texts(self, frame: pd.DataFrame) -> list[str]:
        """Its text in every row of a tidy table; a verdict with its sign."""
        show: Callable[..., object] = verdicts.mark if self.verdict else self.show
        rows = zip(*(frame[name] for name in self._sources), strict=True)
        return [self.missing if pd.isna(values[0]) else str(show(*values)) for values in rows]

    def cells(self, frame: pd.DataFrame) -> list[Cell]:
        """Its cell in every row of a tidy table."""
        if self.picture is not None:
            return [Cell(picture) for picture in self.picture.draw(frame)]
        values = frame[self._sources[0]]
        if self.verdict:
            return [verdict(str(word)) for word in values]
        keys = [_key(value) for value in values] if self.numeric else [""] * len(frame)
        return [
            Cell(text, key, code=self.code(text) if self.code else "")
            for text, key in zip(self.texts(frame), keys, strict=True)
        ]

    @property
    def _sources(self) -> tuple[str, ...]:
        return self.of or (self.head,)


@dataclass(frozen=True)
class TableView:
    """What a person sees of a tidy table.

    Attributes:
        name: its anchor.
        title: what it is called.
        columns: its columns.
        filters: heads of columns that can be chosen by value.
        group: the head of a column; a page of the table's own is divided by its values.
        numbers_right: whether numbers stand on the right in Markdown too.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    filters: tuple[str, ...] = ()
    group: str = ""
    numbers_right: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: its text or picture.
        sort: what it sorts by; its text if empty.
        tone: the tone of a verdict.
        code: what stands for the text where room is scarce; the text itself if empty or equal to it.
    """

    text: str | Markup
    sort: str = ""
    tone: str = ""
    code: str = ""

    @property
    def folded(self) -> bool:
        """Whether its text opens on demand."""
        return self.code not in ("", self.text)


@dataclass(frozen=True)
class Table:
    """A table as a page shows it.

    Attributes:
        name: its anchor.
        title: what it is called.
        columns: its columns.
        rows: its cells, row by row.
        filters: heads of columns that can be chosen by value.
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


def shortened(text: str) -> str:
    """The beginning of a text, for ``Column.code``: up to the first break, and no more than some words.

    >>> shortened("2 instead of 5: that of a linear network")
    '2 instead of 5'
    >>> shortened("theory alone, where the median lies within 5% of the mean")
    'theory alone, where the …'
    """
    return textwrap.shorten(BREAK.split(text, maxsplit=1)[0], CODE_WIDTH, placeholder=" …")


def verdict(word: str) -> Cell:
    """A verdict as sign, word and tone; a word that is none of ``verdicts.WORDS`` as it is."""
    tone = verdicts.tone(word).name if word in verdicts.WORDS else ""
    return Cell(verdicts.mark(word), tone=tone)


def cells(view: TableView, frame: pd.DataFrame) -> Table:
    """A tidy table as the cells that a page shows. Raises ``KeyError`` for a lacking column."""
    columns = [column.cells(frame) for column in view.columns]
    return Table(view.name, view.title, view.columns, tuple(zip(*columns, strict=True)), view.filters)


def markdown(view: TableView, frame: pd.DataFrame) -> str:
    """A tidy table in Markdown, without pictures; bars and line ends inside cells are escaped.

    Raises ``KeyError`` for a lacking column.
    """
    shown = [column for column in view.columns if column.picture is None]
    texts = [[_escaped(text) for text in column.texts(frame)] for column in shown]
    aligned = ["right" if view.numbers_right and column.numeric else "left" for column in shown]
    table: str = tabulate(
        list(zip(*texts, strict=True)),
        [_escaped(column.head) for column in shown],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=aligned,
    )
    return table


def groups(view: TableView, frame: pd.DataFrame) -> Iterator[tuple[str, TableView, pd.DataFrame]]:
    """The parts that the view's ``group`` divides a tidy table into: heading, view and rows of each.

    A view without ``group`` is one part with an empty heading.
    """
    if not view.group:
        yield "", view, frame
        return
    by = next(column for column in view.columns if column.head == view.group)
    others = tuple(column for column in view.columns if column is not by)
    headings = pd.Series(by.texts(frame), index=frame.index, dtype=object)
    for heading, rows in frame.groupby(headings, sort=False):
        name = f"{view.name}-{headings.unique().tolist().index(heading) + 1}"
        yield str(heading), TableView(name, str(heading), others, (), "", view.numbers_right), rows


def _escaped(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", "<br>")


def _key(value: Any) -> str:
    """A number as text that scripts read; nothing if it is missing."""
    return "" if pd.isna(value) else f"{float(value):.9g}"
