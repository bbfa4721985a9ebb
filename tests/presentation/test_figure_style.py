"""Files of figures: as many dots as asked for, and the data beside them."""

import io
import struct
from xml.etree import ElementTree

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dynparam.presentation.figure_style import LARGE, STYLE, Sheet, save, stack
from dynparam.support.tables import read_csv
from tests.printed import faults

DATA = pd.DataFrame({"n": [100, 1000], "value": [0.25, -1.5]})


def drawn(title=""):
    figure = Figure(figsize=(2, 1))
    axis = figure.subplots()
    axis.plot(DATA["n"], DATA["value"])
    axis.set_title(title)
    return figure


def elements(svg):
    """The names of all elements."""
    return {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}


@pytest.mark.parametrize("dpi", [40, 130])
def test_a_picture_has_the_dots_asked_for_and_its_data_beside_it(tmp_path, dpi):
    files = save(drawn(), DATA, tmp_path / "own.png", dpi)
    png, svg, pdf, csv = files
    assert [path.suffix for path in files] == [".png", ".svg", ".pdf", ".csv"]
    start = png.read_bytes()[:24]
    assert start[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", start[16:24]) == (2 * dpi, dpi)
    vector = pdf.read_bytes()
    assert vector.startswith(b"%PDF-")
    assert b"CreationDate" not in vector, "the same data give the same bytes on another day"
    assert b"/Type42" in vector or b"/TrueType" in vector or b"/CIDFontType2" in vector
    assert b"/Type3" not in vector, "text stays text"
    root = ElementTree.parse(svg).getroot()
    assert (root.get("width"), root.get("height")) == ("144pt", "72pt")
    pd.testing.assert_frame_equal(read_csv(csv), DATA)


def test_a_vector_graphic_asks_for_no_font_and_is_the_same_on_another_day(tmp_path):
    """And whatever else the process has drawn; without the key of ``STYLE`` its text needs a font."""
    first, again = (save(drawn("loss"), DATA, tmp_path / f"{name}.png", 40)[1] for name in "ab")
    assert first.read_bytes() == again.read_bytes()
    assert b"dc:date" not in first.read_bytes()
    assert elements(first.read_bytes()).isdisjoint({"text", "script", "image"})
    with mpl.rc_context({"svg.fonttype": "none"}):
        drawn("loss").savefig(buffer := io.BytesIO(), format="svg")
    assert "text" in elements(buffer.getvalue())
    assert b"dc:date" in buffer.getvalue()


def test_data_of_panels_are_joined_in_their_order():
    table = stack({"b": DATA, "a": DATA.assign(n=7)})
    assert table["n"].tolist() == [100, 1000, 7, 7]
    assert table.index.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("width", "panels", "across", "shape"),
    [
        (7.0, 2, 2, (1, 2)),
        (7.0, 5, 3, (2, 3)),
        (7.0, 1, 3, (1, 1)),
        (3.5, 2, 2, (2, 1)),
        (3.5, 3, 3, (3, 1)),
        (3.5, 5, 4, (3, 2)),
    ],
)
def test_half_as_many_panels_stand_side_by_side_in_a_column(width, panels, across, shape):
    """And at least one; places without a panel are empty."""
    sheet = Sheet(width)
    assert sheet.grid(panels, across) == shape
    assert sheet.large is (STYLE if width < 5 else LARGE)
    figure, axes = sheet.subplots(panels, across, row=2.0, key=0.5)
    assert figure.get_size_inches().tolist() == [width, 0.5 + 2.0 * shape[0]]
    assert [axis.get_visible() for axis in figure.axes] == [True] * panels + [False] * (
        shape[0] * shape[1] - panels
    )
    assert len(axes) == panels
    higher, _ = sheet.subplots(panels, across, row=3.0)
    assert higher.get_figheight() == pytest.approx((2.6 if width < 5 else 3.0) * shape[0])


def test_a_message_stands_above_in_lines_that_fit_and_takes_room_of_its_own():
    said = "dynamic is better than spectral in mean training loss and test loss at epoch 100, not else"
    for width in (7.0, 3.5):
        plain, told = (Sheet(width, words).figure(2.0) for words in ("", said))
        assert plain.get_suptitle() == ""
        assert plain.get_figheight() == 2.0
        lines = told.get_suptitle().split("\n")
        assert " ".join(lines) == said
        assert len(lines) > (1 if width < 5 else 0)
        assert told.get_figheight() > 2.0 + 0.1 * len(lines)
        told.subplots()
        assert not faults(told)
