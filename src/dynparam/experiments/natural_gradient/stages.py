"""The stages: take the steps, judge what they leave, draw it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.natural_gradient.settings import (
    NaturalGradientStage,
    NaturalGradientTrials,
    for_natural,
    for_natural_trials,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Stage, images_read

TITLE = "Approximate natural gradients in wide networks"

SOURCE = "not in it; Karakida and Osawa (2020)"

RESIDUALS = "natural_gradient/residuals.csv"

TARGET = "companion_natural_gradient"
"""The target of the table of verdicts."""


def measure_natural(settings: NaturalGradientTrials, files: Path, output: Path) -> Made:
    """Measure what steps of natural gradients leave of the residual."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.natural_gradient.measure import measure
    from dynparam.support.tables import write_csv

    write_csv(measure(settings, load_pair(files)), output)
    return Made([output])


def residuals_read(settings: NaturalGradientStage, results: Path) -> Path:
    """The measured residuals."""
    return results / RESIDUALS


def judge_natural(settings: NaturalGradientStage, files: Path, output: Path) -> Made:
    """Judge whether approximate natural gradients train as the exact one, and under which scales."""
    from dynparam.experiments.natural_gradient.judge import judged
    from dynparam.experiments.natural_gradient.tables import RESIDUALS as FORM
    from dynparam.presentation.judged import write
    from dynparam.support.tables import read_csv

    table = judged(read_csv(files, FORM), settings)
    return Made(write(table, output, TITLE, "natural-gradient"))


def plot_natural(settings: NaturalGradientStage, files: Path, output: Path) -> Made:
    """Draw what is left against steps, and after one full step against n."""
    from dynparam.experiments.natural_gradient import figure
    from dynparam.experiments.natural_gradient.judge import judged
    from dynparam.experiments.natural_gradient.message import CLAUSES
    from dynparam.experiments.natural_gradient.tables import RESIDUALS as FORM
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message
    from dynparam.support.tables import read_csv

    measured = read_csv(files, FORM)
    data = figure.plotted_data(measured, settings)
    said = drawn_message(lambda: judged(measured, settings), CLAUSES)
    draw = partial(figure.natural_gradient_figure, data, settings)
    return drawn(draw, said, data, output, settings.figures)


MEASURE = Stage(
    "natural measure",
    NaturalGradientTrials,
    measure_natural,
    images_read,
    (IMAGES, THREADS),
    jobs=lambda config: (for_natural_trials(config),),
    examples=(
        "dynparam natural measure --images data/processed/airplane-automobile.npz "
        "--output residuals.csv",
    ),
    remedy="dynparam data pair PAIR",
)
JUDGE = Stage(
    "natural judge",
    NaturalGradientStage,
    judge_natural,
    residuals_read,
    (RESULTS,),
    jobs=lambda config: (for_natural(config),),
    examples=("dynparam natural judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all companion_natural_gradient",
    repeatable=True,
)
PLOT = Stage(
    "plot natural",
    NaturalGradientStage,
    plot_natural,
    residuals_read,
    (RESULTS,),
    jobs=lambda config: (for_natural(config),),
    examples=("dynparam plot natural --results results --output companion_natural_gradient.png",),
    remedy="snakemake --cores all companion_natural_gradient",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of the residuals."""
    yield ShownFigure(config.natural_gradient.figure, TITLE, SOURCE, (RESIDUALS,))


EXPERIMENT = Experiment(
    name="natural_gradient",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("natural_gradient/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / "natural_gradient" / "verdicts.csv",),
)
