"""The exact law of fluctuations, against integrals, Monte Carlo and networks whose weights exist."""

import numpy as np
import pytest
from scipy import integrate, stats

from dynparam.support.errors import ConfigError
from dynparam.theory import fluctuations
from dynparam.theory.fluctuations import (
    HIGHEST_ORDER,
    LINEAR,
    contribution_moment,
    contribution_variation,
    dead_share,
    inverse_sum,
    log_moments,
    median,
    moment,
    moment_error,
    narrowest_typical,
    variation,
    wide_variation,
)
from dynparam.theory.parametrization import NAMES, LayerScales, layer_scales
from dynparam.theory.widths import Widths

DRAWS = 200_000


def ratios(hidden, count, seed=0):
    """||h||^2 over its expectation, unit by unit, of normal preactivations: (count,)."""
    generator, found = np.random.default_rng(seed), np.ones(count)
    for n in hidden:
        units = np.maximum(generator.standard_normal((count, n), dtype=np.float32), 0)
        found *= 2 * np.square(units, dtype=np.float64).sum(axis=1) / n
    return found


def test_one_unit_has_its_integrals():
    """E (2 max(xi, 0)^2)^k by quadrature."""
    for order in range(HIGHEST_ORDER + 1):
        half, _ = integrate.quad(lambda x, k=order: (2 * x * x) ** k * stats.norm.pdf(x), 0, 40)
        expected = half + (0.5 if order == 0 else 0.0)
        assert moment((1,), order) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("hidden", [(3,), (8, 5), (40, 6, 40)])
def test_moments_are_those_of_a_binomial_number_of_squares(hidden):
    """Of K squares E S^k = K (K + 2) ... (K + 2k - 2), summed over K."""
    for order in (1, 2, 3, 4, 8):
        expected = 1.0
        for n in hidden:
            active = np.arange(n + 1)
            powers = np.prod([active + 2 * j for j in range(order)], axis=0, dtype=float)
            expected *= stats.binom.pmf(active, n, 0.5) @ powers / (n / 2) ** order
        assert moment(hidden, order) == pytest.approx(expected, rel=1e-10)


def test_the_variation_is_the_second_moment():
    hidden = (40, 7, 12)
    assert variation(hidden) ** 2 == pytest.approx((1 + 5 / 40) * (1 + 5 / 7) * (1 + 5 / 12) - 1)
    assert variation(hidden) ** 2 == pytest.approx(moment(hidden, 2) - 1, rel=1e-12)
    assert variation((10, 10), LINEAR) ** 2 == pytest.approx(1.2**2 - 1)
    assert inverse_sum(hidden) == pytest.approx(1 / 40 + 1 / 7 + 1 / 12)


def test_wide_layers_have_the_limit_of_many():
    """At one sum the product tends to the exponential as layers get more and wider."""
    wide = wide_variation(0.1)
    apart = [wide - variation((10 * count,) * count) for count in (1, 10, 100)]
    assert apart[0] > 7 * apart[1] > 49 * apart[2] > 0
    assert wide == pytest.approx(np.sqrt(np.exp(0.5) - 1))


@pytest.mark.parametrize("hidden", [(5,), (6, 4), (30, 3, 30)])
def test_logarithms_medians_and_dead_networks_are_those_of_draws(hidden):
    """Each within five standard errors: a false alarm in 2 of a million."""
    found = ratios(hidden, DRAWS)
    dead = dead_share(hidden)
    assert (found == 0).mean() == pytest.approx(dead, abs=5 * np.sqrt(dead / DRAWS))
    logs, expected = np.log(found[found > 0]), log_moments(hidden)
    assert logs.mean() == pytest.approx(expected.mean, abs=5 * stats.sem(logs))
    squares = np.square(logs - logs.mean())
    assert logs.var() == pytest.approx(expected.variance, abs=5 * stats.sem(squares))
    assert (found <= median(hidden)).mean() == pytest.approx(0.5, abs=2.5 / np.sqrt(DRAWS))


def test_the_median_of_two_units_is_that_of_their_mixture():
    """Of two units a quarter is dead, a half has one active, a quarter has both."""
    below = 0.25 + 0.5 * stats.chi2.cdf(median((2,)), 1) + 0.25 * stats.chi2.cdf(median((2,)), 2)
    assert below == pytest.approx(0.5, abs=1e-8)


@pytest.mark.parametrize("hidden", [(1,), (1, 1), (2, 1)])
def test_half_the_networks_dead_have_the_median_zero(hidden):
    assert dead_share(hidden) >= 0.5
    assert median(hidden) == 0.0


