"""The stages of sharpness: measure it in three ways, judge it, draw it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.sharpness.settings import (
    NormalizationStage,
    RatesStage,
    SharpnessVerdicts,
    WidthsStage,
    for_normalization,
    for_rates,
    for_verdicts,
    for_widths,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Stage, images_read

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Sharpness against width, and with normalized outputs"

SOURCE = "companion to Figs. 3.2 and 3.3"

TARGET = "companion_sharpness"
"""The target of the table of verdicts."""

JUDGED = ("widths", "limits", "normalization", "rates")
"""The tables that are judged, by their files' names."""

TableFiles = dict[str, Path]
"""Measured tables, by name."""


def sharpness_of_widths(settings: WidthsStage, files: Path, output: Path) -> Made:
    """Measure sharpness against width; its wide limit, far beyond, goes to limits.csv."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.sharpness import measure
    from dynparam.support.tables import write_csv

    pair, limits = load_pair(files), output.with_name("limits.csv")
    write_csv(measure.wide_limits(settings, pair), limits)
    write_csv(measure.measure_widths(settings, pair), output)
    return Made([output, limits])


def sharpness_of_normalization(
    settings: NormalizationStage, files: tuple[Path, ...], output: Path
) -> Made:
    """Measure the sharpness of normalized outputs, on Gaussian inputs."""
    from dynparam.experiments.sharpness import measure
    from dynparam.support.tables import write_csv

    write_csv(measure.measure_normalization(settings.sharpness), output)
    return Made([output])


def sharpness_of_rates(settings: RatesStage, files: Path, output: Path) -> Made:
    """Find the largest stable learning rates."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.sharpness import measure
    from dynparam.support.tables import write_csv

    write_csv(measure.measure_rates(settings, load_pair(files)), output)
    return Made([output])


def judged_files(settings: SharpnessVerdicts, results: Path) -> TableFiles:
    """The tables that verdicts need, and the figure, which says them."""
    return {name: results / "sharpness" / f"{name}.csv" for name in JUDGED}


def judge_sharpness(settings: SharpnessVerdicts, files: TableFiles, output: Path) -> Made:
    """Judge what was measured of sharpness; slopes on the thesis's own families go to thesis.csv."""
    from dynparam.experiments.sharpness import judge
    from dynparam.presentation.judged import write
    from dynparam.support.tables import write_csv

    found, thesis = judge.Measured(**_read(files)), output.with_name("thesis.csv")
    table = judge.judged(found, settings)
    write_csv(judge.thesis_slopes(found.limits, settings), thesis)
    return Made([*write(table, output, TITLE, "sharpness"), thesis])


def plot_sharpness(settings: SharpnessVerdicts, files: TableFiles, output: Path) -> Made:
    """Draw sharpness against width, and with normalized outputs, on lines of theory."""
    from dynparam.experiments.sharpness import figure
    from dynparam.experiments.sharpness.judge import Measured, judged
    from dynparam.experiments.sharpness.message import CLAUSES
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message

    found = Measured(**_read(files))
    data = figure.plotted_data(found.widths, found.limits, found.normalization, settings.fit.confidence)
    said = drawn_message(lambda: judged(found, settings), CLAUSES)
    return drawn(partial(figure.sharpness_figure, data, settings), said, data, output, settings.figures)


def _read(files: TableFiles) -> dict[str, pd.DataFrame]:
    from dynparam.experiments.sharpness import tables
    from dynparam.support.tables import read_csv

    return {name: read_csv(path, getattr(tables, name.upper())) for name, path in files.items()}


WIDTHS = Stage(
    "sharpness widths",
    WidthsStage,
    sharpness_of_widths,
    images_read,
    (IMAGES, THREADS),
    jobs=lambda config: (for_widths(config, config.probe.pair),),
    examples=(
        "dynparam sharpness widths --images data/processed/airplane-automobile.npz --output widths.csv",
    ),
    remedy="dynparam data pair PAIR",
)
NORMALIZATION = Stage(
    "sharpness normalization",
    NormalizationStage,
    sharpness_of_normalization,
    parameters=(THREADS,),
    jobs=lambda config: (for_normalization(config),),
    examples=("dynparam sharpness normalization --output normalization.csv",),
)
RATES = Stage(
    "sharpness rates",
    RatesStage,
    sharpness_of_rates,
    images_read,
    (IMAGES, THREADS),
    jobs=lambda config: (for_rates(config, config.probe.pair),),
    examples=(
        "dynparam sharpness rates --images data/processed/airplane-automobile.npz --output rates.csv",
    ),
    remedy="dynparam data pair PAIR",
)
JUDGE = Stage(
    "sharpness judge",
    SharpnessVerdicts,
    judge_sharpness,
    judged_files,
    (RESULTS,),
    jobs=lambda config: (for_verdicts(config),),
    examples=("dynparam sharpness judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all companion_sharpness",
    repeatable=True,
)
PLOT = Stage(
    "plot sharpness",
    SharpnessVerdicts,
    plot_sharpness,
    judged_files,
    (RESULTS,),
    jobs=lambda config: (for_verdicts(config),),
    examples=("dynparam plot sharpness --results results --output companion_sharpness.png",),
    remedy="snakemake --cores all companion_sharpness",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of sharpness."""
    places = tuple(f"sharpness/{name}.csv" for name in JUDGED)
    yield ShownFigure(config.sharpness.figure, TITLE, SOURCE, places)


EXPERIMENT = Experiment(
    name="sharpness",
    title=TITLE,
    source=SOURCE,
    stages=(WIDTHS, NORMALIZATION, RATES, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("sharpness/verdicts", TARGET),),
    quoted=lambda config, files: (
        files.results / "sharpness" / "verdicts.csv",
        files.results / "sharpness" / "thesis.csv",
    ),
)
