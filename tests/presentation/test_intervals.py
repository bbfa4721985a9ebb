import re

import pandas as pd
import pytest

from dynparam.presentation.intervals import Interval, picture


def test_an_interval_is_drawn_where_it_is():
    """On an axis from -1 to 1 over 132 pixels less a margin of 3 on each side."""
    drawn = picture(-0.5, 0.0, 0.5, (-1.0, 1.0), expected=1.0, tolerance=0.5)
    assert 'd="M34.5 8.0H97.5"' in drawn
    assert 'cx="66.0"' in drawn
    assert '<rect x="97.5" y="1" width="31.5"' in drawn
    assert picture(float("nan"), 0.0, 1.0, (-1.0, 1.0)) == ""


TABLE = pd.DataFrame(
    {
        "value": [1.0, 10.0, None],
        "ci_low": [0.5, 5.0, None],
        "ci_high": [1.5, 15.0, None],
        "exact": [None, 12.0, 1.0],
        "rough": [1.0, 1.0, 1.0],
    }
)


def dots(pictures):
    return [float(found[1]) for one in pictures if (found := re.search(r'cx="([\d.]+)"', one))]


def test_rows_share_an_axis_or_have_their_own():
    """The second row is the first, ten times as large."""
    first, second = dots(Interval("value").draw(TABLE))
    assert first < second
    first, second = dots(Interval("value", own_scale=True).draw(TABLE))
    assert first == second


def test_the_first_expected_value_that_is_known_counts():
    drawn = Interval("value", expected=("exact", "rough"), tolerance=0.1).draw(TABLE)
    starts = [float(re.search(r'<rect x="([\d.]+)"', one)[1]) for one in drawn[:2]]
    assert starts[0] < starts[1]
    assert drawn[2] == ""


def test_a_table_without_rows_has_no_pictures():
    assert Interval("value", expected=("exact",)).draw(TABLE.head(0)) == []


@pytest.mark.parametrize("column", ["value", "ci_low", "ci_high", "exact"])
@pytest.mark.parametrize("end", [float("inf"), float("-inf")])
def test_an_infinite_number_leaves_the_axis_of_the_others_as_it_is(column, end):
    """It is drawn at the edge."""
    interval = Interval("value", expected=("exact",), tolerance=0.1)
    known = TABLE.iloc[:2].assign(exact=1.0)
    drawn = interval.draw(pd.concat([known, known.tail(1).assign(**{column: end})]))
    assert drawn[:2] == interval.draw(known)
    ends = numbers_in(r'd="M([\d.]+) 8.0H([\d.]+)"', drawn[2])
    corners = numbers_in(r'<rect x="([\d.]+)" y="1" width="([\d.]+)"', drawn[2])
    shown = {
        "value": dots(drawn)[-1],
        "ci_low": ends[0],
        "ci_high": ends[1],
        "exact": sum(corners),
    }
    assert shown[column] == (129.0 if end > 0 else 3.0)


def numbers_in(pattern, one):
    return [float(part) for part in re.search(pattern, one).groups()]


@pytest.mark.parametrize("sign", [1, -1])
def test_zero_and_all_that_is_expected_lie_on_the_axis(sign):
    """Of intervals far from zero, and of a band beyond them: nothing is cut off."""
    table = pd.DataFrame(
        {
            "value": [5.0 * sign, 6.0 * sign],
            "ci_low": [5.0 * sign - 0.5, 6.0 * sign - 0.5],
            "ci_high": [5.0 * sign + 0.5, 6.0 * sign + 0.5],
            "exact": [9.0 * sign, 5.0 * sign],
        }
    )
    drawn = Interval("value", expected=("exact",), tolerance=0.25).draw(table)
    first, second = dots(drawn)
    unit = abs(second - first)
    for one, dot, value in zip(drawn, (first, second), table["value"], strict=True):
        (zero,) = numbers_in(r'class="zero" d="M([\d.]+)', one)
        assert dot - zero == pytest.approx(unit * value, abs=1)
    left, width = numbers_in(r'<rect x="([\d.]+)" y="1" width="([\d.]+)"', drawn[0])
    assert left + width / 2 == pytest.approx(first + 4 * sign * unit, abs=1)
    assert width == pytest.approx(unit / 2, abs=0.3)


def test_a_band_reaches_to_both_sides_of_what_is_expected():
    drawn = picture(0.0, 0.5, 1.0, (-1.0, 1.0), expected=0.0, tolerance=0.5)
    assert numbers_in(r'<rect x="([\d.]+)" y="1" width="([\d.]+)"', drawn) == [34.5, 63.0]


@pytest.mark.parametrize(("expected", "corners"), [(-3.0, (3.0, 3.0)), (3.0, (129.0, 129.0))])
def test_what_lies_beyond_either_end_is_drawn_there(expected, corners):
    drawn = picture(-0.5, 0.0, 0.5, (-1.0, 1.0), expected=expected, tolerance=0.5)
    left, width = numbers_in(r'<rect x="([\d.]+)" y="1" width="([\d.]+)"', drawn)
    assert (left, left + width) == corners
    low, high = numbers_in(r'd="M([\d.]+) 8.0H([\d.]+)"', picture(-2.0, 0.0, 4.0, (-1.0, 1.0)))
    assert (low, high) == (3.0, 129.0)


@pytest.mark.parametrize("own_scale", [False, True])
def test_nothing_but_zeros_stands_in_the_middle(own_scale):
    table = pd.DataFrame({"value": [0.0], "ci_low": [0.0], "ci_high": [0.0]})
    assert dots(Interval("value", own_scale=own_scale).draw(table)) == [66.0]


def test_ends_are_those_of_the_columns_named():
    """Whatever a table has in the usual ones."""
    table = pd.DataFrame(
        {"change": [0.0], "change_low": [-2.0], "change_high": [1.0], "ci_low": [-1.0], "ci_high": [2.0]}
    )
    usual = table.assign(change_low=table["ci_low"], change_high=table["ci_high"])
    for given, longer in ((table, "low"), (usual, "high")):
        (drawn,) = Interval("change", low="change_low", high="change_high").draw(given)
        low, high = numbers_in(r'd="M([\d.]+) 8.0H([\d.]+)"', drawn)
        (dot,) = dots([drawn])
        unit = (high - low) / 3
        assert dot - low == pytest.approx((2 if longer == "low" else 1) * unit, abs=0.2)


def test_an_axis_of_ones_own_is_that_of_the_interval_alone():
    """What is expected far away is drawn at the edge, and leaves the dot where it was."""
    table = TABLE.iloc[:1].assign(exact=100.0)
    (far,) = Interval("value", expected=("exact",), own_scale=True).draw(table)
    (alone,) = Interval("value", own_scale=True).draw(table)
    assert dots([far]) == dots([alone])
    assert numbers_in(r'<rect x="([\d.]+)"', far) == [129.0]
    (shared,) = Interval("value", expected=("exact",)).draw(table)
    assert dots([shared]) < dots([alone])
