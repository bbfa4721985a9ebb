from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from dynparam.experiments.alignments.wide_figure import (
    COLUMNS,
    WideCurve,
    local_slopes,
    plotted_data,
    wide_figure,
)
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, save
from dynparam.support.errors import DataError
from tests.drawn import error_bars, key

WIDTHS = (100, 1000, 10_000, 100_000)
LOOKS = [(colour.lower(), marker) for colour, marker in zip(LAYER_COLOURS, LAYER_MARKERS, strict=True)]
"""The colour and the marker of each layer."""


def trials(widths, slope, seed):
    """Two layers, 20 trials; the mean grows as n^slope from n = 1000 on and is constant below."""
    generator = np.random.default_rng(seed)
    rows = [
        {
            "curve": "c",
            "parametrization": "spectral",
            "ratio": "1/5 n",
            "layer": layer,
            "n": n,
            "n_min": n // 5,
            "trial": trial,
            "alignment": layer * max(n, 1000) ** slope * generator.lognormal(-0.02, 0.2),
            "relative_square": 1.0,
        }
        for n in widths
        for trial in range(20)
        for layer in (1, 2)
    ]
    return pd.DataFrame(rows)


def curve(slope=-1.0):
    expected = pd.DataFrame(
        [
            {"layer": layer, "n": n, "alignment": layer * max(n, 1000) ** slope}
            for layer in (1, 2)
            for n in WIDTHS
        ]
    )
    dense = trials(WIDTHS[:2], slope, 1)
    return WideCurve(trials(WIDTHS, slope, 0), dense, expected, (Fraction(-1), Fraction(-1)))


def test_local_slopes_see_the_bend():
    """Each sliding fit against statsmodels; theory's slope is 0, -1/2, -1 before, at, after the bend."""
    known = curve()
    table = local_slopes(known, sliding=2, confidence=0.95)
    assert table.query("layer == 2")["expected"].tolist() == pytest.approx([0, -1, -1])
    for row in table.itertuples():
        window = [n for n in WIDTHS if row.n / 4 < n < row.n * 4]
        mine = known.law[known.law["layer"] == row.layer]
        means = [mine.loc[mine["n"] == n, "alignment"].mean() for n in window]
        line = sm.OLS(np.log(means), sm.add_constant(np.log(window))).fit()
        assert row.value == pytest.approx(line.params[1])
        assert row.low < row.value < row.high
        # 20 trials that scatter by 0.2: a standard error of 0.2/sqrt(20)*sqrt(2)/log(10) = 0.027.
        assert abs(row.value - row.expected) < 5 * 0.027


