"""What a run says when it has ended: where its report is, and how the claims came out, in ten lines."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd

from dynparam.configuration.config import Config
from dynparam.presentation.verdicts import sign
from dynparam.provenance.source_claims import FAILS, THESIS
from dynparam.report import published, sources
from dynparam.report.contents import PUBLISHED, SOURCES
from dynparam.support.progress import duration
from dynparam.support.tables import read_csv

MAX_LINES = 10

WIDTH = 100
"""Characters of a line."""


def ending(settings: Config, seconds: float, files: Collection[str]) -> str:
    """What is said of a run that has succeeded, in at most ``MAX_LINES`` lines.

    Args:
        settings: the configuration of the run.
        seconds: how long it took.
        files: what it was asked for. If the report is among them, the whole run is told; if not, or if
            the report was left out, where the files are.

    Raises:
        DataError: if a table that a whole run makes cannot be read.
    """
    report = settings.paths.results / "report" / "report.html"
    lines = [f"Done in {duration(seconds)}."]
    lines += _of_run(settings, report) if str(report) in files and report.is_file() else _of_files(files)
    return "\n".join(lines)


def _of_run(settings: Config, report: Path) -> Iterator[str]:
    yield f"Report: {report}"
    claims = read_csv(settings.paths.results / f"{SOURCES.place}.csv", sources.FORM)
    yield from sources.summaries(claims)
    yield from _failing(claims, room=MAX_LINES - 6)
    file = settings.paths.results / f"{PUBLISHED.place}.csv"
    table = read_csv(file, published.FORM)
    equal = (table["verdict"] == published.EQUAL).all()
    yield published.summary(table) + ("" if equal else f" Details: {file.with_suffix('.md')}")


def _failing(claims: pd.DataFrame, room: int) -> Iterator[str]:
    """The thesis's claims that fail, a line each; if they are more than there is room for, how many."""
    failing = claims[(claims["document"] == THESIS) & (claims["verdict"] == FAILS)]
    for claim in failing.head(room).itertuples():
        said = f"{sign(FAILS)} {claim.source}: {claim.claim}"
        yield f"  {textwrap.shorten(said, WIDTH - 2, placeholder=' ...')}"
    if len(failing) > room:
        yield f"  and {len(failing) - room} more that fail"


def _of_files(files: Collection[str]) -> Iterator[str]:
    """Where the files are, those of one name in one line."""
    stems: dict[str, list[str]] = {}
    for file in files:
        path = Path(file)
        stems.setdefault(str(path.with_suffix("")), []).append(path.suffix.removeprefix("."))
    room = MAX_LINES - 2
    for stem, kinds in list(stems.items())[:room]:
        yield f"{stem}.{kinds[0]}" if len(kinds) == 1 else f"{stem}.{{{','.join(kinds)}}}"
    if len(stems) > room:
        yield f"and {len(stems) - room} more"
