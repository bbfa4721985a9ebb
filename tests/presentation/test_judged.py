"""How a table of verdicts is seen."""

import math
import re

import pytest

from dynparam.presentation.judged import accepted, measured, short, view, write
from dynparam.presentation.parametrization_style import ORDER, look
from dynparam.presentation.tables import cells, markdown
from dynparam.statistics.estimates import UNKNOWN, student
from dynparam.statistics.judged import (
    CLAIM,
    CONTROL,
    FORM,
    SHOWN,
    Row,
    below,
    beyond,
    known,
    table,
    within,
)
from dynparam.support.tables import read_csv
from dynparam.theory.parametrization import NAMES


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.016666, "0.01667"), (227.44, "227.4"), (1150.0, "1150"), (-0.0, "0"), (-1.0, "-1")],
)
def test_numbers_of_any_size_have_four_digits(value, text):
    assert short(value) == text


ROWS = [
    Row("images", "spread", "ntk", CLAIM, 2.0, student(3.0, 0.1, 1000, 0.95), beyond(2.0)),
    Row("images", "gap", "ntk", SHOWN, float("nan"), known(0.5)),
    Row("images", "rest", "ntk", CLAIM, 1.0, UNKNOWN, within(1.0, 0.25)),
]


def test_rows_show_their_interval_and_verdict():
    lines = markdown(view("softmax", "Softmax"), table(ROWS)).splitlines()
    told = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head = next(told.index(one) for one in told if "measured" in one)
    named = [dict(zip(told[head], one, strict=True)) for one in told[head + 2 : head + 5]]
    assert [one["measured"] for one in named] == ["3 [2.804, 3.196]", "0.5", "none"]
    assert [one["accepted"] for one in named] == ["above 2", "", "0.75 to 1.25"]
    assert [one["verdict"] for one in named] == ["✓ holds", "", "? undecided"]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((1.0, 1.0, 1.0), "1"),
        ((1.0, 1.0, 2.0), "1 [1, 2]"),
        ((2.0, 1.0, 2.0), "2 [1, 2]"),
        ((-0.5, -1.0, 0.0), "-0.5 [-1, 0]"),
        ((0.25, math.nan, math.nan), "0.25"),
    ],
)
def test_a_number_is_alone_only_without_any_interval(numbers, text):
    assert measured(*numbers) == text


def test_every_column_shows_its_own_numbers():
    rows = [
        Row("a", "one", "s", CLAIM, 0.5, student(3.0, 0.1, 1000, 0.95), within(0.25, 0.125), "told"),
        Row("b", "two", "t", CONTROL, 7.0, known(-2.0), beyond(4.0)),
        Row("c", "six", "u", CLAIM, 9.0, known(-3.0), below(6.0)),
        Row("d", "ten", "v", SHOWN, float("nan"), known(8.0)),
    ]
    shown = cells(view("name", "Title"), table(rows))
    heads = [column.head for column in shown.columns]
    told = [dict(zip(heads, row, strict=True)) for row in shown.rows]
    texts = [{head: str(cell.text) for head, cell in one.items() if head != "interval"} for one in told]
    assert [list(one.values()) for one in texts] == [
        ["a", "one", "s", "0.5", "3 [2.804, 3.196]", "✗ disagrees", "0.125 to 0.375", "claim", "told"],
        ["b", "two", "t", "7", "-2", "✗ fails", "above 4", "control", ""],
        ["c", "six", "u", "9", "-3", "✓ holds", "below 6", "claim", ""],
        ["d", "ten", "v", "", "8", "", "", "shown", ""],
    ]
    assert [one["verdict"].tone for one in told] == ["bad", "bad", "good", ""]
    assert [one["measured"].sort for one in told] == ["3", "-2", "-3", "8"]
    assert [one["expected"].sort for one in told] == ["0.5", "7", "9", ""]
    assert shown.filters == ("experiment", "role", "verdict")
    assert (shown.name, shown.title) == ("name", "Title: verdicts")


def test_pictures_have_what_is_expected_on_an_axis_of_their_own():
    rows = [
        Row("a", str(scale), "s", CLAIM, 0.5 * scale, student(scale, 0.1 * scale, 9, 0.95), beyond(4.0))
        for scale in (1.0, 100.0)
    ]
    shown = cells(view("name", "Title"), table([*rows, Row("d", "x", "v", SHOWN, math.nan, known(8.0))]))
    place = [column.head for column in shown.columns].index("interval")
    first, second, third = (str(row[place].text) for row in shown.rows)
    assert first == second, "the second is the first, a hundred times as large"
    zero, dot, band = (
        float(re.search(pattern, first)[1])
        for pattern in (r'class="zero" d="M([\d.]+)', r'cx="([\d.]+)"', r'<rect x="([\d.]+)"')
    )
    assert band == pytest.approx((zero + dot) / 2, abs=0.2)
    assert "<rect" not in third


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.8, 1.2, "0.8 to 1.2"),
        (2.0, math.nan, "above 2"),
        (math.nan, 1.1, "below 1.1"),
        (math.nan, math.nan, ""),
    ],
)
def test_an_open_end_is_not_written(low, high, text):
    assert accepted(CLAIM, low, high) == text


def test_a_table_is_written_with_its_pages(tmp_path):
    paths = write(table(ROWS), tmp_path / "verdicts.csv", "Softmax", "softmax")
    assert [path.name for path in paths] == ["verdicts.csv", "verdicts.md", "verdicts.html"]
    assert list(read_csv(paths[0], FORM)["quantity"]) == ["spread", "gap", "rest"]
    assert paths[1].read_text(encoding="utf-8").startswith("# Softmax\n")
    assert "<caption>Softmax: verdicts</caption>" in paths[2].read_text(encoding="utf-8")


def test_every_parametrization_has_a_look_of_its_own():
    assert set(ORDER) == set(NAMES)
    assert len({look(name) for name in NAMES}) == len(NAMES)


def test_a_name_that_is_no_parametrization_has_no_look():
    with pytest.raises(ValueError, match="not in tuple"):
        look("sp")
