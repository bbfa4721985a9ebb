"""The report: every verdict, figure, table and document of a finished run on one page.

The page holds all it shows, pictures and data as ``data:`` addresses, and asks no network and no other
file. What is missing is named with the target that makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from dynparam.configuration.config import Config
from dynparam.experiments.alignments import page as rendering
from dynparam.experiments.alignments.report import slopes_view
from dynparam.experiments.alignments.settings import for_comparison
from dynparam.experiments.measured_orders import table1_1_page
from dynparam.experiments.measured_orders.report import SYMBOLS, entries_view
from dynparam.experiments.measured_orders.settings import for_orders
from dynparam.experiments.measured_orders.table1_1 import QUANTITIES
from dynparam.experiments.r_sweep.report import edges_view
from dynparam.experiments.training_curves import page as claims_page
from dynparam.experiments.training_curves.report import AUDITS, CLAIMS, audits_frame
from dynparam.experiments.training_curves.settings import for_claims
from dynparam.presentation.tables import Cell, Column, Table, cells, verdict
from dynparam.presentation.templates import template
from dynparam.presentation.verdicts import COMPARISONS, TONES, Count, count
from dynparam.provenance.record import git_state, hardware, read_sidecar, versions
from dynparam.report.documents import Document, document
from dynparam.report.figures import (
    KINDS,
    Figure,
    data_address,
    embedded,
    figure_names,
    read_figure,
    require,
)
from dynparam.report.sidecar_text import commit, efforts, sections
from dynparam.settings.base import digest
from dynparam.support.tables import read_csv
from dynparam.training.audit_result import AuditResult, read_result
from dynparam.training.settings import all_runs

TEMPLATE = "report.html.j2"


TARGETS: Mapping[str, str | None] = {
    "comparison/slopes": "comparison",
    "comparison/claims": "comparison",
    "table1_1/table1_1": "table1_1",
    "sweep/edges": None,
}
"""The tables the page shows, below the directory of results, and the targets that make them.

One without a target is made under the name of its file.
"""


@dataclass(frozen=True)
class Sources:
    """Where the page's parts lie.

    Attributes:
        settings: the run's configuration, which names its directories and documents.
        captions: the directory of the figures' captions.
    """

    settings: Config
    captions: Path

    def table(self, name: str) -> Path:
        """The CSV of one of ``TARGETS``."""
        return self.settings.paths.results / f"{name}.csv"

    def audits(self) -> dict[str, Path]:
        """The result of every audit, by its run's place; none if the archive is not used."""
        if self.settings.training.reuse == "none":
            return {}
        folder = self.settings.paths.results / "audit"
        return {run.place: folder / f"{run.place}.json" for run in all_runs(self.settings).values()}

    def documents(self) -> dict[str, tuple[Path, str]]:
        """The documents by their anchors, each with the target that writes it."""
        found = {"findings": (self.settings.findings.page, "findings")}
        found["open-choices"] = (self.settings.open_choices.page, "open_choices")
        return {anchor: (path, target) for anchor, (path, target) in found.items() if path is not None}

    def inputs(self) -> list[Path]:
        """Every computed file that the page shows; captions and templates belong to the commit."""
        figures = [
            self.settings.paths.figures / f"{name}.{kind}"
            for name in figure_names(self.settings)
            for kind in KINDS
        ]
        tables = [self.table(name) for name in TARGETS]
        documents = [path for path, _ in self.documents().values()]
        return [*figures, *tables, *self.audits().values(), *documents]


def page(sources: Sources) -> str:
    """The page as HTML. Raises ``DataError`` for a missing or unreadable file, naming its target."""
    settings = sources.settings
    figures = [
        read_figure(name, settings.paths.figures, sources.captions) for name in figure_names(settings)
    ]
    tables = {name: _read(sources.table(name), target) for name, target in TARGETS.items()}
    audits = {place: read_result(require(path, str(path))) for place, path in sources.audits().items()}
    anchors = _anchors(sources)
    documents = {
        anchor: document(require(path, target).read_text(encoding="utf-8"), path, anchor, anchors)
        for anchor, (path, target) in sources.documents().items()
    }
    return template("dynparam.report", TEMPLATE, html=True).render(
        figures=figures,
        counts=_counts(settings, tables, audits),
        verdicts=[verdict(word) for word in COMPARISONS],
        tones=TONES,
        documents=documents,
        statements=_statements(documents),
        **_judged(settings, tables, audits),
        **_made(sources, figures),
    )


def _read(path: Path, target: str | None) -> pd.DataFrame:
    return read_csv(require(path, target or str(path)))


def _statements(documents: Mapping[str, Document]) -> list[Any]:
    return list(documents["findings"].statements) if "findings" in documents else []


