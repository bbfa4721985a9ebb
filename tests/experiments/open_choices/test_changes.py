"""Changes of slopes under the open choices, and what of the thesis's claims shows."""

import numpy as np
import pytest
from scipy import stats

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


def test_a_choice_that_changes_one_width_alone_has_an_error():
    """Zero to the bit, without an error, is a change of none of the trials."""
    trials = invented_trials()
    same = trials["floor", "law"]
    other = same.copy()
    widest = other["n"] == other["n"].max()
    noise = np.random.default_rng(1).standard_normal(int(widest.sum()))
    other.loc[widest, "alignment"] *= np.exp(0.1 * noise)
    for table, exact in ((same, True), (other, False)):
        found = all_changes(SETTINGS, only("floor"), {**trials, ("floor", "law"): table})
        assert ((found["change_low"] == 0) & (found["change_high"] == 0)).all() == exact
        assert (found["change_low"] < found["change_high"]).all() != exact


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


def by_hand(*parts):
    """Slope, standard error and degrees of freedom of the sum of trials' lines, with signs.

    ``parts`` are (sign, rows of one curve and layer); parts of one call share their trials.
    """
    log_n = np.log(WIDTHS)
    weights = (log_n - log_n.mean()) / np.square(log_n - log_n.mean()).sum()
    value, variance, count = 0.0, 0.0, 0
    for weight, n in zip(weights, WIDTHS, strict=True):
        influence = 0.0
        for sign, rows in parts:
            a, square = rows.loc[rows["n"] == n, ["alignment", "relative_square"]].to_numpy().T
            value += sign * weight * np.log(a.mean() / square.mean())
            influence = influence + sign * (a / a.mean() - square / square.mean())
        variance += weight**2 * influence.var(ddof=1) / len(influence)
        count += len(influence) - 1
    return value, np.sqrt(variance), count


def ends(value, error, freedom):
    """The estimate with Student's interval at the configured confidence."""
    reach = stats.t.ppf((1 + SETTINGS.fit.confidence) / 2, freedom) * error
    return value, value - reach, value + reach


def trials_of(table, row):
    """The trials of the curve and layer of a row of changes."""
    return table[(table["curve"] == row["curve"]) & (table["layer"] == row["layer"])]


def test_scatter_of_the_norms_is_taken_out_of_changes_too():
    """Default and alternative with images of their own: 0.05 of noise is left, not 0.29 of norms."""
    trials = invented_trials(seed=1, trials=100)
    trials["floor", "law"] = invented_trials({"floor": 0.1}, seed=2, trials=100)["floor", "law"]
    table = all_changes(SETTINGS, only("floor"), trials)
    assert len(table) == 24
    for _, row in table.iterrows():
        chosen, default = (trials_of(trials[name, "law"], row) for name in ("floor", DEFAULT))
        change = ends(*by_hand((1, chosen), (-1, default)))
        assert row[["change", "change_low", "change_high"]].tolist() == pytest.approx(change)
        assert row[["slope", "ci_low", "ci_high"]].tolist() == pytest.approx(ends(*by_hand((1, chosen))))
        known = row[["default", "default_low", "default_high"]].tolist()
        assert known == pytest.approx(ends(*by_hand((1, default))))


def dense_apart(shift=0.4):
    """Trials whose dense default has another slope than the law's, and other noise; so has float64."""
    trials = invented_trials({"float64": 0.03}, seed=3)
    trials[DEFAULT, "dense"] = invented_trials({DEFAULT: shift}, seed=4, trials=8)[DEFAULT, "dense"]
    other = invented_trials({"float64": shift + 0.03}, seed=5, trials=8, spread=0.1)
    trials["float64", "dense"] = other["float64", "dense"]
    return trials


def test_the_default_is_that_of_the_law_engine():
    """Also beside a dense alternative, whose change is from the dense default."""
    trials = dense_apart()
    table = all_changes(SETTINGS, only("float64"), trials)
    assert set(table["alternative"]) == {"float64"}
    for _, row in table.iterrows():
        default = ends(*by_hand((1, trials_of(trials[DEFAULT, "law"], row))))
        assert row[["default", "default_low", "default_high"]].tolist() == pytest.approx(default)
        chosen, paired = (trials_of(trials[name, "dense"], row) for name in ("float64", DEFAULT))
        change = ends(*by_hand((1, chosen), (-1, paired)))
        assert row[["change", "change_low", "change_high"]].tolist() == pytest.approx(change)


