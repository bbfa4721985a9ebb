"""The stages: draw random networks, compare trained seeds, judge both, draw the figure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.fluctuations.settings import (
    FluctuationStage,
    FluctuationTrials,
    SpreadStage,
    for_fluctuation_trials,
    for_fluctuations,
    for_spread,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import RESULTS, THREADS, Made, Stage
from dynparam.training.settings import Run, all_runs

TITLE = "Fluctuations in narrow layers"

SOURCE = "Ch. 4; Hanin (2018)"

TRIALS = "fluctuations/trials.csv"

SPREAD = "fluctuations/spread.csv"

TARGET = "fluctuations"
"""The target of the table of verdicts."""


def measure_fluctuations(settings: FluctuationTrials, files: tuple[Path, ...], output: Path) -> Made:
    """Draw random networks at one image and measure how much they differ; resumes if interrupted."""
    from dynparam.experiments.fluctuations import measure
    from dynparam.support.tables import write_csv

    log = measure.log_of_trials(output, settings)
    write_csv(measure.measure(settings.fluctuations, log), output)
    return Made([output], finished=[log.path])


def curves_read(settings: SpreadStage, results: Path) -> dict[Run, Path]:
    """The collected curves of every run."""
    return {run: results / "training" / f"{run.name}.csv" for run in all_runs(settings).values()}


def spread_of_seeds(settings: SpreadStage, files: dict[Run, Path], output: Path) -> Made:
    """Measure how far the seeds' training losses lie apart within each draw of the images."""
    from dynparam.experiments.fluctuations.spread import spread
    from dynparam.support.tables import write_csv
    from dynparam.training.archive import read_collected

    curves = {run: read_collected(path).table for run, path in files.items()}
    write_csv(spread(settings, curves), output)
    return Made([output])


def measured_read(settings: FluctuationStage, results: Path) -> tuple[Path, Path]:
    """The trials, and the spread of seeds."""
    return results / TRIALS, results / SPREAD


def judge_fluctuations(settings: FluctuationStage, files: tuple[Path, Path], output: Path) -> Made:
    """Judge the scatter of random networks beside theory, and that of trained seeds."""
    from dynparam.experiments.fluctuations import tables
    from dynparam.experiments.fluctuations.judge import judged
    from dynparam.presentation.judged import write
    from dynparam.support.tables import read_csv

    trials, spread = (
        read_csv(path, form) for path, form in zip(files, (tables.TRIALS, tables.SPREAD), strict=True)
    )
    return Made(write(judged(trials, spread, settings), output, TITLE, "fluctuations"))


def plot_fluctuations(settings: FluctuationStage, files: tuple[Path, Path], output: Path) -> Made:
    """Draw the scatter of random networks, and of trained seeds, against the sum of 1/n_l."""
    from dynparam.experiments.fluctuations import figure, tables
    from dynparam.experiments.fluctuations.judge import judged
    from dynparam.experiments.fluctuations.message import CLAUSES
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message
    from dynparam.support.tables import read_csv

    trials, spread = (
        read_csv(path, form) for path, form in zip(files, (tables.TRIALS, tables.SPREAD), strict=True)
    )
    data = figure.plotted_data(trials, spread, settings)
    said = drawn_message(lambda: judged(trials, spread, settings), CLAUSES)
    draw = partial(figure.fluctuations_figure, data, settings)
    return drawn(draw, said, data, output, settings.figures)


MEASURE = Stage(
    "fluctuations measure",
    FluctuationTrials,
    measure_fluctuations,
    parameters=(THREADS,),
    jobs=lambda config: (for_fluctuation_trials(config),),
    examples=("dynparam fluctuations measure --output trials.csv",),
)
SEEDS = Stage(
    "fluctuations seeds",
    SpreadStage,
    spread_of_seeds,
    curves_read,
    (RESULTS,),
    jobs=lambda config: (for_spread(config),),
    examples=("dynparam fluctuations seeds --results results --output spread.csv",),
    remedy="snakemake --cores all fluctuations",
    repeatable=True,
)
JUDGE = Stage(
    "fluctuations judge",
    FluctuationStage,
    judge_fluctuations,
    measured_read,
    (RESULTS,),
    jobs=lambda config: (for_fluctuations(config),),
    examples=("dynparam fluctuations judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all fluctuations",
    repeatable=True,
)
PLOT = Stage(
    "plot fluctuations",
    FluctuationStage,
    plot_fluctuations,
    measured_read,
    (RESULTS,),
    jobs=lambda config: (for_fluctuations(config),),
    examples=("dynparam plot fluctuations --results results --output fluctuations.png",),
    remedy="snakemake --cores all fluctuations",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of fluctuations in random and in trained networks."""
    yield ShownFigure(config.fluctuations.figure, TITLE, SOURCE, (TRIALS, SPREAD))


EXPERIMENT = Experiment(
    name="fluctuations",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, SEEDS, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("fluctuations/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / "fluctuations" / "verdicts.csv",),
)
