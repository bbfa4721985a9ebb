"""What a companion experiment says of itself: the words of its page, which no run fills in.

An experiment that tests claims of the research report has them in its folder (``companion.py``). Its
page has the same slots as every other one (``report.companions``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Companion:
    """The words of a page, in Markdown with formulas; no setting and no result is among them.

    Attributes:
        question: one sentence.
        why: why it belongs to the thesis, or stands beside it, with the equation.
        prediction: what theory expects, and what that assumes.
        limits: what the experiment does not show.
        theory: the pages of ``docs/theory`` that it rests on, by their files' names.
    """

    question: str
    why: str
    prediction: str
    limits: str
    theory: tuple[str, ...]
