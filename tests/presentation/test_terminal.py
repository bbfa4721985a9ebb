"""Text and tables that fit the terminal."""

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynparam.presentation import terminal

HEADS = ("run", "archived", "left")
ROWS = [("airplane-automobile/1000-50.draw-1/spectral", 5, "-"), ("bird-cat/dynamic", 35, "[bold]1:02")]


class Terminal:
    """Standard output that says what it is."""

    def __init__(self, really):
        self.isatty = lambda: really


def at(monkeypatch, columns, really=True):
    monkeypatch.setattr(sys, "stdout", Terminal(really))
    monkeypatch.setenv("COLUMNS", str(columns))


@pytest.mark.parametrize("columns", [30, 60, 120])
def test_a_table_is_as_wide_as_the_terminal_and_no_wider(monkeypatch, columns):
    at(monkeypatch, columns)
    lines = terminal.shown(HEADS, ROWS, "otherwise").splitlines()
    assert max(map(len, lines)) <= columns
    assert "".join(re.findall(r"\S", terminal.fitted(HEADS, ROWS, columns))).count("[bold]") == 1


def test_in_a_pipe_the_table_is_that_for_programs(monkeypatch):
    at(monkeypatch, 30, really=False)
    assert terminal.columns() is None
    assert terminal.shown(HEADS, ROWS, "otherwise") == "otherwise"
    monkeypatch.setattr(sys, "stdout", None)
    assert terminal.columns() is None


@given(
    cells=st.lists(
        st.tuples(st.text("ab -/[]1", max_size=30), st.integers(-(10**6), 10**6)), min_size=1, max_size=6
    ),
    width=st.integers(40, 200),
)
@settings(max_examples=100, derandomize=True, deadline=None)
def test_no_character_is_lost(cells, width):
    """Whatever is broken into lines: every column of a row, read downwards, is its cell."""
    table = terminal.fitted(("name", "number"), cells, width)
    assert all(len(line) <= width for line in table.splitlines())
    kept = re.findall(r"[^\s-]", table.partition("number")[2])
    assert sorted(kept) == sorted(
        c for row in cells for cell in row for c in re.findall(r"[^\s-]", str(cell))
    )


def test_numbers_stand_on_the_right():
    table = terminal.fitted(("layer", "exact", "word"), [(1, "-13/20", "a"), (12, "+0.250", "bc")], 80)
    assert table.splitlines()[2:] == ["    1  -13/20  a", "   12  +0.250  bc"]


def test_prose_keeps_words_and_fits(monkeypatch):
    at(monkeypatch, 40)
    text = terminal.prose(
        "Images: noise made here, since there is no", "data/processed/a-very-long-name.npz."
    )
    assert "data/processed/a-very-long-name.npz." in text
    assert all(len(line) <= 40 for line in text.splitlines())
    monkeypatch.setattr(sys, "stdout", Terminal(False))
    assert max(map(len, terminal.prose("word " * 100).splitlines())) <= terminal.WIDTH_IN_A_PIPE
