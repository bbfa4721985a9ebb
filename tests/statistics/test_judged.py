"""Rows of verdicts: which side an interval lies on, and what a control that agrees does."""

import numpy as np
import pytest

from dynparam.statistics.estimates import UNKNOWN, Estimate, mean_of, student
from dynparam.statistics.judged import (
    CLAIM,
    COLUMNS,
    CONTROL,
    FORM,
    SHOWN,
    Accepted,
    Judged,
    Row,
    all_right,
    below,
    beyond,
    equal,
    known,
    outcomes,
    table,
    within,
    within_errors,
)
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv


def interval(low, high):
    return Estimate((low + high) / 2, low, high, (high - low) / 4, 20)


def row(role=CLAIM, verdict="agrees", quantity="size"):
    return Row("part", quantity, "n = 3", role, 1.0, interval(0.9, 1.1), note="a", given=verdict)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.9, 1.1, "agrees"), (1.3, 1.4, "disagrees"), (0.5, 0.6, "disagrees"), (1.1, 1.3, "undecided")],
)
def test_an_interval_within_the_tolerance_agrees(low, high, verdict):
    assert within(1.0, 0.2).verdict(interval(low, high)) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-1.1, -0.8, "agrees"), (-0.69, -0.6, "disagrees"), (-1.2, -1.0, "undecided")],
)
def test_a_range_may_lie_to_one_side_of_what_is_expected(low, high, verdict):
    lopsided = Row("part", "slope", "", CLAIM, -1.0, interval(low, high), Accepted(-1.15, -0.7))
    assert lopsided.verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "side"), [(2.1, 3.0, "above"), (1.0, 1.9, "below"), (1.9, 2.1, "both")]
)
def test_claims_of_a_bound_ask_for_the_whole_interval(low, high, side):
    found = interval(low, high)
    above = {"above": "holds", "below": "fails", "both": "undecided"}
    assert beyond(2.0).verdict(found) == above[side]
    under = {"above": "fails", "below": "holds", "both": "undecided"}
    assert below(2.0).verdict(found) == under[side]


@pytest.mark.parametrize("accepted", [within(1.0, 0.1), beyond(1.0), below(1.0)])
def test_nothing_known_is_undecided(accepted):
    assert accepted.verdict(UNKNOWN) == "undecided"
    assert within_errors(1.0, UNKNOWN, 3) == "undecided"


def test_what_is_known_exactly_has_no_interval():
    assert known(2.0).interval == (2.0, 2.0)
    assert within(2.0, 1e-12).verdict(known(2.0)) == "agrees"


@pytest.mark.parametrize(
    ("accepted", "low", "high"),
    [
        (within(1.0, 0.25), 0.75, 1.25),
        (beyond(2.0), 2.0, np.nan),
        (below(1.1), np.nan, 1.1),
        (Accepted(), np.nan, np.nan),
    ],
)
def test_a_row_says_what_it_accepts_and_an_open_end_is_empty(accepted, low, high):
    found = table([Row("part", "size", "", SHOWN, 1.0, interval(0.9, 1.1), accepted)]).iloc[0]
    assert found[["accepted_low", "accepted_high"]].tolist() == pytest.approx([low, high], nan_ok=True)


def test_a_row_that_is_shown_has_no_verdict():
    assert Row("part", "size", "", SHOWN, 1.0, interval(0.9, 1.1)).verdict == ""


def test_a_verdict_that_is_given_stands_instead_of_the_interval_s():
    one = Row("part", "size", "", CONTROL, 1.0, UNKNOWN, below(1.0), given="fails")
    assert one.verdict == "fails"


def test_standard_errors_decide_an_exact_expectation():
    found = student(1.0, 0.1, 29, 0.95)
    assert within_errors(1.29, found, 3) == "agrees"
    assert within_errors(1.31, found, 3) == "disagrees"


def test_three_standard_errors_are_rarely_missed():
    """In 2000 samples of 60 normal numbers: a rate of 0.4 %, by Student's t."""
    generator = np.random.default_rng(0)
    found = [mean_of(generator.normal(1, 2, 60), 0.95) for _ in range(2000)]
    missed = sum(within_errors(1.0, one, 3) == "disagrees" for one in found)
    assert missed < 20


@pytest.mark.parametrize("verdict", ["agrees", "holds"])
def test_a_control_that_agrees_makes_no_table(verdict):
    with pytest.raises(DataError, match=r"control 'size' \(n = 3\).*known to be wrong, 1 \(a\),"):
        table([row(), row(CONTROL, verdict)])


@pytest.mark.parametrize("verdict", ["disagrees", "fails", "undecided"])
def test_other_controls_stand_in_the_table(verdict):
    found = table([row(), row(CONTROL, verdict)])
    assert tuple(found.columns) == COLUMNS
    assert found["verdict"].tolist() == ["agrees", verdict]


