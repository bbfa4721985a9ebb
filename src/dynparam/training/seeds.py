"""Which seeds one training job takes, and how they are written in file names and options."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from dynparam.support.ranges import consecutive, parse_ranges


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
    """The seeds in a table of curves, in order; none if there is no such table."""
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        return sorted({int(row["seed"]) for row in csv.DictReader(file)})
