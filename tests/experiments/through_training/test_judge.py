"""Verdicts on planted networks: claims hold, turned networks fail, and controls must not agree."""

from typing import Any

import numpy as np
import pytest

from dynparam.experiments.through_training.judge import (
    CENTRED,
    COSINE,
    CROSSING,
    LESS,
    MOVEMENT,
    OVER,
    PARTICIPATION,
    SEEDS,
    SHARES,
    TRACE,
    TURNED,
    crossing,
    geometric_mean,
    judged,
    mean,
)
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, SHOWN, WRONG
from dynparam.support.errors import DataError
from tests.probed import PLANTED, planted, through_stage, verdicts

ONE: dict[str, Any] = {
    "tasks": ["airplane-automobile"],
    "networks": [{"n": 1000, "n_min": 50, "seeds": 5}],
}
STAGE = through_stage(**ONE)
PLACE = "airplane-automobile, 1000-50"


def row(table, quantity, setting):
    (found,) = table[(table["quantity"] == quantity) & (table["setting"] == setting)].to_dict("records")
    return found


def test_planted_networks_pass_every_claim_and_refute_every_control(tmp_path):
    table = FORM.check(verdicts(), tmp_path / "verdicts.csv")
    assert set(table.loc[table["role"] == CLAIM, "verdict"]) <= set(RIGHT)
    assert set(table.loc[table["role"] == CONTROL, "verdict"]) <= set(WRONG)
    assert {"weights", "kernel", "contributions", "features"} == set(table["experiment"])


def test_every_layer_is_claimed_to_move_less():
    rows = verdicts()[verdicts()["quantity"] == f"{MOVEMENT}, {OVER}"]
    own = rows[rows["setting"].str.startswith(f"{PLACE}, ") & (rows["role"] == CLAIM)]
    assert [one.removeprefix(f"{PLACE}, ") for one in own["setting"]] == [
        "all layers",
        *(f"W^{layer}" for layer in range(1, 7)),
    ]
    expected = PLANTED["dynamic"]["movement"] / PLANTED["spectral"]["movement"]
    assert own["measured"].tolist() == pytest.approx([expected] * 7, rel=0.03)


def test_the_planted_numbers_are_found():
    table = verdicts()
    assert row(table, f"{COSINE}, {LESS}", PLACE)["measured"] == pytest.approx(0.3, abs=0.02)
    assert row(table, f"{CENTRED}, {LESS}", PLACE)["measured"] == pytest.approx(0.3, abs=0.02)
    found = row(table, f"{PARTICIPATION}, {OVER}", f"{PLACE}, h^2")
    assert found["measured"] == pytest.approx(6, rel=0.03)
    assert row(table, f"{TRACE}, {TURNED}", f"{PLACE}, step 0")["measured"] == pytest.approx(
        0.0025, rel=0.03
    )
    assert row(table, f"{TRACE}, {TURNED}", f"{PLACE}, step 640")["measured"] == pytest.approx(
        3, rel=0.03
    )


def test_shares_of_layers_are_those_of_their_sum():
    rows = planted()["airplane-automobile", "1000-50", "dynamic"]
    last = rows[rows["step"] == 640].pivot(index="seed", columns="layer", values="contribution")
    found = row(verdicts(), SHARES["contribution"], f"{PLACE}, dynamic, W^3, step 640")
    assert found["measured"] == pytest.approx((last[3] / last[0]).mean())
    assert {one["role"] for one in verdicts().to_dict("records") if "share" in one["quantity"]} == {
        SHOWN
    }


def test_one_seed_alone_has_no_verdict():
    table = verdicts()
    wide = table[table["setting"].str.contains("10000-500")]
    assert set(wide["role"]) == {SHOWN}
    assert wide["ci_low"].isna().all()
    assert wide["measured"].notna().all()
    found = row(table, f"{MOVEMENT}, {OVER}", "bird-cat, 10000-500, all layers")
    assert found["measured"] == pytest.approx(0.125, rel=0.05)


