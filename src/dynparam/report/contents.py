"""What there is to show of a run: every figure, table and document of every experiment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dynparam.configuration.config import Config
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.provenance.code_digest import PACKAGE
from dynparam.provenance.experiment import (
    Experiment,
    Files,
    ShownDocument,
    ShownFigure,
    ShownTable,
)
from dynparam.settings.base import named
from dynparam.support.errors import DataError

FIGURE_KINDS = ("png", "svg", "pdf", "csv", "json")
"""The files of a figure."""


def files_of(settings: Config) -> Files:
    """The directories of a run."""
    return Files(settings.paths.results, settings.paths.figures)


def all_figures(settings: Config) -> Iterator[tuple[Experiment, ShownFigure]]:
    """Every figure with its experiment, in the order of the report."""
    for experiment in EXPERIMENTS:
        yield from ((experiment, shown) for shown in experiment.figures(settings))


SOURCES = ShownTable("comparison/sources", "sources")
"""The table of what the source documents claim."""

PUBLISHED = ShownTable("comparison/published", "published")
"""The table of what this run made beside what the repository keeps."""

OWN = (SOURCES, PUBLISHED)
"""The tables that belong to no experiment."""

COMPANIONS = tuple(one for one in EXPERIMENTS if one.has("companion"))
"""The experiments that test the research report, each with a page of its own."""


class WrittenPage(NamedTuple):
    """A page that a run writes beside its report.

    Attributes:
        path: where it lies.
        target: the target that makes it.
        folder: where it is kept below the published pages; directly there if empty.
    """

    path: Path
    target: str
    folder: str = ""

    @property
    def name(self) -> str:
        """What it is called to be compared and published: its place without the ending."""
        return f"{self.folder}/{self.path.stem}" if self.folder else self.path.stem


def all_tables() -> Iterator[ShownTable]:
    """Every table."""
    for experiment in EXPERIMENTS:
        yield from experiment.tables
    yield from OWN


def table_caption(table: ShownTable) -> Path:
    """The file that holds a table's caption."""
    for experiment in EXPERIMENTS:
        if table in experiment.tables:
            return experiment.caption(table.name)
    return PACKAGE / "report" / "captions" / f"{table.name}.rst"


def all_documents(settings: Config) -> Iterator[ShownDocument]:
    """The findings, the overview of the companion experiments, then the pages of other experiments."""
    if settings.findings.page is not None:
        yield ShownDocument(settings.findings.page, "findings", "findings", "Findings", "Findings")
    if settings.findings.companions is not None:
        title = "Companion experiments: the second source"
        yield ShownDocument(
            settings.findings.companions, "companions", "companions", title, "Companions"
        )
    for experiment in EXPERIMENTS:
        yield from experiment.documents(settings)


def companion_pages(settings: Config) -> dict[str, WrittenPage]:
    """The page of each companion experiment, by its name; none where their overview is left out.

    They lie in the folder that has the overview's name, beside it.
    """
    overview = settings.findings.companions
    if overview is None:
        return {}
    folder = overview.with_suffix("")
    return {
        one.name: WrittenPage(folder / f"{one.name}.md", "companions", folder.name) for one in COMPANIONS
    }


def all_pages(settings: Config) -> Iterator[WrittenPage]:
    """Every page that a run writes beside its report."""
    for document in all_documents(settings):
        yield WrittenPage(document.path, document.target)
    yield from companion_pages(settings).values()
    if settings.findings.summary is not None:
        yield WrittenPage(settings.findings.summary, "findings")


def needed(settings: Config) -> Iterator[tuple[Path, str]]:
    """Every computed file that the report shows, with the target that makes it."""
    for _, shown in all_figures(settings):
        for kind in FIGURE_KINDS:
            yield settings.paths.figures / f"{shown.name}.{kind}", shown.name
    for table in all_tables():
        yield settings.paths.results / f"{table.place}.csv", table.target
    for experiment in EXPERIMENTS:
        for path in experiment.reads(settings, files_of(settings)):
            yield path, str(path)
    for document in all_documents(settings):
        yield document.path, document.target


def missing(settings: Config) -> None:
    """Raise ``DataError`` that names the target to make if the report lacks a file."""
    for path, target in needed(settings):
        if not path.is_file():
            raise DataError(
                f"{path}: the report needs this file; make it with snakemake --cores all {target}"
            )


def companion(name: str) -> Experiment:
    """The companion experiment of that name. Raises ``ConfigError`` if there is none."""
    return named({one.name: one for one in COMPANIONS}, name, "the companion experiments")


def quoted(settings: Config) -> Iterator[Path]:
    """The files that the findings are taken from, each once."""
    files = (path for one in EXPERIMENTS for path in one.quoted(settings, files_of(settings)))
    yield from dict.fromkeys(files)
