"""How verdicts look: sign, word, tone and colour, the same in tables, figures and on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


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
    """How many verdicts of each tone something has; ``anchor`` is where they are listed."""

    what: str
    anchor: str
    meaning: str
    tones: Mapping[str, int] = field(default_factory=dict)

    @property
    def all(self) -> int:
        """All verdicts together."""
        return sum(self.tones.values())


def count(what: str, anchor: str, meaning: str, verdicts: Iterable[str]) -> Count:
    """Verdicts counted by the name of their tone."""
    found = [tone(word) for word in verdicts]
    return Count(what, anchor, meaning, {one.name: found.count(one) for one in TONES})
