"""Files of figures: as many dots as asked for, and the data beside them."""

import struct

import pandas as pd
import pytest
from matplotlib.figure import Figure

from dynparam.presentation.figure_style import save, stack
from dynparam.support.tables import read_csv

DATA = pd.DataFrame({"n": [100, 1000], "value": [0.25, -1.5]})


def drawn():
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot(DATA["n"], DATA["value"])
    return figure


@pytest.mark.parametrize("dpi", [40, 130])
def test_a_picture_has_the_dots_asked_for_and_its_data_beside_it(tmp_path, dpi):
    files = save(drawn(), DATA, tmp_path / "own.png", dpi)
    png, pdf, csv = files
    assert [path.name for path in files] == ["own.png", "own.pdf", "own.csv"]
    start = png.read_bytes()[:24]
    assert start[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", start[16:24]) == (2 * dpi, dpi)
    vector = pdf.read_bytes()
    assert vector.startswith(b"%PDF-")
    assert b"CreationDate" not in vector, "the same data give the same bytes on another day"
    assert b"/Type42" in vector or b"/TrueType" in vector or b"/CIDFontType2" in vector
    assert b"/Type3" not in vector, "text stays text"
    pd.testing.assert_frame_equal(read_csv(csv), DATA)


def test_data_of_panels_are_joined_in_their_order():
    table = stack({"b": DATA, "a": DATA.assign(n=7)})
    assert table["n"].tolist() == [100, 1000, 7, 7]
    assert table.index.tolist() == [0, 1, 2, 3]
