"""The stages: train until the loss is halved, judge how that grows, draw it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.delay_law.settings import (
    DelayLaw,
    DelayStage,
    DelayTrials,
    for_delays,
    part_names,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import RESULTS, THREADS, Made, Parameter, Stage, whole

if TYPE_CHECKING:
    import pandas as pd

TITLE = "The delay behind bottlenecks"

SOURCE = "not in it; what eq. 3.5, violated at step 1, costs"

PLACE = "delay_law"

TARGET = "delay_law"
"""The target of the table of verdicts."""

PART = Parameter(
    "part",
    "A part: series_B for B bottlenecks, variants, narrow_layers or families.",
    names=lambda config: part_names(config.delay_law),
)


def measure_delays(settings: DelayTrials, files: tuple[Path, ...], output: Path, part: str) -> Made:
    """Train networks of one part until their loss is halved; resumes if interrupted."""
    from dynparam.experiments.delay_law import measure
    from dynparam.provenance.code_digest import module_digest
    from dynparam.settings.base import digest
    from dynparam.support.tables import write_csv
    from dynparam.trials.log import TrialLog

    code = module_digest(measure.__name__)
    log = TrialLog(output, part, digest(settings), part, code)
    write_csv(measure.measure(settings.delay_law, part, log), output)
    return Made([output], finished=[log.path])


def trial_files(settings: DelayStage, results: Path) -> list[Path]:
    """The tables of all parts."""
    return [results / path for path in places(settings.delay_law)]


def judge_delays(settings: DelayStage, files: list[Path], output: Path) -> Made:
    """Judge whether delays grow as log R or as a power of R, beside theory's."""
    from dynparam.experiments.delay_law.judge import judged
    from dynparam.presentation.judged import write

    return Made(write(judged(_read(files), settings), output, TITLE, "delay-law"))


def plot_delays(settings: DelayStage, files: list[Path], output: Path) -> Made:
    """Draw delays against R beside theory's curves, and along families of widths."""
    from dynparam.experiments.delay_law import figure
    from dynparam.experiments.delay_law.judge import judged
    from dynparam.experiments.delay_law.message import CLAUSES
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message

    measured = _read(files)
    data = figure.plotted_data(measured, settings)
    said = drawn_message(lambda: judged(measured, settings), CLAUSES)
    return drawn(partial(figure.delay_figure, data, settings), said, data, output, settings.figures)


def places(own: DelayLaw) -> list[str]:
    """Where the tables of all parts lie, below the directory of results."""
    return [f"{PLACE}/{part}.csv" for part in part_names(own)]


def _read(files: list[Path]) -> pd.DataFrame:
    """The tables of all parts in one. Raises ``DataError``."""
    import pandas as pd

    from dynparam.experiments.delay_law.tables import DELAYS
    from dynparam.support.tables import read_csv

    return pd.concat([read_csv(path, DELAYS) for path in files], ignore_index=True)


MEASURE = Stage(
    "delay measure",
    DelayTrials,
    measure_delays,
    parameters=(PART, THREADS),
    jobs=whole(DelayTrials),
    examples=("dynparam delay measure variants --output variants.csv",),
)
JUDGE = Stage(
    "delay judge",
    DelayStage,
    judge_delays,
    trial_files,
    (RESULTS,),
    jobs=lambda config: (for_delays(config),),
    examples=("dynparam delay judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all delay_law",
    repeatable=True,
)
PLOT = Stage(
    "plot delay",
    DelayStage,
    plot_delays,
    trial_files,
    (RESULTS,),
    jobs=lambda config: (for_delays(config),),
    examples=("dynparam plot delay --results results --output delay_law.png",),
    remedy="snakemake --cores all delay_law",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of the delays."""
    yield ShownFigure(config.delay_law.figure, TITLE, SOURCE, tuple(places(config.delay_law)))


EXPERIMENT = Experiment(
    name="delay_law",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable(f"{PLACE}/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / PLACE / "verdicts.csv",),
)
