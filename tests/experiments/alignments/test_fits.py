import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dynparam.experiments.alignments.fits import fit_curve, joint_slopes
from dynparam.settings.shared import Fit
from dynparam.support.errors import DataError, NonFiniteError

SQUARES = (1.3, 0.8, 1.1, 0.9, 0.9)
OWN = {1: (1, 0.98, 1.01, 1, 1.02), 2: (1, 1, 1.02, 0.99, 0.97)}

SETTINGS = Fit(seed=0, confidence=0.95, resamples=199)


def trials(**columns):
    """Two layers, three widths, five trials; n^layer times the trial's ||x||^2 and its own factors."""
    rows = [
        {
            "curve": "c",
            "parametrization": "ntk",
            "layer": layer,
            "n": n,
            "trial": trial,
            "alignment": n**layer * (1 + 0.1 * trial) * SQUARES[trial] * OWN[layer][trial],
            "relative_square": SQUARES[trial],
        }
        for layer in (1, 2)
        for n in (10, 20, 40)
        for trial in range(5)
    ]
    return pd.DataFrame(rows).assign(**columns)


def test_each_layer_has_its_slope():
    table = fit_curve(trials(), SETTINGS)
    assert list(table.columns) == [
        "curve",
        "parametrization",
        "layer",
        "slope",
        "intercept",
        "ci_low",
        "ci_high",
        "standard_error",
        "judged_slope",
        "judged_low",
        "judged_high",
        "judged_error",
        "freedom",
        "joint_freedom",
        "covariance_1",
        "covariance_2",
    ]
    assert table["slope"].tolist() == pytest.approx([1, 2])
    means = [trials().query(f"layer == {k} and n == 10")["alignment"].mean() / 10**k for k in (1, 2)]
    assert table["intercept"].tolist() == pytest.approx(np.log(means))
    assert (table["ci_low"] < table["slope"]).all()
    assert (table["slope"] < table["ci_high"]).all()


def test_judged_slopes_leave_the_images_out():
    """Against least squares by numpy on mean alignment over mean square, and influences by hand."""
    table, measured = fit_curve(trials(), SETTINGS), trials()
    log_n = np.log([10, 20, 40])
    weights = (log_n - log_n.mean()) / np.square(log_n - log_n.mean()).sum()
    influences = []
    for layer, row in zip((1, 2), table.to_dict("records"), strict=True):
        mine = measured[measured["layer"] == layer].groupby("n")
        means = mine["alignment"].mean() / mine["relative_square"].mean()
        assert row["judged_slope"] == pytest.approx(np.polyfit(log_n, np.log(means), 1)[0])
        influences.append(
            [
                (rows["alignment"] / rows["alignment"].mean()).to_numpy()
                - (rows["relative_square"] / rows["relative_square"].mean()).to_numpy()
                for _, rows in mine
            ]
        )
        reach = stats.t.ppf(0.975, 12) * row["judged_error"]
        assert row["judged_high"] - row["judged_slope"] == pytest.approx(reach)
        assert row["judged_slope"] - row["judged_low"] == pytest.approx(reach)
        assert row["freedom"] == 12
    expected = sum(
        weight**2 * np.cov(one, two) / 5 for weight, one, two in zip(weights, *influences, strict=True)
    )
    assert table[["covariance_1", "covariance_2"]].to_numpy() == pytest.approx(expected)
    assert table["judged_error"].to_numpy() == pytest.approx(np.sqrt(np.diag(expected)))
    assert (table["judged_error"] < table["standard_error"]).all()


def test_joint_slopes_are_those_of_the_table():
    table = fit_curve(trials(), SETTINGS)
    found = joint_slopes(table)
    assert found.values.tolist() == table["judged_slope"].tolist()
    assert found.covariance.tolist() == table[["covariance_1", "covariance_2"]].to_numpy().tolist()
    assert found.effective_freedom == table["joint_freedom"].iloc[0]
    assert found.estimates(0.95)[1].ci_low == pytest.approx(table["judged_low"].iloc[1])


def test_trials_without_their_images_are_refused():
    with pytest.raises(DataError, match=r"of c have no column 'relative_square'.*measure them again"):
        fit_curve(trials().drop(columns="relative_square"), SETTINGS)


