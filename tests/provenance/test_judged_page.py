"""What the report shows of a table of verdicts: how claims and controls fall, and the table."""

import pytest

from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_page import judged_page
from dynparam.statistics.estimates import UNKNOWN
from dynparam.statistics.judged import CLAIM, CONTROL, SHOWN, Row, known, table, within
from dynparam.support.errors import DataError
from dynparam.support.tables import write_csv

ROWS = [
    *(Row("a", f"right {k}", "all", CLAIM, 1.0, known(1.0), within(1.0, 0.1)) for k in range(3)),
    *(Row("a", f"wrong {k}", "all", CLAIM, 1.0, known(2.0), within(1.0, 0.1)) for k in range(2)),
    Row("a", "open", "all", CLAIM, 1.0, UNKNOWN, within(1.0, 0.1)),
    *(Row("a", f"refuted {k}", "all", CONTROL, 1.0, known(2.0), within(1.0, 0.1)) for k in range(4)),
    *(Row("a", f"unclear {k}", "all", CONTROL, 1.0, UNKNOWN, within(1.0, 0.1)) for k in range(5)),
    Row("a", "shown", "all", SHOWN, 1.0, known(2.0)),
]


def shown(tmp_path):
    return judged_page(
        Files(tmp_path / "results", tmp_path / "figures"),
        "folder",
        anchor="place",
        title="A title",
        short="Short",
        question="What is asked.",
        meaning="does it?",
    )


def test_claims_and_controls_are_counted_and_numbers_alone_are_not(tmp_path):
    """A control that is refuted passes; one that is not decided is open."""
    write_csv(table(ROWS), tmp_path / "results/folder/verdicts.csv")
    (count,) = shown(tmp_path).counts
    assert count.tones == {"good": 3 + 4, "bad": 2, "open": 1 + 5}
    assert count.all == 15
    assert (count.what, count.anchor, count.meaning) == ("A title", "place", "does it?")


def test_the_table_is_shown_whole_and_named(tmp_path):
    write_csv(table(ROWS), tmp_path / "results/folder/verdicts.csv")
    (part,) = shown(tmp_path).parts
    assert (part.anchor, part.title, part.short) == ("place", "A title", "Short")
    assert part.file == tmp_path / "results/folder/verdicts.csv"
    (section,) = part.sections
    assert list(section.paragraphs) == ["What is asked."]
    assert section.view.name == "place"
    assert section.view.title == "A title: verdicts"
    assert section.table["quantity"].tolist() == [row.quantity for row in ROWS]


def test_a_table_that_is_missing_is_told(tmp_path):
    with pytest.raises(DataError, match=r"verdicts\.csv"):
        shown(tmp_path)
