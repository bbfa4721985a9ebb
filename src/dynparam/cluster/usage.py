"""What the jobs of a run used, from the benchmarks that Snakemake keeps, beside what they ask for."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from dynparam.cluster.requests import PER_SEED, Need, Needs
from dynparam.presentation import terminal
from dynparam.support.errors import ConfigError, DataError
from dynparam.support.regular_files import read_text
from dynparam.training.seeds import parse_seeds

COLUMNS = (
    "rule",
    "jobs",
    "mem_mb",
    "seconds",
    "total_seconds",
    "requested_mem_mb",
    "requested_seconds",
    "enough",
)

HEADERS = ("rule", "jobs", "MB used", "CPU s used", "by all jobs", "MB asked", "s asked", "enough")


MAX_BENCHMARK_BYTES = 2**20
"""The largest benchmark that is read: a line or two."""


@dataclass(frozen=True)
class Measured:
    """What the jobs of a rule used.

    Attributes:
        jobs: how many were measured.
        need: their largest memory and longest processor time.
        total_seconds: processor time of all of them together.
    """

    jobs: int
    need: Need
    total_seconds: float


def measure(benchmarks: Path) -> dict[str, Measured]:
    """Rule -> what its jobs used, from the benchmark files of a run. Raises ``DataError``."""
    found: dict[str, Measured] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).with_suffix("").parts[0]
        seeds = _seeds(path) if rule == PER_SEED else 1
        for memory, seconds in _rows(path):
            old = found.get(rule, Measured(0, Need(mem_mb=1, seconds=0.1), 0.0))
            need = Need(
                mem_mb=max(old.need.mem_mb, math.ceil(memory)),
                seconds=max(old.need.seconds, round(seconds / seeds, 1)),
            )
            found[rule] = Measured(old.jobs + 1, need, old.total_seconds + seconds)
    if not found:
        raise DataError(f"{benchmarks}: no benchmarks of jobs; run the workflow, which writes them")
    return found


def updated(needs: Needs, measured: Mapping[str, Measured]) -> Needs:
    """``needs`` with the measurements of the rules that were measured."""
    fresh = {rule: found.need for rule, found in measured.items()}
    return needs.model_copy(update={"rules": {**needs.rules, **fresh}})


def comparison(needs: Needs, measured: Mapping[str, Measured]) -> pd.DataFrame:
    """A row per measured rule: what its jobs used, what they ask for, and whether that is enough.

    Enough is what was used, with Snakemake's own memory, times the factors of ``needs``. Rules without
    measurements ask for nothing here (NaN), and that is not enough.
    """
    rows = []
    for rule, found in sorted(measured.items()):
        known = rule in needs.rules
        asked_mb = needs.mem_mb(rule) if known else math.nan
        asked_s = needs.minutes(rule) * 60 if known else math.nan
        enough = (
            asked_mb >= (found.need.mem_mb + needs.snakemake_mb) * needs.memory_factor
            and asked_s >= found.need.seconds * needs.time_factor
        )
        used = found.jobs, found.need.mem_mb, found.need.seconds, round(found.total_seconds, 1)
        rows.append((rule, *used, asked_mb, asked_s, enough))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def as_text(table: pd.DataFrame) -> str:
    """The comparison, on a terminal as wide as it is, in a pipe in Markdown."""
    rows = [
        [*(f"{one:.0f}" if isinstance(one, float) else one for one in row[1:-1]), enough]
        for row in table.itertuples()
        for enough in ("yes" if row[-1] else "NO",)
    ]
    return terminal.shown(HEADERS, rows, tabulate(rows, HEADERS, tablefmt="github"))


def as_json(table: pd.DataFrame) -> str:
    """The comparison's rows, for scripts."""
    return json.dumps(json.loads(table.to_json(orient="records")), indent=2)


def _seeds(path: Path) -> int:
    """How many seeds the job of a file trained."""
    try:
        return len(parse_seeds(path.stem))
    except ConfigError:
        raise DataError(f"{path}: its name is not of seeds, such as 0-9.tsv; remove it") from None


def _rows(path: Path) -> Iterator[tuple[float, float]]:
    """Memory (MB) and processor time (s) of each repetition; NA, of the shortest jobs, is 0."""
    text = read_text(path, MAX_BENCHMARK_BYTES, "remove it")
    try:
        for row in csv.DictReader(io.StringIO(text), delimiter="\t"):
            values = [row[key] for key in ("max_rss", "cpu_time")]
            memory, seconds = (0.0 if v in ("NA", "-") else float(v) for v in values)
            if not (0 <= memory < math.inf and 0 <= seconds < math.inf):
                raise ValueError
            yield memory, seconds
    except (KeyError, TypeError, ValueError, csv.Error):
        raise DataError(f"{path}: not a benchmark of Snakemake's; remove it") from None
