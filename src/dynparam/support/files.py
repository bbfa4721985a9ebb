"""Files that are either whole or absent: written beside their place, then renamed onto it."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dynparam.support.errors import DynparamError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` if the block succeeds, and vanishes if it fails.

    The temporary path lies in the directory of ``path`` (made if missing) and ends in its suffix,
    which many writers choose their format by. Read inputs before the block: an ``OSError`` inside
    it is taken for a failure to write ``path`` and raised as ``DynparamError``.
    """
    partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:12]}{path.suffix}")
    with naming_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            _flush_to_disk(partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, atomically. Raises ``DynparamError``."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_writable(directory: Path) -> None:
    """Raise ``DynparamError`` unless files can be made in ``directory`` or where it would lie."""
    place = next(p for p in (directory, *directory.resolve().parents) if p.exists())
    with naming_write_errors(directory), tempfile.TemporaryFile(dir=place):
        pass


@contextmanager
def naming_write_errors(path: Path) -> Iterator[None]:
    """Raise an ``OSError`` of the block as ``DynparamError``, one sentence that names ``path``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise DynparamError(
            f"{path}: cannot be written ({reason}); free some space or choose a writable directory"
        ) from None


def _flush_to_disk(path: Path) -> None:
    """Without this, a power cut after the rename could leave an empty file with the right name."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
