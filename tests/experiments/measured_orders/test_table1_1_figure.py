import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from dynparam.experiments.measured_orders import table1_1
from dynparam.experiments.measured_orders.table1_1_figure import table1_1_figure
from dynparam.presentation import figure_style
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS


def test_panels_show_claimed_exact_and_measured(table, settings):
    """Rows are quantities, columns families; in each panel every entry is drawn where it belongs."""
    figure = table1_1_figure(table, settings.exponents)
    families = list(settings.exponents.families)
    assert len(figure.axes) == 16
    for place, axis in enumerate(figure.axes):
        quantity = table1_1.QUANTITIES[place // 4]
        shown = table[(table["quantity"] == quantity) & (table["family"] == families[place % 4])]
        for name, colour, marker in zip(table1_1.CLAIMED, LAYER_COLOURS, LAYER_MARKERS, strict=False):
            rows = shown[shown["parametrization"] == name]
            measured = [
                line for line in axis.lines if line.get_color() == colour and line.get_marker() == marker
            ]
            assert [line.get_ydata().tolist() for line in measured] == [rows["slope"].tolist()]
            assert np.abs(measured[0].get_xdata() - rows["layer"]).max() < 0.5
        rings = [line for line in axis.lines if line.get_color() == "black"]
        assert [line.get_ydata().tolist() for line in rings] == [
            shown.loc[shown["parametrization"] == name, "exact"].tolist() for name in table1_1.CLAIMED
        ]
        bars = [
            segment[:, 1].tolist()
            for collection in axis.collections
            if np.allclose(collection.get_linewidths(), 3.5)
            for segment in collection.get_segments()
        ]
        claimed = [
            claim
            for name in table1_1.CLAIMED
            for claim in shown.loc[shown["parametrization"] == name, "claimed"]
        ]
        assert bars == [[claim, claim] for claim in claimed]
        low, high = axis.get_ylim()
        assert low < shown[["claimed", "exact", "ci_low"]].to_numpy().min()
        assert shown[["claimed", "exact", "ci_high"]].to_numpy().max() < high


def segments(axis, colour, style=None):
    """The vertical lines of a colour and style: their places and ends."""
    found = []
    for collection in axis.collections:
        drawn = collection.get_linestyle()[0][1] is None
        same = np.allclose(collection.get_color()[0], to_rgba(colour))
        if same and np.isclose(collection.get_linewidths()[0], 0.9 if style == "bar" else 0.7):
            assert drawn == (style == "bar")
            found += [(one[0, 0], *sorted(one[:, 1])) for one in collection.get_segments()]
    return found


def test_bars_are_intervals_and_dotted_lines_lead_from_claims_to_exponents(table, settings):
    """Slopes that lie anywhere in their intervals, and claims off the exact exponents everywhere."""
    other = table.copy()
    other["ci_low"], other["ci_high"] = table["slope"] - 0.3, table["slope"] + 0.1
    other["claimed"] = table["exact"] - 0.25
    axis = table1_1_figure(other, settings.exponents).axes[0]
    shown = other[(other["quantity"] == "preactivation") & (other["family"] == "equal")]
    for name, colour in zip(table1_1.CLAIMED, LAYER_COLOURS, strict=False):
        rows = shown[shown["parametrization"] == name]
        bars, ties = segments(axis, colour, "bar"), segments(axis, colour)
        assert [one[1:] for one in bars] == list(zip(rows["ci_low"], rows["ci_high"], strict=True))
        assert [one[1:] for one in ties] == list(zip(rows["claimed"], rows["exact"], strict=True))
        assert [one[0] for one in bars] == [one[0] for one in ties]


def test_a_parametrization_has_one_colour_marker_and_place_whoever_is_beside_it(table, settings):
    """As in the figure of all of them, when two are drawn."""
    few = table[table["parametrization"].isin(["mup", "dynamic"])]
    whole, part = (table1_1_figure(one, settings.exponents) for one in (table, few))
    for axis, other in zip(whole.axes, part.axes, strict=True):
        marks = [
            {
                (line.get_color(), line.get_marker()): list(line.get_xdata())
                for line in one.lines
                if line.get_color() in (LAYER_COLOURS[1], LAYER_COLOURS[3])
            }
            for one in (axis, other)
        ]
        assert marks[0] == marks[1]
        assert len(marks[0]) == 2


def test_titles_labels_and_key(table, settings):
    figure = table1_1_figure(table, settings.exponents)
    assert [axis.get_title() for axis in figure.axes[:4]] == [
        r"$n_{\min}=n$",
        r"$n_{\min}=n/5$",
        r"$n_{\min}=6\,n^{1/2}$",
        r"$n_{\min}=150\,n^{1/5}$",
    ]
    labels = [axis.get_ylabel() for axis in figure.axes[::4]]
    assert "Delta" not in labels[0]
    assert "Delta" in labels[1]
    assert labels[2].startswith("own part")
    assert labels[3] == "cosine"
    assert {axis.get_xlabel() for axis in figure.axes[12:]} == {r"layer $\ell$"}
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [
        "ntk",
        "mup",
        "spectral",
        "dynamic",
        "the thesis's claim",
        "exact exponent",
        "measured slope",
        "its interval",
    ]


def test_type_can_be_read_in_a_column(table, settings):
    """Scaled from the page's 7 inches to the 3.4 of a column, no text is below 5.5 points."""
    figure = table1_1_figure(table, settings.exponents)
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in texts) * 3.4 / figure.get_figwidth() >= 5.5
    for text in texts:
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text.get_text()


def test_a_part_of_the_table_draws_too(table, settings, tmp_path):
    """One parametrization and one family; files are written without a warning, equal each time."""
    part = table[(table["parametrization"] == "dynamic") & (table["family"] == "equal")]
    contents = []
    for name in ("a", "b"):
        figure = table1_1_figure(part, settings.exponents)
        written = figure_style.save(figure, part, tmp_path / name / "table1_1.png", dpi=60)
        contents.append([path.read_bytes() for path in written])
    assert len(figure.axes) == 4
    assert contents[0] == contents[1]
    assert contents[0][0].startswith(b"\x89PNG")
