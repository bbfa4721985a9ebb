"""Files that may come from anyone, read so that none leads out, holds up or floods the reader."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from dynparam.support.errors import DataError, DynparamError
from dynparam.support.regular_files import RefusedError, opened

MAX_FILE_BYTES = 4 * 2**30
"""Largest file whose content is compared; the largest of a run have some hundred MB."""

MAX_FILES = 200_000
"""Most files that one verification looks at."""

MAX_DIRECTORIES = 40
"""Most directories one in the other below the one that is searched."""

MAX_BYTES = 64 * 2**30
"""Most bytes that one verification reads."""

MAX_SECONDS = 900.0
"""Longest time that one verification takes, without what it makes again."""

BLOCK = 2**20


class SpentError(DynparamError):
    """More to be read than any run has; ends a verification, where ``DataError`` is of one file."""

    def __init__(self, limit: str) -> None:
        """``limit`` is what was exceeded, in words."""
        super().__init__(
            f"what is to be verified takes more than {limit}; verify parts of it, each by itself"
        )


class Budget:
    """What is left to read of files, bytes and seconds; spending more raises ``SpentError``."""

    def __init__(self) -> None:
        """The whole of it; the clock runs from now on."""
        self._files = MAX_FILES
        self._bytes = MAX_BYTES
        self._until = time.monotonic() + MAX_SECONDS

    def spend(self, *, files: int = 0, size: int = 0) -> None:
        """Count files looked at and bytes read. Raises ``SpentError`` if it is too much."""
        self._files -= files
        self._bytes -= size
        if self._files < 0:
            raise SpentError(f"{MAX_FILES} files")
        if self._bytes < 0:
            raise SpentError(f"{MAX_BYTES // 2**30} GiB")
        if time.monotonic() > self._until:
            raise SpentError(f"{MAX_SECONDS:.0f} seconds")


def sha256(path: Path) -> str:
    """The SHA-256 of a regular file. Raises ``RefusedError`` if it is too large, else ``OSError``."""
    found = hashlib.sha256()
    left = MAX_FILE_BYTES
    with opened(path) as file:
        while block := file.read(BLOCK):
            left -= len(block)
            if left < 0 or os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise RefusedError(f"larger than {MAX_FILE_BYTES // 2**30} GiB; not read")
            found.update(block)
    return found.hexdigest()


def entries_below(directory: Path, budget: Budget | None = None) -> list[Path]:
    """All in a directory and those below it but directories, in order; hidden ones are left out.

    Links to directories are not followed. Raises ``DataError`` if directories lie too deep in one
    another.
    """
    found = []
    waiting = [(directory, 0)]
    while waiting:
        here, depth = waiting.pop()
        if depth > MAX_DIRECTORIES:
            raise DataError(
                f"{directory}: holds more than {MAX_DIRECTORIES} directories one in the other; "
                "verify its files by name"
            )
        for entry in _listed(here):
            if budget is not None:
                budget.spend(files=1)
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append((here / entry.name, depth + 1))
            else:
                found.append(here / entry.name)
    return sorted(found)


def _listed(directory: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            yield from entries
    except OSError:
        return
