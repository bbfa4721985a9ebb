"""How a table of verdicts is seen."""

import pytest

from dynparam.presentation.judged import short, view
from dynparam.presentation.parametrization_style import ORDER, look
from dynparam.presentation.tables import markdown
from dynparam.statistics.estimates import student
from dynparam.statistics.judged import CLAIM, SHOWN, Row, table
from dynparam.theory.parametrization import NAMES


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.016666, "0.01667"), (227.44, "227.4"), (1150.0, "1150"), (-0.0, "0"), (-1.0, "-1")],
)
def test_numbers_of_any_size_have_four_digits(value, text):
    assert short(value) == text


def test_rows_show_their_interval_and_verdict():
    rows = [
        Row("images", "spread", "ntk", CLAIM, 2.0, student(3.0, 0.1, 1000, 0.95), "holds"),
        Row("images", "gap", "ntk", SHOWN, float("nan"), student(0.5, 0.0, 10, 0.95)),
    ]
    shown = markdown(view("softmax", "Verdicts"), table(rows))
    assert "| 3 [2.804, 3.196]" in shown
    assert "✓ holds" in shown
    assert "| 0.5 [0.5, 0.5]" in shown


def test_every_parametrization_has_a_look_of_its_own():
    assert set(ORDER) == set(NAMES)
    assert len({look(name) for name in NAMES}) == len(NAMES)
