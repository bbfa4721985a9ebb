import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dynparam.errors import NonFiniteError
from dynparam.statistics import Verdict, equivalence, fit_slope

GRID = [1000, 1668, 2783, 4642, 7743]


def trials(slope, generator, *, count=30, spread=0.5):
    """Log-normal trials whose mean is n ** slope, with the coefficient of variation ``spread``."""
    sigma = np.sqrt(np.log1p(spread**2))
    return [n**slope * generator.lognormal(-(sigma**2) / 2, sigma, count) for n in GRID]


def fit(values, seed=0, resamples=999, confidence=0.95):
    return fit_slope(
        GRID,
        values,
        confidence=confidence,
        resamples=resamples,
        generator=np.random.default_rng(seed),
    )


def test_slope_and_intercept_against_statsmodels():
    values = trials(-0.7, np.random.default_rng(1))
    line = sm.OLS(
        np.log([v.mean() for v in values]), sm.add_constant(np.log(np.array(GRID, float)))
    ).fit()
    found = fit(values)
    assert (found.intercept, found.slope) == pytest.approx(tuple(line.params))
    assert found.line(np.array(GRID)) == pytest.approx(np.exp(line.fittedvalues))


def test_interval_width_against_the_delta_method():
    """Var(log mean) = cv^2 / trials; the bootstrap interval is 2 * 1.96 standard errors, to 15 %."""
    values = trials(0.3, np.random.default_rng(2), count=400)
    x = np.log(GRID) - np.log(GRID).mean()
    variance = [np.var(v, ddof=1) / len(v) / v.mean() ** 2 for v in values]
    error = np.sqrt(np.sum(x**2 * variance)) / np.sum(x**2)
    found = fit(values, resamples=3999)
    assert found.ci_high - found.ci_low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_coverage_of_the_interval():
    """80 % intervals of 150 experiments: covered counts are binomial to first order.

    The bootstrap at 30 trials undercovers by a few percent; asked for: between the 1e-4 quantiles of
    a coverage of 0.75 below and 0.80 above. Fixed seed; false alarm 2e-4.
    """
    generator = np.random.default_rng(3)
    covered = 0
    for k in range(150):
        found = fit(trials(-1.0, generator), seed=k, resamples=199, confidence=0.8)
        covered += found.ci_low <= -1.0 <= found.ci_high
    assert stats.binom.ppf(1e-4, 150, 0.75) <= covered <= stats.binom.isf(1e-4, 150, 0.8)


def test_same_seed_same_interval():
    values = trials(0.0, np.random.default_rng(4))
    assert fit(values, seed=5) == fit(values, seed=5)
    assert fit(values, seed=5) != fit(values, seed=6)


def test_trials_without_spread_have_a_point_interval():
    found = fit([np.full(3, float(n) ** 0.5) for n in GRID])
    assert found.slope == pytest.approx(0.5)
    assert found.ci_low == found.ci_high == found.slope


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_bad_trials_name_their_width(bad):
    values = trials(0.0, np.random.default_rng(0))
    values[2][7] = bad
    with pytest.raises(NonFiniteError, match="n = 2783"):
        fit(values)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.1, 0.1, Verdict.AGREES),
        (-0.2, 0.2, Verdict.AGREES),
        (-0.3, 0.0, Verdict.UNDECIDED),
        (-0.3, 0.3, Verdict.UNDECIDED),
        (0.21, 0.3, Verdict.DISAGREES),
        (-0.9, -0.21, Verdict.DISAGREES),
    ],
)
def test_verdicts(low, high, verdict):
    assert equivalence(low, high, 0.0, 0.2) is verdict


@given(
    expected=st.floats(-3, 3),
    tolerance=st.floats(0.01, 1),
    ends=st.tuples(st.floats(-5, 5), st.floats(-5, 5)).map(sorted),
)
def test_verdicts_are_consistent(expected, tolerance, ends):
    """A wider tolerance never turns agreement into disagreement, and only one verdict holds."""
    narrow = equivalence(*ends, expected, tolerance)
    wide = equivalence(*ends, expected, 2 * tolerance)
    if narrow is Verdict.AGREES:
        assert wide is Verdict.AGREES
    if wide is Verdict.DISAGREES:
        assert narrow is Verdict.DISAGREES


def test_verdict_power_and_size():
    """At tolerance 0.3 a true slope agrees and one off by 0.6 disagrees, in 20 experiments each.

    A spread of 0.5 over 60 trials makes the standard error of a slope 0.04 and the half-interval 0.08,
    so that either verdict fails only for an error beyond 0.22, 5.5 standard errors: 2e-6 in all.
    """
    generator = np.random.default_rng(7)
    for true, verdict in ((-0.5, Verdict.AGREES), (0.1, Verdict.DISAGREES)):
        for k in range(20):
            found = fit(trials(true, generator, count=60), seed=k, resamples=199)
            assert equivalence(found.ci_low, found.ci_high, -0.5, 0.3) is verdict
