"""The stages: measure tasks in a row, judge them, draw them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.continual_learning.settings import (
    ContinualStage,
    ContinualTrials,
    for_continual,
    for_continual_trials,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Stage, images_read

TITLE = "Learning curves of continual learning: self-knowledge transfer and forgetting"

SOURCE = "not in it; Karakida and Akaho (2022)"

MEASURED = "continual_learning/errors.csv"

EXPECTED = "continual_learning/expected.csv"

TARGET = "companion_continual"
"""The target of the table of verdicts."""


def measure_continual(settings: ContinualTrials, files: Path, output: Path) -> Made:
    """Measure errors of tasks in a row; those of theory go to expected.csv."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.continual_learning.measure import measure
    from dynparam.support.tables import write_csv

    found, expected = measure(settings, load_pair(files)), output.with_name("expected.csv")
    write_csv(found.expected, expected)
    write_csv(found.measured, output)
    return Made([output, expected])


def errors_read(settings: ContinualStage, results: Path) -> tuple[Path, ...]:
    """The measured errors, and those of theory."""
    return results / MEASURED, results / EXPECTED


def judge_continual(settings: ContinualStage, files: tuple[Path, ...], output: Path) -> Made:
    """Judge errors against theory, whether the same task helps, and how similar one has to be to."""
    from dynparam.experiments.continual_learning import tables
    from dynparam.experiments.continual_learning.judge import judged
    from dynparam.presentation.judged import write
    from dynparam.support.tables import read_csv

    measured, expected = (
        read_csv(path, form)
        for path, form in zip(files, (tables.MEASURED, tables.EXPECTED), strict=True)
    )
    return Made(write(judged(measured, expected, settings), output, TITLE, "continual"))


def plot_continual(settings: ContinualStage, files: tuple[Path, ...], output: Path) -> Made:
    """Draw errors against the number of samples of the second task, and against similarity."""
    from dynparam.experiments.continual_learning import figure, tables
    from dynparam.experiments.continual_learning.judge import judged
    from dynparam.experiments.continual_learning.message import CLAUSES
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message
    from dynparam.support.tables import read_csv

    measured, expected = (
        read_csv(path, form)
        for path, form in zip(files, (tables.MEASURED, tables.EXPECTED), strict=True)
    )
    data = figure.plotted_data(measured, expected, settings)
    said = drawn_message(lambda: judged(measured, expected, settings), CLAUSES)
    draw = partial(figure.continual_figure, data)
    return drawn(draw, said, data, output, settings.figures, caption=figure.told(settings))


MEASURE = Stage(
    "continual measure",
    ContinualTrials,
    measure_continual,
    images_read,
    (IMAGES, THREADS),
    jobs=lambda config: (for_continual_trials(config),),
    examples=(
        "dynparam continual measure --images data/processed/airplane-automobile.npz --output errors.csv",
    ),
    remedy="dynparam data pair PAIR",
)
JUDGE = Stage(
    "continual judge",
    ContinualStage,
    judge_continual,
    errors_read,
    (RESULTS,),
    jobs=lambda config: (for_continual(config),),
    examples=("dynparam continual judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all companion_continual",
    repeatable=True,
)
PLOT = Stage(
    "plot continual",
    ContinualStage,
    plot_continual,
    errors_read,
    (RESULTS,),
    jobs=lambda config: (for_continual(config),),
    examples=("dynparam plot continual --results results --output companion_continual.png",),
    remedy="snakemake --cores all companion_continual",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of the learning curves."""
    yield ShownFigure(config.continual_learning.figure, TITLE, SOURCE, (MEASURED, EXPECTED))


EXPERIMENT = Experiment(
    name="continual_learning",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("continual_learning/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / "continual_learning" / "verdicts.csv",),
)
