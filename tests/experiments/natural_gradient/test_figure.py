"""The figure of the residuals: its data are those of the trials, and its panels show them."""

import numpy as np
import pytest

from dynparam.experiments.natural_gradient import figure
from tests import natural

STAGE = natural.stage()
DATA = figure.plotted_data(natural.planted(), STAGE)


def test_points_are_means_and_the_line_is_theory():
    rows = DATA[(DATA["panel"] == "gaussian") & (DATA["method"] == "kfac") & (DATA["n"] == 2048)]
    assert rows["expected"].tolist() == pytest.approx([0.7**t for t in range(1, 7)])
    trials = natural.planted().query("part == 'gaussian' and method == 'kfac' and n == 2048")
    means = trials.groupby("step")["residual"].mean()
    assert np.allclose(rows["value"], means)
    assert (rows["low"] <= rows["value"]).all()
    assert (rows["value"] <= rows["high"]).all()


def test_the_ends_of_widths_are_drawn_and_descent_once():
    several = DATA[DATA["panel"] == "gaussian"]
    assert sorted(several["n"].unique()) == [128, 2048]
    assert several.loc[several["method"] == "gradient", "n"].unique().tolist() == [2048]
    assert "unscaled" not in set(DATA["method"])
    one = DATA[DATA["panel"] == "one_step"]
    assert len(one) == 3 * 5 * 2
    assert one["expected"].isna().all()


def test_one_step_is_shown_by_geometric_means():
    trials = natural.planted().query("part == 'one_step' and scales == 'mup' and method == 'exact'")
    rows = DATA.query("panel == 'one_step' and scales == 'mup' and method == 'exact'")
    expected = [np.exp(np.log(rows.residual).mean()) for _, rows in trials.groupby("n")]
    assert np.allclose(rows["value"], expected)
    assert (rows["low"] > 0).all()


def test_a_panel_for_both_inputs_and_for_each_approximation():
    drawn = figure.natural_gradient_figure(DATA, STAGE)
    titles = [axis.get_title() for axis in drawn.axes]
    assert titles == [
        "Gaussian inputs",
        "images",
        "one full step, exact",
        "one full step, block diagonal",
    ]
    assert all(axis.get_yscale() == "log" for axis in drawn.axes)
    labels = [text.get_text() for one in drawn.subfigs for text in one.legends[0].get_texts()]
    assert {"K-FAC", "gradient descent", "spectral", "$M$ = 128, 512", "$M$ = 2048"} <= set(labels)


def test_fewer_methods_leave_no_gap():
    few = natural.stage(one_step={"approximations": ["exact"], "parametrizations": ["ntk"]})
    data = DATA[(DATA["method"].isin(["exact", "gradient"])) & DATA["scales"].isin(["ntk"])]
    drawn = figure.natural_gradient_figure(data, few)
    assert len(drawn.axes) == 3


def test_an_interval_beyond_zero_leaves_the_axis_positive():
    data = DATA.copy()
    data.loc[data["panel"] == "gaussian", "low"] = -1.0
    drawn = figure.natural_gradient_figure(data, STAGE)
    drawn.canvas.draw()
    assert drawn.axes[0].get_ylim()[0] > 0
