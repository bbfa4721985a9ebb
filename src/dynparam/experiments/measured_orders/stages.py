"""The stages of Table 1.1 and of the conditions: judge them, draw them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.measured_orders.settings import ExponentsStage, for_exponents, for_orders
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import RESULTS, Made, Stage
from dynparam.trials.settings import ProbeStage

if TYPE_CHECKING:
    import pandas as pd

TrialFiles = dict[tuple[str, str], Path]
"""Trials by (parametrization, family)."""


def table_files(settings: ExponentsStage, results: Path) -> TrialFiles:
    """The trials that Table 1.1 needs."""
    from dynparam.experiments.measured_orders.table1_1 import measured_files

    return measured_files(settings, results)


def all_files(settings: ExponentsStage, results: Path) -> TrialFiles:
    """The trials of every parametrization along every family."""
    return {
        (name, family): results / "exponents" / f"{name}_{family}.csv"
        for name in settings.exponents.parametrizations
        for family in settings.exponents.families
    }


def judge_table1_1(settings: ExponentsStage, files: TrialFiles, output: Path) -> Made:
    """Judge Table 1.1: measured orders beside the claimed and the exact ones, as CSV, Markdown, HTML."""
    from dynparam.experiments.measured_orders import table1_1, table1_1_page

    table = table1_1.table1_1(settings, _read(files))
    written = table1_1_page.write_table1_1(table, output, settings)
    return Made(written, said=table1_1_page.summary_sentence(table, settings))


def plot_table1_1(settings: ExponentsStage, files: TrialFiles, output: Path) -> Made:
    """Draw where Table 1.1 holds, layer by layer, and how far off it is elsewhere."""
    from dynparam.experiments.measured_orders.message import table_message
    from dynparam.experiments.measured_orders.table1_1 import table1_1
    from dynparam.experiments.measured_orders.table1_1_figure import table1_1_figure
    from dynparam.provenance.drawing import drawn

    table = table1_1(settings, _read(files))
    draw = partial(table1_1_figure, table, settings.exponents)
    return drawn(draw, table_message(table), table, output, settings.figures)


def plot_conditions(settings: ExponentsStage, files: TrialFiles, output: Path) -> Made:
    """Draw which parametrization meets which condition on which widths: theory and measurement."""
    from dynparam.experiments.measured_orders.conditions import condition_matrix
    from dynparam.experiments.measured_orders.conditions_figure import condition_figure
    from dynparam.experiments.measured_orders.message import conditions_message
    from dynparam.provenance.drawing import drawn

    matrix = condition_matrix(settings, _read(files))
    draw = partial(condition_figure, matrix, settings.exponents)
    said = conditions_message(matrix, settings.exponents)
    return drawn(draw, said, matrix, output, settings.figures)


def _read(files: TrialFiles) -> dict[tuple[str, str], pd.DataFrame]:
    from dynparam.support.tables import read_csv
    from dynparam.trials.tables import ONE_STEP_TRIALS

    return {
        (name, family): read_csv(path, ONE_STEP_TRIALS, curve=f"{name}_{family}", parametrization=name)
        for (name, family), path in files.items()
    }


def _jobs(config: Any) -> Iterator[ExponentsStage]:
    yield for_orders(config)


JUDGE = Stage(
    "table",
    ExponentsStage,
    judge_table1_1,
    table_files,
    (RESULTS,),
    jobs=_jobs,
    examples=("dynparam table --results results --output table1_1.csv",),
    remedy="snakemake --cores all table1_1",
    repeatable=True,
)
PLOT_TABLE = Stage(
    "plot table",
    ExponentsStage,
    plot_table1_1,
    table_files,
    (RESULTS,),
    jobs=_jobs,
    examples=("dynparam plot table --results results --output table1_1.png",),
    remedy="snakemake --cores all table1_1",
    repeatable=True,
)
PLOT_CONDITIONS = Stage(
    "plot conditions",
    ExponentsStage,
    plot_conditions,
    all_files,
    (RESULTS,),
    jobs=_jobs,
    examples=("dynparam plot conditions --results results --output conditions.png",),
    remedy="snakemake --cores all conditions",
    repeatable=True,
)


def trial_jobs(config: Any) -> Iterator[ProbeStage]:
    """The settings of the trials behind the table, which ``probe_alignment`` measures."""
    for parametrization in config.exponents.parametrizations:
        for family in config.exponents.families:
            yield for_exponents(config, parametrization, family)


def figures(config: Any) -> Iterator[ShownFigure]:
    """Table 1.1 as a figure, and the conditions."""
    orders = [
        f"exponents/{name}_{family}.csv"
        for name in config.exponents.parametrizations
        for family in config.exponents.families
    ]
    # Standard parametrization has no line in Table 1.1.
    table = tuple(path for path in orders if "/standard_" not in path)
    yield ShownFigure("table1_1", "Table 1.1, measured", "Table 1.1", table)
    yield ShownFigure(
        "conditions", "Which conditions hold", "Secs. 2.2 and 2.3; eqs. 2.18-2.66", tuple(orders)
    )


EXPERIMENT = Experiment(
    name="measured_orders",
    title="Orders of sizes and updates, and the conditions on them",
    source="Table 1.1; Secs. 2.2 and 2.3; eqs. 2.18-2.66",
    stages=(JUDGE, PLOT_TABLE, PLOT_CONDITIONS),
    figures=figures,
    tables=(ShownTable("table1_1/table1_1", "table1_1"),),
    quoted=lambda config, files: (
        files.results / "table1_1" / "table1_1.csv",
        files.figures / "conditions.csv",
    ),
    borrowed=trial_jobs,
)
