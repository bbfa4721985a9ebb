import json

import pandas as pd
import pytest

from dynparam.experiments.measured_orders import table1_1_page
from dynparam.experiments.measured_orders.columns import entries_view
from dynparam.presentation.pages import html_page, markdown_page
from dynparam.support.tables import read_csv
from tests.drawn import bands
from tests.html_elements import Elements
from tests.planted import stage


@pytest.fixture(scope="module")
def table(table):
    """The planted table, with one entry of each verdict and a note that needs escaping."""
    made = table.copy()
    made.loc[0, "verdict"], made.loc[1, "verdict"] = "undecided", "disagrees"
    made.loc[2, "claim"] = "undecided"
    made.loc[3, "note"] = "x < y & z | w"
    return made


@pytest.fixture(scope="module")
def markdown(table, settings):
    return markdown_page("Orders", table1_1_page.table1_1_sections(table, settings))


def test_each_verdict_has_its_sign_on_both_pages(table, settings, markdown):
    texts = Elements(html_page("Orders", table1_1_page.table1_1_sections(table, settings))).texts
    for mark in ("✓ agrees", "✗ disagrees", "✓ holds", "✗ fails", "? undecided"):
        assert f"| {mark}" in markdown
        assert mark in texts


def test_markdown_tables_are_whole(table, markdown):
    """Every row of a table has as many cells as its head: bars inside cells are escaped."""
    widths = []
    for line in markdown.splitlines():
        bars = line.replace(r"\|", "").count("|")
        if line.startswith("|"):
            widths.append(bars)
    assert len(widths) == 4 * (2 + 4) + 2 + len(table)
    assert set(widths[:24]) == {7}
    assert set(widths[24:]) == {12}


def test_html_is_well_formed_self_contained_and_escaped(table, settings):
    html = html_page("Orders", table1_1_page.table1_1_sections(table, settings))
    page = Elements(html)
    assert page.addresses == []
    assert page.all("html") == [{"lang": "en"}]
    assert "x &lt; y &amp; z | w" in html


def test_summary_has_the_lines_of_table_1_1(planted_table, settings):
    """One line a parametrization, one column a family; dynamic's cell by hand but for the slopes."""
    table = planted_table
    shown = table1_1_page.pivot(table, "update", settings).set_index("parametrization")
    assert list(shown.index) == ["ntk", "mup", "spectral", "dynamic"]
    assert list(shown.columns) == [
        "Table 1.1",
        "equal: n_min = n",
        "constant ratio: n_min = 1/5 n",
        "square root: n_min = 6 n^(1/2)",
        "fifth root: n_min = 150 n^(1/5)",
    ]
    assert shown.loc["ntk", "Table 1.1"] == "Θ(1/√n_l)"
    lines = shown.loc["dynamic", "fifth root: n_min = 150 n^(1/5)"].splitlines()
    assert [line.split(" / ")[0] for line in lines] == ["✓ 1: -2/5", "✓ 2, 4: 0", "✗ 3, 5: -2/5"]
    assert lines[2].endswith("(exact 0)")
    assert shown.loc["mup", "equal: n_min = n"].startswith("✓ all: 0 / ")
    own = table1_1_page.pivot(table, "own", settings).set_index("parametrization")
    assert own["Table 1.1"].tolist() == shown["Table 1.1"].tolist()
    lines = own.loc["dynamic", "fifth root: n_min = 150 n^(1/5)"].splitlines()
    assert [line.split(" / ")[0] for line in lines] == ["✓ 1, 3, 5: -2/5", "✓ 2, 4: 0"]
    cosine = table1_1_page.pivot(table, "cosine", settings).set_index("parametrization")
    assert set(cosine["Table 1.1"]) == {"Θ(1), by eq. 2.32"}
    assert cosine.loc["ntk", "fifth root: n_min = 150 n^(1/5)"].splitlines()[1].endswith("(exact -2/5)")


def test_layers_are_named_where_a_cell_has_several_outcomes(planted_table, settings):
    """Four of five layers are not all of them."""
    table = planted_table
    shown = table1_1_page.pivot(table, "update", settings).set_index("parametrization")
    lines = shown.loc["mup", "fifth root: n_min = 150 n^(1/5)"].splitlines()
    assert [line.split(" / ")[0] for line in lines] == ["✓ 1: 0", "✗ 2-5: 0"]
    rows = table[(table["parametrization"] == "mup") & (table["family"] == "fifth_root")]
    rows = rows[(rows["quantity"] == "update") & (rows["layer"] > 1)]
    assert lines[1] == "✗ 2-5: 0 / +0.40 (exact 2/5)"
    wide = table.assign(slope=table["slope"] + (table["layer"] - 3) / 10)
    cell = table1_1_page.pivot(wide, "update", settings).set_index("parametrization")
    line = cell.loc["mup", "fifth root: n_min = 150 n^(1/5)"].splitlines()[1]
    slopes = wide.loc[rows.index, "slope"]
    assert line == f"✗ 2-5: 0 / {slopes.min():+.2f} to {slopes.max():+.2f} (exact 2/5)"


