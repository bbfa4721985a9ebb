"""What the findings say of continual learning, from planted errors."""

import pytest

from dynparam.experiments.continual_learning.findings import Found
from dynparam.experiments.continual_learning.judge import AGAIN, CRITICAL
from dynparam.statistics.judged import CLAIM, CONTROL
from tests import continual

OWN = continual.config().continual_learning
TABLE = continual.verdicts()


def changed(verdict, role=CLAIM, **chosen):
    table = TABLE.copy()
    here = table["role"] == role
    for name, value in chosen.items():
        here &= table[name] == value
    assert here.any()
    table.loc[here, "verdict"] = verdict
    return Found(OWN, table)


def test_the_first_kernel_alone_is_listed():
    rows = Found(OWN, TABLE).again()
    assert {row["experiment"] for row in rows} == {"gaussian", "images"}
    assert not any(str(row["setting"]).startswith(("mup", "dynamic")) for row in rows)
    assert {row["word"] for row in rows} == {"transfer", "forgetting"}


def test_it_has_to_go_both_ways():
    assert Found(OWN, TABLE).both_ways()
    assert not changed("fails", quantity=AGAIN, setting="N = 20, 20").both_ways()
    assert changed("undecided", quantity=AGAIN, setting="N = 20, 20").both_ways()
    assert not changed("undecided", quantity=AGAIN).both_ways()


@pytest.mark.parametrize("verdict", ["disagrees", "undecided"])
def test_one_critical_similarity_that_is_otherwise_is_enough(verdict):
    assert Found(OWN, TABLE).critical_holds()
    assert not changed(verdict, quantity=CRITICAL, experiment="images").critical_holds()


def test_errors_are_counted():
    numbers = Found(OWN, TABLE).errors()
    assert numbers["agree"] == numbers["all"] > 10
    assert numbers["farthest"] < 0.01


def test_controls_and_surprises():
    assert Found(OWN, TABLE).controls_refuted()
    assert not changed("undecided", role=CONTROL).controls_refuted()
    assert Found(OWN, TABLE).surprises() == []
    assert changed("fails", quantity=AGAIN, setting="N = 20, 20").surprises()[0].startswith(AGAIN)


def test_what_a_pool_adds_is_told_by_samples():
    whole = Found(continual.CONFIG.continual_learning, continual.whole_verdicts()).pool()
    assert [row["note"] for row in whole] == [f"N/P = {x}" for x in (0.01, 0.025, 0.05, 0.1, 0.2)]
    assert whole[-1]["measured"] == pytest.approx(4, abs=0.6)
    assert whole[-1]["ci_low"] < whole[-1]["measured"] < whole[-1]["ci_high"]


def test_laziness_by_parametrization():
    assert [row["name"] for row in Found(OWN, TABLE).laziness()] == ["ntk", "mup", "dynamic"]
