"""Verdicts at their limits: what lies on a limit, and ends that are not known."""

import numpy as np
import pytest

from dynparam.statistics.verdicts import ClaimVerdict, Verdict, claim_verdict, equivalence

AGREES, DISAGREES, UNDECIDED = Verdict.AGREES, Verdict.DISAGREES, Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.25, 0.25, AGREES),
        (0.25, 0.25, AGREES),
        (0.25, 0.5, UNDECIDED),
        (-0.5, -0.25, UNDECIDED),
        (0.2500001, 0.5, DISAGREES),
        (-0.5, -0.2500001, DISAGREES),
        (-0.2500001, 0.0, UNDECIDED),
        (0.0, 0.2500001, UNDECIDED),
        (-9.0, 9.0, UNDECIDED),
        (np.nan, np.nan, UNDECIDED),
        (np.nan, 0.0, UNDECIDED),
    ],
)
@pytest.mark.parametrize("expected", [0.0, 2.0, -2.0])
def test_an_end_on_the_limit_is_within_and_not_outside(low, high, verdict, expected):
    assert equivalence(expected + low, expected + high, expected, 0.25) is verdict


@pytest.mark.parametrize(
    ("low", "high", "lower"),
    [
        (-0.2, -1e-9, ClaimVerdict.HOLDS),
        (-0.2, 0.0, ClaimVerdict.UNDECIDED),
        (0.0, 0.0, ClaimVerdict.UNDECIDED),
        (0.0, 0.2, ClaimVerdict.UNDECIDED),
        (1e-9, 0.2, ClaimVerdict.FAILS),
        (np.nan, -0.1, ClaimVerdict.UNDECIDED),
        (0.1, np.nan, ClaimVerdict.UNDECIDED),
    ],
)
def test_an_interval_that_touches_zero_decides_nothing(low, high, lower):
    flipped = {ClaimVerdict.HOLDS: ClaimVerdict.FAILS, ClaimVerdict.FAILS: ClaimVerdict.HOLDS}
    assert claim_verdict(low, high, better="lower") is lower
    assert claim_verdict(low, high, better="higher") is flipped.get(lower, lower)
