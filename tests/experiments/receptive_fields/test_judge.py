"""Verdicts on planted values."""

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.receptive_fields import judge
from dynparam.experiments.receptive_fields.judge import DISPLACED, Measured, judged
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, SHOWN
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from tests import fields

STAGE = fields.stage()
SQUARE, NOISE = "displacement_square", "displacement_noise"
EXACT = judged(fields.planted(scatter=0.0), STAGE)


def row(table, quantity, setting, pair=fields.PAIR, role=None):
    rows = table[
        (table["quantity"] == quantity) & (table["setting"] == setting) & (table["experiment"] == pair)
    ]
    rows = rows if role is None else rows[rows["role"] == role]
    (found,) = rows.to_dict("records")
    return found


CHANGES = [
    ("square", "windows, r = 0.1", 0.76 / 0.8, CLAIM),
    ("square", "windows, r = 0.1, beside dense, pixels weighted as by windows", 0.76 / 0.82, CLAIM),
    ("square", "windows, r = 0.1, beside windows on permuted pixels", 0.76 / 0.79, CLAIM),
    ("square", "windows, r = 0.2", 0.76 * 0.99 / 0.8, SHOWN),
    ("square", "windows, r = 0.4", 0.76 * 0.99**2 / 0.8, SHOWN),
    ("square", "dense, pixels weighted as by windows, r = 0.1", 0.82 / 0.8, SHOWN),
    ("square", "dense, pixels weighted as by windows, r = 0.4", 0.82 * 0.99**2 / 0.8, SHOWN),
    ("square", "windows on permuted pixels, r = 0.1", 0.79 / 0.8, SHOWN),
    ("square", "correlated weights, l = 1.5", 0.9 / 0.8, SHOWN),
    ("noise", "correlated weights, l = 1.5", 0.15 / 0.25, CLAIM),
    ("noise", "windows, r = 0.1", 0.3 / 0.25, CLAIM),
    ("noise", "windows, r = 0.2", 0.3 * 0.99 / 0.25, SHOWN),
    ("noise", "dense, pixels weighted as by windows, r = 0.2", 0.26 * 0.99 / 0.25, SHOWN),
    ("noise", "windows on permuted pixels, r = 0.1", 0.255 / 0.25, SHOWN),
]


@pytest.mark.parametrize(("what", "setting", "ratio", "role"), CHANGES)
def test_changes_are_relative_and_their_claims_are_below_zero(what, setting, ratio, role):
    for pair in ("airplane-automobile", "bird-cat"):
        found = row(EXACT, DISPLACED[what], setting, pair)
        assert found["measured"] == pytest.approx(ratio - 1)
        assert found["role"] == role
        expected = "" if role == SHOWN else "holds" if ratio < 1 else "fails"
        assert found["verdict"] == expected
        assert np.isnan(found["accepted_low"])
        assert (found["accepted_high"] == 0) == (role == CLAIM)


def test_there_are_no_other_changes_of_displacements():
    noise, square = (EXACT[EXACT["quantity"] == DISPLACED[name]] for name in ("noise", "square"))
    assert len(noise) == 2 * (2 + 1 + 3 + 2)
    assert len(square) == 2 * (3 + 1 + 1 + 3 + 2)


@pytest.mark.parametrize(
    ("name", "kind", "what", "setting", "value", "verdict"),
    [
        (NOISE, "correlated", "noise", "correlated weights, l = 1.5", 0.3, "fails"),
        (NOISE, "local", "noise", "windows, r = 0.1", 0.2, "holds"),
        (NOISE, "local", "noise", "windows, r = 0.1", 0.25, "undecided"),
        (SQUARE, "local", "square", "windows, r = 0.1", 0.8, "undecided"),
        (SQUARE, "local", "square", "windows, r = 0.1", 0.85, "fails"),
        (
            SQUARE,
            "weighted",
            "square",
            "windows, r = 0.1, beside dense, pixels weighted as by windows",
            0.7,
            "fails",
        ),
        (
            SQUARE,
            "permuted",
            "square",
            "windows, r = 0.1, beside windows on permuted pixels",
            0.7,
            "fails",
        ),
    ],
)
def test_claims_may_fail(name, kind, what, setting, value, verdict):
    table = judged(fields.planted({(kind, name): value}), STAGE)
    assert row(table, DISPLACED[what], setting)["verdict"] == verdict


