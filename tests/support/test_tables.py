import csv
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.support.errors import DataError
from dynparam.support.tables import (
    ANY,
    COUNT,
    GAPS,
    NOTE,
    NUMBER,
    TEXT,
    WHOLE,
    Form,
    read_cells,
    read_csv,
    write_csv,
)


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float32_survives(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    write_csv(pd.DataFrame({"x": [value]}), path)
    assert np.float32(read_csv(path)["x"][0]) == np.float32(value)


def test_neighbours_in_float32_stay_apart(tmp_path):
    """Above 10^9 they are 64 apart, which eight digits do not tell."""
    values = np.float32(1e9) + 64 * np.arange(300, dtype=np.float32)
    write_csv(pd.DataFrame({"x": values}), tmp_path / "t.csv")
    assert read_csv(tmp_path / "t.csv")["x"].to_numpy(np.float32).tolist() == values.tolist()


FORM = Form(
    {
        "name": TEXT,
        "note": NOTE,
        "n": COUNT,
        "trial": WHOLE,
        "value": NUMBER,
        "gap": GAPS,
        "loss": ANY,
        "verdict": ("holds", "fails"),
    },
    key=("name", "n", "trial"),
    complete=True,
)
ROWS = [
    ["a", "", 1, 0, 0.5, None, 1.0, "holds"],
    ["a", "x, y", 1, 1, -2, 3, "inf", "fails"],
    ["a", "z", 2, 0, 1e-300, 1, "nan", "holds"],
    ["a", "", 2, 1, 7, None, "", "holds"],
]


def written(path, rows, columns=tuple(FORM.columns)):
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])
    return path


def told(path, form=None, **fixed):
    with pytest.raises(DataError) as error:
        read_csv(path, form, **fixed)
    sentence = str(error.value)
    assert sentence.startswith(f"{path}: not a readable table (")
    assert sentence.endswith("); run its rule again")
    assert sentence.isprintable()
    return sentence.removeprefix(f"{path}: not a readable table (").removesuffix("); run its rule again")


def test_a_table_of_its_form_is_read_as_it_is(tmp_path):
    path = written(tmp_path / "t.csv", ROWS)
    pd.testing.assert_frame_equal(read_csv(path, FORM, name="a"), pd.read_csv(path))


def test_columns_beyond_the_form_are_left_alone(tmp_path):
    path = written(tmp_path / "t.csv", [[*row, "?"] for row in ROWS], (*FORM.columns, "more"))
    assert read_csv(path, FORM)["more"].tolist() == ["?"] * 4


LONG = "1" * 400

WRONG = {
    "name": ["", "NA"],
    "note": [],
    "n": [
        "a",
        "",
        "0",
        "-1",
        "1.5",
        "inf",
        "True",
        "2.0",
        "1_0",
        "\uff11",
        LONG,
        2**63,
        2**64,
        "9" * 25,
    ],
    "trial": ["a", "", "-1", "0.5", "nan", "False", "0.0", "0x1", "1e2", 2**60],
    "value": [
        "a",
        "",
        "nan",
        "inf",
        "-inf",
        "True",
        "1e999",
        LONG,
        "0x1p3",
        "1,5",
        "1 2",
        "--1",
        "\ufffd",
    ],
    "gap": ["a", "inf", "-inf", "True", "1e999", "none at all"],
    "loss": ["a", "True", "1;5"],
    "verdict": ["", "Holds", "undecided", "1"],
}


@pytest.mark.parametrize(
    ("column", "cell"), [(column, cell) for column, cells in WRONG.items() for cell in cells]
)
@pytest.mark.parametrize("row", [0, 3])
def test_a_wrong_cell_is_named(tmp_path, column, cell, row):
    rows = [list(one) for one in ROWS]
    rows[row][list(FORM.columns).index(column)] = cell
    reason = told(written(tmp_path / "t.csv", rows), FORM)
    assert reason.startswith(f"column {column!r} has ")
    assert " belongs" in reason
    if str(cell) not in ("2.0", "0.0", "1e2"):  # these turn the whole column into floating point
        assert f" in row {row + 1}, where " in reason


