"""What the two source documents claim, and how each claim comes out.

An experiment that tests a claim says so in its folder (``sources.py``): where the claim stands, which of
its verdicts decide it, and what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dynparam.statistics.judged import RIGHT, WRONG

THESIS, REPORT = "thesis", "report"

DOCUMENTS = (THESIS, REPORT)
"""The thesis, and the research report on random neural networks."""

HOLDS, IN_PART, FAILS, UNDECIDED, UNTESTED = "holds", "in part", "fails", "undecided", "not tested"
BEYOND = "not in this window"

VERDICTS = (HOLDS, IN_PART, BEYOND, FAILS, UNDECIDED, UNTESTED)
"""How a claim comes out.

In part: some of its verdicts are for it, and some against it. Not in this window: it fails on the widths
of its figure, and holds at great ones.
"""


@dataclass(frozen=True)
class SourceClaim:
    """A claim of a source document.

    Attributes:
        document: one of ``DOCUMENTS``.
        source: its figure, section or equation there.
        claim: what it says, in our words.
        measured: what was measured to test it; of a claim without verdicts, why there are none.
        decided_by: the verdicts that decide it.
        evidence: the file that holds them.
        figure: the figure that shows it.
        holds_beyond: whether it holds at greater widths than those that its verdicts are of.
        paper: the work that the report cites for it.
        missing: what of that work could not be had.
    """

    document: str
    source: str
    claim: str
    measured: str
    decided_by: tuple[str, ...] = ()
    evidence: str = ""
    figure: str = ""
    paper: str = ""
    missing: str = ""
    holds_beyond: bool = False

    @property
    def right(self) -> int:
        """How many verdicts are for it."""
        return sum(word in RIGHT for word in self.decided_by)

    @property
    def wrong(self) -> int:
        """How many are against it."""
        return sum(word in WRONG for word in self.decided_by)

    @property
    def undecided(self) -> int:
        """How many are neither."""
        return len(self.decided_by) - self.right - self.wrong

    @property
    def verdict(self) -> str:
        """One of ``VERDICTS``: a claim holds if every verdict is for it."""
        if not self.decided_by:
            return UNTESTED
        if self.wrong and self.right:
            return IN_PART
        if self.wrong:
            return BEYOND if self.holds_beyond else FAILS
        return UNDECIDED if self.undecided else HOLDS


@dataclass(frozen=True)
class Paper:
    """A work that the report cites for a result.

    Attributes:
        name: authors, place and year.
        source: the report's section.
        missing: what of it could not be had.
    """

    name: str
    source: str
    missing: str = ""

    def claim(
        self, claim: str, measured: str, decided_by: tuple[str, ...], evidence: str, figure: str
    ) -> SourceClaim:
        """What the report says of it, and the verdicts that decide that (``SourceClaim``)."""
        return SourceClaim(
            REPORT, self.source, claim, measured, decided_by, evidence, figure, self.name, self.missing
        )

    def untested(self, claim: str, why: str) -> SourceClaim:
        """What the report says of it, and why that is not tested."""
        return self.claim(claim, why, (), "", "")


def decided(verdicts: Iterable[object]) -> tuple[str, ...]:
    """Verdicts as words; rows without one decide nothing."""
    return tuple(word for word in verdicts if isinstance(word, str) and word)
