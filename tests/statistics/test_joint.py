"""Slopes with their covariance, and the test of all of them together."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multivariate import test_mvmean as hotelling

from dynparam.statistics.joint import JointSlopes, among, effective_freedom, joint_test
from dynparam.statistics.slopes import (
    slope_of_log_means,
    slope_per_square,
    slopes_of_log_means,
    slopes_per_square,
)
from dynparam.support.errors import NonFiniteError
from tests import joint_tests
from tests.joint_tests import CORRELATION, EXACT_TRIALS, LAYERS, SHIFTS, TRIALS, WIDTHS


def known(values):
    """Slopes without any error."""
    zeros = np.zeros((len(values), len(values)))
    return JointSlopes(np.asarray(values, float), zeros, 1e15, 10**15)


def invented(seed=0, trials=TRIALS):
    return joint_tests.invented(np.random.default_rng(seed), trials)


def test_every_slope_is_that_of_its_layer_alone():
    trials = invented()
    joint = slopes_per_square(WIDTHS, trials)
    for layer, found in enumerate(joint.estimates(0.9)):
        alone = slope_per_square(WIDTHS, [values[:, [layer, -1]] for values in trials], confidence=0.9)
        both = [[*one.interval, one.value, one.standard_error] for one in (found, alone)]
        assert both[0] == pytest.approx(both[1], rel=1e-12)
        assert found.degrees_of_freedom == alone.degrees_of_freedom == 10 * (TRIALS - 1)


def test_covariances_are_those_of_differences():
    """Var(a - b) = Var(a) + Var(b) - 2 Cov(a, b), the difference fitted by itself."""
    trials = invented()
    covariance = slopes_per_square(WIDTHS, trials).covariance
    for a, b in ((0, 1), (0, 5), (3, 4)):
        pair = [values[:, [a, b]] for values in trials]
        apart = slope_of_log_means(WIDTHS, pair, (1, -1), confidence=0.95).standard_error ** 2
        assert covariance[a, a] + covariance[b, b] - 2 * covariance[a, b] == pytest.approx(apart)
    assert covariance == pytest.approx(covariance.T)


def test_a_factor_of_a_layer_moves_its_slope_and_no_error():
    """What ``joint_tests.off`` does to slopes, done to the trials."""
    trials, shift = invented(), SHIFTS["layer 3 by 0.06"]
    factors = [np.append((n / WIDTHS[0]) ** shift, 1.0) for n in WIDTHS]
    moved = slopes_per_square(WIDTHS, [v * f for v, f in zip(trials, factors, strict=True)])
    expected = joint_tests.off(slopes_per_square(WIDTHS, trials), shift)
    assert moved.values == pytest.approx(expected.values)
    assert moved.covariance == pytest.approx(expected.covariance)


def test_norms_of_the_images_are_taken_out():
    """They scatter by 0.53 here, the rest by 0.14 to 0.2: errors are a third, and slopes stay zero."""
    trials = invented(trials=400)
    joint = slopes_per_square(WIDTHS, trials)
    raw = slopes_of_log_means(WIDTHS, trials, np.eye(LAYERS, LAYERS + 1))
    errors = [np.sqrt(one.covariance.diagonal()) for one in (joint, raw)]
    assert (errors[0] < 0.45 * errors[1]).all()
    assert (np.abs(joint.values) < 4 * errors[0]).all()


def test_values_that_no_logarithm_fits_are_refused():
    trials = invented()
    trials[3][5, -1] = 0.0
    with pytest.raises(NonFiniteError, match=f"n = {WIDTHS[3]}"):
        slopes_per_square(WIDTHS, trials)


def test_one_slope_has_the_degrees_of_freedom_of_welch_and_satterthwaite():
    parts, freedom = [0.3, 1.2, 0.5], [4, 9, 30]
    expected = sum(parts) ** 2 / sum(v**2 / nu for v, nu in zip(parts, freedom, strict=True))
    found = effective_freedom([np.array([[v]]) for v in parts], freedom)
    assert found == pytest.approx(expected)


def test_equal_parts_add_their_degrees_of_freedom():
    """And a part alone has its own, whatever its covariances."""
    part = np.diag([1.0, 4.0, 9.0]) + 0.5
    assert effective_freedom([part], [17]) == pytest.approx(17)
    assert effective_freedom([part, part, part], [10, 10, 10]) == pytest.approx(30)
    assert 10 < effective_freedom([part, 100 * part], [10, 10]) < 11


def test_of_one_sample_it_is_hotellings():
    """Against statsmodels, for the mean of 25 normal vectors."""
    sample = np.random.default_rng(1).multivariate_normal(np.full(3, 0.2), np.eye(3) + 0.5, 25)
    covariance = np.cov(sample, rowvar=False) / len(sample)
    mean = JointSlopes(sample.mean(axis=0), covariance, len(sample) - 1, len(sample) - 1)
    found, expected = joint_test(mean, known(np.zeros(3))), hotelling(sample, np.zeros(3))
    assert found.statistic == pytest.approx(float(expected.statistic))
    assert found.freedom == pytest.approx(expected.df)
    assert found.p_value == pytest.approx(float(expected.pvalue))


@pytest.mark.parametrize(
    "covariance",
    [
        np.zeros((2, 2)),
        np.ones((2, 2)),
        np.diag([1.0, 0.0]),
        np.array([[1.0, 1.0], [1.0, 1.0 + 1e-13]]),
    ],
)
def test_without_a_covariance_that_can_be_inverted_nothing_is_said(covariance):
    found = joint_test(JointSlopes(np.ones(2), covariance, 50.0, 50), known(np.zeros(2)))
    assert np.isnan(found.p_value)
    assert found.freedom[0] == 2


def test_too_few_trials_say_nothing():
    """Two trials at two widths have two degrees of freedom, six layers need six."""
    trials = [values[:2] for values in invented()[:2]]
    found = slopes_per_square(WIDTHS[:2], trials)
    assert np.isnan(joint_test(found, known(np.zeros(LAYERS))).p_value)


def test_a_covariance_of_as_many_degrees_as_slopes_is_enough():
    """Hotelling's T^2 of p slopes and nu = p degrees follows p^2 F(p, 1), the least it can be."""
    count = 3
    exact = JointSlopes(np.zeros(count), np.zeros((count, count)), 1e9, 10**9)
    found = joint_test(JointSlopes(np.ones(count), np.eye(count), float(count), count), exact)
    assert found.freedom == (count, 1.0)
    assert found.statistic == pytest.approx(count / count**2)
    assert found.p_value == pytest.approx(stats.f.sf(1 / count, count, 1))
    fewer = joint_test(JointSlopes(np.ones(count), np.eye(count), count - 1.0, count), exact)
    assert np.isnan(fewer.p_value)


