"""Changes of slopes under the open choices, and what of the thesis's claims shows."""

import numpy as np
import pytest

from dynparam.experiments.open_choices.changes import COLUMNS, all_changes
from dynparam.experiments.open_choices.entries import DEFAULT
from dynparam.experiments.open_choices.settings import for_open_choices
from dynparam.statistics.slopes import slope_of_log_means
from dynparam.support.errors import DataError
from dynparam.trials.claims import Showing
from tests.open_choices import CONFIG, OPEN_CHOICES, WIDTHS, invented_trials

SETTINGS = for_open_choices(CONFIG)


def changes_of(trials):
    return all_changes(SETTINGS, OPEN_CHOICES, trials)


def only(name):
    """The open choices with one alternative."""
    entry = next(e for e in OPEN_CHOICES.probe if name in [a.name for a in e.alternatives])
    return OPEN_CHOICES.model_copy(update={"probe": (entry,), "training": ()})


def test_shared_noise_cancels():
    """A choice that multiplies every trial by n^0.1 has a change of 0.1 without any error."""
    table = changes_of(invented_trials({"per_image": 0.1}))
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 24 * len(OPEN_CHOICES.measured())
    mine = table[table["alternative"] == "per_image"]
    np.testing.assert_allclose(mine[["change", "change_low", "change_high"]], 0.1, atol=1e-12)
    np.testing.assert_allclose(mine["slope"], mine["default"] + 0.1, atol=1e-12)
    others = table[table["alternative"] != "per_image"]
    assert (others[["change", "change_low", "change_high"]] == 0).all().all()


def test_slopes_are_least_squares_on_log_means():
    trials = invented_trials({"floor": -0.2})
    row = (
        changes_of(trials).set_index(["alternative", "curve", "layer"]).loc["floor", "fig3_3_dynamic", 4]
    )
    for column, choice in (("default", DEFAULT), ("slope", "floor")):
        table = trials[choice, "law"]
        mine = table[(table["curve"] == "fig3_3_dynamic") & (table["layer"] == 4)]
        means = mine.groupby("n")["alignment"].mean() / mine.groupby("n")["relative_square"].mean()
        assert row[column] == pytest.approx(np.polyfit(np.log(means.index), np.log(means), 1)[0])
    assert row["default_low"] < row["default"] < row["default_high"]


def test_scatter_of_the_images_is_taken_out():
    """Alignments proportional to ||x||^2, scattering by 0.29, have slopes with the error of 0.05.

    Without the division the intervals would be six times as wide; the division leaves the expectation.
    """
    trials = invented_trials(trials=200)
    row = changes_of(trials).iloc[0]
    table = trials[DEFAULT, "law"]
    table = table[(table["curve"] == row["curve"]) & (table["layer"] == row["layer"])]
    values = [rows[["alignment"]].to_numpy() for _, rows in table.groupby("n")]
    low, high = slope_of_log_means(WIDTHS, values, confidence=SETTINGS.fit.confidence).interval
    assert 4 < (high - low) / (row["default_high"] - row["default_low"]) < 9
    assert abs(row["default"]) < 0.01


def test_intervals_of_independent_trials_cover_no_change():
    """Default and alternative drawn apart: 24 slopes of 20 draws, of which 95 % should cover zero.

    The 6 layers and 4 curves have independent noise here. Of 480 intervals at least 435 cover with
    probability above 1 - 1e-4 (binomial).
    """
    covered = 0
    for seed in range(20):
        trials = invented_trials(seed=seed)
        trials["floor", "law"] = invented_trials(seed=1000 + seed)["floor", "law"]
        mine = all_changes(SETTINGS, only("floor"), trials)
        covered += int(((mine["change_low"] <= 0) & (mine["change_high"] >= 0)).sum())
    assert covered >= 435


def test_dense_alternatives_move_the_default_of_the_law_engine():
    trials = invented_trials({"float64": 0.03})
    assert (DEFAULT, "dense") in OPEN_CHOICES.needed_trials()
    table = changes_of(trials)
    mine = table[table["alternative"] == "float64"]
    assert set(mine["engine"]) == {"dense"}
    np.testing.assert_allclose(mine["change"], 0.03, atol=1e-12)
    np.testing.assert_allclose(mine["slope"], mine["default"] + 0.03, atol=1e-12)
    np.testing.assert_allclose(mine["ci_low"], mine["default_low"] + 0.03, atol=1e-9)


def test_unequal_trials_do_not_pair():
    trials = invented_trials()
    table = trials["floor", "law"]
    trials["floor", "law"] = table[(table["trial"] > 0) | (table["n"] > WIDTHS[0])]
    with pytest.raises(DataError, match="constant_ratio under floor do not pair with the default's"):
        changes_of(trials)
    trials["floor", "law"] = table.head(0)
    with pytest.raises(DataError, match="under floor do not pair"):
        changes_of(trials)


def test_a_claim_can_stop_showing():
    """The flat curves lose their claim by a shift of 0.5, the decreasing ones by one of 1.5."""
    table = changes_of(invented_trials({"floor": 0.5, "per_image": 1.5}))
    assert set(table["shows_by_default"]) == {Showing.YES}
    claims = table["curve"].map(lambda name: CONFIG.probe.curve(name).claim)
    flat, moved = claims == "flat", table["alternative"].isin(["floor", "per_image"])
    assert set(table.loc[moved & flat, "shows"]) == {Showing.NO}
    decreasing = table[~flat].set_index("alternative")["shows"]
    assert set(decreasing["floor"]) == {Showing.YES}
    assert set(decreasing["per_image"]) == {Showing.NO}
    assert set(table.loc[~moved, "shows"]) == {Showing.YES}
