"""Verdicts on planted measurements of repeated inference."""

import numpy as np
import pytest

from dynparam.experiments.concept_retrieval.judge import (
    LEAST,
    LEAVES,
    MAP,
    NEAR,
    PAIRED,
    RATES,
    RISE,
    SHARE,
    TIME,
    UNITS,
    WORST,
    judged,
)
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, SHOWN, WRONG
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from tests import concepts

TRIALS = concepts.trials()
CLUSTERS, GAUSSIAN = "trained on clusters", "trained on one Gaussian"


def row(table, quantity, setting, role=CLAIM):
    rows = table[
        (table["quantity"] == quantity) & (table["setting"] == setting) & (table["role"] == role)
    ]
    (found,) = rows.to_dict("records")
    return found


def changed(where, value, column="value"):
    table = concepts.planted().copy()
    rows = table.query(where).index
    assert len(rows)
    table.loc[rows, column] = value(table.loc[rows, column])
    return judged(table, TRIALS)


def failing(table):
    """The claims that do not come out right, as (quantity, setting)."""
    rows = table[(table["role"] == CLAIM) & ~table["verdict"].isin(RIGHT)]
    return set(zip(rows["quantity"], rows["setting"], strict=True))


def test_what_is_as_theory_has_it_agrees_and_controls_do_not():
    table = concepts.verdicts()
    assert failing(table) == set()
    controls = table[table["role"] == CONTROL]
    assert set(controls["verdict"]) <= set(WRONG)
    assert len(controls) == 4 * 2 + 1
    assert table.loc[table["role"] == SHOWN, "verdict"].eq("").all()


def test_every_width_has_its_rows():
    table = concepts.verdicts()
    linear = table[table["experiment"] == "linear"]
    per_width = [RATES, RATES, MAP, UNITS, SHARE, TIME, LEAST, RISE, RISE, RISE]
    assert linear["quantity"].tolist() == 4 * per_width
    assert linear["setting"].unique().tolist() == [
        name for k in (4, 8, 20, 30) for name in (f"k = {k}", f"k = {k}, wrong concept")
    ]
    nonlinear = table[table["experiment"] == "nonlinear"]
    assert nonlinear["quantity"].tolist() == [
        LEAST, WORST, NEAR, NEAR, NEAR, LEAVES, PAIRED, LEAST, LEAVES
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "expected", "measured", "low", "high"),
    [
        (RATES, 0.0, 0.0022, -0.01, 0.01),
        (MAP, 0.0, 0.0052, -0.02, 0.02),
        (UNITS, 19.0, 19.0, 18.5, 19.5),
        (TIME, 3.0, 3.0, 2.5, 3.5),
        (LEAST, 0.3, 0.3, 0.295, 0.305),
        (RISE, 1.0, 1.0, 0.98, 1.02),
    ],
)
def test_linear_rows_have_their_numbers(quantity, expected, measured, low, high):
    found = row(concepts.verdicts(), quantity, "k = 30")
    assert found["expected"] == pytest.approx(expected)
    assert found["measured"] == pytest.approx(measured, abs=6e-4)
    assert (found["accepted_low"], found["accepted_high"]) == pytest.approx((low, high))
    assert found["verdict"] == "agrees"


def test_notes_and_shares_are_told():
    table = concepts.verdicts()
    assert row(table, RISE, "k = 4")["note"] == "theory 2"
    assert row(table, RISE, "k = 4, wrong concept")["note"] == "theory 1"
    assert row(table, UNITS, "k = 4")["expected"] == 4
    assert row(table, SHARE, "k = 4", SHOWN)["measured"] == pytest.approx(0.9)
    assert row(table, SHARE, "k = 8", SHOWN)["measured"] == 1.0
    assert row(table, SHARE, "k = 8", SHOWN)["expected"] == 1.0


