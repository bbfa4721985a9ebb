"""Verdicts on planted fluctuations: agreement, what is off, and controls that must fail."""

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.fluctuations.judge import (
    ALIGNMENT,
    ALIKE,
    DEAD,
    FALL,
    GROWS,
    LOSS,
    MEDIAN,
    OWN,
    TYPICAL,
    VARIATION,
    Measured,
    judged,
    pooled_spreads,
)
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, SHOWN, WRONG
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.fluctuations import LINEAR, variation
from tests import fluctuating

CHANGES = {"n_min": [5, 20, 50, 200], "bottlenecks": [1, 2, 4], "trials": 400}
STAGE = fluctuating.stage(**CHANGES)
OWN_SETTINGS = STAGE.fluctuations
TRIALS = fluctuating.planted(OWN_SETTINGS)
SPREAD = fluctuating.planted_spread(0.25)


def table(trials=TRIALS, spread=SPREAD, stage=STAGE):
    return judged(trials, spread, stage)


@pytest.fixture(scope="module")
def made():
    return table()


def rows(found, quantity, role=CLAIM):
    chosen = found[(found["quantity"] == quantity) & (found["role"] == role)]
    assert len(chosen)
    return chosen


def changed(where, column, value):
    trials = TRIALS.copy()
    here = trials.query(where).index
    assert len(here)
    trials.loc[here, column] = value(trials.loc[here, column])
    return trials


def test_what_has_the_law_is_not_refuted_and_controls_are(made):
    """Numbers drawn from the law: of some 60 intervals of 95 % none lies outside by a tolerance."""
    for quantity in (VARIATION, ALIKE, GROWS, DEAD, MEDIAN, OWN):
        assert not set(rows(made, quantity)["verdict"]) & set(WRONG), quantity
    for quantity in (GROWS, DEAD):
        assert set(rows(made, quantity)["verdict"]) <= set(RIGHT), quantity
    controls = made[made["role"] == CONTROL]
    assert set(controls["verdict"]) <= set(WRONG)
    # Linear network and readout at each number of bottlenecks, the narrowest layer from two on;
    # contributions under ntk, standard and dynamic do not vary as the layer does, the last just so.
    assert len(rows(made, VARIATION, CONTROL)) == 3 * 2 + 2
    assert {one.partition(",")[0] for one in rows(made, OWN, CONTROL)["setting"]} == {"ntk", "standard"}


def test_every_kind_has_its_rows(made):
    assert len(rows(made, VARIATION)) == len(rows(made, MEDIAN)) == 3 * 4
    assert len(rows(made, ALIKE)) == 3 * 5
    assert len(rows(made, GROWS)) == len(rows(made, TYPICAL, SHOWN)) == 3
    assert len(rows(made, OWN)) == len(rows(made, ALIGNMENT, SHOWN)) == 5 * 4
    # 2000 networks: one or more with no active unit of five is expected, with none of twenty not.
    assert set(rows(made, DEAD)["setting"]) == {
        "1 bottleneck, n_min = 5", "2 bottlenecks, n_min = 5", "4 bottlenecks, n_min = 5"
    }  # fmt: skip


def test_a_heavy_tail_is_not_judged_however_near(made):
    """Where theory foresees that the largest values are missing, the interval counts for nothing."""
    found = rows(made, VARIATION).set_index("setting")
    heavy = found.loc["4 bottlenecks, n_min = 5"]
    assert heavy["verdict"] == "undecided"
    assert "a tail too heavy" in heavy["note"]
    assert found.loc["4 bottlenecks, n_min = 50", "verdict"] == "agrees"
    assert found.loc["4 bottlenecks, n_min = 50", "note"] == ""


def test_a_scatter_that_is_off_is_told():
    """A sixth more on the logarithm, of one kind under every parametrization."""
    where = "bottlenecks == 2 and n_min == 50"
    found = table(changed(where, "square", lambda values: values**1.3))
    off = rows(found, VARIATION)
    assert off.loc[off["verdict"] == "disagrees", "setting"].tolist() == ["2 bottlenecks, n_min = 50"]


def test_a_parametrization_of_its_own_is_told():
    found = table(
        changed("parametrization == 'mup' and square > 0", "square", lambda values: values**1.3)
    )
    off = rows(found, ALIKE)
    assert set(off.loc[off["verdict"] == "disagrees", "setting"]) == {
        "1 bottleneck, mup", "2 bottlenecks, mup", "4 bottlenecks, mup"
    }  # fmt: skip


def test_a_scatter_that_does_not_grow_is_told():
    """Every n_min with the spread of n_min = 50."""
    trials = TRIALS.copy()
    like = trials[trials["n_min"] == 50].set_index(["parametrization", "bottlenecks", "trial"])["square"]
    keys = pd.MultiIndex.from_frame(trials[["parametrization", "bottlenecks", "trial"]])
    trials["square"] = like.loc[keys].to_numpy()
    found = table(trials)
    assert set(rows(found, GROWS)["verdict"]) == {"disagrees"}
    assert rows(found, GROWS)["measured"].abs().max() < 1e-9


