"""Verdicts: from planted tables, and of tables planted otherwise; controls that must not agree."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dynparam.experiments.lazy_or_rich import judge
from dynparam.presentation.verdicts import CLAIMS
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, outcomes
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.parametrization import NAMES
from tests.lazy import laziness_stage, planted
from tests.sweeps import grid as widths

SETTINGS = laziness_stage(linearization__trials=4, kernel_change__trials=4, index__dense_trials=4)
TABLES = planted(SETTINGS)


@cache
def whole():
    """Verdicts of the planted tables as they are."""
    return judged()


def judged(**changed):
    return judge.judged(judge.Tables(**{**vars(TABLES), **changed}), SETTINGS)


def scaled(name, column, factor, where=None):
    """One of the planted tables with a column times a factor, which may depend on the row."""
    table = getattr(TABLES, name).copy()
    rows = table.index if where is None else table.query(where).index
    table.loc[rows, column] = table.loc[rows, column] * (
        factor(table.loc[rows]) if callable(factor) else factor
    )
    return table


def verdicts(table, experiment, beginning="", role=CLAIM):
    chosen = (table["experiment"] == experiment) & (table["role"] == role)
    return set(table.loc[chosen & table["quantity"].str.startswith(beginning), "verdict"])


def test_what_follows_theory_agrees_and_controls_do_not(tmp_path):
    table = whole()
    write_csv(table, tmp_path / "verdicts.csv")
    read = read_csv(tmp_path / "verdicts.csv", FORM)
    assert set(outcomes(read, CLAIM, CONTROL)) == {"passed"}
    controls = table[table["role"] == CONTROL]
    assert len(controls) == 2 + 1 + 4 + 2
    assert (controls["note"] != "").all(), "what wrong thing they are held against"
    assert table[["accepted_low", "accepted_high"]].notna().any(axis=1).all()


def test_rows_say_what_was_measured_where():
    table = whole()
    assert table["experiment"].unique().tolist() == [
        "linearization",
        "kernel change",
        "laziness index",
        "identity",
    ]
    kernel = table[table["experiment"] == "kernel change"]
    assert kernel["quantity"].tolist()[:3] == [
        "exponent of n_min, dynamic, r = 0",
        "exponent of n_min, dynamic, r = 1/2",
        "exponent of n_min, mup",
    ]
    lazy = kernel[kernel["role"] == CONTROL].iloc[0]
    assert (lazy["quantity"], lazy["expected"]) == ("exponent of n_min, mup", -1)
    assert kernel["setting"].iloc[0] == "n_min = 1/4 n, n = 16 to 64"
    index = table[table["experiment"] == "laziness index"]
    assert len(index) == 2 * 2 * 2 * len(NAMES)
    assert set(index["setting"]) >= {
        "n_min = 2 n^(1/2), n = 64 to 1024, in law",
        "n_min = 1/4 n, all widths and layers, dense weights",
    }


def test_an_exponent_and_its_interval_are_those_of_its_trials():
    """The kernel change of r = 0 at a constant ratio: least squares on logarithms of the means."""
    row = whole().query("quantity == 'exponent of n_min, dynamic, r = 0'").iloc[0]
    trials = TABLES.kernel_change.query("family == 'constant_ratio' and parametrization == 'dynamic'")
    means = trials[trials["r"] == 0].groupby("n_min")["kernel_change"].mean()
    expected = stats.linregress(np.log(means.index), np.log(means)).slope
    assert row["measured"] == pytest.approx(expected, rel=1e-9)
    assert row["ci_low"] < expected < row["ci_high"]
    assert (row["accepted_low"], row["accepted_high"]) == pytest.approx((-1.25, -0.75))


@pytest.mark.parametrize(
    ("power", "verdict"), [(0.2, "agrees"), (0.25, "undecided"), (0.5, "disagrees")]
)
def test_an_exponent_off_theory_by_more_than_its_tolerance_disagrees(power, verdict):
    table = scaled(
        "kernel_change",
        "kernel_change",
        lambda rows: rows["n_min"] ** power,
        "family == 'constant_ratio' and r == 0",
    )
    found = judged(kernel_change=table).query("quantity == 'exponent of n_min, dynamic, r = 0'")
    assert found["verdict"].iloc[0] == verdict
    assert found["verdict"].iloc[1] == "agrees", "the other family"


def test_a_discrepancy_that_does_not_fall_fails_and_says_so_as_a_claim():
    table = scaled("linearization", "discrepancy", lambda rows: rows["n"] ** 0.6, "n > 0")
    found = verdicts(judged(linearization=table), "linearization", "exponent of n in |f - f_lin|")
    assert found == {"fails"}
    assert found <= set(CLAIMS)


@pytest.mark.parametrize(
    ("name", "column", "where", "factor", "told"),
    [
        (
            "linearization",
            "discrepancy",
            "parametrization == 'dynamic'",
            lambda rows: rows["n"] ** -0.6,
            r"f_lin\|, dynamic.*holds.*bound of lazy training",
        ),
        (
            "kernel_change",
            "kernel_change",
            "parametrization == 'mup'",
            lambda rows: 1.0 / rows["n_min"],
            "n_min, mup.* agrees.*exponent of lazy training",
        ),
        (
            "kernel_change",
            "kernel_change",
            "parametrization == 'spectral'",
            1e-3,
            "spectral .*holds.*bound of lazy training",
        ),
        (
            "identities",
            "difference",
            "identity == 'control'",
            1e-14,
            "own learning rate.* agrees.*the wrong learning rate",
        ),
    ],
)
def test_a_control_that_agrees_stops_the_run(name, column, where, factor, told):
    with pytest.raises(DataError, match=f"the control .*{told}.*nothing is judged"):
        judged(**{name: scaled(name, column, factor, where)})


def test_an_undecided_control_does_not_stop_the_run():
    table = TABLES.kernel_change.copy()
    spectral = table.index[table["parametrization"] == "spectral"]
    table.loc[spectral, "kernel_change"] = np.where(np.arange(len(spectral)) % 2, 0.1, 10.0)
    found = judged(kernel_change=table)
    assert "undecided" in verdicts(found, "kernel change", "kernel change, spectral", role=CONTROL)


def test_descents_that_all_ran_away_are_not_lazy():
    table = TABLES.kernel_change.copy()
    spectral = table["parametrization"] == "spectral"
    table.loc[spectral, "outcome"] = "diverged"
    table.loc[spectral, ["kernel_change", "loss"]] = np.nan
    found = judged(kernel_change=table)
    rows = found[found["quantity"].str.startswith("kernel change, spectral")]
    assert set(rows["verdict"]) == {"fails"}
    assert set(rows["note"]) == {"the bound of lazy training; of 4 descents 4 diverged"}
    assert rows["measured"].isna().all()


def test_too_few_descents_left_are_undecided():
    table = TABLES.kernel_change.copy()
    lost = table.query("r == 0 and n == 16 and family == 'constant_ratio' and trial > 0").index
    table.loc[lost, "outcome"] = "stopped"
    table.loc[lost, "kernel_change"] = np.nan
    found = judged(kernel_change=table).query("quantity == 'exponent of n_min, dynamic, r = 0'").iloc[0]
    assert found["verdict"] == "undecided"
    assert found["note"] == "of 12 descents 3 did not reach the loss"


def test_singular_kernels_are_told():
    table = TABLES.linearization.assign(rank=7)
    found = judged(linearization=table)
    notes = found.loc[found["quantity"].str.contains("f_lin"), "note"].tolist()
    told = "8 of 8 kernels are singular"
    assert notes == [told, f"the bound of lazy training; {told}"]


def test_one_width_and_layer_off_theory_is_enough():
    where = "family == 'sharpening' and engine == 'law' and parametrization == 'mup'"
    where += " and n == 64 and layer == 3"
    found = judged(index=scaled("index", "index", 1.5, where))
    row = found[found["quantity"] == "measured over expected, mup"]
    row = row[row["setting"].str.startswith("n_min = 2 n^(1/2)") & row["setting"].str.endswith("law")]
    assert row["verdict"].tolist() == ["disagrees"]
    assert row["note"].tolist() == ["farthest at n = 64, layer 3"]
    assert row["measured"].iloc[0] == pytest.approx(1.5, rel=0.02)
    rest = found.drop(row.index)
    assert "disagrees" not in verdicts(rest, "laziness index")


def test_the_width_and_layer_that_is_told_is_one_that_decides():
    """One trial far out makes its place undecided, whose mean is nearer to theory than another's."""
    where = "family == 'sharpening' and engine == 'law' and parametrization == 'mup' and n == 64"
    table = scaled("index", "index", 1.15, f"{where} and layer == 1")
    rows = table.query(f"{where} and layer == 3").index
    table.loc[rows[0], "index"] *= 1.4
    found = judged(index=table)
    row = found[found["quantity"] == "measured over expected, mup"]
    row = row[row["setting"].str.startswith("n_min = 2 n^(1/2)") & row["setting"].str.endswith("law")]
    assert row["verdict"].tolist() == ["undecided"]
    assert row["note"].tolist() == ["farthest at n = 64, layer 3"]
    assert row["ci_high"].iloc[0] > 1.25