@pytest.mark.parametrize(
    ("changes", "quantity", "setting"),
    [
        ({"spectral": {"cosine": 0.9}}, f"{COSINE}, {LESS}", PLACE),
        ({"spectral": {"participation": 15.0}}, f"{PARTICIPATION}, {OVER}", f"{PLACE}, h^3"),
        ({"spectral": {"trace": 8.0}}, f"{TRACE}, {TURNED}", f"{PLACE}, step 640"),
    ],
)
def test_a_claim_that_is_wrong_fails(changes, quantity, setting):
    found = row(judged(planted(STAGE, **changes), STAGE), quantity, setting)
    assert (found["role"], found["verdict"]) == (CLAIM, "fails")


def test_values_that_scatter_leave_a_claim_undecided():
    table = judged(planted(STAGE, spectral={"participation": 12.5}, scatter=0.05), STAGE)
    assert row(table, f"{PARTICIPATION}, {OVER}", f"{PLACE}, h^2")["verdict"] == "undecided"


def test_a_network_with_two_seeds_must_not_differ_as_two_networks_do():
    with pytest.raises(DataError, match=f"the control {SEEDS!r} .* holds, held against"):
        judged(planted(STAGE, spectral={"movement": 0.03}, scatter=0.3), STAGE)


def test_spectral_said_to_be_the_lazier_must_be_refuted():
    with pytest.raises(DataError, match=r"spectral said to be the lazier"):
        judged(planted(STAGE, dynamic={"movement": 0.3}), STAGE)


@pytest.mark.parametrize("names", [["ntk", "dynamic"], ["spectral"], ["mup", "standard", "ntk"]])
def test_other_parametrizations_are_shown_alone(names):
    stage = through_stage(**ONE, parametrizations=names)
    table = judged(planted(stage), stage)
    assert set(table["role"]) == {SHOWN}
    assert all(table["setting"].str.contains(name).any() for name in names)


def test_seeds_that_one_network_lacks_are_left_out():
    """A run that diverged has no last look; the others are compared."""
    tables = planted(STAGE)
    key = ("airplane-automobile", "1000-50", "spectral")
    rows = tables[key]
    tables[key] = rows[(rows["seed"] != 0) | (rows["step"] < 300)]
    pairs = judged(tables, STAGE)
    found = row(pairs, f"{MOVEMENT}, {OVER}", f"{PLACE}, all layers")
    assert found["verdict"] == "holds"
    assert (
        found["measured"] != row(verdicts(), f"{MOVEMENT}, {OVER}", f"{PLACE}, all layers")["measured"]
    )


def test_traces_cross_where_the_lines_do():
    found = row(verdicts(), CROSSING, PLACE)
    # ln(spectral) meets ln(dynamic) at this share of ln(641), on lines in ln(step + 1).
    share = np.log(2 / 0.005) / (np.log(2 / 0.005) + np.log(3))
    expected = np.exp(share * np.log(641)) - 1
    assert found["measured"] == pytest.approx(expected, rel=0.05)
    assert found["note"] == "in 5 of 5 seeds"


def test_the_crossing_of_known_lines():
    steps = np.array([0.0, 1, 10, 100])
    lower, upper = np.array([1.0, 1, 2, 64]), np.array([8.0, 8, 8, 8])
    # Between 10 and 100 the ratio goes from 1/4 to 8: a factor of 4 of the 32 is 2/5 of the way.
    assert crossing(upper, lower, steps) == pytest.approx(10 ** (1 + 2 / 5))
    assert np.isnan(crossing(lower, upper, steps))  # ahead from the first look on
    assert np.isnan(crossing(upper, upper / 2, steps))  # never


def test_geometric_means_are_those_of_logarithms():
    values = np.array([0.2, 0.3, 0.25])
    found, logs = geometric_mean(values, 0.95), mean(np.log(values), 0.95)
    assert np.log(found.interval) == pytest.approx(logs.interval)
    alone = geometric_mean(np.array([0.4]), 0.95)
    assert alone.value == pytest.approx(0.4)
    assert np.isnan(alone.ci_low)
