"""What an experiment offers to the workflow, the report, the findings and the command line.

An experiment is one question in one folder. All that is said of it elsewhere is looped over: nothing
outside its folder knows it by name, but the registry, ``Config`` and its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.provenance.code_digest import PACKAGE
from dynparam.provenance.stage import Stage
from dynparam.settings.base import Block

if TYPE_CHECKING:
    import pandas as pd

    from dynparam.presentation.pages import Section
    from dynparam.presentation.verdicts import Count
    from dynparam.support.tables import Form


@dataclass(frozen=True)
class ShownFigure:
    """A figure of an experiment.

    Attributes:
        name: its file's name and its target.
        title: what it is called.
        source: the figures, sections and equations of the thesis it belongs to.
        results: the files it is drawn from, below the directory of results.
        leading: whether it may stand on the first screen of the report; the first such one does.
    """

    name: str
    title: str
    source: str
    results: tuple[str, ...] = ()
    leading: bool = False


def titled(titles: Mapping[str, tuple[str, str]], name: str, results: Iterable[str] = ()) -> ShownFigure:
    """A figure with its title and source among ``titles``; one that is not there goes by its name."""
    title, source = titles.get(name, (name.replace("_", " "), ""))
    return ShownFigure(name, title, source, tuple(results))


@dataclass(frozen=True)
class ShownTable:
    """A table of an experiment.

    Attributes:
        place: its path below the directory of results, without its ending.
        target: the target that makes it.
        kinds: its files' endings.
    """

    place: str
    target: str
    kinds: tuple[str, ...] = ("csv", "md", "html", "json")

    @property
    def name(self) -> str:
        """Its file's name without the ending."""
        return self.place.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class ShownDocument:
    """A page that an experiment writes.

    Attributes:
        path: where it lies.
        target: the target that makes it.
        anchor: where the report has it.
        title: what the report calls it.
        short: its name in the list of contents.
    """

    path: Path
    target: str
    anchor: str
    title: str
    short: str = ""


@dataclass(frozen=True)
class Shown:
    """A part of the report.

    Attributes:
        anchor: its anchor.
        title: its heading.
        short: its name in the list of contents.
        sections: sentences and tables; the last table can be searched and sorted.
        file: the CSV that holds the last table.
        wide: whether it takes the page's whole width.
    """

    anchor: str
    title: str
    short: str
    sections: Sequence[Section]
    file: Path | None = None
    wide: bool = True


@dataclass(frozen=True)
class Page:
    """What the report shows of an experiment besides its figures: counts of verdicts, and tables."""

    counts: Sequence[Count] = ()
    parts: Sequence[Shown] = ()


@dataclass(frozen=True)
class Files:
    """The directories of a run: of tables, and of figures with their data."""

    results: Path
    figures: Path

    def table(self, place: str, form: Form) -> pd.DataFrame:
        """A table below the directory of results. Raises ``DataError`` if it is not of the form."""
        from dynparam.support.tables import read_csv

        return read_csv(self.results / f"{place}.csv", form)

    def plotted(self, figure: str, form: Form) -> pd.DataFrame:
        """The plotted data of a figure. Raises ``DataError`` if it is not of the form."""
        from dynparam.support.tables import read_csv

        return read_csv(self.figures / f"{figure}.csv", form)


def nothing_of_it(config: Any, files: Files | None = None) -> tuple[Any, ...]:
    """What an experiment offers that has none of a kind."""
    return ()


@dataclass(frozen=True)
class Experiment:
    """One question of the thesis or beyond.

    Its folder may hold besides, each with the same names in every experiment:

    - ``report.py`` with ``page(config, files)``: what the report shows of it (``Page``);
    - ``sources.py`` with ``claims(config, files)``: what the source documents claim of it
      (``source_claims.SourceClaim``);
    - ``companion.py`` with ``COMPANION``: the words of its page, if it tests the research report
      (``companion.Companion``);
    - ``findings.py`` with ``found(config, files)``: what the sentences of ``TEMPLATES`` ask for;
    - ``message.py``: what its figures say, decided by its verdicts;
    - ``captions/NAME.rst``, of its figures and tables.

    Attributes:
        name: its folder.
        title: what it is called.
        source: the parts of the thesis it belongs to.
        stages: its kinds of jobs.
        figures: its figures under a configuration, in the report's order.
        tables: its tables.
        documents: the pages it writes, under a configuration.
        reads: the files that the report shows of it besides figures, tables and documents.
        quoted: the files that its findings are taken from.
        borrowed: the settings of jobs it needs of stages that are not its own.
        arms: the tables of arms (``training.arms``) that it needs, by place below ``results/arms``.
    """

    name: str
    title: str
    source: str
    stages: tuple[Stage[Any], ...]
    figures: Callable[[Any], Iterable[ShownFigure]] = nothing_of_it
    tables: tuple[ShownTable, ...] = ()
    documents: Callable[[Any], Iterable[ShownDocument]] = nothing_of_it
    reads: Callable[[Any, Files], Iterable[Path]] = nothing_of_it
    quoted: Callable[[Any, Files], Iterable[Path]] = nothing_of_it
    borrowed: Callable[[Any], Iterable[Block]] = nothing_of_it
    arms: Callable[[Any], Iterable[tuple[str, Any]]] = nothing_of_it

    @property
    def package(self) -> str:
        """Its folder as a package."""
        return f"dynparam.experiments.{self.name}"

    def caption(self, name: str) -> Path:
        """The file that holds the caption of one of its figures or tables."""
        return PACKAGE / "experiments" / self.name / "captions" / f"{name}.rst"

    def has(self, module: str) -> bool:
        """Whether its folder holds a module of that name."""
        return (PACKAGE / "experiments" / self.name / f"{module}.py").is_file()

    def module(self, name: str) -> str:
        """A module of its folder, dotted."""
        return f"{self.package}.{name}"

    def page(self, config: Any, files: Files) -> Page:
        """What the report shows of it besides its figures. Raises ``DataError`` for a missing file."""
        if not self.has("report"):
            return Page()
        shown: Page = import_module(self.module("report")).page(config, files)
        return shown
