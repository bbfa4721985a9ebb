"""Commands around training curves: train, audit, collect, archive, judge, draw, report."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    CurvesArgument,
    DeviceOption,
    FigureOption,
    ImagesOption,
    JsonOption,
    OutputOption,
    OwnImagesOption,
    OwnOutputOption,
    ParametrizationArgument,
    ResultsOption,
    TaskArgument,
    ThreadsOption,
    complete_training,
    examples,
)
from dynparam.cli.places import own_place, pair_images
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.training_curves.settings import ClaimsStage
from dynparam.theory import parametrization as blocks_parametrization
from dynparam.training import settings as blocks_settings
from dynparam.training.settings import AuditStage, RunStage

app = typer.Typer()


plot = typer.Typer()


SeedsOption = Annotated[str, typer.Option("--seeds", help="Such as 0-9 or 0-2,7.")]


@app.command(
    "train",
    epilog=examples(
        "dynparam train airplane-automobile dynamic --seeds 0-2",
        "dynparam train bird-cat spectral --seeds 0 --device cuda --json",
    ),
)
def train(
    task: TaskArgument,
    parametrization: ParametrizationArgument,
    seeds: SeedsOption = "0",
    images: OwnImagesOption = None,
    runs_directory: Annotated[
        Path | None,
        typer.Option(
            "--runs",
            help="Directory for checkpoints and records.",
            show_default="results/training/.runs",
        ),
    ] = None,
    output: OwnOutputOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 2,
    seeds_at_once: Annotated[
        int, typer.Option("--seeds-at-once", min=1, help="Runs trained together on a GPU.")
    ] = 8,
    checkpoint_epochs: Annotated[
        int, typer.Option("--checkpoint-epochs", min=1, help="Epochs between checkpoints.")
    ] = 10,
    as_json: JsonOption = False,
) -> None:
    """Train the runs of some seeds; an interrupted training resumes, finished runs are not repeated."""
    from dynparam.support import tables
    from dynparam.training import summary

    load(RunStage, config).of_task(task)
    pair = pair_images(config, task, images)
    place = output or own_place(config, "training", task, parametrization, f"{seeds}.csv")
    records = runs_directory or load(Config, config).paths.results / "training" / ".runs"
    train_seeds(
        (task, parametrization, seeds),
        pair,
        records,
        place,
        config,
        device,
        threads,
        seeds_at_once,
        checkpoint_epochs,
    )
    found = summary.summarize(tables.read_csv(place))
    if as_json:
        named_so = {"task": task, "parametrization": parametrization, "curves": str(place)}
        typer.echo(json.dumps({**named_so, **found}, indent=2))
    else:
        typer.echo(f"{task}, {parametrization}, {summary.sentence(found)}\nCurves: {place}")


def train_seeds(
    which: tuple[str, blocks_parametrization.ParametrizationName, str],
    images: Path,
    runs_directory: Path,
    output: Path,
    config: list[str],
    device: blocks_settings.Device,
    threads: int,
    seeds_at_once: int,
    checkpoint_epochs: int,
) -> None:
    """Train ``which``: a task under a parametrization, from seeds such as 0-9."""
    import torch

    from dynparam.data.images import load_pair
    from dynparam.provenance import record
    from dynparam.support import tables
    from dynparam.training import run_files, runs
    from dynparam.training import seeds as shards
    from dynparam.training.devices import resolve_device

    started = time.monotonic()
    task, parametrization, seeds = which
    settings = load(RunStage, config).of_task(task)
    torch.set_num_threads(threads)
    plan = runs.Plan(settings, parametrization, resolve_device(device), seeds_at_once, checkpoint_epochs)
    pair = load_pair(images)
    files = run_files.RunFiles(runs_directory, settings, parametrization, images)
    records = runs.train_seeds(plan, shards.parse_seeds(seeds), pair, files)
    tables.write_csv(runs.curve_table(task, parametrization, records), output)
    record.write_sidecar(
        output.with_suffix(".json"),
        [output],
        settings,
        inputs=[images],
        started=started,
        runs=runs.origins(records),
    )


@app.command(
    "audit",
    epilog=examples(
        "dynparam audit airplane-automobile dynamic", "dynparam audit bird-cat spectral --json"
    ),
)
def audit(
    task: TaskArgument,
    parametrization: ParametrizationArgument,
    curves: Annotated[
        Path | None,
        typer.Option(
            "--curves", help="Archived table of curves.", show_default="that of training.archive"
        ),
    ] = None,
    images: OwnImagesOption = None,
    output: OwnOutputOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Train the first epochs of an archived run again, and compare. Exit code 4 if they differ."""
    from dynparam.training.audit_result import read_result

    load(RunStage, config).of_task(task)
    pair = pair_images(config, task, images)
    if curves is None:
        settings = load(Config, config)
        network = settings.protocol.network_name
        curves = settings.training.archive / task / network / f"{parametrization}.csv"
    place = output or own_place(config, "audit", task, f"{parametrization}.json")
    audit_archive((task, parametrization), curves, pair, place, config, device, threads)
    if as_json:
        result = read_result(place)
        typer.echo(json.dumps({**asdict(result), "passed": result.passed}, indent=2))


