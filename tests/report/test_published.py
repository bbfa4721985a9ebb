"""What a run made beside what the repository keeps: each verdict, and what it takes to change it."""

import pandas as pd
import pytest

from dynparam.report import published
from dynparam.report.published import publications, same
from dynparam.support.tables import read_csv
from tests.report import beside


@pytest.fixture
def config(tmp_path, monkeypatch):
    return beside.make(tmp_path, monkeypatch)


def answers(config):
    table = published.FORM.check(published.compare(config), config.paths.results)
    return table.set_index("name")[["verdict", "note"]]


def changed(config, name, old, new, **also):
    """The run's figure or page ``name`` with other content, its sidecar renewed."""
    (one,) = (one for one in publications(config) if one.name == name)
    text = one.compared.read_text()
    assert old in text
    beside.write(one, config, text.replace(old, new), **also)
    return one


def test_every_figure_and_page_is_compared(config):
    """Also the Japanese summary, which the report does not show."""
    table = published.compare(config)
    names = set(table["name"])
    assert {"fig3_2", "r_sweep", "open_choices", "companions", "open-choices"} <= names
    assert {"page", "summary"} <= names
    assert set(table["verdict"]) == {"equal"}
    assert "companions/lazy_or_rich" in names
    assert (table["kind"] == "page").sum() == 13
    figures = (table["kind"] == "figure").sum()
    assert published.summary(table) == (
        f"Published figures: {figures} of {figures} equal; pages: 13 of 13 equal."
    )


def test_another_picture_of_the_same_data_is_equal(config):
    (one,) = (one for one in publications(config) if one.name == "fig3_2")
    one.compared.with_suffix(".png").write_bytes(b"other fonts")
    assert answers(config).loc["fig3_2", "verdict"] == "equal"


@pytest.mark.parametrize(
    ("old", "new", "verdict", "note"),
    [
        ("-1.6012345", "-1.6012346", "agrees", ""),
        ("-1.6012345", "-1.6150000", "agrees", ""),
        ("1.2e-09", "-3e-06", "agrees", ""),  # nothing beside the column's -1.6
        ("-1.6012345", "-1.6200000", "disagrees", "row 1, slope: -1.6200000, published -1.6012345"),
        ("1.2e-09", "0.001", "disagrees", "row 2, slope: 0.001, published 1.2e-09"),
        ("2000", "2100", "disagrees", "row 2, n: 2100, published 2000"),
        ("agrees\n2000", "fails\n2000", "disagrees", "row 1, verdict: fails, published agrees"),
        ("n,slope", "n,share", "disagrees", "other columns"),
        ("2000,1.2e-09,agrees\n", "", "disagrees", "1 row, published 2"),
    ],
)
def test_data_agree_number_by_number(config, old, new, verdict, note):
    changed(config, "fig3_2", old, new)
    found = answers(config)
    assert tuple(found.loc["fig3_2"]) == (verdict, note)
    assert set(found["verdict"].drop("fig3_2")) == {"equal"}


@pytest.mark.parametrize("name", ["companions", "companions/sharpness"])
@pytest.mark.parametrize(
    ("old", "new", "verdict", "note"),
    [
        ("-1.18", "-1.19", "agrees", ""),  # a unit of the last decimal
        ("slopes, -1.60 to\n  ", "slopes,\n -1.60 to", "agrees", ""),  # lines broken elsewhere
        ("-1.18", "-1.21", "disagrees", "to -1.21 (`results/a.csv`).', published"),
        ("24 of 24", "23 of 24", "disagrees", "in 23 of 24', published"),
        ("**It holds**", "(**not so in this run:**) **It holds**", "disagrees", "published"),
        ("(`results/a.csv`).", "", "disagrees", "published"),
    ],
)
def test_pages_agree_word_by_word(config, name, old, new, verdict, note):
    changed(config, name, old, new)
    found = answers(config).loc[name]
    assert found["verdict"] == verdict
    assert note in found["note"]


def test_other_settings_are_no_difference(config):
    """Named are those that differ; equal data stay equal, whatever was asked for."""
    changed(config, "fig3_2", "-1.6012345", "-1.9", trials=29)
    changed(config, "fig3_3", "-1.6012345", "-1.6012345", trials=29)
    found = answers(config)
    assert tuple(found.loc["fig3_2"]) == ("other settings", "trials: 30, here 29")
    assert found.loc["fig3_3", "verdict"] == "equal"


def test_what_is_not_there_is_not_published(config):
    (one,) = (one for one in publications(config) if one.name == "fig3_2")
    one.published(one.compared).unlink()
    table = published.compare(config)
    assert set(table.loc[table["verdict"] != "equal", "name"]) == {"fig3_2"}
    figures = (table["kind"] == "figure").sum()
    assert f"{figures - 1} of {figures} equal and 1 not published; pages" in published.summary(table)


def test_the_digest_is_that_of_what_is_published(config):
    """Not of the run, nor of times: the rule that compares repeats when either of them changes."""
    before = published.published_digest(config)
    one = changed(config, "fig3_2", "-1.6012345", "-1.7")
    place = one.published(one.compared)
    place.touch()
    assert published.published_digest(config) == before
    place.write_bytes(one.compared.read_bytes())
    assert published.published_digest(config) != before


def test_the_table_is_written_with_its_pages(config, tmp_path):
    changed(config, "fig3_2", "agrees\n2000", "<b>\n2000")
    table = published.compare(config)
    csv, markdown, html = published.write(table, tmp_path / "published.csv")
    pd.testing.assert_frame_equal(read_csv(csv, published.FORM).fillna(""), table)
    assert "✗ disagrees" in markdown.read_text()
    assert published.summary(table) in markdown.read_text()
    assert "<b>" not in html.read_text().split("<tbody>")[1]


@pytest.mark.parametrize(
    ("made", "kept", "agree"),
    [
        ("", "", True),
        ("nan", "nan", True),
        ("nan", "0.5", False),
        ("1e-05", "1.005e-05", True),
        ("1e-05", "2e-05", False),
        ("10,000", "10000", True),
        ("-0.00", "+0.01", True),
        ("-0.1", "0.1", False),
        ("24", "25", False),
        ("eq. 2.31", "eq. 2.40", False),
        ("holds", "fails", False),
        ("5 of 9", "5 of", False),
    ],
)
def test_numbers_in_words(made, kept, agree):
    assert same(made, kept) == same(kept, made) == agree