def test_intervals_are_student_s_over_trials():
    planted = fields.planted()
    table = planted[fields.PAIR].set_index(["kind", "at", "quantity", "trial"])["value"].sort_index()
    ratios = (table.loc["local", 0.1, SQUARE] / table.loc["dense", 0.0, SQUARE]).to_numpy() - 1
    found = row(judged(planted, STAGE), DISPLACED["square"], "windows, r = 0.1")
    assert len(ratios) == 7
    reach = 2.446912 * ratios.std(ddof=1) / np.sqrt(7)  # Student's t, 6 degrees of freedom
    assert found["measured"] == pytest.approx(ratios.mean())
    assert found["ci_high"] - found["ci_low"] == pytest.approx(2 * reach, rel=1e-5)


def test_trials_are_paired_by_number_and_not_by_order():
    planted = fields.planted()
    shuffled = {
        pair: one.sample(frac=1, random_state=3).reset_index(drop=True) for pair, one in planted.items()
    }
    pd.testing.assert_frame_equal(judged(shuffled, STAGE), judged(planted, STAGE))


IDENTITIES = [
    (("correlated", "apart_from_blurred"), "correlated weights, blurred images, l = 1.5", CLAIM),
    (("correlated", "apart_from_dense"), "correlated weights, sharp images, l = 1.5", CONTROL),
    (("dense", "apart_from_permuted"), "dense, permuted pixels", CLAIM),
    (("local", "apart_from_permuted"), "windows, permuted pixels, r = 0.1", CONTROL),
]


@pytest.mark.parametrize(("key", "setting", "role"), IDENTITIES)
def test_kernels_that_are_the_same_agree_and_controls_do_not(key, setting, role):
    found = row(EXACT, judge.SAME, setting)
    assert found["role"] == role
    assert found["expected"] == 0
    assert found["accepted_high"] == 1e-5
    assert found["measured"] == pytest.approx(fields.APART[key])
    assert found["verdict"] == ("agrees" if role == CLAIM else "disagrees")
    assert bool(found["note"]) == (role == CONTROL)


@pytest.mark.parametrize("key", [key for key, _, role in IDENTITIES if role == CONTROL])
def test_a_control_that_agrees_makes_no_table(key):
    with pytest.raises(DataError, match="the control 'largest distance of two kernels, relative'"):
        judged(fields.planted({key: 1e-7}), STAGE)


@pytest.mark.parametrize(("key", "setting", "role"), IDENTITIES)
def test_one_draw_that_is_otherwise_is_enough(key, setting, role):
    planted = fields.planted(scatter=0.0)
    table = planted[fields.PAIR]
    chosen = (table["kind"] == key[0]) & (table["quantity"] == key[1]) & (table["trial"] == 3)
    table.loc[chosen, "value"] = 1e-3 if role == CLAIM else 1e-4
    assert (
        row(judged(planted, STAGE), judge.SAME, setting)["measured"] == table.loc[chosen, "value"].item()
    )


def test_a_blur_explains_all_or_not():
    found = row(EXACT, judge.BY_A_BLUR, "l = 1.5")
    assert (found["expected"], found["accepted_low"], found["accepted_high"]) == (0, -1e-5, 1e-5)
    assert found["measured"] == pytest.approx(0, abs=1e-12)
    assert found["verdict"] == "agrees"
    for value in (0.1501, 0.1499):
        table = judged(fields.planted({("blurred", NOISE): value}), STAGE)
        found = row(table, judge.BY_A_BLUR, "l = 1.5")
        assert found["verdict"] == "disagrees"
        assert found["measured"] == pytest.approx(0.0001 / 0.15, rel=0.02)


