"""Sizes of preactivations and updates in closed form, against sampled steps and exact exponents."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dynparam.engines import law
from dynparam.statistics.slopes import log_slope
from dynparam.theory.expected_sizes import expected_sizes
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import Widths


@pytest.mark.parametrize("name", NAMES)
def test_mean_squares_of_sampled_steps(name):
    """400 steps on the law engine at a learning rate whose square is nothing.

    Terms of 1/width: six layers of a few parts in 300 each, 5 % of a square. Each of the 120 means is
    besides within 4 standard errors, which one set of seeds in 130 is not.
    """
    widths, norm, rate, trials = Widths((30, 1200, 300, 1200, 300, 1200, 2)), 5.0, 1e-7, 400
    scales = layer_scales(name, widths)
    expected = expected_sizes(widths, scales, rate, norm**2)
    steps = law.one_steps(
        widths,
        scales,
        np.full(trials, norm),
        np.tile([1.0, 0.0], (trials, 1)),
        rate,
        [torch.Generator().manual_seed(trial) for trial in range(trials)],
    )
    units = np.sqrt(widths.sizes[1:])
    for sampled, size in (
        (steps.preactivation_rms, expected.preactivation),
        (steps.update_rms, expected.update),
        (steps.own_rms, expected.own),
        (steps.alignment / (steps.gradient_norm * steps.update_rms * units), expected.cosine),
    ):
        ratio = np.square(sampled / size)
        error = ratio.std(axis=0, ddof=1) / np.sqrt(trials)
        assert np.all(np.abs(ratio.mean(axis=0) - 1) < 0.05 + 4 * error)


def test_the_first_layer_moves_by_its_own_step_alone():
    """One hidden layer by hand, ntk, widths 4-8-1, ||x||^2 = 4: P_1 = 8, D_2 = 1 + 1, D_1 = 1."""
    widths = Widths((4, 8, 1))
    found = expected_sizes(widths, layer_scales("ntk", widths), 0.5, 4.0)
    # s_1^2 = 2/4: htilde^1 has the mean square 2, and P_1 = 8 * 2 / 2.
    assert found.preactivation == pytest.approx(np.sqrt([2.0, 1.0]))
    # A_1 = eta g_1^2 P_0 D_1 = 0.5 * (1/4) * 4 * 1, along one direction of eight.
    assert found.update[0] == pytest.approx(np.sqrt(0.5**2 / 8))
    assert (found.own[0], found.cosine[0]) == pytest.approx((found.update[0], 1.0))
    # C_2 = 1 along delta^2 of squared norm 2; of the whole update A_2^2 / D_2 lies along it.
    assert found.own[1] == pytest.approx(np.sqrt(1.0 / 2))
    assert found.cosine[1] == pytest.approx(np.sqrt(1.125 / (1.125 + 0.25 / 8)))
    # A_2 = A_1 + 0.5 * (1/8) * 8 * 2 = 1.5; spread S_2 = 1 * (1/8) * A_1^2 / D_1.
    assert found.update[1] == pytest.approx(np.sqrt(1.5**2 / 2 + 0.25 / 8))


@pytest.mark.parametrize("name", NAMES)
@given(quarters=st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_slopes_tend_to_the_exact_exponents(name, quarters):
    """Between n = 1e24 and 1e32 terms of another order are smaller by n^(1/4) >= 1e6 at least.

    Seven contributions squared against a spread halved six times are 49 * 64 of them at most, which is
    3e-3 of a square, half of that in a logarithm, and 1e-4 in a slope over eight decades.
    """
    found = orders(name, [0, *(Fraction(q, 4) for q in quarters), 0])
    sizes = []
    for decade in (24, 32):
        widths = Widths((3, *(10 ** (decade * q // 4) for q in quarters), 2))
        sizes.append(expected_sizes(widths, layer_scales(name, widths), 0.1, 3.0))
    n = [10**24, 10**32]
    for quantity in ("preactivation", "update", "own", "cosine"):
        slopes = log_slope(n, np.stack([getattr(one, quantity) for one in sizes]))
        assert slopes == pytest.approx(np.array(getattr(found, quantity), float), abs=2e-4)