def test_a_column_of_truth_values_is_no_column_of_numbers(tmp_path):
    rows = [[*row[:4], "True", *row[5:]] for row in ROWS]
    assert told(written(tmp_path / "t.csv", rows), FORM).startswith(
        "column 'value' has 'True' in row 1,"
    )


@pytest.mark.parametrize("column", FORM.columns)
def test_a_missing_column_is_named(tmp_path, column):
    path = tmp_path / "t.csv"
    pd.read_csv(written(path, ROWS)).drop(columns=column).to_csv(path, index=False)
    assert told(path, FORM) == f"it has no column {column!r}"


def test_rows_twice_and_rows_missing_are_told(tmp_path):
    path = tmp_path / "t.csv"
    assert told(written(path, [*ROWS, ROWS[1]]), FORM) == "it has two rows of name a, n 1, trial 1"
    assert told(written(path, ROWS[:-1]), FORM) == "it lacks a row of some name, n, trial"
    assert told(written(path, []), FORM) == "it has no rows"
    empty = replace(FORM, may_be_empty=True, complete=False)
    assert read_csv(written(path, []), empty).empty


def test_a_table_of_another_curve_is_told(tmp_path):
    path = written(tmp_path / "t.csv", ROWS)
    assert told(path, FORM, name="b") == "column 'name' has 'a' in row 1, where b belongs"
    assert told(path, FORM, curve="b") == "it has no column 'curve'"


BROKEN = {
    "empty": (b"", "it is empty"),
    "blank": (b"\n1\n", "it is empty"),
    "twice": (b"a,b,a\n1,2,3\n", "it has the column 'a' twice"),
    "short": (b"a,b\n1,2\n3\n", "line 3 has 1 cells under 2 headings"),
    "long": (b"a,b\n1,2,3\n", "line 2 has 3 cells under 2 headings"),
    "blank line": (b"a,b\n1,2\n\n3,4\n", "line 3 has 0 cells under 2 headings"),
    "cut": (b"a,b\n1,2\n3,4"[:-2], "line 3 has 1 cells under 2 headings"),
    "NUL": (b"a,b\n1,\0\n", "it holds NUL bytes"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "it holds NUL bytes"),
    "UTF-32": ("a,b\n1,2\n".encode("utf-32-be"), "it holds NUL bytes"),
    "Latin-1": ("a,b\n1,ä\n".encode("latin-1"), "it is not UTF-8"),
    "surrogates": (b"a,b\n1,\xed\xa0\x80\n", "it is not UTF-8"),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", "it begins with a byte order mark"),
    "open quote": (b'a,b\n1,"2\n', "unexpected end of data"),
    "huge cell": (b"a\n" + b"x" * 200_000, "field larger than field limit (131072)"),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_table_is_told(tmp_path, content, reason):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert told(path) == reason
    with pytest.raises(DataError, match=re.escape(reason)):
        read_cells(path)


def test_cells_are_read_as_they_are_written(tmp_path):
    path = written(tmp_path / "t.csv", [["1.50", "a, b"], ["nan", ""]], ("x", "y"))
    assert read_cells(path) == [["x", "y"], ["1.50", "a, b"], ["nan", ""]]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "a FIFO, not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "a device, not a regular file"),
        (Path.mkdir, "a directory, not a regular file"),
        (lambda path: path.symlink_to(path), "cannot be read (Too many levels of symbolic links)"),
        (lambda path: None, "cannot be read (No such file or directory)"),
        (lambda path: (path.touch(), os.truncate(path, 2**42)), "larger than 1024 MiB; not read"),
    ],
    ids=["FIFO", "device", "directory", "circle", "absent", "huge"],
)
def test_what_is_no_regular_file_is_told(tmp_path, make, reason):
    make(tmp_path / "t.csv")
    assert told(tmp_path / "t.csv") == reason


@given(st.binary(max_size=200))
def test_bytes_are_read_or_told(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_bytes(content)
    try:
        found = read_csv(path, FORM)
    except DataError as error:
        found = str(error)
    if isinstance(found, str):
        assert found.startswith(f"{path}: not a readable table (")
    else:
        assert set(FORM.columns) <= set(found.columns)
