import numpy as np
import pytest
from scipy import stats

from dynparam.engines.law import one_steps
from dynparam.statistics.slopes import log_slope
from dynparam.support.errors import ConfigError
from dynparam.support.randomness import torch_generator
from dynparam.theory.mean_field import mean_field
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import Widths, bottleneck, constant_ratio, dynamic_ratio, log_spaced


def test_recursions_by_hand():
    """ntk, widths 2-8-4-1, ||x||^2 = 3, ||y||^2 = 1: s = sqrt(2/2), sqrt(2/8), sqrt(1/4)."""
    widths = Widths((2, 8, 4, 1))
    found = mean_field(widths, layer_scales("ntk", widths), 0.1, 3.0)
    # P_1 = 8 * 1 * 3 / 2, P_2 = 4 * (1/4) * 12 / 2; D_3 = 1 + 1 * (1/4) * 6,
    # D_2 = 4 * (1/4) * 2.5 / 2, D_1 = 8 * (1/4) * 1.25 / 2.
    assert [float(p) for p in found.forward] == pytest.approx([3, 12, 6])
    assert [float(d) for d in found.gradient] == pytest.approx([1.25, 1.25, 2.5])
    shares = [0.1 * (1 / 2) * 3 * 1.25, 0.1 * (1 / 8) * 12 * 1.25, 0.1 * (1 / 4) * 6 * 2.5]
    assert found.alignment == pytest.approx(np.cumsum(shares))


def test_the_target_s_norm_adds_to_the_gradient_alone():
    """The same network, ||y||^2 = 3: D_3 = 3 + 1.5, and the gradients below in proportion."""
    widths = Widths((2, 8, 4, 1))
    found = mean_field(widths, layer_scales("ntk", widths), 0.1, 3.0, target_square_norm=3.0)
    assert [float(p) for p in found.forward] == pytest.approx([3, 12, 6])
    assert [float(d) for d in found.gradient] == pytest.approx([2.25, 2.25, 4.5])


def test_average_over_images_is_not_the_average_image():
    widths = Widths((3, 50, 40, 2))
    scales = layer_scales("ntk", widths)
    norms = np.array([1.0, 5.0])
    each = [mean_field(widths, scales, 0.1, norm).alignment for norm in norms]
    both = mean_field(widths, scales, 0.1, norms).alignment
    assert both == pytest.approx(np.mean(each, axis=0))
    assert not np.allclose(both, mean_field(widths, scales, 0.1, norms.mean()).alignment)


@pytest.mark.parametrize("name", NAMES)
def test_monte_carlo_as_the_step_vanishes(name):
    """Mean alignment over 400 trials at eta = 1e-5 of the natural step, against the closed form.

    On the law engine, whose trials are drawn all at once.

    Allowed: five standard errors (6 layers x 5 parametrizations, false alarm below 2e-5 in all) plus
    3 % for the O(1/width) terms at widths of 300 and 100.
    """
    widths = Widths((64, 300, 100, 300, 100, 300, 2))
    scales = layer_scales(name, widths)
    unit = mean_field(widths, scales, 1.0, 64.0).alignment
    eta = 1e-5 / unit[-1]
    generators = [torch_generator(4, "mean field", trial) for trial in range(400)]
    norms, targets = np.full(400, 8.0), np.tile([0.0, 1.0], (400, 1))
    trials = one_steps(widths, scales, norms, targets, eta, generators).alignment
    expected = eta * unit
    error = stats.sem(trials, axis=0)
    assert (np.abs(trials.mean(0) - expected) < 5 * error + 0.03 * expected).all()
    assert (error < 0.08 * expected).all(), "the samples must be able to tell"


@pytest.mark.parametrize(
    ("name", "rule", "slopes"),
    [
        # Window 10^3 to 10^4, n_0 = 3072: only layer 1 is at its exponent, because P_1 / n rises with
        # n until n passes n_0 (eq. 3.4). A value for each layer, by an independent float evaluation.
        ("spectral", constant_ratio(1 / 5), [0.000, 0.188, 0.269, 0.314, 0.344, 0.380]),
        ("dynamic", dynamic_ratio(150, 1 / 5), [0, 0, 0, 0, 0, 0]),
    ],
)
def test_slopes_on_the_window_of_the_thesis(name, rule, slopes):
    grid = log_spaced(1000, 10_000, 10)
    values = []
    for n in grid:
        widths = bottleneck(n, rule.n_min(n))
        values.append(mean_field(widths, layer_scales(name, widths), 0.1, 800.0).alignment)
    assert log_slope(grid, np.array(values)) == pytest.approx(slopes, abs=2e-3)


def test_log_slope_is_least_squares():
    n = np.array([10.0, 20.0, 50.0, 70.0])
    values = np.exp(np.random.default_rng(0).normal(size=(4, 3)))
    for k in range(3):
        expected = stats.linregress(np.log(n), np.log(values[:, k])).slope
        assert log_slope(n, values)[k] == pytest.approx(expected)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_log_slope_refuses(bad):
    with pytest.raises(ConfigError, match="positive, finite"):
        log_slope([1, 2], np.array([1.0, bad]))
    with pytest.raises(ConfigError, match="two widths"):
        log_slope([1], np.array([1.0]))
