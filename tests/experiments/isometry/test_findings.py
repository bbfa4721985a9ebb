"""What the findings say of depth, from planted measurements."""

import numpy as np
import pytest

from dynparam.experiments.isometry.findings import GROWTH, IDENTITY, RATE, Found
from dynparam.statistics.judged import CLAIM, CONTROL
from tests import isometry

OWN = isometry.stage().isometry
TABLE = isometry.verdicts()


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


@pytest.mark.parametrize("quantity", [GROWTH, RATE])
@pytest.mark.parametrize("verdict", ["disagrees", "undecided"])
def test_depth_counts_by_both_exponents(quantity, verdict):
    assert found().linear_in_depth()
    assert not found(changed("verdict", verdict, quantity=quantity)).linear_in_depth()


def test_exponents_are_those_of_the_table():
    assert found().growth()["measured"] == pytest.approx(1.0, abs=0.05)
    assert found().rate()["measured"] == pytest.approx(-1.0, abs=0.05)


@pytest.mark.parametrize("quantity", IDENTITY)
def test_the_identity_holds_in_every_network_or_not_at_all(quantity):
    assert found().identity_holds()
    assert found().networks_of_identity() == 60
    one = changed("verdict", "disagrees", quantity=quantity, setting="L = 8, M = 400")
    assert not found(one).identity_holds()


def test_bottlenecks_are_told_by_depth():
    rows = found().bottleneck("dynamic")
    assert [row["depth"] for row in rows] == [2, 4, 6, 8, 10]
    assert [row["expected"] for row in rows] == pytest.approx([1.5, 2.5, 3.5, 4.5, 5.5])
    assert found().opposite()
    setting = "spectral, L = 10, widths 300 and 100"
    assert not found(changed("measured", 2.0, setting=setting)).opposite()
    assert not found(changed("verdict", "disagrees", setting=setting)).opposite()
    assert not found(TABLE[TABLE["experiment"] == "isometry"]).opposite()


def test_controls_are_told_apart():
    assert found().controls_refuted()
    assert found().control() == pytest.approx(12.0, rel=0.02)
    assert not found(changed("verdict", "undecided", role=CONTROL)).controls_refuted()


def test_what_fails_is_named():
    assert found().surprises() == []
    (told,) = found(changed("verdict", "disagrees", quantity=GROWTH)).surprises()
    assert told.startswith(f"{GROWTH}, L = 4 to 64: ")
    counts = found().counts()
    assert counts["all"] == counts["passed"] == 58


def test_numbers_are_those_of_their_own_rows():
    """Each row has numbers that no other has."""
    count = np.arange(len(TABLE), dtype=float)
    table = TABLE.assign(measured=count, expected=count + 0.5, ci_low=count - 1, ci_high=count + 1)
    rows = table.set_index(["quantity", "setting"])
    for told, quantity in ((found(table).growth(), GROWTH), (found(table).rate(), RATE)):
        (row,) = table[table["quantity"] == quantity].to_dict("records")
        assert told == row
    for name in OWN.bottlenecks.parametrizations:
        setting = [f"{name}, L = {depth}, widths 300 and 100" for depth in OWN.bottlenecks.depths]
        mine = [rows.loc[("Theta(x, x)", one)] for one in setting]
        assert found(table).bottleneck(name) == [
            {"depth": depth, "measured": row["measured"], "expected": row["expected"]}
            for depth, row in zip(OWN.bottlenecks.depths, mine, strict=True)
        ]
    control = table[(table["role"] == CONTROL) & table["quantity"].str.startswith("largest")]
    assert found(table).control() == control["measured"].item()


@pytest.mark.parametrize("name", ["dynamic", "spectral"])
@pytest.mark.parametrize("depth", [4, 8])
def test_kernels_that_do_not_go_on_growing_or_falling_are_not_opposite(name, depth):
    """One that is as large as the depth before it, or undecided, is enough; others do not matter."""
    setting = f"{name}, L = {depth}, widths 300 and 100"
    before = TABLE.loc[TABLE["setting"] == setting.replace(f"L = {depth}", f"L = {depth - 2}")]
    equal = changed("measured", before["measured"].item(), setting=setting)
    assert not found(equal).opposite()
    assert not found(changed("verdict", "undecided", setting=setting)).opposite()
    other = changed("verdict", "disagrees", setting=setting.replace(name, "mup"))
    assert found(other).opposite()
