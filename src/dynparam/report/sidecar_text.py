"""Sidecars as a person reads them: whatever they hold, key by key, and the line that sums them up."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynparam.support.errors import DataError
from dynparam.support.regular_files import read_text

MAX_BENCHMARK_BYTES = 2**20
"""The largest benchmark that is read: a line or two."""

BETWEEN = " > "
"""Stands between the keys on the way to a value."""


@dataclass(frozen=True)
class Entries:
    """One entry of a sidecar: its name, and the values below it by the way to them."""

    name: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Effort:
    """What the jobs of one rule took, by Snakemake's own measurements.

    Attributes:
        rule: the rule.
        jobs: how many of its jobs were measured.
        seconds: their time together.
        megabytes: the largest resident memory of one.
    """

    rule: str
    jobs: int
    seconds: float
    megabytes: float


def sections(record: Mapping[str, Any]) -> tuple[Entries, ...]:
    """A sidecar's entries in their order; none of its keys needs to be known here."""
    return tuple(Entries(words(name), tuple(_flat(value, ()))) for name, value in record.items())


def words(name: str) -> str:
    """A key as words."""
    return name.replace("_", " ")


def commit(record: Mapping[str, Any]) -> str:
    """The commit a file comes from, and whether its code had changes that were not committed."""
    git = record.get("git") or {}
    if not git.get("commit"):
        return "outside a checkout"
    return f"{str(git['commit'])[:10]}{' with uncommitted changes' if git.get('dirty') else ''}"


def summary(record: Mapping[str, Any]) -> str:
    """Commit, configuration, date and time of a file, in a line."""
    parts = [f"commit {commit(record)}"]
    if "config_sha256" in record:
        parts.append(f"configuration {record['config_sha256']}")
    if "created" in record:
        parts.append(f"made {str(record['created'])[:10]}")
    if "wall_seconds" in record:
        parts.append(f"in {float(record['wall_seconds']):.1f}\N{NO-BREAK SPACE}s")
    processor = (record.get("hardware") or {}).get("processor")
    if processor:
        parts.append(f"on {processor}")
    return ", ".join(parts)


def efforts(benchmarks: Path) -> list[Effort]:
    """What every rule took, from the files Snakemake writes below ``benchmarks``; the longest first."""
    found: dict[str, list[tuple[float, float]]] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
        found.setdefault(rule, []).extend(_measured(path))
    totals = [
        Effort(rule, len(jobs), sum(job[0] for job in jobs), max(job[1] for job in jobs))
        for rule, jobs in found.items()
        if jobs
    ]
    return sorted(totals, key=lambda effort: -effort.seconds)


def _measured(path: Path) -> Iterator[tuple[float, float]]:
    """Seconds and megabytes of the last job that wrote this file; unreadable ones say nothing."""
    try:
        text = read_text(path, MAX_BENCHMARK_BYTES, "remove it")
        for row in csv.DictReader(io.StringIO(text), delimiter="\t"):
            memory = row.get("max_rss") or "0"
            used = float(row["s"]), 0.0 if memory == "NA" else float(memory)
            if not all(map(math.isfinite, used)):
                return
            yield used
    except (DataError, KeyError, TypeError, ValueError, csv.Error):
        return


def _flat(value: object, way: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, (*way, str(key)))
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        for place, inner in enumerate(value, start=1):
            yield from _flat(inner, (*way, str(place)))
    else:
        yield BETWEEN.join(way), _text(value)


def _text(value: object) -> str:
    if value is None or value in ({}, []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return str(value)
