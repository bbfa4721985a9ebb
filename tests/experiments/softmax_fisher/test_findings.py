"""What the findings say of softmax, from planted eigenvalues."""

from fractions import Fraction

import numpy as np
import pytest

from dynparam.experiments.softmax_fisher.findings import SPREAD, Found
from dynparam.experiments.softmax_fisher.judge import judged
from dynparam.statistics.judged import CLAIM, CONTROL
from tests import softmax

STAGE = softmax.stage()
TABLE = judged(softmax.planted(), STAGE)


def found(table=TABLE, **changes):
    own = STAGE.softmax_fisher.model_copy(update=changes)
    return Found(own, table)


def changed(verdict, **chosen):
    table = TABLE.copy()
    here = table["role"] == chosen.pop("role", CLAIM)
    for name, value in chosen.items():
        here &= table[name] == value
    assert here.any()
    table.loc[here, "verdict"] = verdict
    return table


def test_spreads_are_those_of_the_widest_network():
    rows = found().spreads(dispersed=True)
    assert [row["name"] for row in rows] == ["ntk", "standard"]
    assert [row["value"] for row in rows] == pytest.approx([4.0, 4.0], rel=0.01)
    assert [row["name"] for row in found().spreads(dispersed=False)] == ["mup", "spectral", "dynamic"]
    assert [row["name"] for row in found(parametrizations=["mup", "ntk"]).spreads(dispersed=True)] == [
        "ntk"
    ]


@pytest.mark.parametrize("setting", ["ntk, n = 1000", "mup, n = 1000"])
@pytest.mark.parametrize("verdict", ["fails", "undecided"])
def test_one_spread_that_is_otherwise_is_enough(setting, verdict):
    assert found().decided_by_size()
    assert not found(changed(verdict, quantity=SPREAD, setting=setting)).decided_by_size()
    narrower = setting.replace("1000", "250")
    assert found(changed(verdict, quantity=SPREAD, setting=narrower)).decided_by_size()


def test_theory_is_asked_for_where_networks_are_wide():
    assert found().theory_holds()
    assert not found(changed("undecided", experiment="gaussian")).theory_holds()
    assert found(changed("disagrees", setting="ntk, n = 250")).theory_holds()
    assert not found(changed("disagrees", setting="ntk, n = 1000")).theory_holds()


def test_controls_are_counted_apart():
    assert found().controls_refuted()
    assert not found(changed("undecided", role=CONTROL)).controls_refuted()
    assert not found(TABLE[TABLE["role"] == CLAIM]).controls_refuted()
    assert found().counts() == {"passed": 35, "failed": 0, "undecided": 0, "all": 35}


def test_what_fails_is_named():
    assert found().surprises() == []
    (told,) = found(changed("fails", quantity=SPREAD, setting="ntk, n = 250")).surprises()
    assert told.startswith(f"{SPREAD}, ntk, n = 250: 4")


def test_numbers_on_gaussian_inputs():
    numbers = found().gaussian()
    assert numbers["outliers"] == pytest.approx(1.0, abs=0.02)
    assert numbers["gap"] == pytest.approx(0.1, abs=0.01)


def test_numbers_are_those_of_their_own_rows():
    """Each row has a number that no other has."""
    table = TABLE.assign(measured=np.arange(len(TABLE), dtype=float))
    claims = table[table["role"] != CONTROL]
    rows = claims[claims["experiment"] == "gaussian"].set_index("quantity")["measured"]
    assert found(table).gaussian() == {
        "outliers": rows["mean over the C - 1 outliers of e / refined"],
        "largest": rows["e_1 / refined"],
        "gap": rows["e_{C+1} / e_C, squared loss"],
        "own_gap": rows["e_C / e_{C-1}, softmax"],
    }
    spreads = claims[claims["quantity"] == SPREAD].set_index("setting")["measured"]
    for dispersed, names in ((True, ["ntk", "standard"]), (False, ["mup", "spectral", "dynamic"])):
        told = {row["name"]: row["value"] for row in found(table).spreads(dispersed=dispersed)}
        assert told == {name: spreads[f"{name}, n = 1000"] for name in names}


def test_dynamic_is_among_those_whose_outputs_stay_where_r_is_zero():
    names = [row["name"] for row in found(r=Fraction(0)).spreads(dispersed=True)]
    assert names == ["ntk", "dynamic", "standard"]


def test_without_spreads_nothing_is_decided():
    assert not found(TABLE[TABLE["quantity"] != SPREAD]).decided_by_size()