def test_the_median_does_not_depend_on_where_the_law_is_cut(monkeypatch):
    before = median((4000, 3, 20))
    for name, value in (("RANGE", 60.0), ("HIGHEST_FREQUENCY", 40.0), ("WINDOW", 11.0)):
        monkeypatch.setattr(fluctuations, name, value)
    fluctuations._median.cache_clear()
    assert median((4000, 3, 20)) == pytest.approx(before, abs=1e-8)
    fluctuations._median.cache_clear()


def test_wide_layers_have_a_median_near_that_of_a_normal_logarithm():
    assert median((10_000,) * 400) == pytest.approx(np.exp(-2.5 * 400 / 10_000), rel=2e-4)


def network(n_min):
    """The hidden widths of the examples."""
    return (500, n_min, 500)


def test_the_narrowest_typical_network_is_the_first():
    found = narrowest_typical(network, 0.1, 500)
    assert median(network(found)) >= 0.9 > median(network(found - 1))
    assert narrowest_typical(network, 0.99, 500) == 2  # with one unit half the networks are dead
    assert narrowest_typical(network, 1e-4, 500) is None


def outputs_of(sizes, scales, x, count):
    """f and ||h^{L-1}||^2 of networks whose weights exist: (count, n_L) and (count,)."""
    generator, h = np.random.default_rng(1), np.tile(x, (count, 1))
    layers = list(zip(sizes[:-1], sizes[1:], scales.signal, strict=True))
    for place, (fan_in, fan_out, signal) in enumerate(layers, start=1):
        weights = generator.standard_normal((count, fan_out, fan_in))
        z = signal * np.einsum("kij,kj->ki", weights, h)
        if place == len(layers):
            return z, np.square(h).sum(axis=1)
        h = np.maximum(z, 0)
    raise AssertionError


@pytest.mark.parametrize("name", NAMES)
def test_moments_of_the_readouts_contribution_are_those_of_drawn_weights(name):
    """4000 networks: within five standard errors of the mean and the mean square."""
    widths, x, y = Widths((9, 30, 12, 30, 3)), np.full(9, 0.5), np.array([1.0, 0.5, 0.0])
    scales = layer_scales(name, widths)
    f, squares = outputs_of(widths.sizes, scales, x, 4000)
    layers = [s**2 * n / 2 for s, n in zip(scales.signal[:-1], widths.hidden, strict=True)]
    values = squares / (x @ x * np.prod(layers)) * np.square(f - y).sum(axis=1)
    for order in (1, 2):
        expected = contribution_moment(widths, scales, float(x @ x), order, float(y @ y))
        assert (values**order).mean() == pytest.approx(expected, abs=5 * stats.sem(values**order))


def test_moments_of_the_error_are_those_of_a_noncentral_number():
    """At one R, which wide layers have: scipy's noncentral chi-squared."""
    widths = Widths((4, 10**9, 3))
    scales = layer_scales("ntk", widths)  # outputs of variance ||x||^2 / n_0
    for order in (1, 2, 3, 4):
        expected = 2.0**order * stats.ncx2(3, 0.7 / 2.0).moment(order)
        found = contribution_moment(widths, scales, 8.0, order, 0.7)
        assert found == pytest.approx(expected, rel=1e-6)


def test_small_outputs_leave_the_layers_variation():
    widths = Widths((64, 50, 20, 50, 2))
    found = contribution_variation(widths, layer_scales("ntk", widths), 1e-9)
    assert found == pytest.approx(variation(widths.hidden), rel=1e-6)
    assert contribution_variation(widths, layer_scales("ntk", widths), 64.0) > 1.5 * found


def test_the_error_of_a_mean_square_is_that_of_draws():
    """5 %: 400 means of 500 know their scatter to 3.5 %, with this tail to a little more."""
    hidden = (20, 20)
    means = np.square(ratios(hidden, 400 * 500)).reshape(400, 500).mean(axis=1)
    expected = moment_error(moment(hidden, 2), moment(hidden, 4), 500)
    assert means.std() / moment(hidden, 2) == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: variation(()), "hidden widths are ()"),
        (lambda: inverse_sum((3, 0)), r"none below one"),
        (lambda: median((0,)), "give at least one"),
        (lambda: moment((3,), 9), "no moment of order 9 is known; choose 0 to 8"),
        (lambda: moment((3,), -1), "no moment of order -1"),
        (
            lambda: contribution_moment(Widths((2, 3, 1)), layer_scales("ntk", (2, 3, 1)), 1.0, 5),
            "no moment of order 5 is known; choose 0 to 4",
        ),
        (
            lambda: contribution_variation(Widths((2, 1)), LayerScales((1.0,), (1.0,)), 1.0),
            "give at least one",
        ),
    ],
)
def test_what_is_no_network_is_told(call, message):
    with pytest.raises(ConfigError, match=message.replace("()", r"\(\)")):
        call()
