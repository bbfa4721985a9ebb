"""Finished trials of an interrupted measurement, one line of JSON each, until the table is whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from dynparam.support.errors import DataError
from dynparam.support.files import naming_write_errors

Key = TypeVar("Key")


Result = TypeVar("Result")


def log_path(output: Path, name: str, *identity: str) -> Path:
    """Where trials for ``output`` wait, apart from any declared output.

    ``identity`` is all that the trials depend on, code included, so that trials of another
    configuration are never taken up.
    """
    key = hashlib.sha256("-".join(identity).encode()).hexdigest()[:16]
    return output.parent / ".unfinished" / f"{name}-{key}.jsonl"


def read_log(path: Path, parse: Callable[[Any], tuple[Key, Result]]) -> dict[Key, Result]:
    """The trials of a log, each line's JSON made a key and a result by ``parse``.

    A last line cut short by a kill is removed from the file. Raises ``DataError`` if another line is
    damaged: not JSON, or something ``parse`` meets with ``TypeError`` or ``ValueError``.
    """
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    complete = text[: text.rfind("\n") + 1]
    if complete != text:
        os.truncate(path, len(complete.encode()))
    done = {}
    for number, line in enumerate(complete.splitlines(), start=1):
        try:
            key, result = parse(json.loads(line))
        except (TypeError, ValueError):
            raise DataError(
                f"{path}: line {number} is damaged; delete the file to measure its trials anew"
            ) from None
        done[key] = result
    return done


def append_to_log(path: Path, entries: Iterable[object]) -> None:
    """Add one line an entry. Raises ``DynparamError`` if the file cannot be written."""
    lines = [json.dumps(entry) for entry in entries]
    with naming_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write("\n".join([*lines, ""]))