def _anchors(sources: Sources) -> dict[str, str]:
    """For every file that the page shows, where."""
    settings = sources.settings
    found = {
        f"{settings.paths.figures}/{name}.{kind}": f"figure-{name}"
        for name in figure_names(settings)
        for kind in KINDS
    }
    for name in TARGETS:
        for kind in ("csv", "md", "html", "json"):
            found[f"{settings.paths.results / name}.{kind}"] = name.split("/")[1]
    return found | {path.as_posix(): anchor for anchor, (path, _) in sources.documents().items()}


def _counts(
    settings: Config, tables: Mapping[str, pd.DataFrame], audits: Mapping[str, AuditResult]
) -> list[Count]:
    """How the verdicts fall, kind by kind."""
    slopes, claims, entries, edges = (tables[name] for name in TARGETS)
    conditions = read_csv(settings.paths.figures / "conditions.csv")
    wide = slopes["figure"].isin(list(settings.law.figures))
    widths = settings.law.widths
    return [
        count(
            "Slopes at the thesis's widths",
            "slopes",
            "measured growth of the alignments against what theory expects there",
            slopes.loc[~wide, "verdict"],
        ),
        count(
            f"Slopes up to n = {widths.largest:,}",
            "slopes",
            f"the same on the exact-law engine, from n = {settings.law.slopes_from:,} on",
            slopes.loc[wide, "verdict"],
        ),
        count(
            "Claims on training curves",
            "claims",
            "does dynamic train faster, and generalize better, than spectral?",
            claims["verdict"],
        ),
        count(
            "Table 1.1: measured and exact",
            "table1_1",
            "measured exponents against those that follow from the definitions",
            entries["verdict"],
        ),
        count(
            "Table 1.1: its own entries",
            "table1_1",
            "measured exponents against those that the table states",
            entries["claim"],
        ),
        count(
            "Conditions of Secs. 2.2 and 2.3",
            "figure-conditions",
            "does measurement find each condition met or broken as theory says?",
            conditions["verdict"],
        ),
        count(
            "Edges in r",
            "edges",
            "is the largest stable update of size sqrt(n_min), whatever width it is written in?",
            edges["verdict"],
        ),
        count(
            "Audits of archived curves",
            "audits",
            "does training again on this machine give the archived losses?",
            ["passed" if one.passed else "failed" for one in audits.values()],
        ),
    ]


def _judged(
    settings: Config, tables: Mapping[str, pd.DataFrame], audits: Mapping[str, AuditResult]
) -> dict[str, Any]:
    """The sections of tables, each with the sentences that explain it."""
    slopes, claims, entries, edges = (tables[name] for name in TARGETS)
    orders = for_orders(settings)
    return {
        "slopes": cells(slopes_view(settings.comparison.tolerance), slopes),
        "slopes_summary": rendering.summary_sentence(slopes, for_comparison(settings)),
        "claims": cells(CLAIMS, claims),
        "claims_summary": claims_page.summary_sentences(claims),
        "claims_explanation": claims_page.explanation(claims, for_claims(settings)),
        "entries": cells(entries_view(settings.exponents.tolerance), entries),
        "entries_summary": table1_1_page.summary_sentence(entries, orders),
        "entries_reading": table1_1_page.how_to_read(orders),
        "entries_apart": table1_1_page.disagreements(entries),
        "pivots": [
            (SYMBOLS[quantity], table1_1_page.pivot(entries, quantity, orders))
            for quantity in QUANTITIES
        ],
        "edges": cells(edges_view(settings.sweep.tolerance), edges),
        "audits": cells(AUDITS, audits_frame(audits)),
        "reuse": settings.training.reuse,
    }


def _made(sources: Sources, figures: list[Figure]) -> dict[str, Any]:
    """How the run was made: rules, files, environment, configuration."""
    settings = sources.settings
    return {
        "efforts": _efforts_table(settings.paths.results / "benchmarks"),
        "files": _files_table(sources, figures),
        "downloads": {name.split("/")[1]: embedded(sources.table(name)) for name in TARGETS},
        "configuration": data_address(settings.model_dump_json(indent=2).encode(), "application/json"),
        "digest": digest(settings),
        "commit": commit({"git": git_state()}),
        "environment": sections({"versions": versions(), "hardware": hardware()}),
        "figures_folder": settings.paths.figures.as_posix(),
        "results_folder": settings.paths.results.as_posix(),
    }


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


def _files_table(sources: Sources, figures: list[Figure]) -> Table:
    """Every figure and table with the target that makes it, and its origin."""
    settings = sources.settings
    places = {settings.paths.figures / figure.name: figure.name for figure in figures}
    for name, target in TARGETS.items():
        table = sources.table(name)
        places[table.with_suffix("")] = target or str(table)
    columns = (
        Column("files", "picture, vector, data and provenance; or table, pages and provenance"),
        Column("command", "makes them, and all they need"),
        Column("commit"),
        Column("configuration", "digest of the part they depend on"),
        Column("made", "day and time, UTC"),
        Column("seconds", "of the last step alone", numeric=True),
    )
    rows = []
    for place, target in places.items():
        record = read_sidecar(place.with_name(f"{place.name}.json"))
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
