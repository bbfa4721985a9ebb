"""What the figure of sharpness shows, against the tables behind it."""

import numpy as np
import pytest

from dynparam.experiments.sharpness import figure, measure
from dynparam.presentation.figure_style import save
from dynparam.presentation.parametrization_style import look
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
