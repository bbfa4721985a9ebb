import re

import pandas as pd
import pytest

from dynparam.presentation.intervals import Interval
from dynparam.presentation.numbers import with_interval
from dynparam.presentation.tables import Column, TableView, cells, groups, markdown, shortened

VIEW = TableView(
    "orders",
    "Orders",
    (
        Column("kind", "what | it is", show=str.upper),
        Column(
            "measured",
            "with its interval",
            ("slope", "ci_low", "ci_high"),
            with_interval,
            missing="none",
            numeric=True,
        ),
        Column("interval", "drawn", picture=Interval("slope")),
        Column("verdict", "inside or not", verdict=True),
        Column("note", prose=True),
    ),
    filters=("verdict",),
)

FRAME = pd.DataFrame(
    {
        "kind": ["a", "b", "a"],
        "slope": [0.5, -0.00001, None],
        "ci_low": [0.4, -0.1, None],
        "ci_high": [0.6, 0.1, None],
        "verdict": ["agrees", "disagrees", "undecided"],
        "note": ["x | y", "<b>&", None],
    }
)


def lines(text):
    """The cells of a Markdown table, row by row; bars that are escaped do not divide."""
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines()]


def test_markdown_shows_every_column_but_pictures():
    head, rule, *rows = lines(markdown(VIEW, FRAME))
    assert head == ["kind", "measured", "verdict", "note"]
    assert {cell.strip("-") for cell in rule} == {":"}
    assert rows == [
        ["A", "+0.500 [+0.400, +0.600]", "✓ agrees", r"x \| y"],
        ["B", "+0.000 [-0.100, +0.100]", "✗ disagrees", "<b>&"],
        ["A", "none", "? undecided", ""],
    ]


def test_markdown_escapes_bars_and_line_ends_in_heads_and_cells():
    view = TableView("t", "T", (Column("|h|"),))
    head, _, row = lines(markdown(view, pd.DataFrame({"|h|": ["a\nb|c"]})))
    assert (head, row) == ([r"\|h\|"], [r"a<br>b\|c"])


def test_numbers_stand_on_the_right_where_they_should():
    view = TableView("t", "T", (Column("a"), Column("b", numeric=True)), numbers_right=True)
    assert lines(markdown(view, pd.DataFrame({"a": ["x"], "b": [1]})))[1][1].endswith("-:")


def test_only_numbers_stand_on_the_right_and_only_where_they_should():
    frame = pd.DataFrame({"a": ["x"], "b": [1]})
    columns = (Column("a"), Column("b", numeric=True))
    for right, ends in ((True, [False, True]), (False, [False, False])):
        rule = lines(markdown(TableView("t", "T", columns, numbers_right=right), frame))[1]
        assert [cell.endswith("-:") for cell in rule] == ends


def test_cells_say_the_same_as_markdown():
    table = cells(VIEW, FRAME)
    heads = [column.head for column in table.columns]
    assert heads == ["kind", "measured", "interval", "verdict", "note"]
    told = [[str(row[k].text) for k in (0, 1, 3)] for row in table.rows]
    assert told == [row[:3] for row in lines(markdown(VIEW, FRAME))[2:]]
    assert [row[3].tone for row in table.rows] == ["good", "bad", "open"]
    assert [row[4].text for row in table.rows] == ["x | y", "<b>&", ""]
    assert table.choices("verdict") == ["✓ agrees", "✗ disagrees", "? undecided"]


def test_numbers_sort_by_value_and_pictures_not_at_all():
    table = cells(VIEW, FRAME)
    assert [row[1].sort for row in table.rows] == ["0.5", "-1e-05", ""]
    assert [column.sortable for column in table.columns] == [True, True, False, True, True]
    assert [bool(row[2].text) for row in table.rows] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ""),
        ("one seed", "one seed"),
        ("35 pairs; effect size d_z = -4.53", "35 pairs"),
        ("table 0, definition -1/2: signal and gradient", "table 0, definition -1/2"),
        ("the thesis defines mup for equal widths only", "the thesis defines mup …"),
        ("in 5:6 of all", "in 5:6 of all"),
    ],
)
def test_a_long_text_has_its_beginning_for_a_code(text, code):
    assert shortened(text) == code


def test_a_text_folds_where_its_code_is_another():
    """Markdown has the text itself."""
    column = Column("note", prose=True, code=shortened)
    frame = pd.DataFrame({"note": ["35 pairs; effect size", "one seed", None]})
    found = column.cells(frame)
    assert [cell.text for cell in found] == ["35 pairs; effect size", "one seed", ""]
    assert [cell.folded for cell in found] == [True, False, False]
    assert column.texts(frame) == ["35 pairs; effect size", "one seed", ""]
    assert not any(cell.folded for cell in Column("note").cells(frame))


def test_the_first_source_decides_whether_a_cell_is_missing():
    """A number whose second source is not known is told all the same."""
    column = Column("exact", of=("a", "b"), show=lambda a, b: f"{a:g} ({b:g})", missing="none")
    frame = pd.DataFrame({"a": [1.5, None, 3.0], "b": [0.5, 0.25, None]})
    assert column.texts(frame) == ["1.5 (0.5)", "none", "3 (nan)"]


def test_close_numbers_sort_apart():
    view = TableView("t", "T", (Column("a", numeric=True),))
    table = cells(view, pd.DataFrame({"a": [1.23456, 1.23457]}))
    assert [row[0].sort for row in table.rows] == ["1.23456", "1.23457"]


def test_a_table_with_no_rows():
    empty = FRAME.head(0)
    assert cells(VIEW, empty).rows == ()
    assert lines(markdown(VIEW, empty))[0] == ["kind", "measured", "verdict", "note"]
    assert len(lines(markdown(VIEW, empty))) == 2
    assert cells(VIEW, empty).choices("verdict") == []


def test_a_lacking_column_is_an_error():
    for render in (markdown, cells):
        with pytest.raises(KeyError, match="verdict"):
            render(VIEW, FRAME.drop(columns="verdict"))


def test_groups_divide_a_table_in_its_order():
    view = TableView("orders", "Orders", VIEW.columns, group="kind")
    parts = list(groups(view, FRAME))
    assert [(heading, list(rows.index)) for heading, _, rows in parts] == [("A", [0, 2]), ("B", [1])]
    assert [one.name for _, one, _ in parts] == ["orders-1", "orders-2"]
    for _, one, _ in parts:
        assert [column.head for column in one.columns] == ["measured", "interval", "verdict", "note"]
    assert [heading for heading, _, _ in groups(view, FRAME.iloc[[1, 0]])] == ["B", "A"]
    # Rows in another order, with the index of a table that they were chosen from.
    parts = list(groups(view, FRAME.iloc[[2, 1]]))
    assert [(heading, list(rows.index)) for heading, _, rows in parts] == [("A", [2]), ("B", [1])]
    assert list(groups(view, FRAME.head(0))) == []
    assert [heading for heading, _, _ in groups(VIEW, FRAME)] == [""]


@pytest.mark.parametrize("right", [True, False])
def test_a_part_looks_as_the_whole_does(right):
    """Titled by its heading; it is not divided again, and nothing is chosen in it."""
    view = TableView(
        "orders", "Orders", VIEW.columns, filters=("verdict",), group="kind", numbers_right=right
    )
    for heading, part, rows in groups(view, FRAME):
        assert (part.title, part.group, part.filters) == (heading, "", ())
        rule = lines(markdown(part, rows))[1]
        assert [cell.endswith("-:") for cell in rule] == [right, False, False]