def test_local_slopes_leave_the_images_out():
    """Norms that scatter by a half change the values above, and no local slope."""
    known = curve()
    norms = np.random.default_rng(5).lognormal(0, 0.5, len(known.law) // 2).repeat(2)
    scattered = known.law.assign(relative_square=norms, alignment=known.law["alignment"] * norms)
    found = [
        local_slopes(replace(known, law=law), sliding=3, confidence=0.95)
        for law in (known.law, scattered)
    ]
    reach = [(one["high"] - one["low"]).to_numpy() for one in found]
    assert reach[1] == pytest.approx(reach[0], rel=0.3)
    assert found[1]["value"].to_numpy() == pytest.approx(found[0]["value"].to_numpy(), abs=0.06)


def test_trials_without_their_images_are_refused():
    known = curve()
    bare = replace(known, law=known.law.drop(columns="relative_square"))
    with pytest.raises(DataError, match=r"trials of c have no column 'relative_square'.*measure them"):
        plotted_data(bare, sliding=3, confidence=0.95)


def test_plotted_data_is_complete():
    table = plotted_data(curve(), sliding=3, confidence=0.95)
    assert tuple(table.columns) == COLUMNS
    assert table["kind"].value_counts().to_dict() == {"law": 8, "dense": 4, "slope": 4}
    assert set(table["asymptotic"]) == {-1.0}
    assert set(zip(table["curve"], table["parametrization"], strict=True)) == {("c", "spectral")}
    law = table[(table["kind"] == "law") & (table["layer"] == 1) & (table["n"] == 1000)].iloc[0]
    values = curve().law.query("layer == 1 and n == 1000")["alignment"]
    assert law["value"] == pytest.approx(values.mean())
    assert law["high"] - law["value"] == pytest.approx(values.std(ddof=1))
    assert law["expected"] == pytest.approx(1e-3)


def test_bars_of_plotted_data_are_one_deviation_either_way():
    """Of both engines, and of the slopes the interval; exponents are those of the layers."""
    known = replace(curve(), exponents=(Fraction(-1), Fraction(-1, 2)))
    table = plotted_data(known, sliding=3, confidence=0.95)
    for kind, given in (("law", known.law), ("dense", known.dense)):
        spread = given.groupby(["layer", "n"])["alignment"].agg(["mean", "std"])
        rows = table[table["kind"] == kind].set_index(["layer", "n"])
        np.testing.assert_allclose(rows["low"], spread["mean"] - spread["std"])
        np.testing.assert_allclose(rows["high"], spread["mean"] + spread["std"])
    assert table.groupby("layer")["asymptotic"].unique().map(list).to_dict() == {1: [-1.0], 2: [-0.5]}
    slopes = table[table["kind"] == "slope"]
    assert slopes["n"].tolist() == pytest.approx([1000, 10_000] * 2)
    wider = plotted_data(known, sliding=3, confidence=0.99)
    assert (wider.loc[slopes.index, "low"] < slopes["low"]).all()
    assert (wider.loc[slopes.index, "high"] > slopes["high"]).all()


def test_every_point_bar_and_line_is_drawn_where_it_belongs():
    """With intervals of unequal sides, theory of its own, and exponents that differ by layer."""
    known = replace(curve(), exponents=(Fraction(-1), Fraction(-1, 2)))
    table = plotted_data(known, sliding=3, confidence=0.95)
    table["expected"] = table["value"] * 0.8
    table["low"] -= 0.3 * table["value"].abs()
    table["high"] += 0.1 * table["value"].abs()
    above, below = wide_figure({"panel": table}).axes
    for axis, kind in ((above, "law"), (below, "slope")):
        bars, theory = error_bars(axis), axis.lines
        assert len(bars) == 2
        middles = table.loc[(table["kind"] == kind) & (table["layer"] == 1), "n"].tolist()
        # Layers stand side by side about each width.
        assert np.exp(np.mean(np.log([bar.x for bar in bars]), axis=0)) == pytest.approx(middles)
        for place, layer in enumerate((1, 2)):
            rows = table[(table["kind"] == kind) & (table["layer"] == layer)]
            assert (bars[place].colour, bars[place].marker) == LOOKS[place]
            assert bars[place].x == pytest.approx(rows["n"].tolist(), rel=0.04)
            assert bars[place].y == rows["value"].tolist()
            assert bars[place].high == pytest.approx(rows["high"].tolist())
            floor = 0.1 * rows["value"] if kind == "law" else -np.inf
            assert bars[place].low == pytest.approx(np.maximum(rows["low"], floor).tolist())
            shown = [
                list(line.get_ydata()) for line in theory if line.get_color() == LAYER_COLOURS[place]
            ]
            assert rows["expected"].tolist() in shown
    dense = table[table["kind"] == "dense"]
    hollow = [line for line in above.lines if line.get_markerfacecolor() == "none"]
    assert [list(line.get_ydata()) for line in hollow] == [
        dense.loc[dense["layer"] == layer, "value"].tolist() for layer in (1, 2)
    ]
    assert [(line.get_color().lower(), line.get_marker()) for line in hollow] == LOOKS[:2]
    exponents = [line.get_ydata()[0] for line in below.lines if line.get_linestyle() == "--"]
    assert exponents == [-1.0, -0.5]
    for axis in (above, below):
        (window,) = [patch for patch in axis.patches if isinstance(patch, Rectangle)]
        assert (window.get_x(), window.get_x() + window.get_width()) == (100, 1000)
        (n_0,) = [line for line in axis.lines if line.get_linestyle() == ":"]
        assert list(n_0.get_xdata()) == [3072, 3072]


def test_figure_shows_all_curves_and_their_slopes(tmp_path):
    table = plotted_data(curve(), sliding=3, confidence=0.95)
    figure = wide_figure({"left": table, "right": table})
    above, below = figure.axes[:2], figure.axes[2:]
    assert [axis.get_title() for axis in above] == ["left", "right"]
    assert all(axis.get_yscale() == "log" for axis in above)
    assert all(axis.get_xscale() == "log" for axis in figure.axes)
    assert all(axis.get_yscale() == "linear" for axis in below)
    assert [bool(axis.get_xlabel()) for axis in figure.axes] == [False, False, True, True]
    assert ["partial" in axis.get_ylabel() for axis in figure.axes] == [True, False, False, False]
    assert [axis.get_ylabel()[:5] for axis in below] == ["local", ""]
    for row in (above, below):
        assert row[0].get_shared_y_axes().joined(*row), "one scale for both"
    assert not above[0].get_shared_y_axes().joined(above[0], below[0])
    assert above[0].get_shared_x_axes().joined(above[0], below[1])
    for axis in below:
        bars = [item for item in axis.collections if isinstance(item, LineCollection)]
        assert len(bars) == 2, "an interval at every local slope, a collection a layer"
    written = save(figure, table, tmp_path / "wide.png", 60)
    assert all(path.stat().st_size for path in written)


def test_the_key_tells_layers_and_lines_as_they_are_drawn():
    """A seventh layer looks like the first."""
    table = plotted_data(curve(), sliding=3, confidence=0.95)
    table["layer"] += 5
    figure = wide_figure({"left": table, "right": table})
    (legend,) = figure.legends
    layers, (dense, theory, exponent, n_0, window) = key(legend)[:2], key(legend)[2:]
    assert [(words, *look) for words, *look, _ in layers] == [
        (r"$\ell=6$", *LOOKS[5]),
        (r"$\ell=7$", *LOOKS[0]),
    ]
    assert [(bar.colour, bar.marker) for bar in error_bars(figure.axes[0])] == [LOOKS[5], LOOKS[0]]
    assert (dense[0], *dense[2:]) == ("dense weights", "o", "")
    assert (theory[0], *theory[2:]) == ("mean-field theory", "", "-")
    assert exponent == ("exact exponent", "#000000", "", "--")
    assert n_0 == ("$n=n_0=3072$", "#666666", "", ":")
    assert (window[0], *window[2:]) == ("the thesis's window", "", "")
    assert {entry[-1] for entry in layers} == {""}, "markers alone"