def test_units_change_nothing():
    """Slopes in other units, or other combinations of them, have the same test."""
    slopes, exact = slopes_per_square(WIDTHS, invented()), slopes_per_square(WIDTHS, invented(1, 500))
    mixed = np.random.default_rng(2).normal(size=(LAYERS, LAYERS))

    def through(one):
        covariance = mixed @ one.covariance @ mixed.T
        return JointSlopes(mixed @ one.values, covariance, one.effective_freedom, 1)

    found, other = joint_test(slopes, exact), joint_test(through(slopes), through(exact))
    assert other.statistic == pytest.approx(found.statistic, rel=1e-6)
    assert other.p_value == pytest.approx(found.p_value, rel=1e-5)


def test_the_smallest_of_several_p_values():
    """Of 4 uniform numbers the smallest is below 0.05 in 18.5 % of 20,000 draws, to 5 errors."""
    smallest = np.random.default_rng(3).uniform(size=(20_000, 4)).min(axis=1)
    assert among(0.05, 4) == pytest.approx(np.mean(smallest < 0.05), abs=5 * 0.0028)
    assert among(0.05, 1) == pytest.approx(0.05)
    assert among(1e-20, 3) == pytest.approx(3e-20)
    assert (among(1.0, 3), among(0.0, 3)) == (1, 0)


