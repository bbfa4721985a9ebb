"""Regular files: read to a limit, and nothing else waited for."""

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dynparam.support.regular_files import LEADS_OUT, RefusedError, opened, read_bytes, refusal


@contextmanager
def given_up_after(seconds: float) -> Iterator[None]:
    """Ends a wait without end as a failure."""

    def give_up(*_: object) -> None:
        raise AssertionError("waited for what is no regular file")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_file_of_just_the_limit_is_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert read_bytes(path, 100) == b"x" * 100
    with pytest.raises(RefusedError, match="larger than"):
        read_bytes(path, 99)
    path.write_bytes(b"")
    assert read_bytes(path, 0) == b""


def test_a_fifo_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path):
    """Nobody writes to it."""
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == "a FIFO, not a regular file"
    with (
        given_up_after(20),
        pytest.raises(OSError, match="not a regular file"),
        opened(tmp_path / "pipe"),
    ):
        pass
    with given_up_after(20), pytest.raises(RefusedError, match="a FIFO"):
        read_bytes(tmp_path / "pipe", 10)


def test_what_is_refused_is_told_by_its_kind(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "in" / "out").symlink_to(tmp_path / "file")
    (tmp_path / "in" / "circle").symlink_to(tmp_path / "in" / "circle")
    assert refusal(tmp_path / "in") == "a directory, not a regular file"
    assert refusal(tmp_path / "file", tmp_path) is None
    assert refusal(tmp_path / "absent") is None
    assert refusal(tmp_path / "in" / "out") is None
    assert refusal(tmp_path / "in" / "out", tmp_path) is None
    assert refusal(tmp_path / "in" / "out", tmp_path / "in") == LEADS_OUT
    circle = refusal(tmp_path / "in" / "circle")
    words = ("a circle of links", os.strerror(errno.ELOOP))  # Python 3.13 has the latter
    assert circle in [f"cannot be read ({one})" for one in words]
    with pytest.raises(RefusedError, match="cannot be read"):
        read_bytes(tmp_path / "absent", 10)
