"""The stages: judge the schemes, each at its best rate, and draw loss against rate."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.best_rate.settings import BestRateStage, for_best_rates, tables
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import RESULTS, Made, Stage

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Each parametrization at its own best learning rate"

SOURCE = "Sec. 3.3; Sec. 2.5; Ch. 4"

TARGET = "best_rate"
"""The target of the tables."""

REMEDY = "snakemake --cores all best_rate"


def curves_read(settings: BestRateStage, results: Path) -> dict[str, Path]:
    """The curves of all schemes, by their places."""
    return {place: results / "arms" / f"{place}.csv" for place in settings.places()}


def judge_rates(settings: BestRateStage, files: dict[str, Path], output: Path) -> Made:
    """Judge every scheme at its own best learning rate, and whose merit the differences are."""
    from dynparam.experiments.best_rate.judge import judged
    from dynparam.presentation.judged import write

    return Made(write(judged(_tables(files), settings), output, TITLE, "best-rate"))


def list_best_rates(settings: BestRateStage, files: dict[str, Path], output: Path) -> Made:
    """List what every scheme comes to at its best learning rate."""
    from dynparam.experiments.best_rate.columns import BEST
    from dynparam.experiments.best_rate.judge import best_table
    from dynparam.presentation.pages import Section, write_pages

    table = best_table(_tables(files), settings)
    return Made(write_pages(table, output, BEST.title, [Section(view=BEST, table=table)]))


def plot_rates(settings: BestRateStage, files: dict[str, Path], output: Path) -> Made:
    """Draw losses and accuracy against the learning rate."""
    from dynparam.experiments.best_rate import figure
    from dynparam.experiments.best_rate.judge import judged
    from dynparam.experiments.best_rate.message import clauses
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message

    tables = _tables(files)
    data = figure.plotted_data(tables, settings)
    said = drawn_message(lambda: judged(tables, settings), clauses(settings.best_rate))
    return drawn(partial(figure.best_rate_figure, data, settings), said, data, output, settings.figures)


def _tables(files: dict[str, Path]) -> dict[str, pd.DataFrame]:
    from dynparam.support.tables import read_csv
    from dynparam.training.arms.table import FORM

    return {place: read_csv(path, FORM) for place, path in files.items()}


JUDGE = Stage(
    "rates judge",
    BestRateStage,
    judge_rates,
    curves_read,
    (RESULTS,),
    jobs=lambda config: (for_best_rates(config),),
    examples=("dynparam rates judge --results results --output verdicts.csv",),
    remedy=REMEDY,
    repeatable=True,
)
LIST = Stage(
    "rates list",
    BestRateStage,
    list_best_rates,
    curves_read,
    (RESULTS,),
    jobs=lambda config: (for_best_rates(config),),
    examples=("dynparam rates list --results results --output best.csv",),
    remedy=REMEDY,
    repeatable=True,
)
PLOT = Stage(
    "plot rates",
    BestRateStage,
    plot_rates,
    curves_read,
    (RESULTS,),
    jobs=lambda config: (for_best_rates(config),),
    examples=("dynparam plot rates --results results --output best_rate.png",),
    remedy=REMEDY,
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of loss and accuracy against the rate."""
    curves = tuple(f"arms/{place}.csv" for place in for_best_rates(config).places())
    yield ShownFigure(config.best_rate.figure, TITLE, SOURCE, curves)


EXPERIMENT = Experiment(
    name="best_rate",
    title=TITLE,
    source=SOURCE,
    stages=(JUDGE, LIST, PLOT),
    figures=figures,
    tables=(ShownTable("best_rate/verdicts", TARGET), ShownTable("best_rate/best", TARGET)),
    quoted=lambda config, files: (
        files.results / "best_rate" / "verdicts.csv",
        files.results / "best_rate" / "best.csv",
    ),
    arms=tables,
)
