"""Commands around the r-sweep: measure it, find its edges, draw it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli_options import (
    DEFAULT_CONFIG,
    ConfigOption,
    FigureOption,
    ImagesOption,
    OutputOption,
    ThreadsOption,
    complete_references,
    examples,
)
from dynparam.config_stages import EdgesStage, SweepStage
from dynparam.loading import load

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

    from dynparam import provenance, sweep, tables
    from dynparam.blocks import named
    from dynparam.images import load_pair
    from dynparam.measurement import TrialImages

    started = time.monotonic()
    settings = load(SweepStage, config)
    known = named({name: name for name in settings.sweep.references}, reference, "sweep.references")
    torch.set_num_threads(threads)
    log = sweep.sweep_log_path(output, settings, known, images)
    table = sweep.measure_sweep(settings, known, TrialImages(settings, load_pair(images)), log)
    tables.write_csv(table, output)
    provenance.write_sidecar(
        output.with_suffix(".json"), [output], settings, inputs=[images], started=started
    )
    log.unlink(missing_ok=True)


@app.command("edges", epilog=examples("dynparam edges --results results --output edges.csv"))
def find_edges(
    results: SweepsOption, output: OutputOption, config: ConfigOption = DEFAULT_CONFIG
) -> None:
    """Find the r beyond which gradients grow; the exponents it follows from go to exponents.csv."""
    from dynparam import provenance, sweep_edges, tables

    started = time.monotonic()
    settings = load(EdgesStage, config)
    inputs = [results / "sweep" / f"{reference}.csv" for reference in settings.sweep.references]
    trials = sweep_edges.read_trials(inputs)
    edges, exponents = output, output.with_name("exponents.csv")
    tables.write_csv(sweep_edges.summary(trials, settings), edges)
    tables.write_csv(sweep_edges.exponents(trials, settings), exponents)
    provenance.write_sidecar(
        edges.with_suffix(".json"), [edges, exponents], settings, inputs=inputs, started=started
    )


@plot.command("sweep", epilog=examples("dynparam plot sweep --results results --output r_sweep.png"))
def plot_sweep(
    results: SweepsOption, output: FigureOption, config: ConfigOption = DEFAULT_CONFIG
) -> None:
    """Draw the exponents of the drift against r, and the growth of gradients against m^r."""
    from dynparam import figures, provenance, sweep_edges, sweep_figure

    started = time.monotonic()
    settings = load(EdgesStage, config)
    inputs = [results / "sweep" / f"{reference}.csv" for reference in settings.sweep.references]
    data = sweep_figure.plotted_data(sweep_edges.read_trials(inputs), settings)
    picture = sweep_figure.sweep_figure(data, settings)
    written = figures.save(picture, data, output, settings.figures.dpi)
    provenance.write_sidecar(
        output.with_suffix(".json"), written, settings, inputs=inputs, started=started
    )