def test_dead_networks_that_live_are_told():
    found = table(changed("square == 0", "square", lambda values: values + 1e-3))
    assert rows(found, DEAD)["measured"].eq(0).all()
    assert rows(found, DEAD)["expected"].iloc[-1] > OWN_SETTINGS.tolerances.dead
    assert rows(found, DEAD)["verdict"].iloc[-1] == "disagrees"


def test_medians_that_are_off_are_told():
    found = table(changed("bottlenecks == 2", "square", lambda values: values * 1.2))
    off = rows(found, MEDIAN).set_index("setting")["verdict"]
    assert off["2 bottlenecks, n_min = 200"] == off["2 bottlenecks, n_min = 50"] == "disagrees"
    assert off["1 bottleneck, n_min = 200"] == "agrees"


@pytest.mark.parametrize("wrong", ["linear", "readout", "narrowest", "contribution"])
def test_a_control_that_agrees_makes_no_table(wrong):
    """The middle n_min is given what the wrong expectation says."""
    own = OWN_SETTINGS
    hidden = own.hidden(2, 50)
    value = {
        "linear": variation(hidden, LINEAR),
        "readout": variation((*hidden, own.outputs)),
        "narrowest": variation((50,)),
        "contribution": variation(own.hidden(2, 200)),
    }[wrong]
    where, column = "bottlenecks == 2 and n_min == 50", "square"
    if wrong == "contribution":
        where, column = "parametrization == 'ntk' and bottlenecks == 2 and n_min == 200", "own"

    def drawn(old):
        """Two values in turn that have this variation: above and below the mean, or one and none.

        All are a little apart, as equal ones have no logarithmic scatter.
        """
        count = np.arange(len(old))
        near = 1 + 1e-4 * np.cos(count)
        if value < 1:
            return near * np.where(count % 2 == 0, 1 - value, 1 + value)
        return near * np.where(0.618034 * count % 1 < 1 / (1 + value**2), 1.0, 1e-6)

    with pytest.raises(DataError, match="the control"):
        table(changed(where, column, drawn))


def test_the_readout_alone_off_is_told():
    found = table(
        changed("parametrization == 'spectral' and n_min == 200", "own", lambda values: values**2)
    )
    off = rows(found, OWN)
    assert off.loc[off["verdict"] == "disagrees", "setting"].tolist() == [
        "spectral, 2 bottlenecks, n_min = 200"
    ]


def test_seeds_are_judged_by_their_loss_alone(made):
    losses = rows(made, LOSS).set_index("setting")
    assert losses.loc["bird-cat, dynamic", "verdict"] == "holds"
    assert losses.loc["bird-cat, spectral", "verdict"] == "fails"
    falls = rows(made, FALL, SHOWN)
    assert len(falls) == 4
    for row, expected in [
        (losses.loc["bird-cat, dynamic"], 0.25),
        *((f, 0.5) for _, f in falls.iterrows()),
    ]:
        error = (row["ci_high"] - row["ci_low"]) / 2 / 1.96
        assert row["measured"] == pytest.approx(expected, abs=4 * error)
    level = table(spread=fluctuating.planted_spread(0.0))
    assert not set(rows(level, LOSS)["verdict"]) & set(RIGHT)


def test_only_the_scatter_within_draws_counts():
    shifted = SPREAD.copy()
    shifted["mean"] *= 1 + shifted["draw"]
    shifted["variance"] *= (1 + shifted["draw"]) ** 2
    for one, other in zip(
        pooled_spreads(SPREAD, 0.95)["log"], pooled_spreads(shifted, 0.95)["log"], strict=True
    ):
        assert one.interval == pytest.approx(other.interval)


def test_single_seeds_and_single_networks_have_no_exponent():
    one = SPREAD.assign(seeds=1, variance=np.nan)
    assert pooled_spreads(one, 0.95).empty
    found = table(spread=one)
    assert not found["experiment"].eq("seeds").any()
    alone = table(spread=SPREAD[SPREAD["n_min"] == 50])
    assert not alone["experiment"].eq("seeds").any()


def test_values_are_those_of_a_kind():
    found = Measured(TRIALS, 0.95)
    assert len(found.values(2, 20)) == 5 * 400
    chosen = TRIALS.query("parametrization == 'mup' and bottlenecks == 2 and n_min == 20")
    assert found.values(2, 20, "mup", "own").tolist() == chosen["own"].tolist()


def test_other_members_work(tmp_path):
    """One parametrization, one number of bottlenecks, two widths; and no n_min that is wide enough."""
    stage = fluctuating.stage(
        parametrizations=["mup"], bottlenecks=[1], main=1, n=60, n_min=[10, 20], trials=300, typical=1e-4
    )
    found = table(fluctuating.planted(stage.fluctuations), stage=stage)
    write_csv(found, tmp_path / "verdicts.csv")
    read = read_csv(tmp_path / "verdicts.csv", FORM)
    assert len(rows(read, VARIATION)) == 2
    assert rows(read, TYPICAL, SHOWN)["expected"].isna().all()
