"""What the thesis says of the slopes of Figs. 3.2 and 3.3, and whether it shows in a measured one."""

from __future__ import annotations

from enum import StrEnum

from dynparam.settings.widths import Claim
from dynparam.statistics.verdicts import Verdict, equivalence


class Showing(StrEnum):
    """Whether a claim of the thesis shows in a slope."""

    YES = "shows"
    NO = "does not show"
    UNDECIDED = "undecided"


def showing(claim: Claim, low: float, high: float, tolerance: float) -> Showing:
    """Whether ``claim`` shows in the interval of a slope.

    "flat" shows if the interval lies within the tolerance of zero and does not if it lies outside;
    "decreasing" shows if it lies below zero and does not if it lies above. Else it is undecided.
    """
    if claim == "flat":
        verdict = equivalence(low, high, 0.0, tolerance)
        names = {Verdict.AGREES: Showing.YES, Verdict.DISAGREES: Showing.NO}
        return names.get(verdict, Showing.UNDECIDED)
    if high < 0:
        return Showing.YES
    return Showing.NO if low >= 0 else Showing.UNDECIDED
