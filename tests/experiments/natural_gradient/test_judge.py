"""Verdicts on planted residuals."""

import numpy as np
import pytest

from dynparam.experiments.natural_gradient.judge import (
    EXPONENT,
    FALLS,
    RATIO,
    SAME,
    index_exponent,
    judged,
)
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, WRONG
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from tests import natural

STAGE = natural.stage()


def verdicts(table, quantity, role=CLAIM, setting=""):
    rows = table[table["quantity"].str.startswith(quantity) & (table["role"] == role)]
    return rows.loc[rows["setting"].str.startswith(setting), "verdict"].tolist()


def test_what_is_as_theory_has_it_agrees_and_controls_do_not():
    table = natural.verdicts()
    assert set(table.loc[table["role"] == CLAIM, "verdict"]) <= set(RIGHT)
    controls = table[table["role"] == CONTROL]
    assert set(controls["verdict"]) <= set(WRONG)
    # Two on both kinds of inputs; mup, spectral and dynamic twice; the exact gradient's multipliers.
    assert len(controls) == 2 * 2 + 3 * 2 + 1


@pytest.mark.parametrize(
    ("off", "exact", "tridiagonal", "kfac"),
    [
        (1.01, "agrees", "agrees", "agrees"),
        (0.96, "disagrees", "agrees", "agrees"),
        (1.07, "disagrees", "disagrees", "agrees"),
        (1.10, "disagrees", "disagrees", "disagrees"),
    ],
)
def test_approximations_have_tolerances_of_their_own(off, exact, tridiagonal, kfac):
    table = judged(natural.planted(off), STAGE)
    rows = table[(table["experiment"] == "gaussian")]
    for setting, expected in (("exact", exact), ("block tridiagonal", tridiagonal), ("K-FAC", kfac)):
        assert verdicts(rows, RATIO, CLAIM, setting) == [expected], setting


def test_only_the_widest_network_is_judged():
    rows = natural.verdicts()
    shown = rows[rows["quantity"].str.startswith(RATIO) & (rows["role"] == "shown")]
    assert sorted({setting.rpartition(" ")[2] for setting in shown["setting"]}) == ["128", "512"]
    assert (shown["measured"] - 1.1).abs().max() < 0.01


def test_errors_are_those_of_distances():
    """Below theory by as much as it was above: the error does not fall."""
    assert set(verdicts(natural.verdicts(), FALLS)) == {"holds"}
    assert set(verdicts(judged(natural.planted(off=0.8), STAGE), FALLS)) == {"fails"}


def test_the_error_of_kfac_alone_is_said_to_fall():
    table = natural.verdicts()
    rows = table[table["quantity"] == FALLS]
    assert len(rows) == 8
    claims = rows.loc[rows["role"] == CLAIM, "setting"]
    assert claims.tolist() == ["K-FAC, M = 128 and 2048", "K-FAC, M = 512 and 2048"]


def test_the_exponent_expected_of_a_lazy_network_decides():
    """n_min grows as the root of n: theory's index falls as n^(-1/4) under ntk, not under dynamic."""
    part = STAGE.natural_gradient.one_step
    found = {name: index_exponent(name, part) for name in part.parametrizations}
    assert found["ntk"] == pytest.approx(-0.25, abs=0.01)
    assert found["dynamic"] == pytest.approx(0.0, abs=0.01)
    assert found["spectral"] == pytest.approx(0.5, abs=0.05)
    table = judged(natural.planted(ntk=-0.1, spectral=-0.1), STAGE)
    assert set(verdicts(table, EXPONENT, CLAIM, "exact, ntk")) == {"fails"}
    assert set(verdicts(table, EXPONENT, CLAIM, "exact, spectral")) == {"fails"}
    assert set(verdicts(table, EXPONENT, CLAIM, "exact, standard")) == {"holds"}


@pytest.mark.parametrize(
    ("changes", "control"),
    [
        ({"descent": 0.7**6}, "gradient descent"),
        ({"unscaled": 0.7**6}, "block diagonal at eta = c"),
        ({"dynamic": -0.4}, "exact, dynamic"),
        ({"mup": -0.4}, "exact, mup"),
    ],
)
def test_a_control_that_agrees_makes_no_table(changes, control):
    with pytest.raises(DataError, match=f"the control .*{control}"):
        judged(natural.planted(**changes), STAGE)


def test_multipliers_that_reach_an_approximation_are_seen():
    trials = natural.planted()
    chosen = (trials["scales"] == "standard") & (trials["method"] == "block_diagonal")
    trials.loc[chosen, "residual"] *= 1 + 1e-6
    assert verdicts(judged(trials, STAGE), SAME) == ["fails"]
    trials = natural.planted()
    exact = (trials["scales"] == "standard") & (trials["method"] == "exact")
    trials.loc[exact, "residual"] /= 1.01
    with pytest.raises(DataError, match="ntk and standard"):
        judged(trials, STAGE)


def test_without_one_of_the_two_there_is_no_such_row():
    few = {"parametrizations": ["ntk", "mup"]}
    trials = natural.planted()
    kept = (trials["part"] != "one_step") | trials["scales"].isin(few["parametrizations"])
    table = judged(trials[kept], natural.stage(one_step=few))
    assert not table["quantity"].eq(SAME).any()


def test_the_table_is_of_its_form(tmp_path):
    write_csv(natural.verdicts(), tmp_path / "verdicts.csv")
    table = read_csv(tmp_path / "verdicts.csv", FORM)
    assert np.isfinite(table["measured"]).all()
