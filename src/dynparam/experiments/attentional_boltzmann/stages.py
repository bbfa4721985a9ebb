"""The stages: train the machines, judge them, draw them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.attentional_boltzmann.settings import (
    BoltzmannStage,
    BoltzmannTrials,
    for_boltzmann,
    for_boltzmann_trials,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import RESULTS, THREADS, Made, Stage

TITLE = "Attentional Boltzmann machine"

SOURCE = "not in it; Ota and Karakida (2023)"

MEASURED = "attentional_boltzmann/measured.csv"

TARGET = "companion_attentional_bm"
"""The target of the table of verdicts."""


def measure_attention(settings: BoltzmannTrials, files: tuple[Path, ...], output: Path) -> Made:
    """Train attentional Boltzmann machines: growth of small weights, steps to learn, fits."""
    from dynparam.experiments.attentional_boltzmann.measure import measure
    from dynparam.support.tables import write_csv

    write_csv(measure(settings.attentional_boltzmann), output)
    return Made([output])


def measured_read(settings: BoltzmannStage, results: Path) -> Path:
    """What was measured."""
    return results / MEASURED


def judge_attention(settings: BoltzmannStage, files: Path, output: Path) -> Made:
    """Judge what is learned, how long it takes, and what a fit costs on new data."""
    from dynparam.experiments.attentional_boltzmann.judge import judged
    from dynparam.experiments.attentional_boltzmann.tables import MEASURED as FORM
    from dynparam.presentation.judged import write
    from dynparam.support.tables import read_csv

    return Made(write(judged(read_csv(files, FORM), settings), output, TITLE, "attention"))


def plot_attention(settings: BoltzmannStage, files: Path, output: Path) -> Made:
    """Draw growth against eigenvalues, steps against hidden units, excess loss against samples."""
    from dynparam.experiments.attentional_boltzmann import figure
    from dynparam.experiments.attentional_boltzmann.judge import judged
    from dynparam.experiments.attentional_boltzmann.message import CLAUSES
    from dynparam.experiments.attentional_boltzmann.tables import MEASURED as FORM
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message
    from dynparam.support.tables import read_csv

    measured = read_csv(files, FORM)
    data = figure.plotted_data(measured, settings)
    said = drawn_message(lambda: judged(measured, settings), CLAUSES)
    return drawn(partial(figure.boltzmann_figure, data), said, data, output, settings.figures)


MEASURE = Stage(
    "attention measure",
    BoltzmannTrials,
    measure_attention,
    parameters=(THREADS,),
    jobs=lambda config: (for_boltzmann_trials(config),),
    examples=("dynparam attention measure --output measured.csv",),
)
JUDGE = Stage(
    "attention judge",
    BoltzmannStage,
    judge_attention,
    measured_read,
    (RESULTS,),
    jobs=lambda config: (for_boltzmann(config),),
    examples=("dynparam attention judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all companion_attentional_bm",
    repeatable=True,
)
PLOT = Stage(
    "plot attention",
    BoltzmannStage,
    plot_attention,
    measured_read,
    (RESULTS,),
    jobs=lambda config: (for_boltzmann(config),),
    examples=("dynparam plot attention --results results --output companion_attentional_bm.png",),
    remedy="snakemake --cores all companion_attentional_bm",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of growth, steps and excess loss."""
    yield ShownFigure(config.attentional_boltzmann.figure, TITLE, SOURCE, (MEASURED,))


EXPERIMENT = Experiment(
    name="attentional_boltzmann",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("attentional_boltzmann/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / "attentional_boltzmann" / "verdicts.csv",),
)
