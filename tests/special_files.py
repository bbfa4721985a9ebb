"""Paths at which no ordinary file lies, or one that no program wrote: what a reader must survive."""

import os
from collections.abc import Callable
from pathlib import Path


def _sparse(path: Path) -> None:
    """A thousand million bytes that take no room on the disk."""
    with path.open("wb") as file:
        file.truncate(10**9)


SPECIAL: dict[str, Callable[[Path], object]] = {
    "FIFO": os.mkfifo,
    "directory": Path.mkdir,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "empty device": lambda path: path.symlink_to("/dev/null"),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "circle of links": lambda path: path.symlink_to(path.name),
    "link to a name too long": lambda path: path.symlink_to("x" * 300),
    "empty file": Path.touch,
    "huge file": _sparse,
    "bytes that are no text": lambda path: path.write_bytes(bytes(range(256)) * 10),
}


def put(path: Path, kind: str) -> None:
    """Put a special file of that kind in the place of what is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    SPECIAL[kind](path)
