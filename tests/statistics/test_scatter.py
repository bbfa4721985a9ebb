"""Estimates of scatter: their values against closed forms, their intervals against many repetitions."""

import numpy as np
import pytest
from scipy import stats

from dynparam.statistics.estimates import UNKNOWN, student
from dynparam.statistics.scatter import (
    combined,
    exponential,
    log_deviation,
    log_of_pooled,
    mean_estimate,
    median_of,
    share_of,
    slope_of,
    variation_of,
    weighted_slope,
)
from dynparam.support.errors import DataError

REPETITIONS = 1000


def level(covers):
    """That intervals of 95 % hold what is expected in 95 % of cases, up to what repetitions tell."""
    return pytest.approx(0.95, abs=0.0211) == np.mean(covers)


def repeated(draw, estimate, expected):
    """Whether each interval of a repetition holds what is expected."""
    generator = np.random.default_rng(0)
    found = [estimate(draw(generator)).interval for _ in range(REPETITIONS)]
    return [low <= expected <= high for low, high in found]


def test_variations_keep_their_level():
    covers = repeated(
        lambda random: random.gamma(4.0, size=400), lambda values: variation_of(values, 0.95), 0.5
    )
    assert level(covers)


def test_a_variation_is_standard_deviation_over_mean():
    values = np.array([1.0, 4.0, 2.0, 9.0])
    found = variation_of(values, 0.95)
    assert found.value == pytest.approx(values.std() / values.mean())
    scaled = variation_of(7 * values, 0.95)
    assert scaled.interval == pytest.approx(found.interval)
    equal = variation_of(np.full(5, 3.0), 0.95)
    assert equal.value == pytest.approx(0.0, abs=1e-7)


def test_deviations_of_logarithms_keep_their_level():
    covers = repeated(
        lambda random: 3 * random.standard_normal(400),
        lambda values: log_deviation(values, 0.95),
        np.log(3.0),
    )
    assert level(covers)


def test_medians_hold_at_least_their_level():
    covers = repeated(
        lambda random: random.lognormal(size=101), lambda values: median_of(values, 0.95), 1.0
    )
    rank = int(stats.binom.ppf(0.025, 101, 0.5))
    exact = 1 - 2 * stats.binom.cdf(rank - 1, 101, 0.5)
    assert exact >= 0.95
    assert np.mean(covers) == pytest.approx(exact, abs=0.02)


def test_few_values_have_a_median_without_an_interval():
    found = median_of(np.array([1.0, 2.0, 9.0]), 0.95)
    assert found.value == 2.0
    assert np.isnan(found.interval).all()


@pytest.mark.parametrize("count", [0, 3, 10])
def test_shares_have_the_interval_of_clopper_and_pearson(count):
    found = share_of(count, 10, 0.95)
    low = stats.beta.ppf(0.025, count, 11 - count) if count else 0.0
    high = stats.beta.ppf(0.975, count + 1, 10 - count) if count < 10 else 1.0
    assert found.interval == pytest.approx((low, high), rel=1e-6)
    assert found.value == count / 10


@pytest.mark.parametrize("freedoms", [[1, 1, 2], [4, 4, 4, 4]])
def test_pooled_deviations_keep_their_level(freedoms):
    """With four degrees of freedom a normal interval of the logarithm has 94 %."""
    groups = np.array(freedoms)

    def variances(random):
        """Of groups whose values have the variance 4."""
        return 4.0 * random.chisquare(groups) / groups

    covers = repeated(variances, lambda found: log_of_pooled(found, groups, 0.95), np.log(2.0))
    assert level(covers)


def test_pooled_deviations_are_not_biased():
    generator = np.random.default_rng(1)
    found = [log_of_pooled(generator.chisquare([2.0]) / 2, np.array([2.0]), 0.9) for _ in range(4000)]
    values = np.array([one.value for one in found])
    assert values.mean() == pytest.approx(0.0, abs=4 * stats.sem(values))
    assert values.std() == pytest.approx(found[0].standard_error, rel=0.06)


def test_estimates_are_combined_as_independent():
    parts = [student(value, 0.3, freedom, 0.95) for value, freedom in ((1.0, 5), (4.0, 9))]
    found = combined(np.array([2.0, -1.0]), parts, 0.95)
    assert found.value == -2.0
    assert found.standard_error == pytest.approx(0.3 * np.sqrt(5))
    assert found.degrees_of_freedom == 5
    assert mean_estimate(parts, 0.95).value == 2.5
    raised = exponential(found)
    assert raised.interval == pytest.approx(tuple(np.exp(found.interval)))


def test_slopes_are_those_of_least_squares():
    x, y = np.array([0.0, 1.0, 3.0]), np.array([1.0, 0.0, 5.0])
    errors = np.array([0.5, 0.2, 1.0])
    parts = [student(a, b, 50, 0.95) for a, b in zip(y, errors, strict=True)]
    assert slope_of(x, parts, 0.95).value == pytest.approx(np.polyfit(x, y, 1)[0])
    coefficients, covariance = np.polyfit(x, y, 1, w=1 / errors, cov="unscaled")
    weighted = weighted_slope(x, parts, 0.95)
    assert weighted.value == pytest.approx(coefficients[0])
    assert weighted.standard_error == pytest.approx(np.sqrt(covariance[0, 0]))


def test_what_has_no_scatter_is_told():
    for estimate in (slope_of, weighted_slope):
        with pytest.raises(DataError, match="at least two different places"):
            estimate(np.array([1.0, 1.0]), [student(0.0, 1.0, 9, 0.95)] * 2, 0.95)
    with pytest.raises(DataError, match="equal values have no standard deviation"):
        log_deviation(np.ones(5), 0.95)
    with pytest.raises(DataError, match="equal values have no standard deviation"):
        log_of_pooled(np.zeros(2), np.ones(2), 0.95)
    with pytest.raises(DataError, match="mean is not positive"):
        variation_of(np.array([-1.0, 1.0]), 0.95)


def test_too_few_values_are_unknown():
    assert variation_of(np.ones(1), 0.95) is UNKNOWN
    assert log_deviation(np.ones(2), 0.95) is UNKNOWN
    assert log_of_pooled(np.ones(1), np.zeros(1), 0.95) is UNKNOWN
