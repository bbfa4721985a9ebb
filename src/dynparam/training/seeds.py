"""Which seeds one training job takes, and how they are written in file names and options."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from dynparam.support.errors import DataError
from dynparam.support.ranges import consecutive, parse_ranges
from dynparam.support.regular_files import opened, refusal

LINE_BYTES = 2**16
"""Of a table's line: far above what a row of a curve needs."""


def parse_seeds(text: str) -> list[int]:
    """Seeds such as ``0-9`` or ``0-2,7``, in order. Raises ``ConfigError``."""
    return parse_ranges(text, "seeds")


def shards(seeds: Iterable[int], size: int) -> list[str]:
    """Seeds in ranges ``first-last`` of at most ``size``, each within a multiple of ``size``.

    Borders at multiples keep the full shards as they are when seeds are added behind them.
    """
    found = []
    for _, group in groupby(sorted(set(seeds)), key=lambda seed: seed // size):
        found += [f"{run[0]}-{run[-1]}" for run in consecutive(group)]
    return found


def archived_seeds(table: Path) -> list[int]:
    """The seeds in a table of curves, in order; none if there is no such table.

    Raises ``DataError`` if it is no regular file, or no table with a seed in every row.
    """
    if not os.path.lexists(table):
        return []
    try:
        reason = refusal(table)
        if reason is not None:
            raise ValueError(reason)
        with opened(table) as file:
            return sorted(_seeds(csv.DictReader(_lines(file), strict=True)))
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        reason = "no text"
    except (ValueError, csv.Error) as error:
        reason = str(error)
    raise DataError(
        f"{table}: not a table of curves ({reason}); restore it, or delete it to train its runs anew"
    )


def _lines(file: BinaryIO) -> Iterator[str]:
    """Lines of UTF-8, none so long that it fills the memory. Raises ``ValueError``."""
    while line := file.readline(LINE_BYTES + 1):
        if len(line) > LINE_BYTES:
            raise ValueError(f"a line of more than {LINE_BYTES} bytes")
        yield line.decode("utf-8")


def _seeds(rows: csv.DictReader[str]) -> set[int]:
    """The seeds of all rows. Raises ``ValueError``."""
    if "seed" not in (rows.fieldnames or ()):
        raise ValueError("no column seed")
    found = set()
    for row in rows:
        if None in row or None in row.values():
            raise ValueError(f"line {rows.line_num} has not a value for each column")
        if not re.fullmatch("[0-9]{1,18}", row["seed"]):
            raise ValueError(f"line {rows.line_num} has no number for a seed")
        found.add(int(row["seed"]))
    return found
