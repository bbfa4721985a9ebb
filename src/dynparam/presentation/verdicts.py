"""How verdicts look: sign, word, tone and colour, the same in tables, figures and on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tone:
    """What verdicts of one kind look like, whatever their word.

    Attributes:
        name: good, bad or open; a class in style sheets.
        sign: tells it apart without colour.
        background: its colour behind black text on pages; passes WCAG AAA.
        border: as in style sheets; tells it apart in print.
        fill: its colour behind black text in figures.
    """

    name: str
    sign: str
    background: str
    border: str
    fill: str


# Green, vermilion and yellow of Okabe and Ito's palette, lightened.
GOOD = Tone("good", "✓", "#d5ebe1", "1px solid #2c7a5b", "#bfe3d5")
BAD = Tone("bad", "✗", "#f6d5c5", "3px double #a8441a", "#f4b98f")
OPEN = Tone("open", "?", "#f5eec2", "1px dashed #77691a", "#f5eec2")

TONES = (GOOD, BAD, OPEN)

COMPARISONS = ("agrees", "disagrees", "undecided")
"""Verdicts on a measured value and an expected one."""

CLAIMS = ("holds", "fails", "undecided")
"""Verdicts on a claim or a condition."""


_TONE_OF: Mapping[str, Tone] = {
    **dict(zip(COMPARISONS, TONES, strict=True)),
    **dict(zip(CLAIMS, TONES, strict=True)),
    "passed": GOOD,
    "failed": BAD,
    # Of a claim that several verdicts decide, and of one that none does.
    "in part": BAD,
    "not in this window": BAD,
    "not tested": OPEN,
    # Of a file of a run and the published one.
    "equal": GOOD,
    "other settings": OPEN,
    "not published": OPEN,
}

WORDS = tuple(_TONE_OF)
"""Every verdict."""


def tone(word: str) -> Tone:
    """How a verdict looks. Raises ``KeyError`` for a word that is none of ``WORDS``."""
    return _TONE_OF[word]


def sign(word: str) -> str:
    """A verdict's sign alone: ``✓``. Raises ``KeyError`` for a word that is none of ``WORDS``."""
    return tone(word).sign


def mark(word: str) -> str:
    """A verdict as sign and word: ``✓ agrees``; a word that is none of ``WORDS`` as it is."""
    return f"{sign(word)} {word}" if word in _TONE_OF else word


def tally(found: Iterable[str], words: Iterable[str]) -> str:
    """How often each of ``words`` is found: ``48 agrees, 0 disagrees, 0 undecided``."""
    verdicts = list(found)
    return ", ".join(f"{verdicts.count(word)} {word}" for word in words)


@dataclass(frozen=True)
class Count:
    """How many verdicts of each tone something has, and which rows of a table they stand in.

    Attributes:
        what: what is judged.
        anchor: where the table is.
        meaning: the question that the verdicts answer.
        rows: for the name of each tone the rows that have it, counted from 0 in the table's order.
    """

    what: str
    anchor: str
    meaning: str
    rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def tones(self) -> dict[str, int]:
        """How many verdicts each tone has, by its name."""
        return {name: len(rows) for name, rows in self.rows.items()}

    @property
    def all(self) -> int:
        """All verdicts together."""
        return sum(self.tones.values())


def count(what: str, anchor: str, meaning: str, verdicts: pd.Series[str]) -> Count:
    """Verdicts counted by the name of their tone; the index says which row of the table each is in."""
    tones = verdicts.map(lambda word: tone(word).name)
    rows = {one.name: tuple(map(int, verdicts.index[tones == one.name])) for one in TONES}
    return Count(what, anchor, meaning, rows)
