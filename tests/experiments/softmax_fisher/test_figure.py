"""The figure of the eigenvalues: its data are those of the trials, and its panels show them."""

import numpy as np
import pytest

from dynparam.experiments.softmax_fisher import figure
from tests import softmax

STAGE = softmax.stage()
DATA = figure.plotted_data(softmax.planted(), STAGE)


def test_spectra_are_in_units_of_the_mean_outlier():
    ntk = DATA[
        (DATA["panel"] == "spectrum") & (DATA["scales"] == "ntk") & (DATA["quantity"] == "softmax")
    ]
    assert ntk["rank"].tolist() == list(range(1, 16))
    assert ntk["expected"].iloc[:9].mean() == pytest.approx(1.0)
    trials = softmax.planted()
    chosen = (trials["scales"] == "ntk") & (trials["n"] == 1000)
    of = {
        name: trials[chosen & (trials["quantity"] == name)].pivot(
            index="trial", columns="rank", values="value"
        )
        for name in ("softmax", "refined")
    }
    unit = of["refined"].iloc[:, :9].mean(axis=1)
    assert np.allclose(ntk["value"], of["softmax"].div(unit, axis=0).mean())


def test_the_widest_network_alone_has_a_spectrum_and_every_one_a_spread():
    assert set(DATA.loc[DATA["panel"] == "spectrum", "n"]) == {1000}
    spread = DATA[DATA["panel"] == "spread"]
    assert sorted(spread["n"].unique()) == [250, 1000]
    assert len(spread) == 10
    assert (spread["low"] <= spread["value"]).all()
    assert spread.loc[spread["scales"] == "ntk", "expected"].tolist() == pytest.approx([4.0, 4.0])


def test_a_spread_is_that_of_outliers_over_that_of_squared_loss():
    """With softmax nine of ten outputs make outliers, with squared loss all ten (K2)."""
    trials = softmax.planted()
    wide = trials.pivot(
        index=["scales", "n", "trial", "quantity"], columns="rank", values="value"
    ).reset_index()
    of = {name: rows.set_index(["scales", "n", "trial"]) for name, rows in wide.groupby("quantity")}
    expected = (of["softmax"][1] / of["softmax"][9]) / (of["squared"][1] / of["squared"][10])
    spread = DATA[(DATA["panel"] == "spread")].set_index(["scales", "n"])["value"]
    for (scales, n), values in expected.dropna().groupby(["scales", "n"]):
        if (scales, n) in spread.index:
            assert spread[scales, n] == pytest.approx(values.mean()), (scales, n)


def test_a_panel_for_each_parametrization_and_one_for_all():
    drawn = figure.softmax_figure(DATA, STAGE)
    names = list(STAGE.softmax_fisher.parametrizations)
    titles = [axis.get_title() for axis in drawn.axes if axis.get_visible()]
    assert titles == [*names, "spread of outliers"]
    spectra = drawn.axes[: len(names)]
    assert len({axis.get_ylim() for axis in spectra}) == 1
    assert all(axis.get_yscale() == "log" for axis in drawn.axes)


@pytest.mark.parametrize("names", [["ntk"], ["ntk", "mup", "dynamic"]])
def test_fewer_parametrizations_leave_no_empty_panel(names):
    data = DATA[DATA["scales"].isin(names)]
    drawn = figure.softmax_figure(data, STAGE)
    assert sum(axis.get_visible() for axis in drawn.axes) == len(names) + 1


def test_an_interval_beyond_zero_leaves_the_axis_positive():
    data = DATA.copy()
    data.loc[data["panel"] == "spectrum", "low"] = -1.0
    assert figure.softmax_figure(data, STAGE).axes[0].get_ylim()[0] > 0
