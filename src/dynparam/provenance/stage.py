"""A stage of the workflow: its name, settings, inputs, and how its outputs are made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dynparam.support.errors import DataError


def require(paths: Iterable[Path], command: str) -> None:
    """Raise ``DataError`` naming the command that makes them if one of ``paths`` is missing."""
    missing = [path for path in paths if not path.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DataError(f"{missing[0]}{more}: there is no such file yet; run: {command}")
