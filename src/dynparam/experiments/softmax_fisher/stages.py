"""The stages: measure the eigenvalues, judge them, draw them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.softmax_fisher.settings import (
    SoftmaxStage,
    SoftmaxTrials,
    for_softmax,
    for_softmax_trials,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Stage, images_read

TITLE = "Fisher information of softmax cross-entropy"

SOURCE = "not in it; Karakida and others (2021)"

EIGENVALUES = "softmax_fisher/eigenvalues.csv"

TARGET = "companion_softmax"
"""The target of the table of verdicts."""


def measure_softmax(settings: SoftmaxTrials, files: Path, output: Path) -> Made:
    """Measure eigenvalues of the Fisher information with softmax, and of the metric of inputs."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.softmax_fisher.measure import measure
    from dynparam.support.tables import write_csv

    write_csv(measure(settings, load_pair(files)), output)
    return Made([output])


def eigenvalues_read(settings: SoftmaxStage, results: Path) -> Path:
    """The measured eigenvalues."""
    return results / EIGENVALUES


def judge_softmax(settings: SoftmaxStage, files: Path, output: Path) -> Made:
    """Judge which eigenvalues stand out, how large they are, and how far they spread."""
    from dynparam.experiments.softmax_fisher.judge import judged
    from dynparam.experiments.softmax_fisher.tables import EIGENVALUES as FORM
    from dynparam.presentation.judged import write
    from dynparam.support.tables import read_csv

    return Made(write(judged(read_csv(files, FORM), settings), output, TITLE, "softmax"))


def plot_softmax(settings: SoftmaxStage, files: Path, output: Path) -> Made:
    """Draw eigenvalues against their rank, and the spread of those that stand out."""
    from dynparam.experiments.softmax_fisher import figure
    from dynparam.experiments.softmax_fisher.judge import judged
    from dynparam.experiments.softmax_fisher.message import CLAUSES
    from dynparam.experiments.softmax_fisher.tables import EIGENVALUES as FORM
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message
    from dynparam.support.tables import read_csv

    measured = read_csv(files, FORM)
    data = figure.plotted_data(measured, settings)
    said = drawn_message(lambda: judged(measured, settings), CLAUSES)
    return drawn(partial(figure.softmax_figure, data, settings), said, data, output, settings.figures)


MEASURE = Stage(
    "softmax measure",
    SoftmaxTrials,
    measure_softmax,
    images_read,
    (IMAGES, THREADS),
    jobs=lambda config: (for_softmax_trials(config),),
    examples=(
        "dynparam softmax measure --images data/processed/airplane-automobile.npz "
        "--output eigenvalues.csv",
    ),
    remedy="dynparam data pair PAIR",
)
JUDGE = Stage(
    "softmax judge",
    SoftmaxStage,
    judge_softmax,
    eigenvalues_read,
    (RESULTS,),
    jobs=lambda config: (for_softmax(config),),
    examples=("dynparam softmax judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all companion_softmax",
    repeatable=True,
)
PLOT = Stage(
    "plot softmax",
    SoftmaxStage,
    plot_softmax,
    eigenvalues_read,
    (RESULTS,),
    jobs=lambda config: (for_softmax(config),),
    examples=("dynparam plot softmax --results results --output companion_softmax.png",),
    remedy="snakemake --cores all companion_softmax",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of the eigenvalues."""
    yield ShownFigure(config.softmax_fisher.figure, TITLE, SOURCE, (EIGENVALUES,))


EXPERIMENT = Experiment(
    name="softmax_fisher",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("softmax_fisher/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / "softmax_fisher" / "verdicts.csv",),
)
