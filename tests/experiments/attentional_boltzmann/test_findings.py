"""What the findings say of attentional Boltzmann machines, from planted measurements."""

import pytest

from dynparam.experiments.attentional_boltzmann.findings import Found
from dynparam.experiments.attentional_boltzmann.judge import EXCESS, EXPONENT, FACTOR, MEAN
from dynparam.statistics.judged import CLAIM, CONTROL
from tests import boltzmann

OWN = boltzmann.stage().attentional_boltzmann
TABLE = boltzmann.verdicts()


def found(table=TABLE):
    return Found(OWN, table)


def changed(column, value, **chosen):
    table = TABLE.copy()
    here = table["role"] == chosen.pop("role", CLAIM)
    for name, wanted in chosen.items():
        here &= table[name] == wanted
    assert here.any()
    table.loc[here, column] = value
    return table


@pytest.mark.parametrize("quantity", [FACTOR, MEAN])
@pytest.mark.parametrize("verdict", ["disagrees", "undecided"])
def test_growth_counts_by_every_row(quantity, verdict):
    assert found().growth_holds()
    one = TABLE[(TABLE["quantity"] == quantity) & (TABLE["role"] == CLAIM)]["setting"].iloc[0]
    assert not found(changed("verdict", verdict, quantity=quantity, setting=one)).growth_holds()


def test_factors_are_those_of_the_fewest_hidden_units():
    rows = found().factors()
    assert [row["eigenvalue"] for row in rows] == [3, 2, 1.2, 1, 0.8, 0.5]
    assert [row["expected"] for row in rows] == [1.05, 1.025, 1.005, 1.0, 0.995, 0.9875]
    assert [row["measured"] for row in rows] == pytest.approx(
        [row["expected"] for row in rows], rel=1e-5
    )
    assert 0 < found().furthest() < 1e-5
    assert found().shifted()["measured"] == pytest.approx(1.05 * 1.1, rel=1e-5)


@pytest.mark.parametrize("kind", ["fixed", "in proportion to K"])
def test_the_rate_decides_by_both_exponents(kind):
    assert found().rate_decides()
    assert found().exponent("fixed")["measured"] == pytest.approx(1.0, abs=0.02)
    assert found().exponent("proportional")["measured"] == pytest.approx(0.0, abs=0.02)
    setting = f"K = 4 to 64, learning rate {kind}"
    assert not found(changed("verdict", "disagrees", quantity=EXPONENT, setting=setting)).rate_decides()


def test_the_excess_loss_is_told_by_samples():
    rows = found().excess()
    assert [row["samples"] for row in rows] == [250, 500, 1000]
    assert [row["expected"] for row in rows] == pytest.approx([0.064, 0.032, 0.016])
    assert [row["measured"] for row in rows] == pytest.approx([0.064, 0.032, 0.016])
    assert [row["overlapping"] for row in rows] == pytest.approx([0.096, 0.048, 0.024])
    assert found().excess_holds()
    setting = "Gaussians apart, n = 500"
    assert not found(changed("verdict", "disagrees", quantity=EXCESS, setting=setting)).excess_holds()


def test_controls_and_surprises_are_told():
    assert found().controls_refuted()
    assert not found(changed("verdict", "undecided", role=CONTROL)).controls_refuted()
    assert found().surprises() == []
    (told, _) = found(changed("verdict", "disagrees", quantity=MEAN)).surprises()
    assert told.startswith(f"{MEAN}, K = 4: ")
    counts = found().counts()
    assert counts["all"] == counts["passed"] == 1 + 2 * 7 + 2 * 5 + 2 + 3
