import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.alignments.fits import fit_curve
from dynparam.settings.shared import Fit
from dynparam.support.errors import DataError, NonFiniteError

SETTINGS = Fit(seed=0, confidence=0.95, resamples=199)


def trials(**columns):
    """Two layers, three widths, five trials; alignment n^layer times a trial's own factor."""
    rows = [
        {
            "curve": "c",
            "parametrization": "ntk",
            "layer": layer,
            "n": n,
            "alignment": n**layer * (1 + 0.1 * trial),
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
    ]
    assert table["slope"].tolist() == pytest.approx([1, 2])
    assert table["intercept"].tolist() == pytest.approx([np.log(1.2)] * 2)
    assert (table["ci_low"] < table["slope"]).all()
    assert (table["slope"] < table["ci_high"]).all()


def test_intervals_do_not_depend_on_the_other_layers():
    both, one = fit_curve(trials(), SETTINGS), fit_curve(trials().query("layer == 2"), SETTINGS)
    assert both.iloc[1].to_dict() == one.iloc[0].to_dict()


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
    """Higher confidence gives wider intervals, by bootstrap or linearized."""
    high = SETTINGS.model_copy(update={"confidence": 0.99})
    for errors in ("bootstrap", "linearized"):
        usual, wider = (fit_curve(trials(), one, errors=errors) for one in (SETTINGS, high))
        assert (wider["ci_low"] < usual["ci_low"]).all()
        assert (wider["ci_high"] > usual["ci_high"]).all()


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
    many = pd.concat([trials(trial=k) for k in range(80)], ignore_index=True)
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
