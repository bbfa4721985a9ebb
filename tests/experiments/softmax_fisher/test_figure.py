"""The figure of the eigenvalues: its data are those of the trials, and its panels show them."""

import numpy as np
import pytest
from scipy import stats

from dynparam.experiments.softmax_fisher import figure
from tests import softmax
from tests.drawn import error_bars

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


SCATTERED = softmax.scattered_stage()


def by_network(trials):
    """(n, scales) -> quantity -> eigenvalues (trials, ranks), of images."""
    return {
        network: {
            name: rows.pivot(index="trial", columns="rank", values="value").to_numpy()
            for name, rows in mine.groupby("quantity")
        }
        for network, mine in trials[trials["part"] == "images"].groupby(["n", "scales"])
    }


def test_every_point_is_that_of_its_eigenvalues():
    """Of eigenvalues that nothing has in common; four outputs, of which three stand out of softmax."""
    data = figure.plotted_data(softmax.scattered(), SCATTERED)
    data = data.set_index(["panel", "n", "scales", "quantity", "rank"]).sort_index()
    told = 0

    def check(place, size, expected, values):
        """One point with Student's interval of four trials."""
        nonlocal told
        told += 1
        mean = np.mean(values)
        reach = stats.t.ppf((1 + SCATTERED.fit.confidence) / 2, 3) * np.std(values, ddof=1) / 2
        row = data.loc[place] if place[-1] else data.loc[place[:-1]].iloc[0]
        columns = ["output_rms", "expected", "value", "low", "high"]
        numbers = [size, expected, mean, mean - reach, mean + reach]
        assert row[columns].tolist() == pytest.approx(numbers), place

    for (n, scales), e in by_network(softmax.scattered()).items():
        size = e["output_rms"].mean()
        for measured, theory, count in (("softmax", "refined", 3), ("squared", "squared_wide", 4)):
            unit = e[theory][:, :count].mean(axis=1)
            for rank in range(1, 9) if n == 256 else ():
                values, line = (e[one][:, rank - 1] / unit for one in (measured, theory))
                check(("spectrum", n, scales, measured, rank), size, line.mean(), values)
        far = {name: e[name][:, 0] / e[name][:, 2] for name in ("softmax", "refined")}
        values = far["softmax"] / (e["squared"][:, 0] / e["squared"][:, 3])
        check(("spread", n, scales, "softmax", None), size, far["refined"].mean(), values)
    assert told == len(data)


def test_points_and_lines_of_a_panel_are_those_of_the_data():
    drawn = figure.softmax_figure(DATA, STAGE)
    names = list(STAGE.softmax_fisher.parametrizations)
    for axis, name in zip(drawn.axes, names, strict=False):
        mine = DATA[(DATA["panel"] == "spectrum") & (DATA["scales"] == name)]
        for bars, quantity in zip(error_bars(axis), ("squared", "softmax"), strict=True):
            rows = mine[mine["quantity"] == quantity]
            assert bars.x == rows["rank"].tolist()
            assert bars.y == rows["value"].tolist()
    spread = DATA[DATA["panel"] == "spread"]
    shown = [
        (x, y)
        for bars in error_bars(drawn.axes[len(names)])
        for x, y in zip(bars.x, bars.y, strict=True)
    ]
    assert sorted(shown) == sorted(zip(spread["output_rms"], spread["value"], strict=True))
