"""The stages: measure deep networks, judge them, draw them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.isometry.settings import (
    IsometryStage,
    IsometryTrials,
    for_isometry,
    for_isometry_trials,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import RESULTS, THREADS, Made, Stage

TITLE = "Conditional Fisher information under dynamical isometry"

SOURCE = "not in it; Hayase and Karakida (2021)"

MEASURED = "isometry/measured.csv"

TARGET = "companion_isometry"
"""The target of the table of verdicts."""


def measure_isometry(settings: IsometryTrials, files: tuple[Path, ...], output: Path) -> Made:
    """Measure the Fisher information of one input in deep networks, and stable learning rates."""
    from dynparam.experiments.isometry.measure import measure
    from dynparam.support.tables import write_csv

    write_csv(measure(settings.isometry), output)
    return Made([output])


def measured_read(settings: IsometryStage, results: Path) -> Path:
    """What was measured."""
    return results / MEASURED


def judge_isometry(settings: IsometryStage, files: Path, output: Path) -> Made:
    """Judge the largest eigenvalue, its growth with depth, and what bottlenecks do to it."""
    from dynparam.experiments.isometry.judge import judged
    from dynparam.experiments.isometry.tables import MEASURED as FORM
    from dynparam.presentation.judged import write
    from dynparam.support.tables import read_csv

    return Made(write(judged(read_csv(files, FORM), settings), output, TITLE, "isometry"))


def plot_isometry(settings: IsometryStage, files: Path, output: Path) -> Made:
    """Draw spectra, the growth of the largest eigenvalue with depth, and bottlenecks."""
    from dynparam.experiments.isometry import figure
    from dynparam.experiments.isometry.judge import judged
    from dynparam.experiments.isometry.message import CLAUSES
    from dynparam.experiments.isometry.tables import MEASURED as FORM
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message
    from dynparam.support.tables import read_csv

    measured = read_csv(files, FORM)
    data = figure.plotted_data(measured, settings)
    said = drawn_message(lambda: judged(measured, settings), CLAUSES)
    return drawn(partial(figure.isometry_figure, data), said, data, output, settings.figures)


MEASURE = Stage(
    "isometry measure",
    IsometryTrials,
    measure_isometry,
    parameters=(THREADS,),
    jobs=lambda config: (for_isometry_trials(config),),
    examples=("dynparam isometry measure --output measured.csv",),
)
JUDGE = Stage(
    "isometry judge",
    IsometryStage,
    judge_isometry,
    measured_read,
    (RESULTS,),
    jobs=lambda config: (for_isometry(config),),
    examples=("dynparam isometry judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all companion_isometry",
    repeatable=True,
)
PLOT = Stage(
    "plot isometry",
    IsometryStage,
    plot_isometry,
    measured_read,
    (RESULTS,),
    jobs=lambda config: (for_isometry(config),),
    examples=("dynparam plot isometry --results results --output companion_isometry.png",),
    remedy="snakemake --cores all companion_isometry",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of spectra and depth."""
    yield ShownFigure(config.isometry.figure, TITLE, SOURCE, (MEASURED,))


EXPERIMENT = Experiment(
    name="isometry",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("isometry/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / "isometry" / "verdicts.csv",),
)
