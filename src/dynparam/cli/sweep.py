"""Commands around the r-sweep: measure it, find its edges, draw it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    FigureOption,
    ImagesOption,
    OutputOption,
    ThreadsOption,
    complete_references,
    examples,
)
from dynparam.configuration.loading import load
from dynparam.experiments.r_sweep.settings import EdgesStage, SweepStage

app = typer.Typer()


plot = typer.Typer()


ReferenceArgument = Annotated[
    str,
    typer.Argument(help="Name of a reference in sweep.references.", autocompletion=complete_references),
]


SweepsOption = Annotated[Path, typer.Option("--results", help="Directory with sweep/.")]


@app.command(
    "sweep",
    epilog=examples(
        "dynparam sweep n_min --images data/processed/airplane-automobile.npz --output sweep.csv"
    ),
)
def sweep_reference(
    reference: ReferenceArgument,
    images: ImagesOption,
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    threads: ThreadsOption = 1,
) -> None:
    """Take steps of SGD with updates of size m^r for one reference width m; resumes if interrupted."""
    import torch

    from dynparam.data.images import load_pair
    from dynparam.experiments.r_sweep import measure
    from dynparam.provenance import record
    from dynparam.settings.base import named
    from dynparam.support import tables
    from dynparam.trials.images import TrialImages

    started = time.monotonic()
    settings = load(SweepStage, config)
    known = named({name: name for name in settings.sweep.references}, reference, "sweep.references")
    torch.set_num_threads(threads)
    log = measure.sweep_log_path(output, settings, known, images)
    table = measure.measure_sweep(settings, known, TrialImages(settings, load_pair(images)), log)
    tables.write_csv(table, output)
    record.write_sidecar(
        output.with_suffix(".json"), [output], settings, inputs=[images], started=started
    )
    log.unlink(missing_ok=True)


@app.command("edges", epilog=examples("dynparam edges --results results --output edges.csv"))
def find_edges(
    results: SweepsOption, output: OutputOption, config: ConfigOption = DEFAULT_CONFIG
) -> None:
    """Find the r beyond which gradients grow; the exponents it follows from go to exponents.csv."""
    from dynparam.experiments.r_sweep import edges as sweep_edges
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(EdgesStage, config)
    inputs = [results / "sweep" / f"{reference}.csv" for reference in settings.sweep.references]
    trials = sweep_edges.read_trials(inputs)
    edges, exponents = output, output.with_name("exponents.csv")
    tables.write_csv(sweep_edges.summary(trials, settings), edges)
    tables.write_csv(sweep_edges.exponents(trials, settings), exponents)
    record.write_sidecar(
        edges.with_suffix(".json"), [edges, exponents], settings, inputs=inputs, started=started
    )


@plot.command("sweep", epilog=examples("dynparam plot sweep --results results --output r_sweep.png"))
def plot_sweep(
    results: SweepsOption, output: FigureOption, config: ConfigOption = DEFAULT_CONFIG
) -> None:
    """Draw the exponents of the drift against r, and the growth of gradients against m^r."""
    from dynparam.experiments.r_sweep import edges as sweep_edges
    from dynparam.experiments.r_sweep import figure
    from dynparam.presentation import figure_style
    from dynparam.provenance import record

    started = time.monotonic()
    settings = load(EdgesStage, config)
    inputs = [results / "sweep" / f"{reference}.csv" for reference in settings.sweep.references]
    data = figure.plotted_data(sweep_edges.read_trials(inputs), settings)
    picture = figure.sweep_figure(data, settings)
    written = figure_style.save(picture, data, output, settings.figures.dpi)
    record.write_sidecar(output.with_suffix(".json"), written, settings, inputs=inputs, started=started)