def test_a_square_of_zero_is_named():
    with pytest.raises(NonFiniteError, match="n = 20"):
        fit_curve(trials().assign(relative_square=lambda t: t["n"] != 20), SETTINGS)


def test_intervals_do_not_depend_on_the_other_layers():
    """But for the rounding of products of matrices, which are of another shape."""
    both, one = fit_curve(trials(), SETTINGS), fit_curve(trials().query("layer == 2"), SETTINGS)
    columns = [name for name in one.columns if name not in ("joint_freedom", "covariance_2")]
    numbers = one[columns].select_dtypes("number").columns
    assert both.loc[1, numbers].to_dict() == pytest.approx(one.loc[0, numbers].to_dict(), rel=1e-13)
    texts = [name for name in columns if name not in numbers]
    assert both.loc[1, texts].to_dict() == one.loc[0, texts].to_dict()


def test_layers_curves_and_seeds_have_resamples_of_their_own():
    """Equal trials under other names have other ends, and the same line."""
    alike = trials()
    alike.loc[alike["layer"] == 2, "alignment"] = alike.loc[alike["layer"] == 1, "alignment"].to_numpy()
    tables = [
        fit_curve(alike, SETTINGS),
        fit_curve(alike.assign(curve="d"), SETTINGS),
        fit_curve(alike, SETTINGS.model_copy(update={"seed": 1})),
    ]
    ends = [tuple(row) for table in tables for row in table[["ci_low", "ci_high"]].to_numpy()]
    assert len(set(ends)) == 6
    assert len({row for table in tables for row in table["slope"]}) == 1


def test_the_level_is_that_of_the_settings():
    """Higher confidence gives wider intervals, by bootstrap or linearized, drawn or judged."""
    high = SETTINGS.model_copy(update={"confidence": 0.99})
    for errors in ("bootstrap", "linearized"):
        usual, wider = (fit_curve(trials(), one, errors=errors) for one in (SETTINGS, high))
        assert (wider["ci_low"] < usual["ci_low"]).all()
        assert (wider["ci_high"] > usual["ci_high"]).all()
        assert (wider["judged_low"] < usual["judged_low"]).all()
        assert (wider["judged_high"] > usual["judged_high"]).all()


def test_order_of_the_rows_of_layers_and_widths_does_not_matter():
    shuffled = trials().sort_values(["n", "layer"], ascending=False, kind="stable")
    pd.testing.assert_frame_equal(fit_curve(shuffled, SETTINGS), fit_curve(trials(), SETTINGS))


def test_small_widths_can_be_left_out():
    bent = trials()
    bent.loc[bent["n"] == 10, "alignment"] *= 7
    assert fit_curve(bent, SETTINGS)["slope"].tolist() != pytest.approx([1, 2])
    assert fit_curve(bent, SETTINGS, smallest=20)["slope"].tolist() == pytest.approx([1, 2])


def test_linearized_fit_has_the_same_line_and_a_similar_interval():
    """Of 400 log-normal trials; the two intervals' lengths agree to 15 %."""
    generator = np.random.default_rng(3)
    many = pd.concat([trials(block=k) for k in range(80)], ignore_index=True)
    many["trial"] += 5 * many["block"]
    many["alignment"] *= generator.lognormal(0, 0.4, len(many))
    boot = fit_curve(many, SETTINGS.model_copy(update={"resamples": 1999}))
    line = fit_curve(many, SETTINGS, errors="linearized")
    columns = ["slope", "intercept", "standard_error"]
    assert line[columns].to_numpy() == pytest.approx(boot[columns].to_numpy())
    lengths = [(table["ci_high"] - table["ci_low"]).to_numpy() for table in (line, boot)]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.15)
    assert lengths[0] == pytest.approx(2 * 1.96 * line["standard_error"], rel=0.01)


def test_mixed_curves_are_refused():
    mixed = pd.concat([trials(), trials(curve="d")])
    with pytest.raises(DataError, match="trials of 2 curves"):
        fit_curve(mixed, SETTINGS)


def test_values_without_a_logarithm_are_named():
    with pytest.raises(NonFiniteError, match="n = 10"):
        fit_curve(trials(alignment=0.0), SETTINGS)
