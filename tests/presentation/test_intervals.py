import re

import pandas as pd

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
