"""Files that one process at a time may change."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dynparam.support.errors import DynparamError
from dynparam.support.files import naming_write_errors

FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""How a lock is opened: no link is followed, and no FIFO is waited for."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep other processes from holding ``path`` while the block runs.

    The lock is a hidden file beside ``path``, which goes when the block ends. What a killed process
    leaves of it keeps nobody out. Raises ``DynparamError`` if another process holds ``path``, or if no
    lock can be made.
    """
    lock = path.with_name(f".{path.name}.lock")
    number = _take(lock)
    if number is None:
        raise DynparamError(
            f"{path}: another process is changing it; run this again when that one has finished"
        )
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(number)


def _take(lock: Path) -> int | None:
    """The open file of a lock, ``None`` if another process has it."""
    with naming_write_errors(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(lock, FLAGS, 0o666)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The process that held it before may have removed it since it was opened here.
            if lock.stat().st_ino == os.fstat(number).st_ino:
                return number
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:
            os.close(number)
            raise
    os.close(number)
    return None
