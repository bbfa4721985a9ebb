"""Commands around the one-step probe: measure, expect, fit, compare, draw; registered by ``main.py``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli import orders
from dynparam.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    CurveArgument,
    FigureOption,
    JsonOption,
    OutputOption,
    OwnImagesOption,
    OwnOutputOption,
    ThreadsOption,
    complete_architecture,
    complete_curves,
    complete_panels,
    examples,
)
from dynparam.cli.places import own_place, probe_images
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.alignments.settings import ComparisonStage, FigureStage, FitStage
from dynparam.experiments.architecture.settings import ArchitectureStage
from dynparam.provenance.stage import require
from dynparam.settings.shared import Errors, panels_of, shown_curves
from dynparam.support.errors import ConfigError
from dynparam.trials.settings import Engine, ProbeStage

app = typer.Typer()


plot = typer.Typer()


@app.command(
    "probe",
    epilog=examples(
        "dynparam probe fig3_3_dynamic",
        "dynparam probe fig3_3_dynamic --engine law --output alignments.csv",
        "dynparam probe --widths 1,1/2,1 --scale 1,6,1 --parametrization dynamic --to 1000000 --json",
    ),
)
def probe(
    context: typer.Context,
    curve: Annotated[
        str | None,
        typer.Argument(
            help="Name of a curve in probe.curves; none with --widths.", autocompletion=complete_curves
        ),
    ] = None,
    images: OwnImagesOption = None,
    output: OwnOutputOption = None,
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
    widths: orders.WidthsOption = "",
    parametrization: orders.NameOption = "dynamic",
    r: orders.ROption = None,
    smallest: orders.FromOption = 1000,
    largest: orders.ToOption = 100_000,
    count: orders.CountOption = 5,
    trials: orders.TrialsOption = 20,
    scale: orders.ScaleOption = "1",
    learning_rate: orders.RateOption = 0.1,
    seed: orders.SeedOption = 0,
    tolerance: orders.ToleranceOption = 0.1,
    as_json: JsonOption = False,
) -> None:
    """Measure one step of a curve of the configuration or, with --widths, of a profile of your own."""
    orders.check_probe_use(context)
    if curve is not None:
        load(ProbeStage, config).probe.curve(curve)
        place = output or own_place(config, "probe", f"{curve}.csv")
        probe_alignment(curve, probe_images(config, images), place, config, threads, engine or "dense")
        typer.echo(json.dumps({"trials": str(place)}) if as_json else f"Trials: {place}")
        return
    settings: dict[str, object] = {
        "widths": {"smallest": smallest, "largest": largest, "count": count},
        "trials": trials,
        "engine": engine or "law",
        "learning_rate": learning_rate,
        "seed": seed,
    }
    profile = (widths, parametrization, r, scale)
    orders.probe_profile(profile, settings, output, threads, tolerance, as_json=as_json)


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

    from dynparam.data.images import load_pair
    from dynparam.provenance import record
    from dynparam.support import tables
    from dynparam.trials import images as measurement_images
    from dynparam.trials import one_step

    started = time.monotonic()
    settings = load(ProbeStage, config)
    torch.set_num_threads(threads)
    trial_images = measurement_images.TrialImages(settings, load_pair(images))
    log = one_step.trial_log_path(output, settings, curve, images, engine)
    table = one_step.measure_curve(settings, curve, trial_images, log, engine)
    tables.write_csv(table, output)
    record.write_sidecar(
        output.with_suffix(".json"), [output], settings, inputs=[images], started=started
    )
    log.unlink(missing_ok=True)


@app.command("expect", epilog=examples("dynparam expect fig3_3_dynamic"))
def expect_slopes(
    curve: CurveArgument,
    images: OwnImagesOption = None,
    output: OwnOutputOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Compute the mean-field alignments of a curve at its widths."""
    from dynparam.data.images import load_pair, square_norms
    from dynparam.experiments.alignments import expected as expectation
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(ProbeStage, config)
    pair = probe_images(config, images)
    place = output or own_place(config, "expected", f"{curve}.csv")
    norms = square_norms(load_pair(pair).train_images, settings.inputs.normalization)
    tables.write_csv(expectation.expected_values(settings, curve, norms), place)
    record.write_sidecar(place.with_suffix(".json"), [place], settings, inputs=[pair], started=started)


@app.command(
    "fit", epilog=examples("dynparam fit results/own/probe/fig3_3_dynamic.csv --output slopes.csv")
)
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
    from dynparam.experiments.alignments import fits
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(FitStage, config)
    table = fits.fit_curve(tables.read_csv(trials), settings.fit, smallest=smallest, errors=errors)
    tables.write_csv(table, output)
    record.write_sidecar(
        output.with_suffix(".json"), [output], settings, inputs=[trials], started=started
    )


