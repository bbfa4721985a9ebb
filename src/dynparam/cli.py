"""The command line: what the workflow's rules call. Arguments in, one library call, files out.

Every command imports what it needs inside its function: ``--help`` and a dry run stay quick, and a
command's code digest (``stages.py``) covers exactly the modules it can reach.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam import (
    cli_findings,
    cli_law,
    cli_ledger,
    cli_orders,
    cli_report,
    cli_sweep,
    cli_theory,
    cli_training,
)
from dynparam.blocks import Engine, Errors, panels_of, shown_curves
from dynparam.cli_options import (
    DEFAULT_CONFIG,
    ConfigOption,
    ImagesOption,
    OutputOption,
    ThreadsOption,
)
from dynparam.config_stages import (
    ArchitectureStage,
    ComparisonStage,
    DataStage,
    FigureStage,
    FitStage,
    ProbeStage,
    SourceStage,
)
from dynparam.errors import DynparamError
from dynparam.loading import json_schema, load

app = typer.Typer(
    help="Reproduce a thesis on learning in networks of very different hidden widths.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
data = typer.Typer(help="Retrieve CIFAR-10 and extract two-class tasks.", no_args_is_help=True)
plot = typer.Typer(help="Draw the figures.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(plot, name="plot")
app.add_typer(cli_training.app)
app.add_typer(cli_findings.app)
plot.add_typer(cli_training.plot)
plot.add_typer(cli_law.plot)
app.add_typer(cli_orders.app)
plot.add_typer(cli_orders.plot)
app.add_typer(cli_theory.app)
plot.add_typer(cli_theory.plot)
app.add_typer(cli_ledger.app, name="ledger")
plot.add_typer(cli_ledger.plot)
app.add_typer(cli_sweep.app)
app.add_typer(cli_report.app, name="report")
plot.add_typer(cli_sweep.plot)

CurveArgument = Annotated[str, typer.Argument(help="Name of a curve in probe.curves.")]


@data.command("retrieve")
def retrieve_cifar10(
    output: Annotated[Path, typer.Option("--output", help="Directory for the verified files.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Bring the verified CIFAR-10 files to a directory, from a local archive or the mirrors."""
    from dynparam import cifar10, official, provenance

    started = time.monotonic()
    settings = load(SourceStage, config)
    found = cifar10.retrieve(settings.source, output, official.expected_hashes())
    members = [output / official.FOLDER / member for member in official.MEMBERS]
    provenance.write_sidecar(output / "cifar10.json", members, settings, started=started, source=found)


@data.command("extract")
def extract_pair(
    pair: Annotated[str, typer.Argument(help="Name of a pair in data.pairs.")],
    raw: Annotated[Path, typer.Option("--raw", help="Directory of the verified files.")],
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    pool: Annotated[
        bool, typer.Option("--pool", help="Keep every image of the two classes, draw none.")
    ] = False,
) -> None:
    """Draw the images of a two-class task, with a manifest of what was drawn."""
    from dynparam import official, pairs

    settings = load(DataStage, config)
    extract = pairs.extract_pool if pool else pairs.extract_pair
    extract(raw, pair, settings.data, output, official.expected_hashes())


@app.command("probe")
def probe(
    context: typer.Context,
    curve: Annotated[
        str | None, typer.Argument(help="Name of a curve in probe.curves; none with --widths.")
    ] = None,
    images: Annotated[Path | None, typer.Option("--images", help="Extracted pair (.npz).")] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Table of trials to write.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    threads: ThreadsOption = 2,
    engine: Annotated[
        Engine | None,
        typer.Option(
            "--engine",
            help="dense draws the weights; law draws what is seen of them, in O(n).",
            show_default="dense for a curve, law for a profile",
        ),
    ] = None,
    widths: cli_theory.WidthsOption = "",
    parametrization: cli_theory.NameOption = "dynamic",
    r: cli_theory.ROption = None,
    smallest: cli_theory.FromOption = 1000,
    largest: cli_theory.ToOption = 100_000,
    count: cli_theory.CountOption = 5,
    trials: cli_theory.TrialsOption = 20,
    scale: cli_theory.ScaleOption = "1",
    learning_rate: cli_theory.RateOption = 0.1,
    seed: cli_theory.SeedOption = 0,
    tolerance: cli_theory.ToleranceOption = 0.1,
) -> None:
    """Measure one step of a curve of the configuration or, with --widths, of a profile of your own."""
    cli_theory.check_probe_use(context)
    if curve is not None and images is not None and output is not None:
        probe_alignment(curve, images, output, config, threads, engine or "dense")
        return
    settings: dict[str, object] = {
        "widths": {"smallest": smallest, "largest": largest, "count": count},
        "trials": trials,
        "engine": engine or "law",
        "learning_rate": learning_rate,
        "seed": seed,
    }
    cli_theory.probe_profile((widths, parametrization, r, scale), settings, output, threads, tolerance)


def probe_alignment(
    curve: str,
    images: Path,
    output: Path,
    config: list[str],
    threads: int,
    engine: Engine,
) -> None:
    """Measure the one-step alignments of a curve; an interrupted measurement resumes."""
    import torch

    from dynparam import measurement, provenance, tables
    from dynparam.images import load_pair

    started = time.monotonic()
    settings = load(ProbeStage, config)
    torch.set_num_threads(threads)
    trial_images = measurement.TrialImages(settings, load_pair(images))
    log = measurement.trial_log_path(output, settings, curve, images, engine)
    table = measurement.measure_curve(settings, curve, trial_images, log, engine)
    tables.write_csv(table, output)
    provenance.write_sidecar(
        output.with_suffix(".json"), [output], settings, inputs=[images], started=started
    )
    log.unlink(missing_ok=True)


