"""Which seeds one training job takes, and how they are written in file names and options."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from dynparam.support.errors import ConfigError


def parse_seeds(text: str) -> list[int]:
    """Seeds such as ``0-9`` or ``0-2,7``, in order. Raises ``ConfigError``."""
    return sorted({seed for part in text.split(",") for seed in _seed_range(part, text)})


def shards(seeds: Iterable[int], size: int) -> list[str]:
    """Seeds in ranges ``first-last`` of at most ``size``, each within a multiple of ``size``.

    Borders at multiples keep the full shards as they are when seeds are added behind them.
    """
    found = []
    for _, group in groupby(sorted(set(seeds)), key=lambda seed: seed // size):
        members = list(group)
        found += [f"{run[0]}-{run[-1]}" for run in _consecutive(members)]
    return found


def archived_seeds(table: Path) -> list[int]:
    """The seeds in a table of curves, in order; none if there is no such table."""
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        return sorted({int(row["seed"]) for row in csv.DictReader(file)})


def _seed_range(part: str, text: str) -> range:
    first, dash, last = part.partition("-")
    try:
        seeds = range(int(first), int(last if dash else first) + 1)
    except ValueError:
        raise ConfigError(f"seeds {text!r} are not numbers such as 0-9 or 0-2,7") from None
    if not seeds:
        raise ConfigError(f"seeds {text!r} name none; write the smaller number first")
    return seeds


def _consecutive(seeds: Sequence[int]) -> list[list[int]]:
    runs = groupby(enumerate(seeds), key=lambda entry: entry[1] - entry[0])
    return [[seed for _, seed in run] for _, run in runs]
