"""What the figure of sharpness shows, against the tables behind it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dynparam.experiments.sharpness import figure, measure
from dynparam.presentation.figure_style import save
from dynparam.presentation.parametrization_style import look
from tests.drawn import error_bars
from tests.experiments.sharpness.small import (
    PAIR,
    SHARPNESS,
    normalization_part,
    verdicts,
    widths_stage,
)


@pytest.fixture(scope="module")
def made():
    settings = widths_stage(widths={**SHARPNESS["widths"], "trials": 2})
    widths = measure.measure_widths(settings, PAIR)
    limits = measure.wide_limits(settings, PAIR)
    part = normalization_part(normalization={**SHARPNESS["normalization"], "trials": 2})
    normalization = measure.measure_normalization(part)
    data = figure.plotted_data(widths, limits, normalization, 0.95)
    return verdicts(), widths, normalization, data


def test_points_are_means_with_their_intervals(made):
    _, widths, normalization, data = made
    points = data[data["kind"] == "measured"]
    assert len(points) == 2 * 5 * 3 + 2 * 4 * 3
    one = points.query("panel == 'sharpening' and series == 'mup' and x == 128").iloc[0]
    values = widths.query("family == 'sharpening' and parametrization == 'mup' and n == 128")
    assert one["value"] == pytest.approx(values["sharpness"].mean())
    assert one["low"] < one["value"] < one["high"]
    other = points.query("panel == 'fixed' and series == 'batch' and x == 24").iloc[0]
    values = normalization.query("inputs == 'fixed' and normalization == 'batch' and width == 24")
    assert other["value"] == pytest.approx(values["sharpness"].mean())


def test_lines_are_theory_at_the_measured_widths_and_far_beyond(made):
    _, widths, _, data = made
    lines = data[data["kind"] == "theory"]
    for family in ("constant", "sharpening"):
        for name in SHARPNESS["parametrizations"]:
            line = lines[(lines["panel"] == family) & (lines["series"] == name)].sort_values("x")
            assert line["x"].min() == 64
            assert line["x"].max() == 10**7
            expected = widths.query("family == @family and parametrization == @name and n == 64")
            assert line["value"].iloc[0] == pytest.approx(expected["expected"].iloc[0])
    last = lines[(lines["panel"] == "sharpening") & (lines["x"] > 10**6)]
    spectral, ntk = (last[last["series"] == name].sort_values("x") for name in ("spectral", "ntk"))
    slope = np.polyfit(np.log(spectral["x"]), np.log(spectral["value"]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.01)
    assert np.ptp(ntk["value"]) < 1e-10 * ntk["value"].mean()


def test_normalized_outputs_have_lines_where_theory_is_known(made):
    data = made[-1]
    below = data[(data["kind"] == "theory") & data["panel"].isin(["proportional", "fixed"])]
    assert set(below["series"]) == {"none", "layer"}


def test_every_panel_is_drawn(made, tmp_path):
    settings, *_, data = made
    drawn = figure.sharpness_figure(data, settings)
    axes = drawn.get_axes()
    assert [axis.get_title() for axis in axes] == [
        r"constant ratio, $n_{\min} = 1/4\,n$",
        r"sharpening ratio, $n_{\min} = 3\,n^{1/2}$",
        "as many inputs as units, $T = M$",
        "inputs fixed, $T = 12$",
    ]
    assert all(axis.get_xscale() == axis.get_yscale() == "log" for axis in axes)
    handles, names = axes[0].get_legend_handles_labels()
    assert names == SHARPNESS["parametrizations"]
    for handle, name in zip(handles, names, strict=True):
        assert (handle[0].get_color(), handle[0].get_marker()) == look(name)
    files = save(drawn, data, tmp_path / "sharpness.png", 60)
    assert all(path.stat().st_size > 0 for path in files)


def test_one_family_is_enough(made):
    data = made[-1]
    alone = verdicts(families={"constant": SHARPNESS["families"]["constant"]})
    drawn = figure.sharpness_figure(data[data["panel"] != "sharpening"], alone)
    assert len(drawn.get_axes()) == 3


def test_the_second_axis_is_two_over_the_first(made):
    settings, *_, data = made
    drawn = figure.sharpness_figure(data, settings)
    drawn.draw_without_rendering()
    for axis in drawn.get_axes()[:2]:
        (second,) = axis.child_axes
        assert sorted(second.get_ylim()) == pytest.approx(sorted(2 / np.array(axis.get_ylim())))


def test_intervals_are_student_s_of_the_confidence_asked_for(made):
    _, widths, normalization, _ = made
    for confidence in (0.5, 0.95):
        data = figure.plotted_data(widths, LIMITS, normalization, confidence)
        for table, panel, series, x in (
            (widths, "family", "parametrization", "n"),
            (normalization, "inputs", "normalization", "width"),
        ):
            for place, rows in table.groupby([panel, series, x]):
                values = rows["sharpness"].to_numpy()
                expected = stats.t.interval(
                    confidence, len(values) - 1, values.mean(), stats.sem(values)
                )
                same = (data[["panel", "series", "x"]] == list(place)).all(axis=1)
                point = data[same & (data["kind"] == "measured")]
                assert point[["low", "high"]].to_numpy() == pytest.approx(np.array([expected]))


LIMITS = pd.DataFrame(
    {"inputs": ["whole"], "family": ["a"], "parametrization": ["ntk"], "n": [1], "sharpness": [1.0]}
)


def test_bars_lines_and_the_band_are_those_of_the_data(made):
    """Intervals are lopsided, so that an end in the other's place shows; none goes below zero."""
    settings, *_, data = made
    lopsided = data.assign(low=0.9 * data["value"], high=1.5 * data["value"])
    below = (lopsided["panel"] == "constant") & (lopsided["series"] == "mup")
    lopsided.loc[below, "low"] = -1.0
    drawn = figure.sharpness_figure(lopsided, settings)
    panels = ("constant", "sharpening", "proportional", "fixed")
    for axis, panel in zip(drawn.get_axes(), panels, strict=True):
        mine = lopsided[lopsided["panel"] == panel]
        names = settings.sharpness.parametrizations if len(axis.child_axes) else figure.NORMALIZATIONS
        for one, name in zip(error_bars(axis), names, strict=True):
            rows = mine[(mine["series"] == name) & (mine["kind"] == "measured")].sort_values("x")
            assert one.y == rows["value"].tolist()
            np.testing.assert_allclose(one.low, rows["low"].clip(lower=0), rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(one.high, rows["high"], rtol=1e-9)
        theory = [line for line in axis.lines if line.get_marker() in ("None", "")]
        lines = sorted(tuple(line.get_ydata()) for line in theory if len(line.get_ydata()) > 2)
        known = mine[mine["kind"] == "theory"].sort_values("x").groupby("series")
        assert lines == sorted(tuple(rows["value"]) for _, rows in known)
    for axis in drawn.get_axes()[:2]:
        (band,) = axis.patches
        ends = band.get_extents().transformed(axis.transData.inverted())
        assert (ends.x0, ends.x1) == pytest.approx((1000, 10000))


def test_lines_of_normalized_outputs_are_means_over_their_trials(made):
    """Each trial has inputs of its own, and so an expectation of its own."""
    _, _, normalization, data = made
    known = normalization[normalization["normalization"].isin(["none", "layer"])]
    assert known.groupby(["inputs", "normalization", "width"])["expected"].nunique().min() > 1
    lines = data[(data["kind"] == "theory") & data["panel"].isin(["proportional", "fixed"])]
    found = lines.set_index(["panel", "series", "x"])["value"]
    for place, rows in known.groupby(["inputs", "normalization", "width"]):
        assert found[place] == pytest.approx(rows["expected"].mean())
