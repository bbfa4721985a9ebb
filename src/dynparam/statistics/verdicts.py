"""Verdicts: whether an interval lies within a tolerance, or on a claim's side of zero."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import numpy as np

Better = Literal["lower", "higher"]


class Verdict(StrEnum):
    """The outcome of comparing a measured interval with an expected value."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNDECIDED = "undecided"


class ClaimVerdict(StrEnum):
    """Whether a difference known to an interval has the sign a claim says."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


CLAIM_OF_VERDICT = {
    Verdict.AGREES: ClaimVerdict.HOLDS,
    Verdict.DISAGREES: ClaimVerdict.FAILS,
    Verdict.UNDECIDED: ClaimVerdict.UNDECIDED,
}
"""How a claim of an expected value fares."""


def equivalence(ci_low: float, ci_high: float, expected: float, tolerance: float) -> Verdict:
    """Whether a quantity known to an interval equals ``expected`` up to ``tolerance``.

    Two one-sided tests, read off the interval: it lies inside expected +- tolerance (agrees), outside
    of it altogether (disagrees), or neither (undecided). With a 95 % interval each of the two
    definite verdicts is wrong with probability at most 2.5 %.
    """
    if expected - tolerance <= ci_low and ci_high <= expected + tolerance:
        return Verdict.AGREES
    if ci_high < expected - tolerance or expected + tolerance < ci_low:
        return Verdict.DISAGREES
    return Verdict.UNDECIDED


def claim_verdict(ci_low: float, ci_high: float, *, better: Better) -> ClaimVerdict:
    """Whether the difference second - first, known to an interval, is on the ``better`` side of zero.

    It holds if the whole interval is, fails if the whole interval is on the other side, and is undecided
    otherwise, as for an interval that touches zero or is nan. With a 95 % interval each of the two
    definite verdicts is wrong with probability at most 2.5 %, as far as the interval keeps its level.
    """
    if ci_low <= 0 <= ci_high or np.isnan([ci_low, ci_high]).any():
        return ClaimVerdict.UNDECIDED
    return ClaimVerdict.HOLDS if (ci_high < 0) == (better == "lower") else ClaimVerdict.FAILS
