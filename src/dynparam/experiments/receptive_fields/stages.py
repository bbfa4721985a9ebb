"""The stages: measure windows and correlated weights on a pair, judge all pairs, draw them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.receptive_fields.settings import (
    FieldStage,
    FieldTrials,
    for_field_trials,
    for_fields,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Parameter, Stage, images_read

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Local receptive fields in the NTK regime"

SOURCE = "not in it; Watanabe and others (2023), re-created"

TARGET = "companion_receptive_fields"
"""The target of the table of verdicts."""

PAIR = Parameter(
    "pair",
    "One of receptive_fields.pairs.",
    names=lambda config: config.receptive_fields.pairs,
)


def measured_file(pair: str) -> str:
    """Where the measurements on a pair are, below the directory of results."""
    return f"receptive_fields/{pair}.csv"


def measure_fields(settings: FieldTrials, files: Path, output: Path, pair: str) -> Made:
    """Measure what disturbances of a pair's images do to networks with windows or correlated weights."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.receptive_fields.measure import measure
    from dynparam.support.tables import write_csv

    write_csv(measure(for_field_trials(settings, pair), load_pair(files)), output)
    return Made([output])


def measurements(settings: FieldStage, results: Path) -> dict[str, Path]:
    """What was measured, by pair."""
    return {pair: results / measured_file(pair) for pair in settings.receptive_fields.pairs}


def judge_fields(settings: FieldStage, files: dict[str, Path], output: Path) -> Made:
    """Judge whether windows or correlated weights make a network robust, and why."""
    from dynparam.experiments.receptive_fields.judge import judged
    from dynparam.presentation.judged import write

    return Made(write(judged(_read(files), settings), output, TITLE, "fields"))


def plot_fields(settings: FieldStage, files: dict[str, Path], output: Path) -> Made:
    """Draw what disturbances do against the radius of windows."""
    from dynparam.experiments.receptive_fields import figure
    from dynparam.experiments.receptive_fields.judge import judged
    from dynparam.experiments.receptive_fields.message import CLAUSES
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message

    measured = _read(files)
    data = figure.plotted_data(measured, settings)
    said = drawn_message(lambda: judged(measured, settings), CLAUSES)
    draw = partial(figure.fields_figure, data, settings)
    return drawn(draw, said, data, output, settings.figures, caption=figure.told(settings))


def _read(files: dict[str, Path]) -> dict[str, pd.DataFrame]:
    from dynparam.experiments.receptive_fields.tables import MEASURED
    from dynparam.support.tables import read_csv

    return {pair: read_csv(path, MEASURED) for pair, path in files.items()}


MEASURE = Stage(
    "fields measure",
    FieldTrials,
    measure_fields,
    images_read,
    (PAIR, IMAGES, THREADS),
    jobs=lambda config: (for_field_trials(config, one) for one in config.receptive_fields.pairs),
    examples=(
        "dynparam fields measure airplane-automobile --images data/processed/airplane-automobile.npz"
        " --output airplane-automobile.csv",
    ),
    remedy="dynparam data pair PAIR",
)
JUDGE = Stage(
    "fields judge",
    FieldStage,
    judge_fields,
    measurements,
    (RESULTS,),
    jobs=lambda config: (for_fields(config),),
    examples=("dynparam fields judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all companion_receptive_fields",
    repeatable=True,
)
PLOT = Stage(
    "plot fields",
    FieldStage,
    plot_fields,
    measurements,
    (RESULTS,),
    jobs=lambda config: (for_fields(config),),
    examples=("dynparam plot fields --results results --output companion_receptive_fields.png",),
    remedy="snakemake --cores all companion_receptive_fields",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of displacements."""
    own = config.receptive_fields
    results = tuple(measured_file(pair) for pair in own.pairs)
    yield ShownFigure(own.figure, TITLE, SOURCE, results)


EXPERIMENT = Experiment(
    name="receptive_fields",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("receptive_fields/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / "receptive_fields" / "verdicts.csv",),
)
