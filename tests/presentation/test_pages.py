"""Both pages of a table say the same; the HTML one is whole, escaped, self-contained, fits a phone."""

import shutil

import pandas as pd
import pytest
from playwright.sync_api import sync_playwright

from dynparam.presentation.pages import Section, html_page, markdown_page, write_pages
from dynparam.presentation.tables import cells
from dynparam.presentation.templates import template
from dynparam.presentation.verdicts import TONES
from dynparam.report.page import FILTERS
from dynparam.support.tables import read_csv
from tests.html_elements import Elements
from tests.presentation.test_tables import FRAME, VIEW

HOSTILE = '</td><script>alert("1")</script>&'

CHROMIUM = shutil.which("chromium")

SECTIONS = [
    Section(paragraphs=["A summary & more.", "Another paragraph."]),
    Section("Sentences", listed=["first", "second"]),
    Section("The table", view=VIEW, table=FRAME),
]


@pytest.fixture(scope="module")
def html():
    return html_page("Orders < sizes", SECTIONS)


def test_markdown_has_its_parts_in_order():
    text = markdown_page("Orders", SECTIONS)
    parts = [
        "# Orders\n\n",
        "\n\nA summary & more.\n\nAnother paragraph.",
        "\n\n## Sentences\n\n- first\n- second\n\n## The table\n\n| kind",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.endswith(" |\n")


def test_html_has_its_parts_in_order(html):
    page = Elements(html)
    assert page.all("html") == [{"lang": "en"}]
    found = [text for text in page.texts if text]
    wanted = [
        "Orders < sizes",
        "A summary & more.",
        "Another paragraph.",
        "Sentences",
        "first",
        "second",
        "The table",
        "A",
    ]
    places = [found.index(text) for text in wanted]
    assert places == sorted(places)
    assert page.addresses == []
    assert "url(" not in html
    assert "@import" not in html
    assert page.all("script") == []


def test_a_meaning_is_written_once_and_shown_on_every_html_page():
    """The table's own page and the macros that the report draws tables with; heads in Markdown too."""
    source = (
        '{% from "tables.html.j2" import grid, meanings %}{{ grid(table) }}{{ meanings(table.columns) }}'
    )
    report = template("dynparam.report", "report.html.j2", html=True, filters=FILTERS)
    environment = report.environment
    report = environment.from_string(source).render(table=cells(VIEW, FRAME))
    own = html_page("T", [Section(view=VIEW, table=FRAME)])
    told = markdown_page("T", [Section(view=VIEW, table=FRAME)])
    for column in VIEW.columns:
        assert column.picture is not None or f" {column.head} " in told
        for page in (report, own):
            assert column.head in Elements(page).texts
            assert not column.meaning or Elements(page).texts.count(column.meaning) == 1


def test_verdicts_have_sign_word_and_colour(html):
    page = Elements(html)
    assert {"✓ agrees", "✗ disagrees", "? undecided"} <= set(page.texts)
    classes = [one["class"] for one in page.all("span")]
    assert classes == ["verdict good", "verdict bad", "verdict open"]
    for tone in TONES:
        assert (
            f".verdict.{tone.name} {{ background: {tone.background}; border: {tone.border}; }}" in html
        )


def test_no_text_becomes_markup():
    frame = FRAME.assign(note=HOSTILE, kind=HOSTILE)
    page = html_page(HOSTILE, [Section(HOSTILE, [HOSTILE], [HOSTILE], VIEW, frame)])
    assert Elements(page).all("script") == []
    assert HOSTILE in Elements(page).texts


def test_what_is_missing_is_never_told_as_nan(html):
    assert "none" in Elements(html).texts
    assert "nan" not in html.lower()
    assert "nan" not in markdown_page("Orders", SECTIONS).lower()


def test_a_table_with_no_rows_has_a_page():
    empty = [Section(view=VIEW, table=FRAME.head(0))]
    page = Elements(html_page("Orders", empty))
    assert len(page.all("th")) == len(VIEW.columns)
    assert page.all("td") == []
    assert "| kind" in markdown_page("Orders", empty)


def test_empty_parts_are_left_out():
    assert markdown_page("Orders", [Section("Nothing")]) == "# Orders\n\n## Nothing\n"
    page = Elements(html_page("Orders", [Section("Nothing")]))
    assert page.all("ul") == page.all("p") == page.all("table") == []


def test_files(tmp_path):
    written = write_pages(FRAME, tmp_path / "orders.csv", "Orders", SECTIONS)
    assert [path.name for path in written] == ["orders.csv", "orders.md", "orders.html"]
    pd.testing.assert_frame_equal(read_csv(written[0]), FRAME)
    assert written[2].read_text(encoding="utf-8") == html_page("Orders", SECTIONS)


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [390, 1200])
def test_a_phone_shows_every_verdict_without_scrolling_sideways(tmp_path, width):
    path = tmp_path / "orders.html"
    path.write_text(
        html_page("Orders", [Section(view=VIEW, table=FRAME.assign(note="long words " * 40))])
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = [one.bounding_box() for one in page.locator(".verdict").all()]
        heads = page.locator("td").first.evaluate("cell => getComputedStyle(cell, '::before').content")
        browser.close()
    assert len(boxes) == len(FRAME)
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    assert heads == ('"kind"' if width == 390 else "none")