def test_the_narrowest_layer_decides_the_exponent():
    narrow, others = (
        judged(index=scaled("index", "index", lambda rows: rows["n"] ** 0.5, f"layer {which} 2"))
        for which in ("==", "!=")
    )
    beginning = "exponent of n in the narrowest layer"
    assert verdicts(narrow, "laziness index", beginning) == {"disagrees"}
    assert verdicts(others, "laziness index", beginning) == {"agrees"}


def test_a_mean_of_logarithms_is_geometric():
    values = np.array([0.1, 1.0, 10.0])
    found = judge.mean_log(values, 0.95)
    assert found.value == pytest.approx(1.0)
    low, high = stats.t.interval(0.95, 2, 0.0, stats.sem(np.log(values)))
    assert (found.ci_low, found.ci_high) == pytest.approx((np.exp(low), np.exp(high)))


def test_widths_come_in_order_and_without_what_is_missing():
    table = pd.DataFrame({"n": [20, 10, 20, 10], "x": [1.0, 2.0, np.nan, 3.0]})
    widths, values = judge.by_width(table, "n", "x")
    assert widths == [10, 20]
    assert [one.tolist() for one in values] == [[2.0, 3.0], [1.0]]


@pytest.mark.parametrize(("factor", "other"), [(0.8, 1.1), (1.2, 0.9)])
def test_the_farthest_value_may_lie_on_either_side(factor, other):
    table = TABLES.index.copy()
    mine = "family == 'constant_ratio' and engine == 'law' and parametrization == 'ntk'"
    rows = table.query(mine)
    places = [rows.query(f"n == {n}").index for n in (rows["n"].min(), rows["n"].max())]
    for place, by in zip(places, (factor, other), strict=True):
        table.loc[place, "index"] *= by
    found = judged(index=table)
    row = found[found["quantity"] == "measured over expected, ntk"].iloc[0]
    assert row["setting"].endswith("in law")
    assert row["measured"] == pytest.approx(factor, rel=0.02)
    assert f"farthest at n = {rows['n'].min()}," in row["note"]


