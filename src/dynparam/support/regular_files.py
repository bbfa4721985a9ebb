"""Regular files, read so that none holds up or floods the reader: no FIFO, nothing endless."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dynparam.support.errors import DataError

LEADS_OUT = "a link that leads out of the run's directory; not followed"

KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class RefusedError(DataError):
    """A file that is not read: it leads out, is no regular file, or is too large."""


def refusal(path: Path, root: Path | None = None) -> str | None:
    """Why a file is not to be read, in words; ``None`` if it is, and if nothing is there.

    Only a regular file is read, and with ``root`` only one that lies in that directory once all links
    are followed. Nothing is opened.
    """
    try:
        if root is not None and not path.resolve().is_relative_to(root.resolve()):
            return LEADS_OUT
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, RuntimeError, ValueError) as error:
        # Before Python 3.13 a circle of links is a RuntimeError.
        return f"cannot be read ({getattr(error, 'strerror', None) or 'a circle of links'})"
    kind = next((name for is_one, name in KINDS if is_one(mode)), None)
    return None if kind is None else f"{kind}, not a regular file"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading, without ever waiting for one that is not. Raises ``OSError``."""
    # A FIFO without a writer would hold up an ordinary open.
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        yield file


def read_bytes(path: Path, limit: int) -> bytes:
    """A regular file's content. Raises ``RefusedError`` if it is no such, or above ``limit`` bytes."""
    reason = refusal(path)
    if reason is not None:
        raise RefusedError(reason)
    try:
        with opened(path) as file:
            # A file with holes can be large beyond all memory, and takes no room.
            whole = os.fstat(file.fileno()).st_size <= limit
            content = file.read(limit + 1) if whole else b""
    except OSError as error:
        raise RefusedError(f"cannot be read ({error.strerror})") from None
    if not whole or len(content) > limit:
        raise RefusedError(f"larger than {limit // 2**20} MiB; not read")
    return content


def read_input(path: Path, limit: int, remedy: str) -> bytes:
    """The content of a file that a command needs, as ``read_bytes`` reads it.

    Raises ``DataError``, one sentence that names ``path`` and ends with ``remedy``.
    """
    try:
        return read_bytes(path, limit)
    except RefusedError as error:
        raise DataError(f"{path}: {error}; {remedy}") from None


def read_text(path: Path, limit: int, remedy: str) -> str:
    """The same of a file of text. Raises ``DataError`` if it is not UTF-8, too."""
    try:
        return read_input(path, limit, remedy).decode()
    except UnicodeDecodeError:
        raise DataError(f"{path}: not text in UTF-8; {remedy}") from None
