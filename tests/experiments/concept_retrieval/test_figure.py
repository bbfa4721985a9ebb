"""The figure of repeated inference: its data, and its panels."""

import matplotlib as mpl
import numpy as np
import pytest

from dynparam.experiments.concept_retrieval import figure
from tests import concepts

STAGE = concepts.stage()
DATA = figure.plotted_data(concepts.planted(), STAGE)


def rows(panel, kind, latent=None):
    here = DATA[(DATA["panel"] == panel) & (DATA["kind"] == kind)]
    return here if latent is None else here[here["latent"] == latent]


def test_modes_lie_on_theory_up_to_the_latent_width():
    for latent in (4, 8, 20, 30):
        here = rows("modes", "clusters", latent)
        assert here["x"].tolist() == concepts.EIGENVALUES.tolist()
        kept = np.where(np.arange(50) < latent, np.maximum(0, 1 - 0.5 / here["x"]), 0)
        assert np.allclose(here["expected"], kept)
        assert np.allclose(here["value"], kept, atol=0.006)
        assert (here["low"] == here["value"]).all()
        assert (here["high"] == here["value"]).all()
    line = rows("modes", "theory")
    assert np.allclose(line["expected"], np.maximum(0, 1 - 0.5 / line["x"]))
    assert (line["x"].min(), line["x"].max()) == pytest.approx((0.08, 20.0))
    assert 0.5 in line["x"].tolist()
    assert line["value"].isna().all()


def test_distances_are_those_over_the_start():
    for latent in (4, 8, 20, 30):
        here = rows("linear", "clusters", latent)
        assert here["x"].tolist() == list(range(41))
        assert here["expected"].to_numpy() == pytest.approx(concepts.dip(1, 0.3, 0.6, 3))
        assert here["value"].to_numpy() == pytest.approx(here["expected"].to_numpy(), rel=1e-3)
        assert (here["low"] <= here["value"]).all()
        assert (here["value"] <= here["high"]).all()
    wrong = rows("linear", "wrong")
    assert set(wrong["latent"]) == {30}
    assert wrong["expected"].to_numpy() == pytest.approx(concepts.dip(1, 0.7, 0.5, 20))
    assert wrong["value"].to_numpy() == pytest.approx(wrong["expected"].to_numpy(), rel=1e-3)


def test_nonlinear_distances_are_geometric_means_with_their_intervals():
    last = rows("nonlinear", "clusters").iloc[-1]
    ends = np.log([2.5 * (1 + 0.1 * trial) for trial in range(8)])
    reach = 2.3646 * ends.std(ddof=1) / np.sqrt(8)  # Student's t of seven degrees of freedom
    assert last["value"] == pytest.approx(np.exp(ends.mean()))
    assert (last["low"], last["high"]) == pytest.approx(
        (np.exp(ends.mean() - reach), np.exp(ends.mean() + reach)), rel=1e-4
    )
    assert np.isnan(last["expected"])
    gaussian = rows("nonlinear", "gaussian").iloc[-1]
    assert gaussian["value"] == pytest.approx(np.exp(ends.mean()) * 0.8 / 2.5)
    assert rows("nonlinear", "wrong")["value"].to_numpy() == pytest.approx(concepts.dip(1, 0.8, 3, 6))
    assert set(DATA.loc[DATA["panel"] == "nonlinear", "latent"]) == {16}


def test_three_panels_show_them():
    left, middle, right = figure.concepts_figure(DATA).axes
    legends = [
        [text.get_text() for text in one.get_legend().get_texts()] for one in (left, middle, right)
    ]
    assert legends == [
        [r"$1-s^2/\lambda$", "$k=4$", "$k=8$", "$k=20$", "$k=30$"],
        ["wrong concept"],
        ["clusters", "one Gaussian", "wrong concept"],
    ]
    assert [axis.get_title() for axis in (left, middle, right)] == [
        "kept by an inference",
        "linear",
        "nonlinear",
    ]
    assert left.get_xscale() == right.get_yscale() == "log"
    assert middle.get_ylim()[0] == 0
    for axis in (middle, right):
        assert [text.get_text() for text in axis.get_xticklabels()] == ["0", "1", "3", "10", "20", "40"]
        assert axis.get_xscale() == "function"
        # Spread out as square roots are.
        zero, one, four = axis.transData.transform([[0, 1], [1, 1], [4, 1]])[:, 0]
        assert four - zero == pytest.approx(2 * (one - zero))