@pytest.mark.parametrize(("lost", "verdict"), [(1, "undecided"), (2, "undecided"), (3, "fails")])
def test_spectral_fails_by_its_runaways_only_where_nothing_else_is_left(lost, verdict):
    """Of four descents; two that are left have an interval, which decides."""
    table = TABLES.kernel_change.copy()
    spectral = table.query("parametrization == 'spectral'")
    n, step = spectral.iloc[0][["n", "step"]]
    mine = spectral.query(f"n == {n} and step == {step}").index
    assert len(mine) == 4
    table.loc[mine, "kernel_change"] = [0.4, 3.0, 0.5, 2.0]
    table.loc[mine[:lost], "kernel_change"] = np.nan
    table.loc[mine[:lost], "outcome"] = "diverged"
    found = judged(kernel_change=table)
    row = found[found["quantity"].str.startswith("kernel change, spectral")].iloc[0]
    assert row["verdict"] == verdict
    assert f"{lost} diverged" in row["note"]


ACCEPTED = {
    ("linearization", "exponent of n in |f"): (np.nan, -0.55),
    ("linearization", "exponent of n in the kernel change, ntk"): (-1.2, -0.7),
    ("linearization", "exponent of n in the kernel change, dynamic"): (-0.16, 0.16),
    ("kernel change", "exponent of n_min, dynamic, r = 0"): (-1.26, -0.74),
    ("kernel change", "exponent of n_min, dynamic, r = 1/2"): (-0.26, 0.26),
    ("kernel change", "kernel change, spectral"): (np.nan, 1.0),
    ("laziness index", "measured over expected"): (0.63, 1.37),
    ("identity", "relative difference"): (-3e-11, 3e-11),
}


