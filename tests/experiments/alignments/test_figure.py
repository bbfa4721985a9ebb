import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from dynparam.experiments.alignments import figure as figures
from dynparam.experiments.architecture import figure as figures_figure
from dynparam.experiments.architecture.settings import for_architecture
from dynparam.experiments.architecture.stages import plot_architecture
from dynparam.presentation import figure_style
from dynparam.support.errors import DataError
from dynparam.theory.widths import bottleneck
from tests.drawn import error_bars, key, plain_lines
from tests.findings_run import configured

N = [100, 200, 400]


def panel_tables():
    """Two layers whose trials are n^-layer times 1 and 3: mean 2 n^-layer, sample std sqrt(2)."""
    trials = pd.DataFrame(
        [
            {
                "curve": "c",
                "parametrization": "ntk",
                "ratio": "n",
                "n": n,
                "n_min": n,
                "trial": trial,
                "layer": layer,
                "alignment": float(n) ** -layer * (1 + 2 * trial),
            }
            for n in N
            for trial in (0, 1)
            for layer in (1, 2)
        ]
    )
    fits = pd.DataFrame({"layer": [1, 2], "slope": [-1.0, -2.0], "intercept": [np.log(2)] * 2})
    expected = pd.DataFrame({"layer": [1] * 3 + [2] * 3, "n": N * 2, "alignment": [0.5] * 6})
    return trials, fits, expected


@pytest.mark.parametrize(
    ("table", "rows", "words"),
    [
        (1, {"layer": [1], "slope": [-1.0], "intercept": [0.0]}, "slopes are of other layers"),
        (2, {"layer": [1, 2], "n": [100, 100], "alignment": [0.5] * 2}, "expected values are of other"),
        (2, {"layer": [1] * 3, "n": N, "alignment": [0.5] * 3}, "expected values are of other layers"),
    ],
)
def test_tables_that_do_not_fit_together_are_told(table, rows, words):
    """They lost rows without a word, and the figure points."""
    tables = list(panel_tables())
    tables[table] = pd.DataFrame(rows)
    with pytest.raises(DataError, match=rf"^the {words}.*; run the rules of both again$"):
        figures.plotted_data(*tables)


def test_plotted_data_by_hand():
    table = figures.plotted_data(*panel_tables())
    assert len(table) == 6
    known = ["curve", "parametrization", "ratio", "layer", "n", "n_min"]
    assert table.columns.tolist() == [*known, "mean", "std", "trials", "expected", "slope", "fit"]
    assert table["trials"].tolist() == [2] * 6
    for layer in (1, 2):
        rows = table[table["layer"] == layer]
        scale = np.array(N, float) ** -layer
        assert rows["mean"].tolist() == pytest.approx(2 * scale)
        assert rows["std"].tolist() == pytest.approx(np.sqrt(2) * scale)
        assert rows["fit"].tolist() == pytest.approx(2 * scale)
        assert rows["expected"].tolist() == [0.5] * 3
        assert rows["slope"].tolist() == [-layer] * 3


def test_expectations_of_other_widths_are_refused():
    trials, fits, expected = panel_tables()
    doubled = pd.concat([expected, expected])
    with pytest.raises(pd.errors.MergeError):
        figures.plotted_data(trials, fits, doubled)
    with pytest.raises(pd.errors.MergeError):
        figures.plotted_data(trials, pd.concat([fits, fits]), expected)


def test_probe_figure_shows_means_fits_theory_and_slopes():
    table = figures.plotted_data(*panel_tables())
    figure = figures.probe_figure({"left": table, "right": table})
    assert [axis.get_title() for axis in figure.axes] == ["left", "right"]
    for axis in figure.axes:
        assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
        assert axis.get_xlabel() == "$n$ (neurons)"
        labels = [text.get_text() for text in sorted(axis.texts, key=lambda one: -one.get_position()[1])]
        assert labels == ["slope", r"$\ell=1$:  $-1.00$", r"$\ell=2$:  $-2.00$"], "as the lines end"
        dashed = [line for line in axis.lines if line.get_linestyle() == "--"]
        assert [line.get_ydata().tolist() for line in dashed] == [
            table.loc[table["layer"] == layer, "fit"].tolist() for layer in (1, 2)
        ]
    assert "partial" in figure.axes[0].get_ylabel()
    assert figure.axes[0].get_shared_y_axes().joined(*figure.axes), "one scale for both"


def told_apart():
    """The panel's table with numbers of their own everywhere, and a bar longer than its mean."""
    table = figures.plotted_data(*panel_tables())
    table["expected"] = table["mean"] * np.linspace(0.5, 0.7, len(table))
    table["fit"] = table["mean"] * np.linspace(1.2, 1.4, len(table))
    table["std"] = table["mean"] * np.linspace(0.1, 1.3, len(table))
    return table