def test_a_dense_alternative_s_slope_has_both_errors():
    """The law's default of 30 trials, the change of 8, of comparable error: Welch, Satterthwaite."""
    trials = dense_apart(shift=0.0)
    for _, row in all_changes(SETTINGS, only("float64"), trials).iterrows():
        chosen, paired = (trials_of(trials[name, "dense"], row) for name in ("float64", DEFAULT))
        slope, e_1, df_1 = by_hand((1, trials_of(trials[DEFAULT, "law"], row)))
        change, e_2, df_2 = by_hand((1, chosen), (-1, paired))
        assert 0.05 < e_1 / e_2 < 1
        freedom = round((e_1**2 + e_2**2) ** 2 / (e_1**4 / df_1 + e_2**4 / df_2))
        assert freedom not in (df_1, df_2)
        expected = ends(slope + change, np.hypot(e_1, e_2), freedom)
        assert row[["slope", "ci_low", "ci_high"]].tolist() == pytest.approx(expected)


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


@pytest.mark.parametrize("lacking", [{"curve": "fig3_3_dynamic"}, {"layer": 6}, {"n": WIDTHS[-1]}])
@pytest.mark.parametrize("where", [("floor",), (DEFAULT,)])
def test_what_one_side_lacks_does_not_pair(lacking, where):
    ((column, value),) = lacking.items()
    trials = {
        key: table[table[column] != value] if key[0] in where else table
        for key, table in invented_trials().items()
    }
    with pytest.raises(DataError, match="do not pair with the default's; measure both again"):
        changes_of(trials)


def test_a_curve_that_nobody_measured_is_named():
    trials = {key: one[one["curve"] != "fig3_3_dynamic"] for key, one in invented_trials().items()}
    with pytest.raises(DataError, match=r"the trials of fig3_3_dynamic under .* do not pair"):
        changes_of(trials)


def test_exponents_stand_beside_the_slopes():
    """0, -1, -8/5 and 0; slopes of 0 and -1 are at theirs, those of fig3_3_spectral or shifted not."""
    table = changes_of(invented_trials({"floor": 0.5}))
    exponents = {curve: set(rows["exponent"]) for curve, rows in table.groupby("curve", sort=False)}
    assert exponents == dict(zip(exponents, [{0.0}, {-1.0}, {-1.6}, {0.0}], strict=True))
    off, moved = table["curve"] == "fig3_3_spectral", table["alternative"] == "floor"
    assert set(table.loc[~off, "at_exponent_by_default"]) == {"agrees"}
    assert set(table.loc[off, "at_exponent_by_default"]) == {"disagrees"}
    assert set(table.loc[~off & moved, "at_exponent"]) == {"disagrees"}
    assert set(table.loc[~off & ~moved, "at_exponent"]) == {"agrees"}


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


@pytest.mark.parametrize(
    ("tolerance", "shift", "shows"),
    [
        (0.2, 0.15, Showing.YES),
        (0.2, 0.25, Showing.NO),
        (0.4, 0.25, Showing.YES),
        (0.2, -0.15, Showing.YES),
        (0.2, -0.25, Showing.NO),
    ],
)
def test_flat_slopes_are_judged_by_the_tolerance_of_the_comparison(tolerance, shift, shows):
    """Slopes planted beside it, with intervals of 0.01; under the default they are zero."""
    comparison = SETTINGS.comparison.model_copy(update={"tolerance": tolerance})
    settings = SETTINGS.model_copy(update={"comparison": comparison})
    trials = invented_trials({"floor": shift}, spread=0.01)
    table = all_changes(settings, only("floor"), trials)
    flat = table["curve"].map(lambda name: CONFIG.probe.curve(name).claim) == "flat"
    assert set(table.loc[flat, "shows"]) == {shows}
    assert set(table.loc[flat, "shows_by_default"]) == {Showing.YES}


def test_a_choice_can_bring_a_claim_back():
    """The default's slopes are 0.5 off and the alternative's are not: each is told by its own slope."""
    trials = invented_trials({DEFAULT: 0.5})
    table = all_changes(SETTINGS, only("floor"), trials)
    flat = table["curve"].map(lambda name: CONFIG.probe.curve(name).claim) == "flat"
    assert set(table.loc[flat, "shows_by_default"]) == {Showing.NO}
    assert set(table.loc[flat, "shows"]) == {Showing.YES}