def test_a_control_passes_where_it_is_refuted():
    found = table(
        [
            row(verdict="agrees"),
            row(verdict="fails", quantity="a"),
            row(verdict="undecided", quantity="b"),
            row(CONTROL, "disagrees"),
            row(CONTROL, "undecided", "c"),
            row(SHOWN, ""),
        ]
    )
    assert outcomes(found, CLAIM).to_dict() == {0: "passed", 1: "failed", 2: "undecided"}
    assert outcomes(found, CONTROL).to_dict() == {3: "passed", 4: "undecided"}
    assert list(outcomes(found, SHOWN)) == []


def test_a_table_is_read_as_it_was_written(tmp_path):
    written = table([row(), row(SHOWN, "", "gap")])
    write_csv(written, tmp_path / "judged.csv")
    found = read_csv(tmp_path / "judged.csv", FORM)
    assert found["quantity"].tolist() == ["size", "gap"]
    assert list(outcomes(found, CLAIM, SHOWN)) == ["passed"]
    assert found["accepted_low"].isna().all()


def test_the_same_row_twice_is_no_table(tmp_path):
    write_csv(table([row(), row()]), tmp_path / "judged.csv")
    with pytest.raises(DataError, match="two rows of experiment part"):
        read_csv(tmp_path / "judged.csv", FORM)


class TestWhatSentencesAsk:
    ROWS = (
        row(),
        row(verdict="holds", quantity="b"),
        row(verdict="fails", quantity="c"),
        row(verdict="undecided", quantity="d"),
        row(SHOWN, "", "e"),
    )

    def judged(self, *controls):
        return Judged(table([*self.ROWS, *controls]))

    def test_claims_are_counted_and_controls_are_not(self):
        found = self.judged(row(CONTROL, "disagrees"), row(CONTROL, "undecided", "f"))
        assert found.counts() == {"passed": 2, "failed": 1, "undecided": 1, "all": 4}

    def test_controls_are_refuted_if_there_is_one_and_all_are(self):
        assert self.judged(row(CONTROL, "disagrees"), row(CONTROL, "fails", "f")).controls_refuted()
        assert not self.judged(row(CONTROL, "disagrees"), row(CONTROL, "undecided")).controls_refuted()
        assert not self.judged().controls_refuted()

    def test_a_control_that_is_undecided_is_told(self):
        found = self.judged(row(CONTROL, "fails"), row(CONTROL, "undecided", "f")).undecided_controls()
        assert [one["quantity"] for one in found] == ["f"]

    def test_a_claim_that_failed_is_told_in_words(self):
        assert self.judged(row(CONTROL, "fails")).surprises() == ["c, n = 3: 1, expected 1"]

    def test_rows_are_all_right_if_there_is_one(self):
        claims = self.judged().claims
        assert all_right(claims[claims["quantity"].isin(["size", "b"])])
        for names in (["size", "c"], ["size", "d"], ["none"]):
            assert not all_right(claims[claims["quantity"].isin(names)])

    def test_a_claim_without_a_verdict_is_not_counted(self):
        shown = Row("part", "open", "", CLAIM, 1.0, interval(0.9, 1.1))
        assert Judged(table([*self.ROWS, shown])).counts()["all"] == 4


def test_a_value_that_is_known_is_off_by_any_difference_and_scatters_by_none():
    assert known(2.0) == Estimate(2.0, 2.0, 2.0, 0.0, 0)
    assert within_errors(2.0, known(2.0), 3) == "agrees"
    assert within_errors(2.0, known(2.001), 3) == "disagrees"


@pytest.mark.parametrize("role", [CLAIM, CONTROL])
def test_a_row_of_an_equality_is_what_it_is_made_of(role):
    found = equal("part", "size", "n = 3", 1.5, interval(1.0, 1.2), 0.25, "why", role)
    accepted = Accepted(1.25, 1.75)
    assert found == Row("part", "size", "n = 3", role, 1.5, interval(1.0, 1.2), accepted, "why")
    assert found.verdict == "disagrees"
    assert equal("part", "size", "", 1.0, interval(0.9, 1.1), 0.2).role == CLAIM


def test_a_row_s_cells_are_those_of_its_own_parts():
    one = Row("part", "size", "n = 3", SHOWN, 9.0, Estimate(1.0, 0.5, 2.0, 0.1, 3), note="why")
    cells = {"experiment": "part", "quantity": "size", "setting": "n = 3", "role": SHOWN}
    numbers = {"expected": 9.0, "measured": 1.0, "ci_low": 0.5, "ci_high": 2.0}
    found = {key: value for key, value in one.cells().items() if not key.startswith("accepted")}
    assert found == {**cells, **numbers, "verdict": "", "note": "why"}


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.75, 1.25, "agrees"), (0.74, 1.25, "undecided"), (0.75, 1.26, "undecided")],
)
def test_an_interval_may_touch_the_ends_and_not_cross_them(low, high, verdict):
    assert Accepted(0.75, 1.25).verdict(interval(low, high)) == verdict
