"""The figure: its data are those of the trials, and its panels show them."""

import numpy as np
import pytest

from dynparam.experiments.receptive_fields import figure
from tests import fields

STAGE = fields.stage()
DATA = figure.plotted_data(fields.planted(), STAGE)
SQUARE, NOISE = "displacement_square", "displacement_noise"


def row(panel, kind, at, pair=fields.PAIR, data=DATA):
    keys = zip(("panel", "kind", "at", "pair"), (panel, kind, at, pair), strict=True)
    for name, wanted in keys:
        data = data[data[name] == wanted]
    (found,) = data.to_dict("records")
    return found


@pytest.mark.parametrize(
    ("panel", "kind", "at", "ratio"),
    [
        ("square", "local", 0.1, 0.76 / 0.8),
        ("square", "local", 0.4, 0.76 * 0.99**2 / 0.8),
        ("square", "weighted", 0.2, 0.82 * 0.99 / 0.8),
        ("square", "permuted", 0.1, 0.79 / 0.8),
        ("square", "correlated", 1.5, 0.9 / 0.8),
        ("noise", "local", 0.2, 0.3 * 0.99 / 0.25),
        ("noise", "correlated", 1.5, 0.15 / 0.25),
        ("noise", "blurred", 1.5, 0.15 / 0.25),
    ],
)
def test_points_are_displacements_over_those_of_a_dense_network(panel, kind, at, ratio):
    data = figure.plotted_data(fields.planted(scatter=0.0), STAGE)
    for pair in ("airplane-automobile", "bird-cat"):
        assert row(panel, kind, at, pair, data)["value"] == pytest.approx(ratio)
        found = row(panel, kind, at, pair)
        assert found["value"] == pytest.approx(ratio, rel=0.01)
        assert found["low"] < found["value"] < found["high"]


def test_every_kind_is_in_both_panels_once():
    assert len(DATA) == 2 * 2 * (1 + 3 + 3 + 1 + 1)
    assert tuple(DATA.columns) == figure.COLUMNS


def drawn(stage):
    data = figure.plotted_data(fields.planted(settings=stage), stage)
    return data, figure.fields_figure(data, stage)


def containers(axis):
    """The points of every kind of every pair, by their heights."""
    return [np.asarray(one.lines[0].get_ydata(), float) for one in axis.containers]


@pytest.mark.parametrize("pairs", [["bird-cat"], ["bird-cat", "airplane-automobile"]])
@pytest.mark.parametrize("radii", [[0.1], [0.05, 0.1, 0.3, 0.5]])
def test_panels_show_the_plotted_data(pairs, radii):
    stage = fields.stage({"pairs": pairs, "radii": radii})
    data, picture = drawn(stage)
    square, noise, *windows = picture.axes
    assert [square.get_title(), noise.get_title()] == ["square of one colour", "white noise"]
    assert [one.get_title() for one in windows] == [f"$r={radius:g}$" for radius in radii]
    for axis, panel in ((square, "square"), (noise, "noise")):
        shown = containers(axis)
        assert len(shown) == 5 * len(pairs)
        heights = np.sort(np.concatenate(shown))
        np.testing.assert_allclose(heights, np.sort(data.loc[data["panel"] == panel, "value"]))
        labels = [label.get_text() for label in axis.get_xticklabels()]
        assert labels == [*(f"{radius:g}" for radius in radii), "$l=1.5$"]


def test_points_stand_over_their_radius_and_in_the_pair_s_colour():
    axis = drawn(STAGE)[1].axes[0]
    for place, pair in enumerate(STAGE.receptive_fields.pairs):
        mine = axis.containers[5 * place : 5 * place + 5]
        local, correlated = (
            next(
                one for one in mine if row("square", kind, at, pair)["value"] in one.lines[0].get_ydata()
            )
            for kind, at in (("local", 0.1), ("correlated", 1.5))
        )
        np.testing.assert_allclose(local.lines[0].get_xdata(), [0, 1, 2], atol=0.2)
        np.testing.assert_allclose(correlated.lines[0].get_xdata(), 3.5, atol=0.2)
        assert local.lines[0].get_color() == figure.COLOURS[place]
        assert local.lines[0].get_linestyle() == "-"
        values = [row("square", "local", at, pair)["value"] for at in (0.1, 0.2, 0.4)]
        np.testing.assert_allclose(local.lines[0].get_ydata(), values)
        (bars,) = local.lines[2]
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        found = [row("square", "local", at, pair) for at in (0.1, 0.2, 0.4)]
        np.testing.assert_allclose(ends, [[one["low"], one["high"]] for one in found])


def test_controls_are_dashed_or_half_filled_and_every_kind_has_its_name():
    picture = drawn(STAGE)[1]
    (legend,) = picture.subfigs[0].legends
    handles = {one.get_label(): one for one in legend.legend_handles}
    assert list(handles) == [
        "airplane-automobile",
        "bird-cat",
        "windows",
        "pixels weighted alike",
        "permuted pixels",
        "correlated weights",
        "blurred images",
    ]
    assert handles["pixels weighted alike"].get_linestyle() == "--"
    assert handles["windows"].get_linestyle() == "-"
    assert handles["permuted pixels"].get_fillstyle() == "left"
    assert handles["correlated weights"].get_markersize() > handles["blurred images"].get_markersize()
    looks = figure._looks("red", "o")
    for label, kind in (("pixels weighted alike", "weighted"), ("permuted pixels", "permuted")):
        assert handles[label].get_marker() == looks[kind]["marker"]


def test_windows_grow_with_their_radius():
    shown = [axis.images[0].get_array() for axis in drawn(STAGE)[1].axes[2:]]
    width = [(one > one.max() * np.exp(-0.5)).sum() for one in shown]
    for radius, area in zip((0.1, 0.2), width, strict=False):
        assert area == pytest.approx(np.pi * (32 * radius) ** 2, rel=0.15)
    assert np.unravel_index(shown[0].argmax(), (32, 32)) in {(15, 15), (15, 16), (16, 15), (16, 16)}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trials": 9}, "9 draws of 200 images"),
        ({"samples": 150}, "of 150 images to train"),
        ({"test_samples": 150}, "150 to test on"),
        ({"ridge": 0.01}, "ridge 0.01;"),
        ({"grid": 4}, "grid of 4 by 4"),
        ({"correlation": 2}, "correlated over 2 pixels"),
        ({"square": 8}, "8 by 8 pixels"),
        ({"noise": 0.3}, "deviation 0.3"),
    ],
)
def test_the_caption_has_the_numbers_of_the_settings(changes, said):
    assert said in figure.told(fields.stage(changes))
    assert said not in figure.told(STAGE)
    assert "95 % intervals" in figure.told(STAGE)