@pytest.mark.parametrize(
    ("value", "verdict"), [(1.05, "agrees"), (1.1, "undecided"), (0.8, "disagrees")]
)
def test_drawn_networks_have_their_tolerance(value, verdict):
    table = judged(fields.planted({("local", "drawn_over_local"): value}), STAGE)
    found = row(table, judge.RATIO, "windows, r = 0.1")
    assert found["verdict"] == verdict
    assert found["measured"] == pytest.approx(value, rel=0.01)
    shown = row(table, judge.RATIO, "windows, r = 0.1, over dense")
    assert (shown["role"], shown["verdict"]) == (SHOWN, "")
    assert shown["measured"] == pytest.approx(1.12, rel=0.01)


def test_accuracies_are_shown_beside_the_dense_network_s():
    for setting, expected in (("windows, r = 0.1", 0.02), ("correlated weights, l = 1.5", -0.01)):
        found = row(EXACT, judge.ACCURATE, setting)
        # Seven differences of two numbers with a deviation of 0.01 each: 0.0053, three times.
        assert found["measured"] == pytest.approx(expected, abs=0.016)
        assert (found["role"], found["verdict"]) == (SHOWN, "")


def test_values_are_those_of_the_kind_the_radius_and_the_quantity():
    found = Measured(fields.PAIR, fields.planted(scatter=0.0)[fields.PAIR], 0.95)
    ratio = found.values("local", 0.2, NOISE) / found.values("local", 0.1, NOISE)
    np.testing.assert_allclose(ratio, 0.99)
    assert len(found.values("local", 0.3, NOISE)) == 0


def test_all_pairs_in_their_order_and_what_is_as_planted_is_right_but_for_noise():
    table = fields.verdicts()
    assert table["experiment"].drop_duplicates().tolist() == ["airplane-automobile", "bird-cat"]
    wrong = table[(table["role"] == CLAIM) & ~table["verdict"].isin(RIGHT)]
    assert set(zip(wrong["quantity"], wrong["setting"], strict=True)) == {
        (DISPLACED["noise"], "windows, r = 0.1")
    }


def test_the_table_is_read_as_it_was_written(tmp_path):
    write_csv(fields.verdicts(), tmp_path / "verdicts.csv")
    assert len(read_csv(tmp_path / "verdicts.csv", FORM)) == len(fields.verdicts())


@pytest.mark.parametrize("more", [1, -3])
def test_the_farther_end_of_the_blur_s_interval_counts(more):
    planted = fields.planted(scatter=0.0)
    table = planted[fields.PAIR]
    mine = (table["kind"] == "blurred") & (table["quantity"] == NOISE)
    table.loc[mine, "value"] *= 1 + 1e-3 * (table.loc[mine, "trial"] % 2 + more)
    change = Measured(fields.PAIR, table, 0.95).change("correlated", 1.5, "noise", "blurred")
    assert (change.value < 0) == (more > 0)
    farther = -change.ci_low if more > 0 else change.ci_high
    assert row(judged(planted, STAGE), judge.BY_A_BLUR, "l = 1.5")["measured"] == farther


def test_rows_have_their_order():
    rows = EXACT[(EXACT["experiment"] == fields.PAIR) & (EXACT["role"] != SHOWN)]
    assert rows["setting"].tolist() == [
        "correlated weights, blurred images, l = 1.5",
        "correlated weights, sharp images, l = 1.5",
        "dense, permuted pixels",
        "windows, permuted pixels, r = 0.1",
        "windows, r = 0.1",
        "correlated weights, l = 1.5",
        "l = 1.5",
        "windows, r = 0.1",
        "windows, r = 0.1",
        "windows, r = 0.1, beside dense, pixels weighted as by windows",
        "windows, r = 0.1, beside windows on permuted pixels",
    ]
