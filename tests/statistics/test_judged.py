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
    Row,
    below,
    beyond,
    outcomes,
    table,
    within,
    within_errors,
)
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv


def known(low, high):
    return Estimate((low + high) / 2, low, high, (high - low) / 4, 20)


def row(role=CLAIM, verdict="agrees", quantity="size"):
    return Row("part", quantity, "n = 3", role, 1.0, known(0.9, 1.1), verdict)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.9, 1.1, "agrees"), (1.3, 1.4, "disagrees"), (0.5, 0.6, "disagrees"), (1.1, 1.3, "undecided")],
)
def test_an_interval_within_the_tolerance_agrees(low, high, verdict):
    assert within(1.0, known(low, high), 0.2) == verdict


@pytest.mark.parametrize(
    ("low", "high", "side"), [(2.1, 3.0, "above"), (1.0, 1.9, "below"), (1.9, 2.1, "both")]
)
def test_claims_of_a_bound_ask_for_the_whole_interval(low, high, side):
    assert (
        beyond(2.0, known(low, high)) == {"above": "holds", "below": "fails", "both": "undecided"}[side]
    )
    assert (
        below(2.0, known(low, high)) == {"above": "fails", "below": "holds", "both": "undecided"}[side]
    )


def test_nothing_known_is_undecided():
    assert beyond(1.0, UNKNOWN) == below(1.0, UNKNOWN) == within_errors(1.0, UNKNOWN, 3) == "undecided"


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
    with pytest.raises(DataError, match=r"control 'size' \(n = 3\).*known to be wrong, 1,"):
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
    assert list(outcomes(found, CLAIM)) == ["passed", "failed", "undecided"]
    assert list(outcomes(found, CONTROL)) == ["passed", "undecided"]
    assert list(outcomes(found, SHOWN)) == []


def test_a_table_is_read_as_it_was_written(tmp_path):
    written = table([row(), row(SHOWN, "", "gap")])
    write_csv(written, tmp_path / "judged.csv")
    found = read_csv(tmp_path / "judged.csv", FORM)
    assert found["quantity"].tolist() == ["size", "gap"]
    assert list(outcomes(found, CLAIM, SHOWN)) == ["passed"]


def test_the_same_row_twice_is_no_table(tmp_path):
    write_csv(table([row(), row()]), tmp_path / "judged.csv")
    with pytest.raises(DataError, match="two rows of experiment part"):
        read_csv(tmp_path / "judged.csv", FORM)
