"""How a table of verdicts is seen."""

import math

import pytest

from dynparam.presentation.judged import accepted, short, view, write
from dynparam.presentation.parametrization_style import ORDER, look
from dynparam.presentation.tables import markdown
from dynparam.statistics.estimates import UNKNOWN, student
from dynparam.statistics.judged import CLAIM, FORM, SHOWN, Row, beyond, known, table, within
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
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head = next(cells.index(one) for one in cells if "measured" in one)
    named = [dict(zip(cells[head], one, strict=True)) for one in cells[head + 2 : head + 5]]
    assert [one["measured"] for one in named] == ["3 [2.804, 3.196]", "0.5", "none"]
    assert [one["accepted"] for one in named] == ["above 2", "", "0.75 to 1.25"]
    assert [one["verdict"] for one in named] == ["✓ holds", "", "? undecided"]


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
