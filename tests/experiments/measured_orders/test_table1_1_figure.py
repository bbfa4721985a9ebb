"""Table 1.1 as a figure: every cell's colour, number and place."""

import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from dynparam.experiments.measured_orders import table1_1
from dynparam.experiments.measured_orders.table1_1_figure import table1_1_figure
from dynparam.presentation import figure_style
from dynparam.presentation.figure_style import Sheet
from tests.printed import faults

COLOURS = {"holds": "#dbe9f2", "fails": "#b3400a", "undecided": "#f2d16b"}

FAMILIES = ["equal", "constant_ratio", "square_root", "fifth_root"]


def told_apart(table):
    """Verdicts and numbers that differ from cell to cell, with those of two digits before the point."""
    words = ["holds", "fails", "undecided"]
    return table.assign(
        claim=[words[place % 3] for place in range(len(table))],
        claimed=-0.5,
        slope=[-0.5 + (-1) ** place * (0.1 + 0.004 * place) for place in range(len(table))],
    )


def place_of(row):
    """Left and top of a cell: five layers a family, four parametrizations a quantity, gaps of 0.6."""
    x = FAMILIES.index(row["family"]) * 5.6 + row["layer"] - 1
    y = table1_1.QUANTITIES.index(row["quantity"]) * 4.6
    return x, y + table1_1.CLAIMED.index(row["parametrization"])


def text_in(axis, x, y):
    """What stands in a cell."""
    return [
        text.get_text()
        for text in axis.texts
        if x < text.get_position()[0] < x + 1 and y < text.get_position()[1] < y + 1
    ]


def number(value):
    """Two digits, by hand: ``+.25`` and from one on ``+1.2``."""
    size = f"{abs(value):.2f}".removeprefix("0") if abs(value) < 0.995 else f"{abs(value):.1f}"
    return ("+" if value > 0 else "\N{MINUS SIGN}") + size


@pytest.mark.parametrize("width", [7.0, 3.5])
def test_every_entry_has_its_colour_and_number(table, settings, width):
    """Numbers are the measured exponent less the claimed one; in a column there is a sign alone."""
    entries = told_apart(table)
    (axis,) = table1_1_figure(entries, settings.exponents, Sheet(width)).axes
    cells = {(one.get_x(), one.get_y()): one for one in axis.patches if isinstance(one, Rectangle)}
    assert len(cells) == len(entries)
    for row in entries.to_dict("records"):
        x, y = place_of(row)
        (cell,) = [one for (left, top), one in cells.items() if abs(left - x) + abs(top - y) < 1e-9]
        assert cell.get_facecolor() == to_rgba(COLOURS[row["claim"]])
        sign = {"fails": "✗", "undecided": "?"}
        told = number(row["slope"] - row["claimed"]) if width == 7 else sign.get(row["claim"])
        assert text_in(axis, x, y) == ([] if row["claim"] == "holds" else [told])


def test_rows_columns_and_blocks_are_named(table, settings):
    figure = table1_1_figure(table, settings.exponents)
    (axis,) = figure.axes
    families = [text.get_text() for text in axis.texts if text.get_text().startswith(r"$n_{\min}")]
    assert families == [
        r"$n_{\min}=n$",
        r"$n_{\min}=n/5$",
        r"$n_{\min}=6\,n^{1/2}$",
        r"$n_{\min}=150\,n^{1/5}$",
    ]
    blocks = [text.get_text() for text in axis.texts if text.get_rotation() == 90]
    assert "Delta" not in blocks[0]
    assert "Delta" in blocks[1]
    assert blocks[2:] == ["own part", "cosine"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "2", "3", "4", "5"] * 4
    assert [label.get_text() for label in axis.get_yticklabels()] == list(table1_1.CLAIMED) * 4
    assert axis.get_xlabel() == r"layer $\ell$"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "holds",
        "fails: the measured exponent less the claimed one",
        "? undecided",
    ]
    column = table1_1_figure(table, settings.exponents, Sheet(3.5))
    assert column.legends[0].get_texts()[1].get_text() == "✗ fails"


@pytest.mark.parametrize("width", [7.0, 3.5])
def test_it_can_be_read(table, settings, width):
    """With a number in two of three cells."""
    assert not faults(table1_1_figure(told_apart(table), settings.exponents, Sheet(width, "Said " * 20)))


def test_a_part_of_the_table_draws_too(table, settings, tmp_path):
    """One parametrization and one family; files are written without a warning, equal each time."""
    part = table[(table["parametrization"] == "dynamic") & (table["family"] == "equal")]
    contents = []
    for name in ("a", "b"):
        figure = table1_1_figure(part, settings.exponents)
        written = figure_style.save(figure, part, tmp_path / name / "table1_1.png", dpi=60)
        contents.append([path.read_bytes() for path in written])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["dynamic"] * 4
    assert contents[0] == contents[1]
    assert contents[0][0].startswith(b"\x89PNG")