@app.command("expect")
def expect_slopes(
    curve: CurveArgument,
    images: ImagesOption,
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Compute the mean-field alignments of a curve at its widths."""
    from dynparam import expectation, provenance, tables
    from dynparam.images import load_pair, square_norms

    started = time.monotonic()
    settings = load(ProbeStage, config)
    norms = square_norms(load_pair(images).train_images, settings.inputs.normalization)
    tables.write_csv(expectation.expected_values(settings, curve, norms), output)
    provenance.write_sidecar(
        output.with_suffix(".json"), [output], settings, inputs=[images], started=started
    )


@app.command("fit")
def fit_slopes(
    trials: Annotated[Path, typer.Argument(help="Trials of one curve (results/probe/*.csv).")],
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    smallest: Annotated[int, typer.Option("--from", min=1, help="Smallest width that counts.")] = 1,
    errors: Annotated[
        Errors, typer.Option("--errors", help="Intervals by bootstrap, or linearized (many trials).")
    ] = "bootstrap",
) -> None:
    """Fit the slopes of a curve's layers, with intervals over trials."""
    from dynparam import fits, provenance, tables

    started = time.monotonic()
    settings = load(FitStage, config)
    table = fits.fit_curve(tables.read_csv(trials), settings.fit, smallest=smallest, errors=errors)
    tables.write_csv(table, output)
    provenance.write_sidecar(
        output.with_suffix(".json"), [output], settings, inputs=[trials], started=started
    )


@app.command("compare")
def compare_slopes(
    results: Annotated[
        Path, typer.Option("--results", help="Directory with fits/, expected/ and law/.")
    ],
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Assemble the comparison table: CSV, Markdown and HTML beside each other."""
    from dynparam import comparison, provenance, rendering, tables

    started = time.monotonic()
    settings = load(ComparisonStage, config)
    window = {
        curve: [results / place / f"{curve}.csv" for place in ("fits", "expected", "law/fits/exact")]
        for curve in shown_curves(settings.panels)
    }
    wide = {
        curve: [results / place / f"{curve}.csv" for place in ("law/fits/wide", "law/expected")]
        for continued in settings.law.figures.values()
        for curve in panels_of(settings.panels, continued)
    }
    known, known_wide = (
        {
            curve: comparison.CurveResults(*(tables.read_csv(path) for path in paths))
            for curve, paths in places.items()
        }
        for places in (window, wide)
    )
    table = comparison.compare(settings, known, known_wide)
    written = rendering.write_comparison(table, output, settings)
    typer.echo(rendering.summary_sentence(table, settings))
    provenance.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=[path for paths in (*window.values(), *wide.values()) for path in paths],
        started=started,
    )


@plot.command("probe")
def plot_figure(
    figure: Annotated[str, typer.Argument(help="Name of a figure in panels.")],
    results: Annotated[
        Path, typer.Option("--results", help="Directory with probe/, fits/ and expected/.")
    ],
    output: Annotated[Path, typer.Option("--output", help="PNG; PDF, CSV and JSON go beside it.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw a figure of the one-step probe (Figs. 3.2 and 3.3)."""
    from dynparam import figures, provenance, tables

    started = time.monotonic()
    settings = load(FigureStage, config)
    panels = panels_of(settings.panels, figure)
    inputs = {
        curve: [results / kind / f"{curve}.csv" for kind in ("probe", "fits", "expected")]
        for curve in panels
    }
    plotted = {
        curve: figures.plotted_data(*(tables.read_csv(path) for path in paths))
        for curve, paths in inputs.items()
    }
    picture = figures.probe_figure({settings.figures.titles[curve]: plotted[curve] for curve in panels})
    written = figures.save(picture, figures.stack(plotted), output, settings.figures.dpi)
    provenance.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=[path for paths in inputs.values() for path in paths],
        started=started,
    )


@plot.command("architecture")
def plot_architecture(
    figure: Annotated[str, typer.Argument(help="Name of a figure in figures.architecture.")],
    output: Annotated[Path, typer.Option("--output", help="PNG; PDF, CSV and JSON go beside it.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw the hidden layers of the thesis's network (Fig. 3.1)."""
    from dynparam import figures, provenance
    from dynparam.widths import bottleneck

    started = time.monotonic()
    settings = load(ArchitectureStage, config)
    shown = settings.figures.architecture_figure(figure)
    widths = bottleneck(shown.n, shown.n_min, hidden=settings.network.hidden)
    written = figures.save(
        figures.architecture_figure(widths),
        figures.architecture_data(widths),
        output,
        settings.figures.dpi,
    )
    provenance.write_sidecar(output.with_suffix(".json"), written, settings, started=started)


@app.command("schema")
def write_schema(
    output: Annotated[Path, typer.Option("--output", help="JSON file to write.")],
) -> None:
    """Write the JSON Schema of the configuration."""
    from dynparam.files import write_text

    write_text(output, json_schema())


def main() -> None:
    """Run the command line; errors are one sentence on standard error and an exit code."""
    try:
        app()
    except DynparamError as error:
        print(f"dynparam: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
