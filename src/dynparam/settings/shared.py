"""The blocks of the configuration: closed pydantic models without hidden defaults.

Every number lives in ``config/*.yaml``; ``config.py`` puts the blocks together, and says which of them
each stage of the workflow depends on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    Field,
    PositiveFloat,
)

from dynparam.settings.base import Block, CurveName, PairName, Seed, Width, named
from dynparam.settings.titles import Title

Errors = Literal["bootstrap", "linearized"]


class Paths(Block):
    """Where files go; every result is below one of these."""

    data: Path = Field(description="raw and processed data")
    results: Path = Field(description="computed tables, logs and job benchmarks")
    figures: Path = Field(description="figures with their data and provenance")

    def all(self) -> tuple[Path, Path, Path]:
        """Every place the workflow writes to."""
        return self.data, self.results, self.figures


class Published(Block):
    """Where the repository keeps what runs made; no rule writes there."""

    figures: Path = Field(description="figures with their data and provenance")
    pages: Path = Field(description="pages that a run writes, with theirs")


class FindingsPage(Block):
    """The page that says what reproduces and what does not, and those beside it."""

    page: Path | None = Field(description="where it is written; null leaves it out")
    summary: Path | None = Field(
        description="where its summary in Japanese is written; null leaves it out"
    )
    companions: Path | None = Field(
        description="where the overview of the companion experiments is written, their pages in a "
        "folder of its name beside it; null leaves all of them out"
    )


class Fit(Block):
    """How slopes are fitted and their intervals found."""

    seed: Seed = Field(description="seed of the bootstrap")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(description="level of the intervals")
    resamples: Annotated[int, Field(ge=100, le=10**7)] = Field(
        description="bootstrap resamples, up to 10^7"
    )


class Comparison(Block):
    """How measured slopes are compared with expected ones."""

    tolerance: PositiveFloat = Field(description="largest difference of slopes that counts as equal")


class ArchitectureFigure(Block):
    """The picture of the hidden layers."""

    n: Width
    n_min: Width


class Figures(Block):
    """How figures are drawn."""

    dpi: Annotated[int, Field(ge=20, le=1200)] = Field(description="dots per inch, 20 to 1200")
    width: Annotated[float, Field(ge=3, le=20)] = Field(
        default=7.0,  # of figures recorded before there was this key
        description="printed width in inches, 3 to 20: 7 across a page, 3.5 in one of two columns, with "
        "panels below one another",
    )
    titles: dict[CurveName, Title] = Field(
        description="panel titles, by curve: up to 200 characters, with formulas between dollar signs"
    )
    architecture: dict[CurveName, ArchitectureFigure]
    training: dict[CurveName, PairName] = Field(description="the task of each figure of curves")
    domain: CurveName | None = Field(description="figure of the domain study; null leaves it out")
    sweep: CurveName | None = Field(description="figure of the r-sweep; null leaves it out")

    def only(
        self,
        titles: dict[str, str] | None = None,
        architecture: dict[str, ArchitectureFigure] | None = None,
    ) -> Figures:
        """The same with these titles and networks alone: what one figure depends on."""
        return self.model_copy(update={"titles": titles or {}, "architecture": architecture or {}})

    def architecture_figure(self, name: str) -> ArchitectureFigure:
        """The architecture figure of that name. Raises ``ConfigError`` if there is none."""
        return named(self.architecture, name, "figures.architecture")

    def training_figure(self, name: str) -> str:
        """The task whose curves a figure shows. Raises ``ConfigError`` if there is no such figure."""
        return named(self.training, name, "figures.training")


Panels = dict[CurveName, tuple[CurveName, ...]]


def shown_curves(panels: Panels) -> list[str]:
    """The curves of all panels, each once, in their order."""
    return list(dict.fromkeys(curve for curves in panels.values() for curve in curves))


def panels_of(panels: Panels, figure: str) -> tuple[str, ...]:
    """The curves of a figure's panels. Raises ``ConfigError`` if there is no such figure."""
    return named(panels, figure, "panels")
