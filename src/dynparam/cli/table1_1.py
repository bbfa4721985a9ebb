"""Commands around Table 1.1: judge it, draw it; registered by ``cli/main.py``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, FigureOption, OutputOption, examples
from dynparam.configuration.loading import load
from dynparam.experiments.measured_orders.settings import ExponentsStage

app = typer.Typer()


plot = typer.Typer()


ExponentsOption = Annotated[Path, typer.Option("--results", help="Directory with exponents/.")]


@app.command("table", epilog=examples("dynparam table --results results --output table1_1.csv"))
def judge_table1_1(
    results: ExponentsOption,
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Judge Table 1.1: measured orders beside the claimed and the exact ones, as CSV, Markdown, HTML."""
    from dynparam.experiments.measured_orders import table1_1, table1_1_page
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(ExponentsStage, config)
    files = table1_1.measured_files(settings, results)
    table = table1_1.table1_1(settings, {key: tables.read_csv(path) for key, path in files.items()})
    written = table1_1_page.write_table1_1(table, output, settings)
    typer.echo(table1_1_page.summary_sentence(table, settings))
    record.write_sidecar(
        output.with_suffix(".json"), written, settings, inputs=list(files.values()), started=started
    )


@plot.command("table", epilog=examples("dynparam plot table --results results --output table1_1.png"))
def plot_table1_1(
    results: ExponentsOption,
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw Table 1.1: claimed, exact and measured exponents, layer by layer."""
    from dynparam.experiments.measured_orders import table1_1, table1_1_figure
    from dynparam.presentation import figure_style
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(ExponentsStage, config)
    files = table1_1.measured_files(settings, results)
    table = table1_1.table1_1(settings, {key: tables.read_csv(path) for key, path in files.items()})
    picture = table1_1_figure.table1_1_figure(table, settings.exponents)
    written = figure_style.save(picture, table, output, settings.figures.dpi)
    record.write_sidecar(
        output.with_suffix(".json"), written, settings, inputs=list(files.values()), started=started
    )