def audit_archive(
    which: tuple[str, blocks_parametrization.ParametrizationName],
    curves: Path,
    images: Path,
    output: Path,
    config: list[str],
    device: blocks_settings.Device,
    threads: int,
) -> None:
    """Audit the archived curves of ``which``: a task under a parametrization."""
    import torch

    from dynparam.data.images import load_pair
    from dynparam.provenance import record
    from dynparam.training import archive as curve_archive
    from dynparam.training import audit
    from dynparam.training.devices import resolve_device

    started = time.monotonic()
    task, parametrization = which
    settings = load(RunStage, config).of_task(task)
    limits = load(AuditStage, config).training.audit
    torch.set_num_threads(threads)
    archived = curve_archive.read_archive(curves, settings, images)
    result = audit.audit(
        archived, settings, parametrization, load_pair(images), limits, resolve_device(device)
    )
    typer.echo(result.sentence(), err=True)
    record.write_sidecar(
        output, [], settings, inputs=[curves, images], started=started, audit=asdict(result)
    )


@app.command(
    "collect",
    epilog=examples(
        "dynparam collect results/archive/bird-cat/10000-500/dynamic.csv"
        " --images data/processed/bird-cat.npz --audit audit.json --output dynamic.csv"
    ),
)
def collect_curves(
    curves: CurvesArgument,
    images: ImagesOption,
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    audit: Annotated[
        Path | None, typer.Option("--audit", help="Result of the audit of archived curves.")
    ] = None,
) -> None:
    """Collect curves of one task and parametrization, from shards or from the archive."""
    from dynparam.provenance import record
    from dynparam.support import tables
    from dynparam.training import archive as curve_archive
    from dynparam.training import audit_result, origins

    started = time.monotonic()
    settings = load(RunStage, config)
    merged = curve_archive.merge_curves([curve_archive.read_curves(path) for path in curves])
    checked = None if audit is None else audit_result.read_result(audit)
    tables.write_csv(merged.table, output)
    record.write_sidecar(
        output.with_suffix(".json"),
        [output],
        settings,
        inputs=[*curves, images, *([audit] if audit else [])],
        started=started,
        **origins.source_details(merged, checked),
    )