@pytest.fixture(scope="module")
def repeated():
    """The exact slopes of 2000 trials, and 400 measurements of 30: all true slopes are zero."""
    generator = np.random.default_rng(4)
    exact = slopes_per_square(WIDTHS, joint_tests.invented(generator, EXACT_TRIALS))
    measured = [slopes_per_square(WIDTHS, joint_tests.invented(generator, TRIALS)) for _ in range(400)]
    return measured, exact


def test_false_alarms_are_as_rare_as_stated(repeated):
    """Between the 1e-4 quantiles of 4 % and of 7.5 % among 400: heavy tails cost something.

    Without the covariances, layers taken as independent, it rejects more than any test of 5 % would.
    """
    found = joint_tests.rates(*repeated, SHIFTS["nothing"])
    low, high = stats.binom.ppf(1e-4, 400, 0.04), stats.binom.isf(1e-4, 400, 0.075)
    assert low <= 400 * found.rejected <= high
    assert found.verdicts["disagrees"] == 0
    assert found.verdicts["agrees"] > 0.6
    measured, exact = repeated
    alone = [
        JointSlopes(one.values, np.diag(one.covariance.diagonal()), one.effective_freedom, 1)
        for one in measured
    ]
    rejected = joint_tests.rates(alone, exact, SHIFTS["nothing"]).rejected
    assert 400 * rejected > stats.binom.isf(1e-4, 400, 0.05)


def test_p_values_are_uniform(repeated):
    """Kolmogorov and Smirnov at 1e-4, for 400 of them."""
    measured, exact = repeated
    p_values = [joint_test(one, exact).p_value for one in measured]
    assert stats.kstest(p_values, "uniform").pvalue > 1e-4


def test_the_estimated_covariance_is_that_of_repetition(repeated):
    """Standard errors to 15 %, correlations to 0.05."""
    measured, _ = repeated
    mean = np.mean([one.covariance for one in measured], axis=0)
    actual = np.cov([one.values for one in measured], rowvar=False)
    errors = [np.sqrt(one.diagonal()) for one in (mean, actual)]
    assert errors[0] == pytest.approx(errors[1], rel=0.15)
    assert mean / np.outer(errors[0], errors[0]) == pytest.approx(CORRELATION, abs=0.05)


@pytest.mark.parametrize(
    ("shift", "power"),
    [
        ("all layers by 0.03", 0.35),
        ("all layers by 0.05", 0.8),
        ("layer 3 by 0.01", 0.9),
        ("layer 3 by 0.06", 0.99),
    ],
)
def test_what_the_joint_test_can_see(repeated, shift, power):
    """Negative controls: slopes that are off are rejected so often, right ones 1 in 20 times."""
    assert joint_tests.rates(*repeated, SHIFTS[shift]).rejected >= power


@pytest.mark.parametrize(
    ("shift", "verdict", "least", "most"),
    [
        ("nothing", "agrees", 0.6, 0.95),
        ("layer 3 by 0.06", "agrees", 0.0, 0.02),
        ("layer 3 by 0.06", "undecided", 0.6, 1.0),
        ("all layers by 0.05", "agrees", 0.0, 0.025 + 0.02),
        ("all layers by 0.1", "disagrees", 0.8, 1.0),
        ("layer 3 by 0.15", "disagrees", 0.99, 1.0),
    ],
)
def test_every_verdict_can_come_up(repeated, shift, verdict, least, most):
    """Off by the tolerance itself, a slope agrees in 2.5 % of all cases; by twice that it disagrees."""
    assert least <= joint_tests.rates(*repeated, SHIFTS[shift]).verdicts[verdict] <= most
