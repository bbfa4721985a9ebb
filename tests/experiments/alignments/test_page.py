from html.parser import HTMLParser

import pandas as pd
import pytest

from dynparam.experiments.alignments.page import slopes_html, slopes_markdown, write_comparison
from dynparam.presentation.verdicts import VERDICT_COLOURS
from dynparam.support.tables import read_csv
from tests.experiments.alignments.test_comparison import settings


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "figure": ["fig3_2", "fig3_2", "fig3_3"],
            "curve": ["a", "a", "b"],
            "parametrization": ["spectral", "spectral", "dynamic"],
            "layer": [1, 2, 1],
            "asymptotic": [-1.6, 0.0, 0.5],
            "expected": [-1.2, -0.0001, 0.1],
            "slope": [-1.25, 0.0, 0.4],
            "ci_low": [-1.3, -0.3, 0.35],
            "ci_high": [-1.2, 0.3, 0.45],
            "verdict": ["agrees", "undecided", "disagrees"],
            "note": ["x < y & z", "second", "third"],
            "expected_exact": [-1.21, 0.01, float("nan")],
            "expected_exact_error": [0.004, 0.004, float("nan")],
            "deviation": [-1.0, 0.0, float("nan")],
        }
    )


def test_markdown_says_what_the_table_says(table):
    text = slopes_markdown(table, settings())
    assert "3 slopes: 1 agrees, 1 disagrees, 1 undecided." in text
    assert "| -8/5" in text
    assert "-1.250 [-1.300, -1.200]" in text
    assert "-1.210 ± 0.004" in text
    assert "nan" not in text
    assert "✓ agrees" in text
    assert "✗ disagrees" in text
    assert "-0.000" not in text, "a value that rounds to zero has no sign"


class Cells(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.attributes, self.cells = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag == "td":
            self.cells.append(attrs)

    def handle_data(self, data):
        self.found.append(data.strip())


def test_html_is_self_contained_and_escaped(table):
    page = slopes_html(table, settings())
    cells = Cells(page)
    assert {"Fig. 3.2", "Fig. 3.3", "✓ agrees", "? undecided", "✗ disagrees"} <= set(cells.found)
    assert "x < y & z" in cells.found
    assert "x &lt; y &amp; z" in page
    assert not [a for a in cells.attributes if a[0] in ("src", "href")]
    assert ("lang", "en") in cells.attributes


def test_verdicts_are_coloured_and_unbroken(table):
    """Both declarations stand, separated, in the cell's style."""
    styles = [dict(attrs) for attrs in Cells(slopes_html(table, settings())).cells]
    for colour in VERDICT_COLOURS.values():
        found = [style["style"] for style in styles if colour.lower() in style.get("style", "").lower()]
        assert len(found) == 1
        assert "white-space: nowrap;" in found[0]


def test_html_is_reproducible(table):
    assert slopes_html(table, settings()) == slopes_html(table, settings())


def test_files(table, tmp_path):
    written = write_comparison(table, tmp_path / "slopes.csv", settings())
    assert [path.name for path in written] == ["slopes.csv", "slopes.md", "slopes.html"]
    pd.testing.assert_frame_equal(read_csv(written[0]), table)
