import sys

import pytest

from dynparam import progress as module
from dynparam.progress import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances one second whenever it is read."""
    seconds = iter(range(10_000))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(seconds)))


def test_lines_tell_the_time_left(capsys, monkeypatch, clock):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 2.0)
    with progress("curve", 100) as advance:
        for _ in range(10):
            advance(10)
    lines = capsys.readouterr().err.splitlines()
    # One second a tenth: at 20 % eight seconds are left, at the end none.
    assert lines[0] == "curve: 20 % done, 8 s left"
    assert lines[-1] == "curve: 100 % done, 0 s left"
    assert 4 <= len(lines) <= 6


def test_estimate_follows_the_amount_of_work(capsys, monkeypatch, clock):
    """A step worth nine tenths of the work in one second leaves a ninth of a second."""
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    with progress("curve", 1000) as advance:
        advance(900)
    assert capsys.readouterr().err == "curve: 90 % done, 0 s left\n"


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress("curve", 4) as advance:
        advance(4)
    assert "curve" in capsys.readouterr().err


def test_nothing_to_do_is_silent(capsys):
    with progress("curve", 0):
        pass
    assert capsys.readouterr().err == ""
