"""The report: every verdict, figure, table and document of a finished run on one page.

The first screen says what was found: the findings in brief, one figure, and every claim of the sources
with its answer. Counts of verdicts follow, then all the rest, folded.

The page holds all it shows, pictures and data as ``data:`` addresses, and asks no network and no other
file. What is missing is named with the target that makes it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from dynparam.configuration.config import Config
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.presentation.formulas import with_formulas
from dynparam.presentation.pages import Section
from dynparam.presentation.plain_formulas import typeset
from dynparam.presentation.tables import Cell, Column, Table, cells, verdict
from dynparam.presentation.templates import template
from dynparam.presentation.verdicts import COMPARISONS, TONES
from dynparam.provenance.experiment import Shown, ShownDocument, ShownTable
from dynparam.provenance.record import git_state, hardware, read_sidecar, versions
from dynparam.report import published, sources
from dynparam.report.citation import read_citation
from dynparam.report.contents import (
    FIGURE_KINDS,
    PUBLISHED,
    SOURCES,
    all_documents,
    all_figures,
    all_tables,
    companion_pages,
    files_of,
    missing,
)
from dynparam.report.documents import Document, document
from dynparam.report.figures import (
    MAX_SHOWN_BYTES,
    REMEDY,
    Figure,
    data_address,
    embedded,
    read_figure,
)
from dynparam.report.sidecar_text import commit, efforts, sections
from dynparam.settings.base import digest
from dynparam.support.regular_files import read_text
from dynparam.support.tables import Form, read_csv

TEMPLATE = "report.html.j2"
FILTERS = {"formulas": with_formulas, "typeset": typeset}

POLICY = (
    "default-src 'none'; img-src data:; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; "
    "style-src-elem 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
"""What a browser may do for the page: show its own pictures, run its own script, use its own styles.