def test_controls_have_what_they_are_held_against():
    table = concepts.verdicts()
    whole = row(table, RATES, "k = 4", CONTROL)
    assert whole["measured"] == pytest.approx(0.5 / 6, abs=0.003)  # the fourth eigenvalue is 6
    assert (whole["accepted_low"], whole["accepted_high"]) == pytest.approx((-0.01, 0.01))
    assert row(table, RATES, "k = 30", CONTROL)["measured"] == pytest.approx(1.0, abs=0.003)
    wrong = row(table, RISE, "k = 8", CONTROL)
    assert wrong["measured"] == pytest.approx(0.5, abs=1e-3)  # 1 over the own one's 2
    near = row(table, NEAR, CLUSTERS, CONTROL)
    assert near["measured"] == pytest.approx(12 * 0.8 / 4)
    assert (near["expected"], near["accepted_high"], near["verdict"]) == (1.0, 1.0, "fails")


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        ("latent == 8 and quantity == 'rate' and at == 8", lambda v: v - 0.02, RATES),
        ("latent == 8 and quantity == 'rate' and at == 2", lambda v: v + 0.02, RATES),
        ("latent == 8 and quantity == 'map'", lambda v: 6 * v, MAP),
        ("latent == 8 and quantity == 'active'", lambda v: v + 1, UNITS),
        ("latent == 8 and quantity == 'active'", lambda v: v - 1, UNITS),
        ("latent == 8 and quantity == 'own' and at == 3", lambda v: 0.97 * v, LEAST),
        ("latent == 8 and quantity == 'own' and at == 40", lambda v: 1.03 * v, RISE),
        ("latent == 8 and quantity == 'own' and at == 40", lambda v: 0.97 * v, RISE),
    ],
)
def test_one_thing_off_is_told_of_its_width(where, value, told):
    table = changed(f"part == 'linear' and {where}", value)
    assert (told, "k = 8") in failing(table)
    assert {setting for _, setting in failing(table)} == {"k = 8"}
    assert row(table, told, "k = 8")["verdict"] == "disagrees"


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("quantity == 'rate' and at == 2", lambda v: v + 0.004),
        ("quantity == 'map'", lambda v: 3 * v),
        ("quantity == 'own' and at == 3", lambda v: 0.995 * v),
        ("quantity == 'own' and at == 40", lambda v: 1.015 * v),
        ("quantity == 'wrong' and at == 40", lambda v: 0.99 * v),
    ],
)
def test_what_is_off_within_tolerance_agrees(where, value):
    assert failing(changed(f"part == 'linear' and {where}", value)) == set()


def test_a_least_distance_elsewhere_is_told():
    table = changed(
        "part == 'linear' and latent == 20 and quantity == 'own' and at == 4", lambda v: 0.95 * v
    )
    found = row(table, TIME, "k = 20")
    assert (found["measured"], found["verdict"]) == (4.0, "disagrees")


def test_a_wrong_concept_that_is_left_is_told():
    table = changed(
        "part == 'linear' and latent == 4 and quantity == 'wrong' and at == 40", lambda v: 1.5 * v
    )
    assert failing(table) == {(RISE, "k = 4, wrong concept")}


def test_expectations_may_differ_from_trial_to_trial():
    """Modes in use of 18 and 19: only errors scatter."""
    table = concepts.planted().copy()
    here = table.query("quantity == 'active' and latent >= 20 and trial >= 3").index
    table.loc[here, ["value", "expected"]] = 18.0
    found = row(judged(table, TRIALS), UNITS, "k = 20")
    assert found["expected"] == found["measured"] == found["ci_low"] == pytest.approx(18.6)
    assert found["verdict"] == "agrees"


def test_nonlinear_rows_have_their_numbers():
    table = concepts.verdicts()
    least = row(table, LEAST, CLUSTERS)
    assert least["measured"] == pytest.approx(0.257)  # 0.25 to 0.264
    assert (least["expected"], least["accepted_high"]) == (0.5, 0.5)
    assert np.isnan(least["accepted_low"])
    assert least["note"] == "after 4 to 5 inferences"
    worst = row(table, WORST, CLUSTERS)
    assert worst["measured"] == worst["ci_low"] == worst["ci_high"] == pytest.approx(0.264)
    assert (worst["accepted_high"], worst["note"]) == (0.5, "of 8")
    near = row(table, NEAR, CLUSTERS)
    assert (near["measured"], near["accepted_high"]) == pytest.approx((8 * 0.257 / 4, 1.0))
    leaves = row(table, LEAVES, CLUSTERS)
    ratios = [2.5 * (1 + 0.1 * trial) / (0.25 + 0.002 * trial) for trial in range(8)]
    assert leaves["measured"] == pytest.approx(np.log(ratios).mean())
    assert (leaves["accepted_low"], leaves["expected"]) == (0.0, 0.0)
    assert np.isnan(leaves["accepted_high"])
    assert leaves["note"] == f"distances: 10 to {ratios[-1]:.4g} times the least"
    paired = row(table, PAIRED, CLUSTERS)
    assert paired["measured"] == pytest.approx(-0.15)  # by the same in every trial
    assert paired["ci_high"] == pytest.approx(-0.15)
    assert paired["accepted_high"] == 0.0
    assert row(table, LEAST, GAUSSIAN, SHOWN)["measured"] == pytest.approx(0.407)
    assert row(table, LEAST, GAUSSIAN, SHOWN)["expected"] == 0.5
    assert row(table, NEAR, GAUSSIAN, SHOWN)["measured"] == pytest.approx(8 * 0.407 / 4)
    shapes = [0.8 * (1 + 0.1 * trial) / (0.4 + 0.002 * trial) for trial in range(8)]
    assert row(table, LEAVES, GAUSSIAN, SHOWN)["measured"] == pytest.approx(np.log(shapes).mean())


