"""Variances that rows lend each other: against the formulas, planted priors and coverage."""

import numpy as np
import pytest
from scipy import special, stats

from dynparam.statistics.moderation import FEWEST_ROWS, Prior, Spread, fit_prior


def planted(generator, freedom, pairs, rows=20, kinds=4):
    """Rows of ``kinds`` whose true variances scatter as the prior says; with these variances."""
    found = []
    for kind in range(kinds):
        levels = np.exp(generator.uniform(-8, 0, rows))
        expected = 0.01 * (1 + kind) * levels ** (0.5 * kind)
        scatter = 1.0 if np.isinf(freedom) else freedom / generator.chisquare(freedom, rows)
        true = expected * scatter * np.ones(rows)
        values = generator.normal(size=(rows, pairs)) * np.sqrt(true)[:, None]
        found += [
            (Spread(kind, level, float(mine.var(ddof=1)), pairs - 1), variance, mine)
            for level, variance, mine in zip(levels, true, values, strict=True)
        ]
    return found


@pytest.mark.parametrize("freedom", [2.0, 6.0, 20.0])
def test_the_prior_of_many_rows_is_the_planted_one(freedom):
    """4000 rows; the log variance of a chi-square of 4 degrees has a known mean and variance."""
    rows = [row for row, _, _ in planted(np.random.default_rng(1), freedom, pairs=5, rows=1000)]
    prior = fit_prior(rows)
    assert prior.freedom == pytest.approx(freedom, rel=0.25)
    for kind in range(4):
        intercept, trend = prior.lines[kind]
        assert trend == pytest.approx(0.5 * kind, abs=0.07)
        assert intercept == pytest.approx(np.log(0.01 * (1 + kind)), abs=0.35)
    assert prior.pooled == 4 * 4000


def test_the_prior_s_moments_by_hand():
    """Rows of one level: the freedom is that whose trigamma is what chance leaves of the scatter."""
    variances = np.array([1.0, 4.0, 0.5, 20.0, 2.0])
    prior = fit_prior([Spread("a", 3.0, variance, 2) for variance in variances])
    logs = np.log(variances) + np.euler_gamma  # digamma(1) = -gamma, log(2 / 2) = 0
    excess = logs.var(ddof=1) - np.pi**2 / 6  # trigamma(1)
    assert special.polygamma(1, prior.freedom / 2) == pytest.approx(excess)
    shift = special.digamma(prior.freedom / 2) - np.log(prior.freedom / 2)
    assert prior.lines["a"] == pytest.approx((logs.mean() + shift, 0.0))


def test_a_moderated_variance_is_the_weighted_mean_with_both_freedoms():
    prior = Prior(6.0, {"a": (np.log(2.0), 1.5)}, 100)
    variance, freedom = prior.moderate(Spread("a", 4.0, 10.0, 3))
    assert variance == pytest.approx((6 * 2 * 8 + 3 * 10) / 9)
    assert freedom == 9
    assert Prior(6.0, {"a": (0.0, 0.0)}, 7).moderate(Spread("a", 4.0, 10.0, 3))[1] == 7
    certain = Prior(np.inf, {"a": (np.log(2.0), 0.0)}, 50).moderate(Spread("a", 4.0, 10.0, 3))
    assert certain == (pytest.approx(2.0), 50)


def test_lucky_equal_values_do_not_make_a_row_exact():
    """Equal by chance where all others scatter: the level says by how much such values do."""
    rows = [Spread("a", 1.0, variance, 2) for variance in (0.9, 1.2, 0.5, 2.0, 1.1, 0.0)]
    prior = fit_prior(rows)
    variance, freedom = prior.moderate(rows[-1])
    assert variance > 0.5
    assert freedom > 2


@pytest.mark.parametrize(
    "row", [Spread("b", 1.0, 3.0, 2), Spread("a", 0.0, 3.0, 2), Spread("a", -1.0, 3.0, 2)]
)
def test_a_row_of_another_kind_or_without_a_level_keeps_its_own(row):
    prior = Prior(6.0, {"a": (0.0, 0.0)}, 100)
    assert prior.moderate(row) == (3.0, 2)


def test_too_few_rows_lend_nothing():
    rows = [Spread("a", 1.0 + place, 2.0 + place, 2) for place in range(FEWEST_ROWS - 1)]
    prior = fit_prior([*rows, Spread("a", 1.0, 0.0, 2), Spread("a", 0.0, 1.0, 2)])
    assert [prior.moderate(row) for row in rows] == [(row.variance, 2) for row in rows]


@pytest.mark.parametrize("pairs", [3, 5, 20])
@pytest.mark.parametrize("freedom", [1.0, 5.0, np.inf])
def test_coverage_of_moderated_intervals(pairs, freedom):
    """At 95 %: 93 to 96 %, whatever the rows have in common, and shorter than Student's of few pairs.

    60 experiments of 80 rows: the Monte-Carlo error of a coverage is 0.3 %.
    docs/statistics/claims.md has more of them.
    """
    generator = np.random.default_rng([pairs, 7])
    experiments = [planted(generator, freedom, pairs) for _ in range(60)]
    priors = [fit_prior([row for row, _, _ in rows]) for rows in experiments]
    rows = [
        (*prior.moderate(row), row.variance, true, values.mean())
        for prior, rows in zip(priors, experiments, strict=True)
        for row, true, values in rows
    ]
    variance, degrees, own_variance, true, mean = np.transpose(rows)
    half = stats.t.ppf(0.975, degrees) * np.sqrt(variance / pairs)
    inside, moderated = abs(mean) < half, half / np.sqrt(true)
    own = stats.t.ppf(0.975, pairs - 1) * np.sqrt(own_variance / pairs / true)
    assert 0.925 < np.mean(inside) < 0.96
    assert np.mean(moderated) < np.mean(own)