def test_every_point_has_its_bar_and_every_layer_its_lines():
    """The mean with its deviation, cut at a tenth of the mean below; theory in full, the fit dashed."""
    table = told_apart()
    (axis,) = figures.probe_figure({"panel": table}).axes
    bars, fits, theory = error_bars(axis), plain_lines(axis, "--"), plain_lines(axis, "-")
    assert len(bars) == len(fits) == len(theory) == 2
    # Layers stand side by side about each width.
    assert np.exp(np.mean(np.log([bar.x for bar in bars]), axis=0)) == pytest.approx(N)
    assert (np.array(bars[0].x) < bars[1].x).all()
    for place, layer in enumerate((1, 2)):
        rows = table[table["layer"] == layer]
        colour = figure_style.LAYER_COLOURS[place].lower()
        below = rows["mean"] - rows["std"]
        assert (below < 0).any() == (layer == 2)
        assert bars[place].marker == figure_style.LAYER_MARKERS[place]
        assert bars[place].colour == fits[place].get_color().lower() == colour
        assert bars[place].x == pytest.approx(N, rel=0.02)
        assert bars[place].y == rows["mean"].tolist()
        assert bars[place].high == pytest.approx((rows["mean"] + rows["std"]).tolist())
        assert bars[place].low == pytest.approx(np.maximum(below, 0.1 * rows["mean"]).tolist())
        for line, column in ((fits[place], "fit"), (theory[place], "expected")):
            assert list(line.get_xdata()) == N
            assert list(line.get_ydata()) == rows[column].tolist()
            assert line.get_color().lower() == colour


@pytest.mark.parametrize(
    ("widths", "names"), [((1000, 2000, 4000), ["$n=n_0=3072$"]), ((100, 200, 400), [])]
)
def test_the_input_size_is_marked_where_it_lies_among_the_widths(widths, names):
    """Named once, in the first panel."""
    table = told_apart()
    table["n"] = table["n"].map(dict(zip(N, widths, strict=True)))
    figure = figures.probe_figure({"left": table, "right": table})
    assert [
        text.get_text() for axis in figure.axes for text in axis.texts if "n_0" in text.get_text()
    ] == names
    marked = [
        line.get_xdata()[0] for axis in figure.axes for line in axis.lines if line.get_linestyle() == ":"
    ]
    assert marked == [3072] * 2 * len(names)


def test_panels_stand_below_one_another_in_a_column():
    """Each with its own names of the axes where they are needed, and on one scale all the same."""
    table = told_apart()
    panels = dict.fromkeys("abc", table)
    page, column = (figures.probe_figure(panels, figure_style.Sheet(width)) for width in (7, 3.5))
    assert (page.get_figwidth(), column.get_figwidth()) == (7, 3.5)
    shapes = [figure.axes[0].get_gridspec().get_geometry() for figure in (page, column)]
    assert shapes == [(2, 2), (3, 1)]
    assert [axis.axison for axis in page.axes] == [True] * 3 + [False]
    assert [bool(axis.get_ylabel()) for axis in column.axes] == [True] * 3
    assert [bool(axis.get_xlabel()) for axis in column.axes] == [False, False, True]
    assert column.axes[0].get_ylim() == column.axes[2].get_ylim()


def test_a_seventh_layer_looks_like_the_first():
    table = told_apart()
    (axis,) = figures.probe_figure({"panel": table.assign(layer=table["layer"] + 5)}).axes
    looks = list(zip(figure_style.LAYER_COLOURS, figure_style.LAYER_MARKERS, strict=True))
    found = [(bar.colour.upper(), bar.marker) for bar in error_bars(axis)]
    assert found == [looks[5], looks[0]]
    assert [line.get_color() for line in plain_lines(axis, "--")] == [looks[5][0], looks[0][0]]


@pytest.mark.parametrize("counts", [(2, 30), (30, 2)])
def test_the_key_tells_the_number_of_trials(counts):
    """The largest, where panels have different ones."""
    table = told_apart()
    panels = {str(count): table.assign(trials=count) for count in counts}
    (legend,) = figures.probe_figure(panels).legends
    assert [(words, marker, style) for words, _, marker, style in key(legend)] == [
        ("mean and standard deviation of 30 trials", "o", ""),
        ("least squares on the means", "", "--"),
        ("mean-field theory", "", "-"),
    ]


