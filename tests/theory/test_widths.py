import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.support.errors import ConfigError
from dynparam.theory.widths import (
    RatioRule,
    Widths,
    bottleneck,
    constant_ratio,
    dynamic_ratio,
    log_spaced,
)


def test_bottleneck_is_the_network_of_the_thesis():
    widths = bottleneck(10_000, 500)
    assert widths.sizes == (3072, 10_000, 500, 10_000, 500, 10_000, 2)
    assert widths.depth == 6
    assert widths.hidden == (10_000, 500, 10_000, 500, 10_000)
    assert widths.n_min == 500
    assert widths.weight_count == 3072 * 10_000 + 4 * 500 * 10_000 + 2 * 10_000


def test_n_min_ignores_input_and_output():
    assert Widths((1, 7, 5, 2)).n_min == 5


@pytest.mark.parametrize("bad", [0, -3, 1.5, "7", True, None])
def test_bad_width_is_named(bad):
    with pytest.raises(ConfigError, match=r"n_1 is .*integer of at least 1"):
        Widths((3, bad, 2))


def test_a_width_of_numpy_is_an_integer():
    widths = Widths((np.int64(3), np.uint8(4), np.array(2)))
    assert widths == Widths((3, 4, 2))
    assert {type(size) for size in widths.sizes} == {int}


def test_too_few_widths():
    with pytest.raises(ConfigError, match="describe no layer"):
        Widths((3,))
    with pytest.raises(ConfigError, match="at least one hidden layer"):
        _ = Widths((3, 2)).n_min


def test_unknown_share():
    with pytest.raises(ConfigError, match="'wide' or 'narrow'"):
        bottleneck(10, 2, hidden=["wide", "thin"])


# n_min of the thesis's three ratios, computed by hand: 1/5 n, 6 sqrt(n), 150 n^(1/5).
@pytest.mark.parametrize(
    ("rule", "n", "n_min"),
    [
        (constant_ratio(Fraction(1, 5)), 1000, 200),
        (constant_ratio(Fraction(1, 5)), 10_000, 2000),
        (dynamic_ratio(6, Fraction(1, 2)), 10_000, 600),
        (dynamic_ratio(6, Fraction(1, 2)), 1000, 190),  # 189.74
        (dynamic_ratio(150, Fraction(1, 5)), 1000, 597),  # 597.16
        (dynamic_ratio(150, Fraction(1, 5)), 10_000, 946),  # 946.44
    ],
)
def test_ratios_of_the_thesis(rule, n, n_min):
    assert rule.n_min(n) == n_min


def test_rounding():
    rule = dynamic_ratio(6, Fraction(1, 2))
    assert rule.n_min(1000, "floor") == 189
    assert constant_ratio(Fraction(1, 2)).n_min(5, "nearest") == 3


@given(st.integers(1, 10**6), st.fractions(Fraction(1, 1000), 1))
def test_nearest_differs_from_floor_by_at_most_one(n, fraction):
    exact = float(fraction) * n
    if math.floor(exact) >= 1:
        rule = constant_ratio(fraction)
        low, near = rule.n_min(n, "floor"), rule.n_min(n, "nearest")
        assert low <= near <= low + 1
        assert abs(near - exact) <= 0.5 + 1e-9 * exact


def test_impossible_narrow_widths():
    with pytest.raises(ConfigError, match="at least 1"):
        constant_ratio(Fraction(1, 5)).n_min(1)
    for huge in (RatioRule(Fraction(10**400), Fraction(1)), RatioRule(Fraction(1), Fraction(200))):
        with pytest.raises(ConfigError, match="larger than any number at n = 1000"):
            huge.n_min(1000)
    with pytest.raises(ConfigError, match="wider than the wide layers"):
        dynamic_ratio(150, Fraction(1, 5)).n_min(100)


def test_log_spaced_grid():
    grid = log_spaced(1000, 10_000, 10)
    assert grid == (1000, 1292, 1668, 2154, 2783, 3594, 4642, 5995, 7743, 10_000)
    with pytest.raises(ConfigError, match="not all different"):
        log_spaced(1, 3, 10)


def test_rules_print_as_formulas():
    assert str(constant_ratio(Fraction(1, 5))) == "1/5 n"
    assert str(dynamic_ratio(6, Fraction(1, 2))) == "6 n^(1/2)"
    assert str(constant_ratio(Fraction(1))) == "n"
