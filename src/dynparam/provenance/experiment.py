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

from pydantic import BaseModel

from dynparam.provenance.code_digest import PACKAGE
from dynparam.provenance.stage import Stage

if TYPE_CHECKING:
    from markupsafe import Markup

    from dynparam.presentation.cells import Count, Table


@dataclass(frozen=True)
class ShownFigure:
    """A figure of an experiment.

    Attributes:
        name: its file's name and its target.
        title: what it is called.
        source: the figures, sections and equations of the thesis it belongs to.
        results: the files it is drawn from, below the directory of results.
    """

    name: str
    title: str
    source: str
    results: tuple[str, ...] = ()


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
    """

    path: Path
    target: str
    anchor: str
    title: str


@dataclass(frozen=True)
class Section:
    """A section of tables in the report.

    Attributes:
        anchor: its anchor.
        title: its heading, and ``short`` its name in the list of contents.
        text: what stands above the table, as HTML.
        table: the table.
        file: the name of the table's CSV; empty if it has none.
        wide: whether it takes the page's whole width.
    """

    anchor: str
    title: str
    short: str
    text: Markup
    table: Table
    file: str = ""
    wide: bool = True


@dataclass(frozen=True)
class Page:
    """What the report shows of an experiment besides its figures: counts of verdicts, and tables."""

    counts: Sequence[Count] = ()
    sections: Sequence[Section] = ()


class Files:
    """The directories of a run."""

    def __init__(self, results: Path, figures: Path) -> None:
        """``results`` holds tables, ``figures`` figures with their data."""
        self.results = results
        self.figures = figures


def no_figures(config: BaseModel) -> Iterable[ShownFigure]:
    """An experiment that draws nothing."""
    return ()


@dataclass(frozen=True)
class Experiment:
    """One question of the thesis or beyond.

    Attributes:
        name: its folder.
        title: what it is called.
        source: the parts of the thesis it belongs to.
        stages: its kinds of jobs.
        figures: its figures under a configuration, in the report's order.
        tables: its tables.
        more: files below the directory of results that its targets ask for besides, by target.
        documents: the pages it writes, under a configuration.

    Its folder may hold besides, each with the same names in every experiment:

    - ``report.py`` with ``page(config, files)``: what the report shows of it (``Page``);
    - ``findings.py`` with ``quoted(config, files)``, the files its findings are taken from, and
      ``found(config, files)``, what their template ``findings.md.j2`` asks for;
    - ``captions/NAME.rst``, of its figures and tables.
    """

    name: str
    title: str
    source: str
    stages: tuple[Stage[Any], ...]
    figures: Callable[[Any], Iterable[ShownFigure]] = no_figures
    tables: tuple[ShownTable, ...] = ()
    more: Callable[[Any], Mapping[str, Sequence[str]]] = lambda config: {}
    documents: Callable[[Any], Iterable[ShownDocument]] = lambda config: ()

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
