"""What a terminal would obey never reaches it."""

import sys
import unicodedata

import pytest

from dynparam.support import progress as module
from dynparam.support.progress import progress, say
from dynparam.support.terminal import shown, shown_lines

OBEYED = "a\x1b[2J\x1b]0;title\x07\x9b31m\x08\x7f\x00\r\u202e\u2066\ud800\x85"


def test_no_character_that_is_obeyed_is_left():
    """Against the Unicode categories: controls, marks of direction, halves of pairs, ends of lines."""
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        found = shown(letter)
        assert len(found) == 1
        assert unicodedata.category(found) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}, number
        if unicodedata.category(letter)[0] in "LMNPS" or letter == " ":
            assert found == letter


def test_lines_are_kept_only_where_they_are_wanted():
    assert shown("a\nb\tc\r\nd\ve\ff") == "a b c  d e f"
    assert shown_lines("a\nb\tc\r\nd\n") == "a\nb c \nd\n"


def test_what_is_said_is_one_clean_line(capsys):
    say(f"{OBEYED}\nanother line")
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told[:-1].isprintable()


@pytest.mark.parametrize("terminal", [False, True])
def test_notes_of_progress_are_clean_and_no_markup(capsys, monkeypatch, terminal):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with progress(f"[red]label {OBEYED}", 2) as advance:
        advance(2, f"[bold]note[/bold] [/unopened] {OBEYED}\nsecond")
    told = capsys.readouterr().err
    for letter in set(OBEYED) - {"a", "\r", *"[2J]0;title31m", "\x1b"}:
        assert letter not in told, letter
    assert "\x1b[2J" not in told
    assert "\x1b]" not in told
    if not terminal:
        assert "[bold]note[/bold] [/unopened]" in told
        assert told.count("\n") == 1