@app.command(
    "archive",
    epilog=examples(
        "dynparam archive --archive results/archive/bird-cat/10000-500/dynamic.csv"
        " --images data/processed/bird-cat.npz"
    ),
)
def extend_archive(
    archive: Annotated[Path, typer.Option("--archive", help="Archived table to make or extend.")],
    images: ImagesOption,
    curves: Annotated[list[Path] | None, typer.Argument(help="Tables of curves to add.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Add runs to the archived curves of a task and parametrization."""
    from dynparam.provenance import record
    from dynparam.support import tables
    from dynparam.training import archive as curve_archive

    started = time.monotonic()
    settings = load(RunStage, config)
    old = [curve_archive.read_archive(archive, settings, images)] if archive.exists() else []
    new = [curve_archive.read_archive(path, settings, images) for path in curves or []]
    merged = curve_archive.merge_curves([*old, *new])
    if new:
        tables.write_csv(merged.table, archive)
        record.write_sidecar(
            archive.with_suffix(".json"),
            [archive],
            settings,
            inputs=[images],
            started=started,
            runs=list(merged.origins),
        )
    typer.echo(f"{archive}: {len(merged.seeds)} seeds, {sum(len(part.seeds) for part in new)} new")


@app.command(
    "claims",
    epilog=examples("dynparam claims --results results --output claims.csv"),
)
def judge_claims(
    results: ResultsOption,
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Judge the claims on training curves: paired differences, intervals, effect sizes, verdicts."""
    from dynparam.experiments.training_curves import claims, page
    from dynparam.provenance import record
    from dynparam.training import origins
    from dynparam.training.archive import read_curves

    started = time.monotonic()
    settings = load(ClaimsStage, config)
    files = {
        (figure, name): results / "training" / task / f"{name}.csv"
        for figure, task in settings.figures.training.items()
        for name in settings.training.parametrizations
    }
    table = claims.judge_all(settings, {key: read_curves(path).table for key, path in files.items()})
    sentences = origins.audit_sentences(
        {f"{settings.figures.training[figure]}, {name}": path for (figure, name), path in files.items()}
    )
    written = page.write_claims(table, output, sentences, settings)
    record.write_sidecar(
        output.with_suffix(".json"), written, settings, inputs=list(files.values()), started=started
    )


@plot.command(
    "curves", epilog=examples("dynparam plot curves fig3_4 --results results --output fig3_4.png")
)
def plot_curves(
    figure: Annotated[
        str,
        typer.Argument(help="Name of a figure in figures.training.", autocompletion=complete_training),
    ],
    results: ResultsOption,
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw a figure of training curves (Figs. 3.4 and 3.5)."""
    from dynparam.experiments.training_curves import figure as curve_figures
    from dynparam.presentation import figure_style
    from dynparam.provenance import record
    from dynparam.training import origins
    from dynparam.training.archive import read_curves

    started = time.monotonic()
    settings = load(ClaimsStage, config)
    task = settings.figures.training_figure(figure)
    files: dict[str, Path] = {
        name: results / "training" / task / f"{name}.csv" for name in settings.training.parametrizations
    }
    plotted = curve_figures.plotted_curves(
        {name: read_curves(path).table for name, path in files.items()}
    )
    caption = origins.caption(files, settings.training.seeds)
    picture = curve_figures.training_figure(task, plotted, caption)
    written = figure_style.save(picture, plotted, output, settings.figures.dpi)
    record.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=list(files.values()),
        started=started,
        caption=caption,
    )


@plot.command(
    "domain", epilog=examples("dynparam plot domain --results results --output claim_domain.png")
)
def plot_domain(
    results: ResultsOption,
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw where the claims on training curves hold: the domain study."""
    from dynparam.experiments.training_curves import domain, domain_figure
    from dynparam.presentation import figure_style
    from dynparam.provenance import record
    from dynparam.training.archive import read_curves

    started = time.monotonic()
    settings = load(ClaimsStage, config)
    files = domain.domain_files(settings, results / "training")
    curves = {
        key: (read_curves(first).table, read_curves(second).table)
        for key, (first, second) in files.items()
    }
    table = domain.domain_table(settings, curves)
    reference = (settings.protocol.n, settings.protocol.n_min)
    picture = domain_figure.domain_figure(table, reference)
    plotted = domain_figure.domain_data(table, reference)
    written = figure_style.save(picture, plotted, output, settings.figures.dpi)
    record.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=[path for paths in files.values() for path in paths],
        started=started,
    )


@app.command("status", epilog=examples("dynparam status", "dynparam status --json"))
def report_status(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List which training runs are done, running, interrupted or failed, and the time left."""
    from dynparam.training import status

    report = status.report_json if as_json else status.report
    typer.echo(report(load(Config, config)), nl=False)