def test_how_to_read_tells_trials_widths_and_layers():
    other = {"trials": 33, "widths": {"smallest": 2000, "largest": 40_000, "count": 5}}
    changed = stage(json.dumps({"exponents": other, "network": {"hidden": ["narrow", "wide"]}}))
    assert table1_1_page.how_to_read(changed).startswith(
        "Exponents of n in the hidden layers, from 33 trials of one step at each of 5 widths from n = "
        "2,000 to 40,000; hidden layers are narrow, wide, of width n and n_min; dynamic has r = 1/2."
    )


def test_every_column_shows_what_its_head_says(table):
    """One row in which no two numbers are equal."""
    row = table.head(1).assign(claimed=-0.5, exact=0.2, expected=0.123, slope=0.15, ci_low=0.11)
    row = row.assign(ci_high=0.19, verdict="disagrees", claim="fails", note="told", layer=4)
    view = entries_view(0.1)
    assert {column.head: column.texts(row)[0] for column in view.columns if not column.picture} == {
        "parametrization": "ntk",
        "family": "equal",
        "quantity": "|h̃_i|",
        "layer": "4",
        "claimed": "-1/2",
        "exact": "1/5",
        "expected": "+0.123",
        "measured": "+0.150 [+0.110, +0.190]",
        "verdict": "✗ disagrees",
        "claim": "✗ fails",
        "note": "told",
    }
    (drawn,) = [column.picture for column in view.columns if column.picture]
    rows = pd.concat([row, row.assign(slope=-1.0, exact=-0.3, ci_low=-1.1, ci_high=1.0)])
    found = bands(drawn.draw(rows), rows["slope"])
    for (low, high), centre in zip(found, (0.2, -0.3), strict=True):
        assert (low, high) == pytest.approx((centre - 0.1, centre + 0.1), abs=0.01)


def test_the_summary_tells_level_and_tolerance(table):
    changed = stage(json.dumps({"fit": {"confidence": 0.9}, "exponents": {"tolerance": 0.25}}))
    assert table1_1_page.summary_sentence(table, changed).endswith(
        "An exponent agrees, and a claim holds, if the 90% interval of the measured slope lies within "
        "0.25 of it; it disagrees, or fails, if the interval lies wholly outside."
    )


def test_disagreements_are_told_in_words(table):
    sentences = table1_1_page.disagreements(table)
    assert [sentence.partition(":")[0] for sentence in sentences] == [
        "ntk, |Δh̃_i|",
        "ntk, cos(∂L/∂h̃, Δh̃)",
        "mup, |Δh̃_i|",
        "mup, |Δh̃_i|, own part",
        "mup, cos(∂L/∂h̃, Δh̃)",
        "spectral, |h̃_i|",
        "spectral, |Δh̃_i|",
        "spectral, |Δh̃_i|, own part",
        "spectral, cos(∂L/∂h̃, Δh̃)",
        "dynamic, |Δh̃_i|",
        "dynamic, cos(∂L/∂h̃, Δh̃)",
    ]
    assert "fifth root, layers 3, 5: Table 1.1 says -2/5, the definition gives 0" in sentences[-2]
    assert "spread over all directions of the wider one" in sentences[-1]
    assert "fifth root, layers 3, 5: eq. 2.32 says 0, the definition gives -2/5" in sentences[-1]


def test_a_table_without_disagreements_says_so(table, settings):
    equal = table[table["family"] == "equal"]
    assert table1_1_page.disagreements(equal) == []
    text = markdown_page("Orders", table1_1_page.table1_1_sections(equal, settings))
    assert "## Table 1.1 and its own definitions agree everywhere" in text


@pytest.mark.parametrize(
    ("layers", "text"),
    [((3,), "3"), ((3, 5), "3, 5"), ((2, 3), "2, 3"), ((1, 2, 3), "1-3"), ((1, 3, 4, 5), "1, 3-5")],
)
def test_layer_lists(layers, text):
    assert table1_1_page.layer_list(layers) == text


def test_summary_counts(table, settings):
    sentence = table1_1_page.summary_sentence(table, settings)
    assert sentence.startswith(
        "320 entries. Measured against the exact exponent of the definition: 318 agrees, 1 disagrees, "
        "1 undecided. The claims: 255 holds, 64 fails, 1 undecided."
    )


def test_files(table, settings, tmp_path):
    written = table1_1_page.write_table1_1(table, tmp_path / "table1_1.csv", settings)
    assert [path.name for path in written] == ["table1_1.csv", "table1_1.md", "table1_1.html"]
    again = read_csv(written[0])
    pd.testing.assert_frame_equal(
        again.fillna({"note": ""}), table.astype({"verdict": str, "claim": str}), check_dtype=False
    )


def test_layers_of_one_exponent_and_several_verdicts_have_a_line_each(table, settings):
    """A claim that holds in some layers and is undecided in others, of the same exponents."""
    cell = ("parametrization", "family", "quantity")
    _, rows = next(iter(table.groupby(list(cell), sort=False)))
    first = rows.iloc[0]
    alike = rows.assign(
        claimed=first["claimed"],
        exact=first["exact"],
        claim=["holds", "undecided"] + ["holds"] * (len(rows) - 2),
    )
    lines = table1_1_page._cell(alike).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("✓")
    assert lines[1].startswith("?")