def test_one_autoencoder_that_does_not_approach_is_told():
    table = changed(
        "part == 'nonlinear' and kind == 'clusters' and trial == 5 and quantity == 'own' and at > 0",
        lambda v: 2.5 * v,
    )
    assert row(table, WORST, CLUSTERS)["verdict"] == "fails"
    assert row(table, LEAST, CLUSTERS)["verdict"] == "holds"
    everywhere = changed(
        "part == 'nonlinear' and kind == 'clusters' and quantity == 'own' and at > 0", lambda v: 2.5 * v
    )
    assert row(everywhere, LEAST, CLUSTERS)["verdict"] == "fails"


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        ("kind == 'clusters' and quantity == 'radius'", lambda v: v / 2.5, NEAR),
        ("kind == 'clusters' and quantity == 'own' and at == 40", lambda v: v / 100, LEAVES),
        ("kind == 'gaussian' and quantity == 'own' and at > 0", lambda v: v / 2, PAIRED),
    ],
)
def test_claims_of_nonlinear_autoencoders_can_fail(where, value, told):
    table = changed(f"part == 'nonlinear' and {where}", value)
    found = row(table, told, CLUSTERS)
    assert found["verdict"] in ("fails", "undecided")
    assert (told, CLUSTERS) in failing(table)


@pytest.mark.parametrize(
    ("where", "value", "control"),
    [
        (
            "part == 'linear' and latent == 8 and quantity == 'rate' and at <= 8",
            lambda v: 0 * v + 1,
            RATES,
        ),
        ("part == 'linear' and quantity == 'wrong' and at == 40", lambda v: 2 * v, RISE),
        ("kind == 'clusters' and quantity == 'wrong' and part == 'nonlinear'", lambda v: v / 4, NEAR),
    ],
)
def test_a_control_that_agrees_makes_no_table(where, value, control):
    with pytest.raises(DataError, match=f"the control '{control}'"):
        changed(where, value)


def test_a_control_that_theory_cannot_tell_apart_is_left_out():
    """Modes of eigenvalues far above s^2 are kept whole; distances that do not rise from the own one."""
    table = concepts.planted().copy()
    rates = table.query("part == 'linear' and latent == 4 and quantity == 'rate'").index
    whole = (table.loc[rates, "at"] <= 4).astype(float) * 0.985
    table.loc[rates, "expected"] = whole
    table.loc[rates, "value"] = whole
    flat = table.query("part == 'linear' and latent == 20 and quantity == 'own' and at >= 3").index
    for column in ("value", "expected"):
        start = table.query("part == 'linear' and latent == 20 and quantity == 'own' and at == 0")
        least = start.set_index("trial")[column] * 0.3
        here = table.loc[flat]
        table.loc[flat, column] = here["trial"].map(least) * (1 + 5e-4 * (here["at"] - 3))
    found = judged(table, TRIALS)
    controls = found[found["role"] == CONTROL]
    kept = set(zip(controls["quantity"], controls["setting"], strict=True))
    assert (RATES, "k = 4") not in kept
    assert (RISE, "k = 20") not in kept
    assert len(kept) == 4 * 2 + 1 - 2


def test_the_table_is_read_as_it_was_written(tmp_path):
    write_csv(concepts.verdicts(), tmp_path / "verdicts.csv")
    table = read_csv(tmp_path / "verdicts.csv", FORM)
    assert len(table) == 4 * 10 + 9
    assert np.isfinite(table["measured"]).all()
