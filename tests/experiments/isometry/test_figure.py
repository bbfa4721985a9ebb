"""The figure of depth: its data are those of the trials, and its panels show them."""

import numpy as np
import pytest
from scipy import stats

from dynparam.experiments.isometry import figure
from dynparam.experiments.isometry.judge import expected_kernel
from dynparam.theory.isometry import ThreeLayers
from dynparam.theory.isometry import isometry as network
from tests import isometry
from tests.drawn import error_bars

STAGE = isometry.stage()
DATA = figure.plotted_data(isometry.planted(), STAGE)


def test_staircases_rise_to_one():
    spectra = DATA[DATA["panel"] == "spectrum"]
    assert sorted(spectra["depth"].unique()) == [3, 4, 64]
    for depth in (3, 4, 64):
        steps = spectra[(spectra["depth"] == depth) & (spectra["kind"] == "measured")]
        assert steps["x"].is_monotonic_increasing
        assert steps["value"].tolist() == pytest.approx(np.linspace(0.1, 1, 10))


def test_theory_of_three_layers_is_whole_and_of_others_where_the_top_begins():
    theory = DATA[(DATA["panel"] == "spectrum") & (DATA["kind"] == "theory")]
    three = theory[theory["depth"] == 3]
    assert three["expected"].is_monotonic_increasing
    assert three["expected"].iloc[-2:].tolist() == pytest.approx([0.5, 1.0], abs=1e-3)
    assert theory.loc[theory["depth"] == 4, "expected"].tolist() == pytest.approx([0.375])


def test_growth_is_measured_with_its_interval():
    rows = DATA[(DATA["panel"] == "growth") & (DATA["kind"] == figure.LARGEST)]
    assert rows["x"].tolist() == [4, 8, 16, 32, 64]
    assert ((rows["low"] < rows["value"]) & (rows["value"] < rows["high"])).all()
    assert np.allclose(rows["value"], rows["expected"], rtol=0.02)
    rates = DATA[(DATA["panel"] == "growth") & (DATA["kind"] == figure.RATE)]
    assert np.allclose(rates["value"], rates["expected"], rtol=0.03)


def test_three_panels_show_them():
    left, middle, right = figure.isometry_figure(DATA).axes
    assert len(left.get_legend().get_texts()) == 4
    assert middle.get_xscale() == middle.get_yscale() == right.get_yscale() == "log"
    assert [text.get_text() for text in right.get_legend().get_texts()] == list(
        STAGE.isometry.bottlenecks.parametrizations
    )


def values(part, depth, quantity, kind="orthogonal"):
    rows = isometry.scattered().set_index(["part", "depth", "kind", "quantity"]).sort_index()
    return rows.loc[(part, depth, kind, quantity)].sort_values(["trial", "rank"])["value"].to_numpy()


SCATTERED = isometry.scattered_stage()
POINTS = figure.plotted_data(isometry.scattered(), SCATTERED)


def test_every_point_is_that_of_its_trials():
    """Of numbers that nothing has in common."""
    own = SCATTERED.isometry
    expected = {}
    for depth in own.depths:
        theory = network(depth, own.clipped)
        line = theory.largest_eigenvalue / theory.square
        expected["growth", figure.LARGEST, depth] = (
            line,
            values("spectrum", depth, "largest") / theory.square,
        )
    for depth in own.descent.depths:
        theory = network(depth, own.clipped)
        rate = values("descent", depth, "rate") / values("descent", depth, "largest")
        line = 2 / theory.largest_eigenvalue * theory.square
        expected["growth", figure.RATE, depth] = (line, rate * theory.square)
    for name in own.bottlenecks.parametrizations:
        for depth in own.bottlenecks.depths:
            found = values("bottleneck", depth, "kernel", name)
            expected["bottleneck", name, depth] = (expected_kernel(SCATTERED, name, depth), found)
    rows = POINTS[POINTS["panel"] != "spectrum"].set_index(["panel", "kind", "depth"])
    assert set(rows.index) == set(expected)
    for key, (line, trials) in expected.items():
        reach = stats.t.ppf((1 + SCATTERED.fit.confidence) / 2, 3) * np.std(trials, ddof=1) / 2
        numbers = [key[2], line, np.mean(trials), np.mean(trials) - reach, np.mean(trials) + reach]
        found = rows.loc[key, ["x", "expected", "value", "low", "high"]].tolist()
        assert found == pytest.approx(numbers), key


def test_spectra_are_in_units_of_their_own_limit():
    """Those of three layers have a c of their own."""
    own = SCATTERED.isometry
    rows = POINTS[POINTS["panel"] == "spectrum"].set_index(["kind", "depth"])
    for depth, clipped in ((3, 0.6), (4, own.clipped), (6, own.clipped)):
        part = "three" if depth == 3 else "spectrum"
        theory = network(depth, clipped)
        found = np.sort(values(part, depth, "eigenvalue")) / theory.largest_eigenvalue
        steps = rows.loc[("measured", depth)]
        assert steps["x"].tolist() == pytest.approx(found.tolist())
        assert steps["value"].tolist() == pytest.approx(np.arange(1, 10) / 9)
        if part == "spectrum":
            line = rows.loc[[("theory", depth)]]
            assert line["x"].tolist() == [1.0]
            assert line["expected"].tolist() == pytest.approx([clipped * (depth - 1) / depth])
    line, three = rows.loc[("theory", 3)].iloc[:-1], network(3, 0.6)
    shares = ThreeLayers(three).below(line["x"].to_numpy() * three.largest_eigenvalue)
    assert line["expected"].to_numpy() == pytest.approx(shares)


def test_panels_show_the_points_of_the_data():
    _, middle, right = figure.isometry_figure(POINTS).axes
    for axis, panel, kinds in (
        (middle, "growth", [figure.LARGEST, figure.RATE]),
        (right, "bottleneck", SCATTERED.isometry.bottlenecks.parametrizations),
    ):
        mine = POINTS[POINTS["panel"] == panel].set_index("kind")
        for bars, kind in zip(error_bars(axis), kinds, strict=True):
            for ends, column in (
                (bars.x, "x"),
                (bars.y, "value"),
                (bars.low, "low"),
                (bars.high, "high"),
            ):
                assert ends == pytest.approx(mine.loc[kind, column].tolist())
