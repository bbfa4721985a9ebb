"""The stages: judge decay and sizes of updates in training, and draw losses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.weight_decay.settings import WeightDecayStage, for_decay, tables
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import RESULTS, Made, Stage

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Weight decay and the size of updates in training"

SOURCE = "eqs. 2.12 and 2.67"

TARGET = "weight_decay"
"""The target of the table of verdicts."""

REMEDY = "snakemake --cores all weight_decay"


def curves_read(settings: WeightDecayStage, results: Path) -> dict[str, Path]:
    """The curves under all decays and of all sizes of updates, by their places."""
    return {place: results / "arms" / f"{place}.csv" for place in settings.places()}


def judge_decay(settings: WeightDecayStage, files: dict[str, Path], output: Path) -> Made:
    """Judge whether weight decay merges the curves, and what the exponent r changes."""
    from dynparam.experiments.weight_decay.judge import judged
    from dynparam.presentation.judged import write

    return Made(write(judged(_tables(files), settings), output, TITLE, "weight-decay"))


def plot_decay(settings: WeightDecayStage, files: dict[str, Path], output: Path) -> Made:
    """Draw losses against decay, and against the rate for every size of updates."""
    from dynparam.experiments.weight_decay import figure
    from dynparam.experiments.weight_decay.judge import judged
    from dynparam.experiments.weight_decay.message import CLAUSES
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message

    tables = _tables(files)
    data = figure.plotted_data(tables, settings)
    said = drawn_message(lambda: judged(tables, settings), CLAUSES)
    draw = partial(figure.weight_decay_figure, data, settings)
    return drawn(draw, said, data, output, settings.figures)


def _tables(files: dict[str, Path]) -> dict[str, pd.DataFrame]:
    from dynparam.support.tables import read_csv
    from dynparam.training.arms.table import FORM

    return {place: read_csv(path, FORM) for place, path in files.items()}


JUDGE = Stage(
    "decay judge",
    WeightDecayStage,
    judge_decay,
    curves_read,
    (RESULTS,),
    jobs=lambda config: (for_decay(config),),
    examples=("dynparam decay judge --results results --output verdicts.csv",),
    remedy=REMEDY,
    repeatable=True,
)
PLOT = Stage(
    "plot decay",
    WeightDecayStage,
    plot_decay,
    curves_read,
    (RESULTS,),
    jobs=lambda config: (for_decay(config),),
    examples=("dynparam plot decay --results results --output weight_decay.png",),
    remedy=REMEDY,
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of losses against decay and rate."""
    curves = tuple(f"arms/{place}.csv" for place in for_decay(config).places())
    yield ShownFigure(config.weight_decay.figure, TITLE, SOURCE, curves)


EXPERIMENT = Experiment(
    name="weight_decay",
    title=TITLE,
    source=SOURCE,
    stages=(JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("weight_decay/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / "weight_decay" / "verdicts.csv",),
    arms=tables,
)
