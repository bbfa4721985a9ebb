"""Verdicts on planted errors."""

import numpy as np
import pytest

from dynparam.experiments.continual_learning.judge import (
    AGAIN,
    LAZINESS,
    POOL,
    judged,
    pairs,
)
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, SHOWN
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from tests import continual

STAGE = continual.stage()
SECOND = "error of the second task after the first over theory"


def test_what_is_as_theory_has_it_agrees_and_the_control_does_not():
    table = continual.verdicts()
    assert set(table.loc[table["role"] == CLAIM, "verdict"]) <= set(RIGHT)
    (control,) = table[table["role"] == CONTROL].to_dict("records")
    assert control["verdict"] == "disagrees"
    assert control["expected"] == 0.5
    assert control["measured"] > 1


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.02, "agrees"), (1.03, "undecided"), (1.1, "disagrees")]
)
def test_errors_have_their_tolerance(factor, verdict):
    table = judged(*continual.planted(factor), STAGE)
    rows = table[table["quantity"] == SECOND]
    assert (rows["verdict"] == verdict).mean() > 0.9


def test_the_sign_is_the_one_that_theory_gives():
    table = continual.verdicts().set_index("quantity").loc[AGAIN]
    words = {str(note).partition(":")[0] for note in table["note"]}
    assert words == {"transfer", "forgetting"}
    for _, row in table.iterrows():
        assert (row["measured"] < 0) == str(row["note"]).startswith("transfer")


def test_the_wrong_sign_fails():
    measured, expected = continual.planted()
    wrong = measured.assign(error_first=measured["error_second"], error_second=measured["error_first"])
    table = judged(wrong, expected, STAGE)
    assert set(table.loc[table["quantity"] == AGAIN, "verdict"]) == {"fails"}


def test_the_critical_similarity_is_where_the_measured_line_crosses():
    measured, expected = continual.planted()
    pair = next(one for one in pairs(measured, expected, STAGE) if 0.0 in one.errors)
    ends = [pair.errors[rho] for rho in (0.0, 1.0)]
    gaps = [(one["error_second"] - one["error_alone"]).mean() for one in ends]
    found = pair.critical()
    assert found.value == pytest.approx(np.interp(0, gaps[::-1], [1.0, 0.0]))
    # Its error against resampling of the trials.
    random, many = np.random.default_rng(0), len(pair.errors[0.0]["error_second"])
    values = []
    for _ in range(2000):
        chosen = random.integers(many, size=many)
        here, there = ((one["error_second"] - one["error_alone"])[chosen].mean() for one in ends)
        values.append(here / (here - there))
    assert found.standard_error == pytest.approx(np.std(values), rel=0.1)


def test_a_control_that_agrees_makes_no_table():
    measured, expected = continual.planted()
    smooth = measured["part"] == "smooth"
    ideal = measured.copy()
    # Errors whose line crosses at a half.
    ideal.loc[smooth, "error_second"] = ideal["error_alone"] * (1.5 - ideal["similarity"])
    with pytest.raises(DataError, match="the control 'critical similarity"):
        judged(ideal, expected, STAGE)


def test_laziness_is_shown_once_for_each_parametrization():
    table = continual.verdicts()
    rows = table[table["quantity"] == LAZINESS]
    assert rows["setting"].tolist() == ["ntk", "mup", "dynamic"]
    assert set(rows["role"]) == {SHOWN}


def test_what_a_pool_adds_is_shown_without_a_verdict():
    measured, expected = continual.planted()
    more = measured.copy()
    more.loc[more["part"] == "images", "error_alone"] *= 1.02
    for table, value in ((measured, 1.0), (more, 1.02)):
        rows = judged(table, expected, STAGE).set_index("quantity").loc[[POOL]]
        assert rows["setting"].tolist() == ["ntk, N = 4 of 40", "ntk, N = 10 of 40"]
        assert rows["note"].tolist() == ["N/P = 0.1", "N/P = 0.25"]
        assert rows["measured"].tolist() == pytest.approx([value] * 2, rel=0.01)
        assert set(rows["role"]) == {SHOWN}
        assert set(rows["verdict"]) == {""}


def test_what_has_no_expectation_is_told():
    measured, expected = continual.planted()
    with pytest.raises(DataError, match="no expectation of the tasks"):
        judged(measured, expected[expected["part"] != "images"], STAGE)
    with pytest.raises(DataError, match="no expectation at the similarities"):
        judged(measured, expected[expected["similarity"] == 1], STAGE)


def test_the_table_is_read_as_it_was_written(tmp_path):
    write_csv(continual.verdicts(), tmp_path / "verdicts.csv")
    assert len(read_csv(tmp_path / "verdicts.csv", FORM)) == len(continual.verdicts())
