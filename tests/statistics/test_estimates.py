import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dynparam.statistics.estimates import UNKNOWN, mean_of, student


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("count", [2, 3, 40])
def test_mean_has_the_t_interval_of_scipy(count, confidence):
    values = np.random.default_rng(0).normal(3, 2, count)
    found = mean_of(values, confidence)
    expected = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    assert found.value == pytest.approx(values.mean())
    assert found.interval == pytest.approx(tuple(expected))
    assert found.degrees_of_freedom == count - 1


@pytest.mark.parametrize("values", [[], [1.0]])
def test_fewer_than_two_values_tell_nothing(values):
    assert mean_of(np.array(values), 0.95) is UNKNOWN
    assert np.isnan([*UNKNOWN.row("slope").values(), UNKNOWN.standard_error]).all()


@given(st.floats(-5, 5), st.floats(0.01, 5), st.floats(0.1, 10), st.floats(-3, 3))
def test_units_and_known_parts_carry_over(value, error, unit, known):
    """An estimate in other units, or with a known number added, is that of the changed value."""
    found = student(value, error, 7, 0.9)
    for changed, expected in (
        (found.over(unit), student(value / unit, error / unit, 7, 0.9)),
        (found.shifted(known), student(value + known, error, 7, 0.9)),
    ):
        assert changed.row("x") == pytest.approx(expected.row("x"), abs=1e-9)
        assert changed.standard_error == pytest.approx(expected.standard_error)
        assert changed.degrees_of_freedom == 7
