import math
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.presentation import numbers

FINITE = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.3104, 3, "+0.310"),
        (-0.0004, 3, "+0.000"),
        (-0.0, 2, "+0.00"),
        (-0.0006, 3, "-0.001"),
        (12, 1, "+12.0"),
    ],
)
def test_signs(value, digits, text):
    assert numbers.signed(value, digits) == text


def test_a_zero_without_a_sign():
    assert numbers.signed(-0.001, 2, plus_zero=False) == "0.00"
    assert numbers.signed(0.001, 2, plus_zero=False) == "0.00"
    assert numbers.signed(0.01, 2, plus_zero=False) == "+0.01"


@given(value=FINITE, digits=st.integers(1, 6))
def test_a_signed_number_is_near_and_never_a_negative_zero(value, digits):
    text = numbers.signed(value, digits)
    assert float(text) == pytest.approx(value, abs=0.5001 * 10**-digits)
    assert math.copysign(1, float(text)) > 0 or float(text) < 0
    assert text[0] in "+-"


@pytest.mark.parametrize(
    ("value", "padded", "bare"),
    [
        (-0.0001234, "-0.000123", "-0.000123"),
        (125.0, "+125", "+125"),
        (-0.1, "-0.100", "-0.1"),
        (-0.0, "+0.00", "+0"),
    ],
)
def test_significant_digits(value, padded, bare):
    assert numbers.significant(value) == padded
    assert numbers.significant(value, pad=False) == bare


def test_intervals():
    assert numbers.with_interval(0.31, -0.00001, 0.33) == "+0.310 [+0.000, +0.330]"
    assert numbers.with_interval(0.31, 0.29, 0.33, numbers.fixed) == "0.310 [0.290, 0.330]"
    assert numbers.bracketed(-1, 1, partial(numbers.signed, digits=1)) == "[-1.0, +1.0]"


@pytest.mark.parametrize(
    ("value", "reach", "text"),
    [
        (0.0123, 0.0080, "+0.0123 ± 0.0080"),
        (-0.00001, 0.01, "+0.0000 ± 0.0100"),
        (0.02, 0.00001, "+0.0200 ± 0.0000"),
        (2e-8, 1e-8, "+2e-08 ± 1e-08"),
        (0.0, 0.0, "0"),
        (0.0, 0.01, "+0.0000 ± 0.0100"),
        (0.01, 0.0, "+0.0100 ± 0.0000"),
        (4.9e-5, 4.9e-5, "+5e-05 ± 5e-05"),
        (6e-5, 0.0, "+0.0001 ± 0.0000"),
        (0.0004, 0.0003, "+0.0004 ± 0.0003"),
    ],
)
def test_half_widths(value, reach, text):
    assert numbers.plus_minus(value, reach, digits=4) == text


def test_numbers_too_small_for_their_decimals_are_powers_of_ten():
    assert numbers.fitting(4, 2e-5, -4e-5)(2e-5) == "+2e-05"
    assert numbers.fitting(4, 2e-5, -6e-5)(2e-5) == "+0.0000"


def test_ranges():
    show = partial(numbers.signed, digits=2)
    assert numbers.span(-1.61, -1.19, show) == "-1.61 to -1.19"
    assert numbers.span(0.001, -0.001, show) == "+0.00"
    assert numbers.span(0.001, -0.001, show, once=False) == "+0.00 to +0.00"


@pytest.mark.parametrize(("value", "text"), [(-1.6, "-8/5"), (1 / 3, "1/3"), (0.0, "0"), (2.0, "2")])
def test_fractions(value, text):
    assert str(numbers.fraction(value)) == text
    assert numbers.fraction(value) == Fraction(text)


def test_shares_and_signs_in_pictures():
    assert [numbers.percent(share) for share in (0.95, 0.995, 1)] == ["95%", "99.5%", "100%"]
    assert numbers.typographic("-0.05") == "\N{MINUS SIGN}0.05"
    assert numbers.scientific(1.24e-9) == "1.2e-09"


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (-0.0144401, -0.0157789, -0.0131013, "-0.0144 [-0.0158, -0.0131]"),
        (2.3e-05, 1.8e-05, 2.7e-05, "+2.30e-05 [+1.80e-05, +2.70e-05]"),
        (12.34, -5.0, 30.0, "+12 [-5, +30]"),
        (1234.0, 900.0, 1500.0, "+1230 [+900, +1500]"),
        (-0.0004, -0.2, 0.2, "+0.00 [-0.20, +0.20]"),
        (0.25, 0.25, 0.25, "+0.25 [+0.25, +0.25]"),
        (float("nan"), float("nan"), float("nan"), "+nan [+nan, +nan]"),
        (5.0, -math.inf, math.inf, "+5 [-inf, +inf]"),
    ],
)
def test_a_number_is_as_exact_as_its_interval(value, low, high, text):
    assert numbers.to_its_error(value, low, high) == text


@given(value=st.floats(-1e3, 1e3), half=st.floats(1e-9, 1e3))
def test_one_digit_more_than_the_half_width_is_kept(value, half):
    """What is lost is below a tenth of the half-width's first digit: a twentieth of it at most."""
    text = numbers.to_its_error(value, value - half, value + half)
    shown = [float(part) for part in text.replace("[", "").replace("]", "").replace(",", "").split()]
    assert shown == pytest.approx([value, value - half, value + half], abs=0.0501 * half)