@app.command(
    "compare",
    epilog=examples(
        "dynparam compare",
        "dynparam compare --results results --json",
        "dynparam compare --measured alignments.csv --expected expected.csv --tolerance 0.1",
    ),
)
def compare(
    results: Annotated[
        Path | None,
        typer.Option(
            "--results", help="Directory with fits/, expected/ and law/.", show_default="paths.results"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="CSV to write; Markdown and HTML go beside that of --results.",
            show_default="below results/own; none with --measured",
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    measured: Annotated[
        Path | None,
        typer.Option("--measured", help="A table of your own: layer, n, trial, alignment."),
    ] = None,
    expected: Annotated[
        Path | None, typer.Option("--expected", help="What it should be: layer, n, alignment.")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option("--tolerance", min=0, help="Of slopes.", show_default="comparison.tolerance"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare measured with expected slopes: those of the thesis's curves, or of tables of your own."""
    if measured is None:
        if expected is not None or tolerance is not None:
            raise ConfigError("compare --expected and --tolerance need --measured; add it")
        place = output or own_place(config, "comparison", "slopes.csv")
        compare_slopes(results or load(Config, config).paths.results, place, config, as_json=as_json)
    elif results is not None:
        raise ConfigError("compare takes --results or --measured, not both; leave one out")
    else:
        compare_tables(measured, expected, tolerance, output, config, as_json=as_json)


def compare_tables(
    measured: Path,
    expected: Path | None,
    tolerance: float | None,
    output: Path | None,
    config: list[str],
    *,
    as_json: bool,
) -> None:
    """Slopes of a table of one's own, layer by layer, against those of another."""
    from dynparam.experiments.alignments import own_tables
    from dynparam.experiments.alignments.settings import OwnComparisonStage
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(OwnComparisonStage, config)
    if tolerance is not None:
        settings = settings.with_tolerance(tolerance)
    require([measured, *([expected] if expected else [])], "dynparam probe, dynparam expect")
    inputs = [tables.read_csv(path) for path in (measured, expected) if path is not None]
    table = own_tables.compare_tables(settings, *inputs)
    if output is not None:
        tables.write_csv(table, output)
        record.write_sidecar(
            output.with_suffix(".json"),
            [output],
            settings,
            inputs=[path for path in (measured, expected) if path is not None],
            started=started,
        )
    shown = own_tables.as_json if as_json else own_tables.as_text
    typer.echo(shown(table), nl=False)


def compare_slopes(results: Path, output: Path, config: list[str], *, as_json: bool = False) -> None:
    """Assemble the comparison table: CSV, Markdown and HTML beside each other."""
    from dynparam.experiments.alignments import comparison, page
    from dynparam.provenance import record
    from dynparam.support import tables

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
    require(
        [path for paths in (*window.values(), *wide.values()) for path in paths],
        "snakemake --cores all comparison",
    )
    known, known_wide = (
        {
            curve: comparison.CurveResults(*(tables.read_csv(path) for path in paths))
            for curve, paths in places.items()
        }
        for places in (window, wide)
    )
    table = comparison.compare(settings, known, known_wide)
    written = page.write_comparison(table, output, settings)
    sentence = page.summary_sentence(table, settings)
    if as_json:
        verdicts = {str(key): int(count) for key, count in table["verdict"].value_counts().items()}
        sentence = json.dumps({"table": str(output), "verdicts": verdicts, "summary": sentence})
    typer.echo(sentence)
    record.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=[path for paths in (*window.values(), *wide.values()) for path in paths],
        started=started,
    )


@plot.command(
    "probe",
    epilog=examples("dynparam plot probe fig3_2 --results results --output fig3_2.png"),
)
def plot_figure(
    figure: Annotated[
        str, typer.Argument(help="Name of a figure in panels.", autocompletion=complete_panels)
    ],
    results: Annotated[
        Path, typer.Option("--results", help="Directory with probe/, fits/ and expected/.")
    ],
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw a figure of the one-step probe (Figs. 3.2 and 3.3)."""
    from dynparam.experiments.alignments import figure as figures
    from dynparam.presentation import figure_style
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(FigureStage, config)
    panels = panels_of(settings.panels, figure)
    inputs = {
        curve: [results / kind / f"{curve}.csv" for kind in ("probe", "fits", "expected")]
        for curve in panels
    }
    require([path for paths in inputs.values() for path in paths], f"snakemake --cores all {figure}")
    plotted = {
        curve: figures.plotted_data(*(tables.read_csv(path) for path in paths))
        for curve, paths in inputs.items()
    }
    picture = figures.probe_figure({settings.figures.titles[curve]: plotted[curve] for curve in panels})
    written = figure_style.save(picture, figure_style.stack(plotted), output, settings.figures.dpi)
    record.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=[path for paths in inputs.values() for path in paths],
        started=started,
    )


@plot.command("architecture", epilog=examples("dynparam plot architecture fig3_1 --output fig3_1.png"))
def plot_architecture(
    figure: Annotated[
        str,
        typer.Argument(
            help="Name of a figure in figures.architecture.", autocompletion=complete_architecture
        ),
    ],
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw the hidden layers of the thesis's network (Fig. 3.1)."""
    from dynparam.experiments.architecture import figure as figures_figure
    from dynparam.presentation import figure_style
    from dynparam.provenance import record
    from dynparam.theory.widths import bottleneck

    started = time.monotonic()
    settings = load(ArchitectureStage, config)
    shown = settings.figures.architecture_figure(figure)
    widths = bottleneck(shown.n, shown.n_min, hidden=settings.network.hidden)
    written = figure_style.save(
        figures_figure.architecture_figure(widths),
        figures_figure.architecture_data(widths),
        output,
        settings.figures.dpi,
    )
    record.write_sidecar(output.with_suffix(".json"), written, settings, started=started)
