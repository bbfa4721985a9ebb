import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.support.errors import ConfigError
from dynparam.support.ranges import consecutive, parse_ranges, ranges_text

some_numbers = st.sets(st.integers(0, 60), min_size=1)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0", [0]), ("0-3", [0, 1, 2, 3]), ("7,0-2", [0, 1, 2, 7]), ("1,1,0-1", [0, 1]), (" 1, 2", [1, 2])],
)
def test_text_to_numbers(text, numbers):
    assert parse_ranges(text, "seeds") == numbers


@pytest.mark.parametrize(
    "text", ["", "a", "1-", "-1", "-", "1--2", "0-2-4", "1,", "1.5", "3-1", "0,3-1"]
)
def test_texts_that_make_no_sense(text):
    with pytest.raises(ConfigError, match=r"^layers '.*' (are not numbers such|name none; write)"):
        parse_ranges(text, "layers")


def test_numbers_to_text():
    assert ranges_text([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8"


@given(some_numbers)
def test_text_holds_every_number_once(numbers):
    assert parse_ranges(ranges_text(sorted(numbers)), "numbers") == sorted(numbers)


@given(some_numbers)
def test_ranges_cannot_be_joined(numbers):
    runs = consecutive(sorted(numbers))
    assert [number for run in runs for number in run] == sorted(numbers)
    assert all(right[0] > left[-1] + 1 for left, right in itertools.pairwise(runs))
