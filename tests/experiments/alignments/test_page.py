import pandas as pd
import pytest

from dynparam.experiments.alignments.columns import slopes_view
from dynparam.experiments.alignments.page import (
    slopes_sections,
    summary_sentence,
    told_apart,
    whole_curves,
    write_comparison,
)
from dynparam.presentation.pages import html_page, markdown_page
from dynparam.support.tables import read_csv
from tests.drawn import bands
from tests.experiments.alignments.test_comparison import settings
from tests.html_elements import Elements


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
            "drawn_slope": [-1.27, 0.02, 0.42],
            "drawn_low": [-1.4, -0.4, 0.3],
            "drawn_high": [-1.1, 0.4, 0.5],
            "joint_statistic": [2.3, 2.3, float("nan")],
            "joint_layers": [2.0, 2.0, float("nan")],
            "joint_freedom": [88.2, 88.2, float("nan")],
            "joint_p": [0.043, 0.043, float("nan")],
        }
    )


@pytest.fixture
def html(table):
    return html_page("Slopes", slopes_sections(table, settings()))


def test_markdown_says_what_the_table_says(table):
    text = markdown_page("Slopes", slopes_sections(table, settings()))
    assert "3 slopes: 1 agrees, 1 disagrees, 1 undecided." in text
    assert "| -8/5" in text
    assert "-1.250 [-1.300, -1.200]" in text
    assert "-1.210 ± 0.004" in text
    assert "nan" not in text
    assert "-1.270 [-1.400, -1.100]" in text
    assert "✓ agrees" in text
    assert "✗ disagrees" in text
    assert "-0.000" not in text, "a value that rounds to zero has no sign"


def test_html_is_self_contained_and_escaped(html):
    page = Elements(html)
    assert {"Fig. 3.2", "Fig. 3.3", "✓ agrees", "? undecided", "✗ disagrees"} <= set(page.texts)
    assert "x < y & z" in page.texts
    assert "x &lt; y &amp; z" in html
    assert page.addresses == []
    assert page.all("html") == [{"lang": "en"}]


def test_every_slope_is_drawn_beside_what_was_expected(html):
    """The exact slope counts where there is one: three bands, and the third row has none exact."""
    page = Elements(html)
    assert len([one for one in page.all("svg") if one["class"] == "interval"]) == 3
    assert len(page.all("rect")) == 3


def test_the_summary_tells_level_tolerance_and_counts(table):
    stage = settings(tolerance=0.25)
    stage = stage.model_copy(update={"fit": stage.fit.model_copy(update={"confidence": 0.9})})
    assert summary_sentence(pd.concat([table, table]), stage) == (
        "6 slopes: 2 agrees, 2 disagrees, 2 undecided. A slope agrees if its 90% interval lies within "
        "0.25 of the slope expected on its window of widths (the exact one, where there is one), and "
        "disagrees if it lies wholly outside. Beside it stands whether the claim of the thesis shows in "
        "this window. All layers of a curve together, tested with their covariance, tell 1 of 1 curves "
        "from the exact slopes: the smallest p is 0.043 (a, F(2, 88) = 2.30), and the chance of so "
        "small a one among 1 is 0.043."
    )


def test_every_column_shows_what_its_head_says(table):
    """Every number of the first row is another one."""
    view = slopes_view(0.2)
    assert {column.head: column.texts(table)[0] for column in view.columns if not column.picture} == {
        "figure": "Fig. 3.2",
        "curve": "a",
        "parametrization": "spectral",
        "layer": "1",
        "asymptotic": "-8/5",
        "expected": "-1.200",
        "exact": "-1.210 ± 0.004",
        "measured": "-1.250 [-1.300, -1.200]",
        "as drawn": "-1.270 [-1.400, -1.100]",
        "whole curve": "0.043",
        "verdict": "✓ agrees",
        "thesis's claim": "x < y & z",
    }