def test_lines_are_theory_and_points_are_measured():
    """Of the middle panel: a dashed line for wrong concepts, one for each width, and their points."""
    _, middle, right = figure.concepts_figure(DATA).axes
    lines = [line for line in middle.lines if len(line.get_xdata()) == 41]
    assert [line.get_linestyle() for line in lines] == ["--", "-", "-", "-", "-"]
    assert lines[0].get_ydata() == pytest.approx(concepts.dip(1, 0.7, 0.5, 20))
    assert lines[1].get_ydata() == pytest.approx(concepts.dip(1, 0.3, 0.6, 3))
    shown = [0, 1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40]
    points = next(c for c in middle.containers)
    assert points.lines[0].get_xdata().tolist() == shown
    expected = rows("linear", "clusters", 4)["value"].to_numpy()[shown]
    assert points.lines[0].get_ydata() == pytest.approx(expected)
    looks = [(c.lines[0].get_color(), c.lines[0].get_marker()) for c in right.containers]
    assert looks == [("#0072B2", "o"), ("#D55E00", "s"), ("0.45", "x")]
    lines = [line for line in right.lines if len(line.get_xdata()) == 41]
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--"]
    for kind, line, drawn in zip(
        ("clusters", "gaussian", "wrong"), lines, right.containers, strict=True
    ):
        values = rows("nonlinear", kind)
        assert line.get_ydata() == pytest.approx(values["value"].to_numpy())
        assert drawn.lines[0].get_ydata() == pytest.approx(values["value"].to_numpy()[shown])
        # Bars reach from the lower to the upper end.
        (bars,) = drawn.lines[2]
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        assert ends == pytest.approx(values[["low", "high"]].to_numpy()[shown])


def test_points_of_modes_differ_by_width():
    left = figure.concepts_figure(DATA).axes[0]
    line, *points = left.lines
    assert line.get_ydata() == pytest.approx(rows("modes", "theory")["expected"].to_numpy())
    for latent, drawn in zip((4, 8, 20, 30), points, strict=True):
        assert drawn.get_xdata() == pytest.approx(concepts.EIGENVALUES)
        assert drawn.get_ydata() == pytest.approx(rows("modes", "clusters", latent)["value"].to_numpy())
    looks = {(one.get_color(), one.get_marker(), one.get_markersize()) for one in points}
    assert len(looks) == 4
    sizes = [one.get_markersize() for one in points]
    assert sizes == sorted(set(sizes), reverse=True)


def test_an_end_between_marked_steps_has_a_point_and_eigenvalues_of_zero_have_none():
    data = DATA[~((DATA["panel"] != "modes") & (DATA["x"] > 33))].copy()
    data.loc[(data["panel"] == "modes") & (data["kind"] == "clusters") & (data["x"] < 0.1), "x"] = 0.0
    left, middle, _ = figure.concepts_figure(data).axes
    assert middle.containers[0].lines[0].get_xdata()[-1] == 33
    assert min(line.get_xdata().min() for line in left.lines) > 0


def test_far_divergence_has_powers_of_ten_alone():
    data = DATA.copy()
    data.loc[data["panel"] == "nonlinear", ["value", "low", "high"]] **= 8
    with mpl.rc_context({"text.usetex": False}):
        *_, right = figure.concepts_figure(data).axes
    ticks = right.get_yticks()
    assert len(ticks) > 2
    assert np.allclose(np.log10(ticks), np.round(np.log10(ticks)))
    few = figure.concepts_figure(DATA).axes[-1].get_yticks()
    assert few.tolist() == [0.5, 1, 2]


def test_the_caption_tells_the_settings():
    told = figure.told(STAGE)
    assert told == (
        "8 clusters of 2000 patterns in 50 dimensions, s^2 = 0.5; 5 linear and 8 nonlinear autoencoders "
        "of each kind, the latter of 16 latent and 64 hidden units. Bars are 95 % intervals."
    )
