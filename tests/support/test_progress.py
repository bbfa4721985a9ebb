import subprocess
import sys

import pytest

from dynparam.support import progress as module
from dynparam.support.progress import progress, say


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


def test_no_work_is_done_at_once(capsys, clock):
    with progress("curve", 0) as advance:
        advance(0)
    assert capsys.readouterr().err == "curve: 100 % done, 0 s left\n"


def test_lines_show_the_note(capsys, monkeypatch, clock):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    with progress("curve", 4) as advance:
        advance(1, "epoch 1: loss 0.5000 / 0.6000")
        advance(3)
    assert capsys.readouterr().err.splitlines() == [
        "curve: 25 % done, 3 s left  epoch 1: loss 0.5000 / 0.6000",
        "curve: 100 % done, 0 s left",
    ]


def test_the_bar_shows_the_last_note(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with progress("curve", 4) as advance:
        advance(1, "loss 0.9")
        advance(3, "loss 0.1")
    assert "loss 0.1" in capsys.readouterr().err


def test_say_is_a_line_on_standard_error(capsys):
    say("seed 3 diverged")
    assert capsys.readouterr() == ("", "seed 3 diverged\n")


def test_nobody_listening_stops_nothing():
    """As behind ``dynparam train ... 2>&1 | head -1``: the reader has gone, the work goes on."""
    code = (
        "import sys\n"
        "from dynparam.support.progress import progress, say\n"
        "sys.stdin.read()\n"
        "say('nobody')\n"
        "with progress('curve', 2) as advance:\n"
        "    advance(2)\n"
        "print('finished')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stderr.close()
        process.stdin.close()
        assert process.stdout.read() == "finished\n"


def test_a_closed_standard_error_stops_nothing(monkeypatch, capsys):
    """As behind ``2>&-``, where Python has no sys.stderr at all; standard output is not for this."""
    monkeypatch.setattr(sys, "stderr", None)
    say("nobody")
    with progress("curve", 2) as advance:
        advance(2)
    assert capsys.readouterr().out == ""
