"""What the findings say of fluctuations, from planted measurements."""

import numpy as np
import pytest

from dynparam.experiments.fluctuations.findings import Found
from dynparam.experiments.fluctuations.judge import (
    ALIKE,
    DEAD,
    FALL,
    GROWS,
    LOSS,
    MEDIAN,
    OWN,
    TYPICAL,
    VARIATION,
)
from dynparam.statistics.judged import CLAIM, CONTROL, SHOWN
from tests import fluctuating

SETTINGS = fluctuating.stage().fluctuations
TABLE = fluctuating.verdicts()


def found(table=TABLE):
    return Found(SETTINGS, table)


def changed(column, value, role=CLAIM, **chosen):
    table = TABLE.copy()
    here = table["role"] == role
    for name, wanted in chosen.items():
        here &= table[name] == wanted
    assert here.any()
    table.loc[here, column] = value
    return table


@pytest.mark.parametrize("quantity", [ALIKE, GROWS])
@pytest.mark.parametrize("verdict", ["disagrees", "undecided"])
def test_the_curve_counts_by_every_row(quantity, verdict):
    assert found().on_one_curve()
    one = TABLE[TABLE["quantity"] == quantity]["setting"].iloc[0]
    assert not found(changed("verdict", verdict, quantity=quantity, setting=one)).on_one_curve()


@pytest.mark.parametrize("quantity", [VARIATION, MEDIAN, DEAD])
def test_what_differs_is_told_and_what_is_undecided_is_not(quantity):
    assert found().none_off()
    assert found(changed("verdict", "undecided", quantity=quantity)).none_off()
    one = TABLE[TABLE["quantity"] == quantity]["setting"].iloc[0]
    assert not found(changed("verdict", "disagrees", quantity=quantity, setting=one)).none_off()


def test_widths_have_variation_and_median():
    rows = found().by_width()
    assert [row["n_min"] for row in rows] == list(SETTINGS.n_min)
    assert rows[-1]["variation"]["expected"] == pytest.approx(0.1175, abs=1e-4)
    assert rows[2]["median"]["expected"] == pytest.approx(0.642, abs=1e-3)
    assert rows[2]["median"]["measured"] == pytest.approx(0.642, abs=0.06)


def test_the_typical_width_has_the_median_beside_it():
    rows = found().typical()
    assert [row["n_min"] for row in rows] == [31, 82, 135, 189, 244, 301]
    assert [row["next"] for row in rows] == [50, 100, 150, 200, 500, 500]
    assert all(row["median"]["expected"] >= 0.95 for row in rows)
    assert found().typical_of_main()["n_min"] == 82
    none = found(changed("expected", np.nan, role=SHOWN, quantity=TYPICAL)).typical_of_main()
    assert (none["n_min"], none["next"], none["median"]) == (None, None, None)
    far = found(changed("expected", 3000.0, role=SHOWN, quantity=TYPICAL)).typical_of_main()
    assert (far["n_min"], far["next"], far["median"]) == (3000, None, None)


def test_ratios_and_dead_networks_are_quoted():
    low, high = found().ratios()
    assert 0.9 < low < 1 < high < 1.1
    assert found().dead()["expected"] == pytest.approx(0.0615, abs=1e-4)
    assert found(TABLE[TABLE["quantity"] != DEAD]).dead() is None
    rows = TABLE[(TABLE["quantity"] == VARIATION) & (TABLE["verdict"] == "undecided")]
    heavy = rows["note"].str.contains("tail too heavy")
    assert found().undecided_variations() == {"all": len(rows), "heavy": heavy.sum()}
    assert 0 < heavy.sum() <= len(rows)


def test_contributions_are_told_apart():
    rows = {row["name"]: row for row in found().contributions()}
    assert rows["ntk"]["own"]["expected"] == pytest.approx(0.9835, abs=1e-3)
    assert rows["spectral"]["alignment"]["expected"] == pytest.approx(0.1175, abs=1e-3)
    assert found().apart() == ["ntk", "standard"]
    assert found().contributions_as_expected()
    off = changed("verdict", "disagrees", quantity=OWN)
    assert not found(off).contributions_as_expected()


def test_seeds_are_told_by_their_intervals():
    assert found().shrinking() == ["airplane-automobile, spectral", "bird-cat, spectral"]
    assert found().falls_spread()
    assert not found(changed("ci_low", -0.1, role=SHOWN, quantity=FALL)).falls_spread()
    assert not found(TABLE[TABLE["quantity"] != FALL]).falls_spread()
    assert len(found().seeds("loss")) == 4
    assert found(changed("ci_high", 0.1, quantity=LOSS)).shrinking() == []


def test_controls_are_told():
    assert found().controls_refuted()
    assert not found(changed("verdict", "undecided", role=CONTROL)).controls_refuted()
