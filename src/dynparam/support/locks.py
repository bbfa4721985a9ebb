"""Locks between processes, so that no two change or make the same file at once.

A lock is the kernel's (``flock``), on a file of its own. It ends with the process that holds it, however
that ends, so no lock outlives its holder; and it holds across containers and, on a shared file system
that knows locks, across machines. No process id and no host name is judged: both repeat.

The file is removed by who holds the lock, so nothing is left over. A process that opened the file before
and gets the lock afterwards sees that the name no longer leads to the file it has locked, and begins
again. What a killed process left is taken over by the next.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from dynparam.support.errors import DataError, DynparamError
from dynparam.support.files import naming_write_errors
from dynparam.support.progress import say
from dynparam.support.regular_files import read_bytes

SECONDS_BETWEEN_TRIES = 0.25
"""How long a process that waits sleeps before it tries again."""

# Writing is for NFS, which locks files that are open for writing alone; a child must not inherit a lock.
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Lock:
    """A lock that this process holds, until ``release`` or its end; made by ``take``."""

    def __init__(self, path: Path, number: int) -> None:
        """On the file ``path``, which is open and locked under ``number``."""
        self._path = path
        self._number: int | None = number

    def release(self) -> None:
        """Remove the file and free the lock; a second call does nothing."""
        if self._number is None:
            return
        number, self._number = self._number, None
        # First the file, then the lock: the other way round, the file of the next holder would go.
        with suppress(OSError):  # the directory may be gone, and a lock may end without its file
            if _leads_to(self._path, number):
                self._path.unlink()
        os.close(number)


def take(path: Path) -> Lock | None:
    """The lock on ``path`` (made if missing, with its directory), ``None`` while another has it.

    Raises ``DynparamError`` if the file cannot be made or its file system has no locks.
    """
    with naming_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with ExitStack() as unless_kept:
                number = os.open(path, _FLAGS, 0o666)
                unless_kept.callback(os.close, number)
                if not _locked_or_removed(number, path):
                    return None
                if _leads_to(path, number):
                    _sign(number)
                    unless_kept.pop_all()
                    return Lock(path, number)
            # The holder before removed the file after it was opened here.


def is_held(path: Path) -> bool | None:
    """Whether a process holds the lock on ``path``; ``None`` if that cannot be seen from here."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        # A shared lock, so that two who look do not take one another for a holder.
        return not _locked(number, fcntl.LOCK_SH, path)
    except DynparamError:
        return None
    finally:
        os.close(number)


def holder(path: Path) -> str:
    """Who holds the lock, as that process calls itself: ``process 12 on node7``."""
    try:
        signature = read_bytes(path, limit=2**10).decode(errors="replace").strip()
    except DataError:
        signature = ""
    return signature or "another process"


@contextmanager
def held(path: Path, waiting: str = "") -> Iterator[None]:
    """Keep other processes from holding ``path`` while the block runs.

    The lock is a hidden file beside ``path``. Who comes second says ``waiting`` and waits; without such
    a sentence it is refused. Raises ``DynparamError`` then, and if no lock can be made.
    """
    place = path.with_name(f".{path.name}.lock")
    lock = take(place)
    if lock is None and not waiting:
        raise DynparamError(
            f"{path}: another process is changing it; run this again when that one has finished"
        )
    if lock is None:
        say(f"{path}: {waiting}")
    while lock is None:
        time.sleep(SECONDS_BETWEEN_TRIES)
        lock = take(place)
    try:
        yield
    finally:
        lock.release()


def _locked_or_removed(number: int, path: Path) -> bool:
    """The same for a holder; where there are no locks, the file that was made in vain goes."""
    try:
        return _locked(number, fcntl.LOCK_EX, path)
    except DynparamError:
        # One that is signed is held, by another machine that sees locks here.
        if os.fstat(number).st_size == 0:
            path.unlink(missing_ok=True)
        raise


def _locked(number: int, how: int, path: Path) -> bool:
    """Lock an open file without waiting; ``False`` if another has it."""
    try:
        fcntl.flock(number, how | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # some file systems answer EACCES for EAGAIN
        return False
    except OSError as error:
        raise DynparamError(
            f"{path.parent}: its file system cannot lock files ({error.strerror}), so two processes "
            f"could not be kept apart; choose a directory on another (--runs, --output or paths.results)"
        ) from None
    return True


def _leads_to(path: Path, number: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(number))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESTALE):
            return False
        raise


def _sign(number: int) -> None:
    """Say who holds the lock. This is for people alone, so a full disk does no harm."""
    with suppress(OSError):
        os.ftruncate(number, 0)
        os.write(number, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        os.fsync(number)  # so that other machines see it
