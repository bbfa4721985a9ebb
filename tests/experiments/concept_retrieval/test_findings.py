"""What the findings say of repeated inference, from planted measurements."""

import numpy as np
import pytest

from dynparam.experiments.concept_retrieval.findings import Found
from dynparam.experiments.concept_retrieval.judge import (
    LEAST,
    LEAVES,
    MAP,
    NEAR,
    PAIRED,
    RATES,
    RISE,
    TIME,
    UNITS,
    WORST,
)
from dynparam.statistics.judged import CLAIM, CONTROL
from tests import concepts

OWN = concepts.trials().concept_retrieval
TABLE = concepts.verdicts()


def found(table=TABLE):
    return Found(OWN, table)


def changed(column, value, role=CLAIM, **chosen):
    table = TABLE.copy()
    here = table["role"] == role
    for name, wanted in chosen.items():
        here &= table[name] == wanted
    assert here.any()
    table.loc[here, column] = value
    return found(table)


ASKED = ("linear_holds", "approaches", "leaves", "needs_clusters")


@pytest.mark.parametrize("verdict", ["disagrees", "undecided"])
@pytest.mark.parametrize(
    ("experiment", "quantity", "asked"),
    [
        *(("linear", quantity, "linear_holds") for quantity in (RATES, MAP, UNITS, TIME, LEAST, RISE)),
        *(("nonlinear", quantity, "approaches") for quantity in (LEAST, WORST, NEAR)),
        ("nonlinear", LEAVES, "leaves"),
        ("nonlinear", PAIRED, "needs_clusters"),
    ],
)
def test_every_row_counts_for_its_own_sentence(verdict, experiment, quantity, asked):
    assert all(getattr(found(), one)() for one in ASKED)
    rows = TABLE[(TABLE["experiment"] == experiment) & (TABLE["quantity"] == quantity)]
    setting = rows.loc[rows["role"] == CLAIM, "setting"].iloc[-1]
    other = changed("verdict", verdict, experiment=experiment, quantity=quantity, setting=setting)
    assert [one for one in ASKED if not getattr(other, one)()] == [asked]


def test_widths_have_times_distances_and_shares():
    rows = found().widths()
    assert [row["latent"] for row in rows] == [4, 8, 20, 30]
    assert [row["time"]["measured"] for row in rows] == [3.0] * 4
    assert [row["time"]["expected"] for row in rows] == [3.0] * 4
    assert [row["least"]["expected"] for row in rows] == pytest.approx([0.3] * 4)
    assert [row["share"]["measured"] for row in rows] == pytest.approx([0.9, 1.0, 1.0, 1.0])
    other = changed("measured", 0.31, quantity=LEAST, setting="k = 8").widths()
    assert [row["least"]["measured"] for row in other] == pytest.approx([0.3, 0.31, 0.3, 0.3], abs=1e-3)


def test_numbers_of_linear_autoencoders():
    assert 0.001 < found().largest_error() < 0.004
    assert changed("measured", 0.7, quantity=RATES, setting="k = 4").largest_error() == 0.7
    assert changed("measured", 0.7, CONTROL, quantity=RATES).largest_error() < 0.004
    assert found().rises() == (2.0, 2.0)
    assert changed("note", "theory 2.5", quantity=RISE, setting="k = 8").rises() == (2.0, 2.5)
    assert changed("note", "theory 9", quantity=RISE, setting="k = 8, wrong concept").rises() == (
        2.0,
        2.0,
    )


def test_numbers_of_nonlinear_autoencoders():
    own = found()
    assert own.least("clusters")["measured"] == pytest.approx(0.257)
    assert own.least("gaussian")["measured"] == pytest.approx(0.407)
    assert own.near("clusters")["measured"] == pytest.approx(0.514)
    assert own.near("gaussian")["measured"] == pytest.approx(0.814)
    assert own.near("wrong")["measured"] == pytest.approx(2.4)
    assert own.paired()["measured"] == pytest.approx(-0.15)
    ratios = [2.5 * (1 + 0.1 * trial) / (0.25 + 0.002 * trial) for trial in range(8)]
    growth = own.growth("clusters")
    assert growth["measured"] == pytest.approx(np.exp(np.log(ratios).mean()))
    assert min(ratios) < growth["ci_low"] < growth["measured"] < growth["ci_high"] < max(ratios)
    shapes = [0.8 * (1 + 0.1 * trial) / (0.4 + 0.002 * trial) for trial in range(8)]
    assert own.growth("gaussian")["measured"] == pytest.approx(np.exp(np.log(shapes).mean()))
    assert own.farthest() == f"10 to {ratios[-1]:.4g} times the least"


def test_controls_surprises_and_counts_are_told():
    assert found().controls_refuted()
    assert not changed("verdict", "undecided", CONTROL, quantity=NEAR).controls_refuted()
    assert found().surprises() == []
    (told,) = changed("verdict", "fails", quantity=LEAVES).surprises()
    assert told.startswith(f"{LEAVES}, trained on clusters: ")
    counts = found().counts()
    assert counts["all"] == counts["passed"] == 4 * 7 + 5
