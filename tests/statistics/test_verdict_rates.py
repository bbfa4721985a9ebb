"""Every kind of verdict on a known truth: how often it is wrong, and how often it sees what is there."""

import numpy as np
import pytest
from scipy import stats

from tests.verdict_rates import KINDS, shares

REPEATS = 100
CASES = [(kind, case) for kind in KINDS for case in kind.cases]


@pytest.mark.parametrize(
    ("kind", "case"), CASES, ids=[f"{kind.what}: {case.off:g} {case.verdict}" for kind, case in CASES]
)
def test_verdicts_come_up_as_often_as_they_may(kind, case):
    """Each share lies within its bounds up to the 1e-4 quantiles of a binomial.

    Verdicts of one experiment share their trials, so that the experiments are counted, not the verdicts.
    """
    found = shares(kind, case.off, REPEATS) == case.verdict
    share = float(np.mean(found))
    low = stats.binom.ppf(1e-4, REPEATS, case.least) / REPEATS
    high = stats.binom.isf(1e-4, REPEATS, case.most) / REPEATS
    assert low <= share <= high