@pytest.mark.parametrize(
    ("note", "code"),
    [
        ("claim (decreasing in n) visible; n passes n_0", "✓ visible"),
        ("claim (decreasing in n) not visible in this window, because", "✗ not in this window"),
        ("another note: with a reason", "another note"),
    ],
)
def test_a_claim_is_told_in_a_few_words(table, note, code):
    (column,) = [one for one in slopes_view(0.2).columns if one.head == "thesis's claim"]
    cells = column.cells(table.head(1).assign(note=note))
    assert [(cell.code, cell.text, cell.folded) for cell in cells] == [(code, note, True)]


def test_what_the_law_engine_measured_has_no_exact_slope_and_no_test(table):
    nothing = dict.fromkeys(["expected_exact", "expected_exact_error", "joint_p"])
    row = table.head(1).assign(**nothing, figure="fig3_2_wide")
    view = slopes_view(0.2)
    shown = {column.head: column.texts(row)[0] for column in view.columns if not column.picture}
    assert (shown["exact"], shown["whole curve"], shown["figure"]) == ("", "", "Fig. 3.2 wide")


def test_the_band_is_about_the_exact_slope_where_there_is_one(table):
    (drawn,) = [column.picture for column in slopes_view(0.2).columns if column.picture]
    far = table.tail(1).assign(slope=-2.0, ci_low=-2.1)
    rows = pd.concat([table, far])
    found = bands(drawn.draw(rows), rows["slope"])
    for (low, high), centre in zip(found, (-1.21, 0.01, 0.1, 0.1), strict=True):
        assert (low, high) == pytest.approx((centre - 0.2, centre + 0.2), abs=0.01)


def test_files(table, tmp_path):
    written = write_comparison(table, tmp_path / "slopes.csv", settings())
    assert [path.name for path in written] == ["slopes.csv", "slopes.md", "slopes.html"]
    pd.testing.assert_frame_equal(read_csv(written[0]), table)


def curves(*p_values):
    """A table of so many curves of two layers with these p-values."""
    return pd.DataFrame(
        {
            "curve": f"c{place // 2}",
            "verdict": "agrees",
            "joint_statistic": 2.0,
            "joint_layers": 2.0,
            "joint_freedom": 90.0,
            "joint_p": p_values[place // 2],
        }
        for place in range(2 * len(p_values))
    )


@pytest.mark.parametrize(
    ("p_values", "apart"),
    [
        ((0.04,), ["c0"]),
        ((0.06,), []),
        ((0.04, 0.9, 0.9, 0.9), []),
        ((0.9, 0.01, 0.9, 0.9), ["c1"]),
        ((0.9, 0.01, 0.9, 0.012), ["c1", "c3"]),
        ((0.013, 0.9, 0.9, 0.9), []),
        ((1.0, 0.0), ["c1"]),
        ((0.04, float("nan")), ["c0"]),
    ],
)
def test_curves_are_told_apart_among_as_many_as_there_are(p_values, apart):
    """At 5 % in all, 1 - 0.95^(1/4) = 0.0127 each for four. One without a test does not count."""
    whole = whole_curves(curves(*p_values))
    assert told_apart(whole, 0.95) == apart
    assert len(whole) == sum(p == p for p in p_values)


def test_the_summary_tells_of_whole_curves(table):
    text = summary_sentence(table, settings())
    assert "(a, F(2, 88) = 2.30)" in text
    assert "tell 1 of 1 curves from the exact slopes: the smallest p is 0.043" in text
    assert summary_sentence(table.assign(joint_p=float("nan")), settings()).endswith("in this window.")


def test_the_summary_names_the_curve_of_the_smallest_p():
    """Of three, the second; among as many, 1 - (1 - 0.03)^3 = 8.7 %, which tells none apart at 5 %."""
    table = curves(0.3, 0.03, 0.9)
    second = table["curve"] == "c1"
    table.loc[second, ["joint_statistic", "joint_layers", "joint_freedom"]] = [3.456, 4.0, 56.7]
    assert summary_sentence(table, settings()).endswith(
        "tell 0 of 3 curves from the exact slopes: the smallest p is 0.03 (c1, F(4, 57) = 3.46), and "
        "the chance of so small a one among 3 is 0.087."
    )