def test_every_row_has_the_tolerance_of_its_kind():
    settings = laziness_stage(
        linearization__discrepancy_slope=-0.55,
        linearization__kernel_slope=[-1.2, -0.7],
        linearization__tolerance=0.16,
        kernel_change__tolerance=0.26,
        index__slope_tolerance=0.11,
        index__value_tolerance=0.37,
        identities__tolerance=3e-11,
    )
    table = judge.judged(planted(settings), settings)
    for (experiment, beginning), ends in ACCEPTED.items():
        rows = table[(table["experiment"] == experiment)]
        rows = rows[rows["quantity"].str.startswith(beginning)]
        assert len(rows), beginning
        found = rows[["accepted_low", "accepted_high"]].to_numpy(float)
        np.testing.assert_allclose(found, [ends] * len(rows), err_msg=beginning)
    slopes = table[table["quantity"].str.startswith("exponent of n in the narrowest")]
    for end, by in (("accepted_low", -0.11), ("accepted_high", 0.11)):
        np.testing.assert_allclose(slopes[end], slopes["expected"] + by)


def test_intervals_have_the_confidence_of_the_settings():
    fit = SETTINGS.fit.model_copy(update={"confidence": 0.5})
    other = judge.judged(TABLES, SETTINGS.model_copy(update={"fit": fit}))
    rows = ~whole()["quantity"].str.startswith(("measured over", "relative difference"))
    narrow, wide = (t.loc[rows, "ci_high"] - t.loc[rows, "ci_low"] for t in (other, whole()))
    assert (narrow < 0.6 * wide).all()
    assert (narrow > 0).all()
    values = whole()["quantity"].str.startswith("measured over")
    narrow, wide = (t.loc[values, "ci_high"] - t.loc[values, "ci_low"] for t in (other, whole()))
    assert (narrow < 0.6 * wide).sum() > 0.5 * values.sum(), "another place may be the farthest"


def test_a_kernel_change_is_held_against_the_narrow_width_it_belongs_to():
    """Along n_min = 2 n^(1/2) an exponent of n is half that of n_min, and the table says the latter."""
    found = whole().query("quantity == 'exponent of n_min, dynamic, r = 0'")
    assert found["measured"].tolist() == pytest.approx([-1, -1], abs=0.05)
    trials = TABLES.kernel_change.query("family == 'sharpening' and parametrization == 'dynamic'")
    means = trials[trials["r"] == 0].groupby("n_min")["kernel_change"].mean()
    expected = stats.linregress(np.log(means.index), np.log(means)).slope
    assert found["measured"].iloc[1] == pytest.approx(expected, rel=1e-9)


