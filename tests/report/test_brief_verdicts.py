"""Tables of verdicts in few lines: which rows are told one by one, and what is told of the others."""

import pandas as pd
import pytest

from dynparam.report import brief_verdicts
from dynparam.report.brief_verdicts import LISTED, UNSETTLED
from dynparam.statistics.estimates import UNKNOWN, Estimate
from dynparam.statistics.judged import CLAIM, COLUMNS, CONTROL, SHOWN, Row, below, beyond, known, within
from tests.markdown import table_cells


def row(value, role=CLAIM, quantity="ratio", setting="n = 8", part="a", reach=0.01, note=""):
    """A ratio that is to be 1 within a tenth, with an interval of ``reach`` to either side."""
    measured = Estimate(value, value - reach, value + reach, reach / 2, 9)
    return Row(part, quantity, setting, role, 1.0, measured, within(1.0, 0.1), note)


def table(*rows):
    return pd.DataFrame([one.cells() for one in rows], columns=list(COLUMNS))


def claims(*rows):
    return table_cells(brief_verdicts.claims(table(*rows)))


def controls(*rows):
    return table_cells(brief_verdicts.controls(table(*rows)))


def test_a_row_is_told_with_its_interval():
    assert claims(row(1.02)) == [
        {
            "part": "a",
            "quantity": "ratio",
            "setting": "$n = 8$",
            "measured": "1.02 [1.01, 1.03]",
            "expected": "1",
            "verdict": "✓ agrees",
        }
    ]


def test_what_is_against_theory_comes_first_and_then_what_is_undecided():
    rows = [row(value, setting=f"{value}") for value in (1.0, 1.095, 1.3, 1.01)]
    assert [(line["setting"], line["verdict"]) for line in claims(*rows)] == [
        ("1.3", "✗ disagrees"),
        ("1.095", "? undecided"),
        ("1.0", "✓ agrees"),
        ("1.01", "✓ agrees"),
    ]


def test_neither_controls_nor_what_is_only_shown_are_claims():
    rows = row(1.0), row(2.0, CONTROL), row(1.0, SHOWN, quantity="shown")
    assert [line["measured"] for line in claims(*rows)] == ["1 [0.99, 1.01]"]
    assert [line["measured"] for line in controls(*rows)] == ["2 [1.99, 2.01]"]


@pytest.mark.parametrize(("count", "lines"), [(LISTED, LISTED), (LISTED + 1, 1)])
def test_of_many_rows_those_that_agree_share_a_line(count, lines):
    found = claims(*(row(1 + place / 1000, setting=f"n = {place}") for place in range(count)))
    assert len(found) == lines


def test_a_line_of_several_has_their_number_their_range_and_their_verdicts():
    rows = [row(0.95 + place / 1000, setting=f"n = {place}") for place in range(LISTED)]
    rows += [row(1.5, setting="far"), row(7.0, quantity="other")]
    found = claims(*rows)
    assert [line["setting"] for line in found] == ["far", "$n = 8$", f"{LISTED} settings"]
    last = found[-1]
    assert (last["measured"], last["expected"]) == (f"0.95 to {0.95 + (LISTED - 1) / 1000:g}", "1")
    assert last["verdict"] == f"✓ agrees: {LISTED}"


def test_rows_that_are_too_many_to_be_told_one_by_one_are_counted_all_the_same():
    """Of the undecided ones that are left the line of their quantity says how many there are."""
    rows = [row(1.095, setting=f"n = {place}") for place in range(UNSETTLED + 3)]
    rows += [row(1.0, setting=f"m = {place}") for place in range(LISTED)]
    *single, last = claims(*rows)
    assert [line["verdict"] for line in single] == ["? undecided"] * UNSETTLED
    assert last["verdict"] == f"? undecided: 3, ✓ agrees: {LISTED}"


def test_where_a_side_is_claimed_the_bound_is_told_with_it():
    measured = Estimate(-1.0, -1.1, -0.9, 0.05, 9)
    sides = [
        Row("a", "exponent", setting, CLAIM, bound, measured, accepted)
        for setting, bound, accepted in (("s", -0.5, below(-0.5)), ("t", -2.0, beyond(-2.0)))
    ]
    assert [line["expected"] for line in claims(*sides)] == ["below -0.5", "above -2"]


def test_what_has_no_scatter_has_no_interval_and_rounding_is_nothing():
    rows = [
        Row("a", "difference", f"{size}", CLAIM, 0.0, known(size), within(0.0, 1e-6))
        for size in (2e-15, 3e-8)
    ]
    unknown = Row("a", "lost", "s", CLAIM, 0.0, UNKNOWN, within(0.0, 1e-6))
    assert [line["measured"] for line in claims(*rows, unknown)] == ["none", "0", "3e-08"]


def test_a_control_says_what_is_wrong_and_that_it_was_refuted():
    (line,) = controls(row(1.5, CONTROL, note="as if nothing moved"))
    assert line["held against"] == "1"
    assert (line["what is wrong"], line["control"]) == ("as if nothing moved", "✓ refuted")


@pytest.mark.parametrize(("value", "said"), [(1.095, "? undecided"), (1.0, "✗ not refuted")])
def test_a_control_that_is_not_refuted_comes_first_and_says_so(value, said):
    lines = controls(row(1.5, CONTROL, setting="refuted"), row(value, CONTROL))
    assert [line["control"] for line in lines] == [said, "✓ refuted"]
