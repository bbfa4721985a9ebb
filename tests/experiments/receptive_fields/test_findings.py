"""What the findings say of receptive fields, from planted values."""

import pytest

from dynparam.experiments.receptive_fields.findings import Found
from dynparam.experiments.receptive_fields.judge import BY_A_BLUR, DISPLACED, RATIO, SAME
from dynparam.statistics.judged import CLAIM, CONTROL
from tests import fields

TABLE = fields.verdicts()
WINDOWS, CORRELATED = "windows, r = 0.1", "correlated weights, l = 1.5"


def changed(column, value, role=CLAIM, **chosen):
    table = TABLE.copy()
    here = table["role"] == role
    for name, wanted in chosen.items():
        here &= table[name] == wanted
    assert here.any()
    table.loc[here, column] = value
    return Found(table)


def test_pairs_have_their_rows():
    found = Found(TABLE)
    assert [one["name"] for one in found.pairs()] == ["airplane-automobile", "bird-cat"]
    for pair in found.pairs():
        expected = {
            "correlated_noise": 0.15 / 0.25,
            "local_noise": 0.3 / 0.25,
            "local_square": 0.76 / 0.8,
            "beside_weighted": 0.76 / 0.82,
            "beside_permuted": 0.76 / 0.79,
            "permuted_square": 0.79 / 0.8,
            "weighted_square": 0.82 / 0.8,
            "correlated_square": 0.9 / 0.8,
        }
        assert set(pair) == {"name", *expected}
        for name, ratio in expected.items():
            assert pair[name]["measured"] == pytest.approx(ratio - 1, abs=0.01)
            assert pair[name]["experiment"] == pair["name"]


def test_the_blur_has_to_hold_on_all_pairs_and_to_be_one():
    assert Found(TABLE).blur_holds()
    noise = {"quantity": DISPLACED["noise"], "experiment": "bird-cat", "setting": CORRELATED}
    assert not changed("verdict", "undecided", **noise).blur_holds()
    assert not changed("verdict", "disagrees", quantity=BY_A_BLUR, experiment="bird-cat").blur_holds()
    same = {"quantity": SAME, "experiment": "bird-cat", "setting": "dense, permuted pixels"}
    assert not changed("verdict", "disagrees", **same).blur_holds()
    square = {"quantity": DISPLACED["square"], "setting": WINDOWS}
    assert changed("verdict", "fails", **square).blur_holds()


def test_on_how_many_pairs_a_claim_holds():
    assert Found(TABLE).held("local_square") == 2
    assert Found(TABLE).held("local_noise") == 0
    square = {"quantity": DISPLACED["square"], "setting": WINDOWS, "experiment": "bird-cat"}
    assert changed("verdict", "undecided", **square).held("local_square") == 1
    assert changed("verdict", "fails", **square).held("local_square") == 1


def test_a_square_is_worse_where_it_surely_is_on_all_pairs():
    assert Found(TABLE).square_is_worse()
    square = {"quantity": DISPLACED["square"], "setting": CORRELATED, "experiment": "bird-cat"}
    assert not changed("ci_low", 0.0, role="shown", **square).square_is_worse()
    assert not changed("ci_low", -0.1, role="shown", **square).square_is_worse()


def test_the_farthest_kernels_are_those_that_should_be_the_same():
    assert Found(TABLE).farthest() == pytest.approx(2e-8, rel=0.05)
    assert changed("measured", 3e-6, quantity=SAME, experiment="bird-cat").farthest() == 3e-6
    assert changed("measured", 5.0, role=CONTROL).farthest() == pytest.approx(2e-8, rel=0.05)


def test_ratios_are_those_over_theory_with_windows():
    rows = Found(TABLE).ratios()
    assert [row["experiment"] for row in rows] == ["airplane-automobile", "bird-cat"]
    assert {row["quantity"] for row in rows} == {RATIO}
    assert [row["measured"] for row in rows] == pytest.approx([1.02, 1.02], rel=0.01)


def test_controls_and_counts():
    assert Found(TABLE).controls_refuted()
    assert not changed("verdict", "undecided", role=CONTROL).controls_refuted()
    assert Found(TABLE).counts() == {"passed": 16, "failed": 2, "undecided": 0, "all": 18}