def test_each_quantity_of_linearization_is_that_of_its_own_column():
    changed = TABLES.linearization.copy()
    columns = {"discrepancy": -0.6, "discrepancy_limit": -0.8, "kernel_change": -1.0}
    lazy = changed["parametrization"] == "ntk"
    for column, slope in columns.items():
        changed.loc[lazy, column] *= changed["n"] ** (slope + (0.9 if "k" in column[:1] else 0.7))
    table = judged(linearization=changed).query("experiment == 'linearization'")
    found = table[table["quantity"].str.endswith("ntk")].set_index("quantity")["measured"].to_dict()
    assert found == pytest.approx(
        {
            "exponent of n in |f - f_lin|, ntk": -0.6,
            "exponent of n in |f - eq. 1.8|, ntk": -0.8,
            "exponent of n in the kernel change, ntk": -1.0,
        },
        abs=0.03,
    )


def test_settings_are_those_of_each_engine_and_identity():
    settings = laziness_stage(index__dense_widths={"smallest": 16, "largest": 128, "count": 2})
    table = judge.judged(planted(settings), settings)
    slopes = table[table["quantity"].str.startswith("exponent of n in the narrowest")]
    assert slopes["setting"].unique().tolist() == [
        "n_min = 1/4 n, n = 64 to 1024, in law",
        "n_min = 1/4 n, n = 16 to 128, dense weights",
        "n_min = 2 n^(1/2), n = 64 to 1024, in law",
        "n_min = 2 n^(1/2), n = 16 to 128, dense weights",
    ]
    same = table[table["experiment"] == "identity"]
    assert same[["setting", "role"]].to_numpy().tolist() == [
        ["r = 1/5", "claim"],
        *[[f"r = 1/5, momentum {mu}", role] for mu in ("0", "0.9") for role in ("claim", "control")],
    ]
    assert same["measured"].tolist() == [1e-15, *[2e-15, 1.5] * 2]


def test_families_are_told_by_their_own_widths():
    grids = {"constant_ratio": widths(16, 128, 3), "sharpening": widths(16, 64, 2)}
    settings = laziness_stage(kernel_change__widths=grids)
    table = judge.judged(planted(settings), settings)
    kernel = table[table["quantity"].str.startswith("exponent of n_min, dynamic")]
    assert kernel["setting"].tolist() == [
        *["n_min = 1/4 n, n = 16 to 128"] * 2,
        *["n_min = 2 n^(1/2), n = 16 to 64"] * 2,
    ]


def test_only_the_kernels_that_are_singular_are_counted():
    table = TABLES.linearization.copy()
    lazy = table.index[table["parametrization"] == "ntk"]
    table.loc[lazy[:3], "rank"] = [7, 3, 1]
    found = judged(linearization=table)
    notes = found.loc[found["quantity"].str.contains("f_lin"), "note"].tolist()
    assert notes == ["3 of 8 kernels are singular", "the bound of lazy training"]


def test_every_way_to_end_before_the_loss_is_told():
    table = TABLES.kernel_change.copy()
    mine = table.query("family == 'constant_ratio' and parametrization == 'mup'").index
    table.loc[mine[:2], "outcome"] = "diverged"
    table.loc[mine[2:5], "outcome"] = "stopped"
    found = judged(kernel_change=table).query("quantity == 'exponent of n_min, mup'")
    told = "of 12 descents 2 diverged and 3 did not reach the loss"
    assert found["note"].tolist() == [told, f"the exponent of lazy training; {told}"]


@pytest.mark.parametrize(
    ("verdicts", "of_all"),
    [
        (("agrees", "undecided", "disagrees"), "disagrees"),
        (("undecided", "agrees"), "undecided"),
        (("agrees", "agrees"), "agrees"),
    ],
)
def test_one_place_that_disagrees_outweighs_those_that_are_undecided(verdicts, of_all):
    assert judge._of_all(verdicts) == of_all