def test_colours_differ_in_brightness_or_hue_and_markers_differ():
    """Six layers: six markers, and six colours that keep apart when seen by a deuteranope.

    Machado, Oliveira and Fernandes (2009), severity 1.
    """
    deuteranopia = np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    )
    seen = [deuteranopia @ np.array(to_rgb(colour)) for colour in figure_style.LAYER_COLOURS]
    for k, first in enumerate(seen):
        for second in seen[k + 1 :]:
            assert np.linalg.norm(first - second) > 0.1
    assert len(set(figure_style.LAYER_MARKERS)) == len(figure_style.LAYER_COLOURS) == 6


def test_architecture_follows_the_widths():
    widths = bottleneck(1000, 100)
    data = figures_figure.architecture_data(widths)
    assert data["width"].tolist() == [1000, 100, 1000, 100, 1000]
    assert data["narrowest"].tolist() == [False, True, False, True, False]
    axis = figures_figure.architecture_figure(widths).axes[0]
    bars = [patch for patch in axis.patches if hasattr(patch, "get_height")]
    assert [bar.get_height() for bar in bars] == pytest.approx([1, 0.1, 1, 0.1, 1])
    labels = [text.get_text() for text in axis.texts]
    assert r"$n_2=n_{\min}$" in labels
    assert "$n_5=n$" in labels
    assert [label for label in labels if "ell" in label] == [rf"$\ell={k}$" for k in range(1, 6)]
    assert [label for label in labels if "x" in label] == ["$x$", "$f(x)$"]
    for layer, bar in enumerate(bars, start=1):
        assert (bar.get_x() + bar.get_width() / 2, bar.get_y()) == (
            pytest.approx(layer),
            pytest.approx(-bar.get_height() / 2),
        )
        narrow = layer in (2, 4)
        assert to_rgb(bar.get_facecolor()) == to_rgb(figure_style.LAYER_COLOURS[narrow])


def test_weights_reach_from_bar_to_bar_in_full_height():
    axis = figures_figure.architecture_figure(bottleneck(1000, 100)).axes[0]
    between = [
        patch for patch in axis.patches if not hasattr(patch, "get_height") and len(patch.get_xy()) > 4
    ]
    assert len(between) == 4
    for left, patch in enumerate(between, start=1):
        corners = {(round(x, 2), round(abs(y), 3)) for x, y in patch.get_xy()}
        heights = (0.5, 0.05) if left % 2 else (0.05, 0.5)
        assert corners == {(left + 0.13, heights[0]), (left + 0.87, heights[1])}


def test_the_network_drawn_is_that_of_the_settings(tmp_path):
    """Hidden layers of its own, in its own order; labels and heights follow."""
    widths = bottleneck(1000, 250, hidden=("narrow", "wide", "wide"))
    axis = figures_figure.architecture_figure(widths).axes[0]
    bars = [patch for patch in axis.patches if hasattr(patch, "get_height")]
    assert [bar.get_height() for bar in bars] == pytest.approx([0.25, 1, 1])
    assert [bool(bar.get_hatch()) for bar in bars] == [True, False, False]
    labels = [text.get_text() for text in axis.texts if text.get_text().startswith("$n_")]
    assert labels == [r"$n_1=n_{\min}$", "$n_2=n$", "$n_3=n$"]
    network = {"network.hidden": ["narrow", "wide", "wide"]}
    shown = {"figures.architecture": {"own": {"n": 1000, "n_min": 250}}}
    settings = for_architecture(configured(network | shown), "own")
    plot_architecture(settings, (), tmp_path / "own.png", "own")
    data = figures_figure.architecture_data(widths)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "own.csv"), data)
    assert data["narrowest"].tolist() == [True, False, False]


def test_saved_files_are_reproducible(tmp_path):
    table = figures.plotted_data(*panel_tables())
    contents = []
    for name in ("a", "b"):
        figure = figures.probe_figure({"panel": table})
        written = figure_style.save(figure, table, tmp_path / name / "fig.png", dpi=60)
        assert [path.name for path in written] == ["fig.png", "fig.svg", "fig.pdf", "fig.csv"]
        contents.append([path.read_bytes() for path in written])
    assert contents[0] == contents[1]
    assert contents[0][0].startswith(b"\x89PNG")
    assert contents[0][2].startswith(b"%PDF")


def test_a_picture_has_the_configured_resolution(tmp_path):
    """Of the width, seven inches or what the sheet has; and of the height."""
    table = figures.plotted_data(*panel_tables())
    for dpi in (40, 60):
        figure = figures.probe_figure({"panel": table})
        png = figure_style.save(figure, table, tmp_path / f"{dpi}.png", dpi=dpi)[0]
        with Image.open(png) as picture:
            assert picture.size == (7 * dpi, round(3.3 * dpi))