``style-src`` is for browsers that do not know the two that follow it. Columns of Markdown tables are
aligned by style attributes.
"""


def page(settings: Config) -> str:
    """The page as HTML. Raises ``DataError`` for a missing or unreadable file, naming its target."""
    missing(settings)
    claims, file = _own_table(settings, SOURCES, sources.FORM)
    figures = _figures(settings, claims)
    pages = [experiment.page(settings, files_of(settings)) for experiment in EXPERIMENTS]
    count, answers = sources.shown(claims, file)
    reproduced, beside = published.shown(*_own_table(settings, PUBLISHED, published.FORM))
    parts = [*(part for one in pages for part in one.parts), beside]
    documents = _documents(settings, [answers, *parts])
    nonce = uuid.uuid4().hex  # stands for the one that follows from the page
    html = template("dynparam.report", TEMPLATE, html=True, filters=FILTERS).render(
        nonce=nonce,
        policy=POLICY.format(nonce=nonce),
        citation=read_citation(),
        brief=[text.brief for _, text in documents if text.brief],
        leading=next((figure for figure in figures if figure.leading), figures[0]),
        figures=figures,
        answers=answers,
        claims=_with_links(_typeset(cells(sources.VIEW, claims)), claims, _anchors(settings, parts)),
        claims_address=embedded(file),
        parts=[(part, _rendered(part)) for part in parts],
        counts=[count, *(own for one in pages for own in one.counts), reproduced],
        verdicts=[verdict(word) for word in COMPARISONS],
        tones=TONES,
        documents=documents,
        **_made(settings, figures),
    )
    return html.replace(nonce, _nonce(html.replace(nonce, "")))


def _own_table(settings: Config, table: ShownTable, form: Form) -> tuple[pd.DataFrame, Path]:
    """A table that belongs to no experiment, and its file."""
    file = settings.paths.results / f"{table.place}.csv"
    return read_csv(file, form), file


def _figures(settings: Config, claims: pd.DataFrame) -> list[Figure]:
    """Every figure, with the claims of the sources that it shows."""
    found: dict[str, dict[str, str]] = {}
    for claim, word, figure in claims[["claim", "verdict", "figure"]].itertuples(index=False):
        found.setdefault(str(figure), {})[str(claim)] = str(word)
    folder = settings.paths.figures
    return [
        read_figure(shown, folder, experiment.caption(shown.name), found.get(shown.name))
        for experiment, shown in all_figures(settings)
    ]


def _typeset(table: Table) -> Table:
    """The table of claims with the formulas of each claim, its first cell; it sorts as it is written."""
    rows = (
        (replace(claim, text=with_formulas(typeset(claim.text)), sort=claim.text), *rest)
        for claim, *rest in table.rows
    )
    return replace(table, rows=tuple(rows))


def _with_links(table: Table, claims: pd.DataFrame, anchors: Mapping[str, str]) -> Table:
    """The table of claims with links to the table and to the figure that each rests on."""
    place = [column.head for column in table.columns].index(sources.EVIDENCE.head)
    known = set(anchors.values())
    rows = []
    for row, evidence, figure in zip(table.rows, claims["evidence"], claims["figure"], strict=True):
        # Where a figure's own data are the evidence, one link leads to both.
        targets = {anchors.get(evidence): "table", f"figure-{figure}": "figure"}
        links = [
            Markup('<a href="#{}">{}</a>').format(anchor, name)
            for anchor, name in targets.items()
            if anchor in known
        ]
        rows.append((*row[:place], Cell(Markup(" ").join(links)), *row[place + 1 :]))
    return replace(table, rows=tuple(rows))


def _nonce(html: str) -> str:
    """What only the page's own script and style know; text of the results cannot hold it.

    It follows from the whole page: the same run gives the same bytes, and text that was to hold it would
    change it.
    """
    return hashlib.sha256(html.encode()).hexdigest()[:32]


def _rendered(part: Shown) -> list[tuple[Section, Table | None, str]]:
    """Its sections, each with its table and, for the last one, the address of its CSV."""
    found = []
    for section in part.sections:
        shown = section.view is not None and section.table is not None
        table = cells(section.view, section.table) if shown else None  # type: ignore[arg-type]
        found.append((section, table, ""))
    if part.file is not None:
        section, table, _ = found[-1]
        found[-1] = (section, table, embedded(part.file))
    return found


def _documents(settings: Config, parts: Iterable[Shown]) -> list[tuple[ShownDocument, Document]]:
    anchors = _anchors(settings, parts)
    found = []
    for shown in all_documents(settings):
        text = read_text(shown.path, MAX_SHOWN_BYTES, REMEDY)
        # Links start from where the repository keeps the page: those of the run have no neighbours.
        place = settings.published.pages / shown.path.name
        found.append((shown, document(text, place, shown.anchor, anchors)))
    return found


def _anchors(settings: Config, parts: Iterable[Shown]) -> dict[str, str]:
    """For every file that the page shows, where."""
    found = {
        f"{folder}/{shown.name}.{kind}": f"figure-{shown.name}"
        for folder in (settings.published.figures, settings.paths.figures)
        for _, shown in all_figures(settings)
        for kind in FIGURE_KINDS
    }
    for part in parts:
        if part.file is not None:
            for kind in ("csv", "md", "html", "json"):
                found[part.file.with_suffix(f".{kind}").as_posix()] = part.anchor
    for shown in all_documents(settings):
        for place in (shown.path, settings.published.pages / shown.path.name):
            found[place.as_posix()] = shown.anchor
    pages = companion_pages(settings)
    for experiment, figure in all_figures(settings):
        if experiment.name in pages:
            page = pages[experiment.name]
            kept = settings.published.pages / page.folder / page.path.name
            found[kept.as_posix()] = f"figure-{figure.name}"
    return found


def _made(settings: Config, figures: list[Figure]) -> dict[str, Any]:
    """How the run was made: when, where, by which rules, in which environment and configuration."""
    records = _records(settings, figures)
    return {
        "finished": max(str(one.get("created", "")) for _, one in records.values())[:10],
        "machines": _machines([record for _, record in records.values()]),
        "efforts": _efforts_table(settings.paths.results / "benchmarks"),
        "files": _files_table(records),
        "configuration": data_address(settings.model_dump_json(indent=2).encode(), "application/json"),
        "digest": digest(settings),
        "commit": commit({"git": git_state()}),
        "environment": sections({"versions": versions(), "hardware": hardware()}),
        "figures_folder": settings.paths.figures.as_posix(),
        "results_folder": settings.paths.results.as_posix(),
    }


def _records(settings: Config, figures: list[Figure]) -> dict[Path, tuple[str, Mapping[str, Any]]]:
    """Of every figure and table its place, the target that makes it and its sidecar."""
    targets = {settings.paths.figures / figure.name: figure.name for figure in figures}
    for table in all_tables():
        targets[settings.paths.results / table.place] = table.target
    return {
        place: (target, read_sidecar(place.with_name(f"{place.name}.json")))
        for place, target in targets.items()
    }


def _machines(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The processors that files were made on, that of most files first."""
    processors = ((one.get("hardware") or {}).get("processor") for one in records)
    return [name for name, _ in Counter(filter(None, processors)).most_common()]


def _efforts_table(benchmarks: Path) -> Table:
    columns = (
        Column("rule"),
        Column("jobs", "whose time was measured", numeric=True),
        Column("seconds", "all jobs together", numeric=True),
        Column("MB", "largest resident memory of a job", numeric=True),
    )
    rows = tuple(
        (
            Cell(one.rule),
            Cell(str(one.jobs)),
            Cell(f"{one.seconds:,.1f}", f"{one.seconds}"),
            Cell(f"{one.megabytes:,.0f}", f"{one.megabytes}"),
        )
        for one in efforts(benchmarks)
    )
    return Table("efforts", "Time and memory of every rule", columns, rows)


def _files_table(records: Mapping[Path, tuple[str, Mapping[str, Any]]]) -> Table:
    """Every figure and table with the target that makes it, and its origin."""
    columns = (
        Column("files", "picture, vector, data and provenance; or table, pages and provenance"),
        Column("command", "makes them, and all they need"),
        Column("commit"),
        Column("configuration", "digest of the part they depend on"),
        Column("made", "day and time, UTC"),
        Column("seconds", "of the last step alone", numeric=True),
    )
    rows = []
    for place, (target, record) in records.items():
        seconds = record.get("wall_seconds", "")
        rows.append(
            (
                Cell(Markup("<code>{}.*</code>").format(place.as_posix())),
                Cell(Markup("<code>snakemake --cores all {}</code>").format(target)),
                Cell(commit(record)),
                Cell(str(record.get("config_sha256", ""))),
                Cell(str(record.get("created", ""))[:16].replace("T", " ")),
                Cell(str(seconds), str(seconds)),
            )
        )
    return Table("files", "Every figure and table, and how to make it again", columns, tuple(rows))
