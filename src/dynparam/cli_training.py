"""Commands around training curves: train, audit, collect, archive, judge, draw, report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli_options import (
    DEFAULT_CONFIG,
    ConfigOption,
    CurvesArgument,
    DeviceOption,
    FigureOption,
    ImagesOption,
    OutputOption,
    ParametrizationArgument,
    ResultsOption,
    TaskArgument,
    ThreadsOption,
)
from dynparam.config import Config
from dynparam.config_stages import AuditStage, ClaimsStage, RunStage
from dynparam.loading import load

app = typer.Typer()
plot = typer.Typer()


@app.command("train")
def train_seeds(
    task: TaskArgument,
    parametrization: ParametrizationArgument,
    seeds: Annotated[str, typer.Option("--seeds", help="Such as 0-9 or 0-2,7.")],
    images: ImagesOption,
    runs_directory: Annotated[
        Path, typer.Option("--runs", help="Directory for checkpoints and records.")
    ],
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 2,
    seeds_at_once: Annotated[
        int, typer.Option("--seeds-at-once", min=1, help="Runs trained together on a GPU.")
    ] = 8,
    checkpoint_epochs: Annotated[
        int, typer.Option("--checkpoint-epochs", min=1, help="Epochs between checkpoints.")
    ] = 10,
) -> None:
    """Train the runs of some seeds; an interrupted training resumes, finished runs are not repeated."""
    import torch

    from dynparam import provenance, run_files, runs, shards, tables
    from dynparam.devices import resolve_device
    from dynparam.images import load_pair

    started = time.monotonic()
    settings = load(RunStage, config).of_task(task)
    torch.set_num_threads(threads)
    plan = runs.Plan(settings, parametrization, resolve_device(device), seeds_at_once, checkpoint_epochs)
    pair = load_pair(images)
    files = run_files.RunFiles(runs_directory, settings, parametrization, images)
    records = runs.train_seeds(plan, shards.parse_seeds(seeds), pair, files)
    tables.write_csv(runs.curve_table(task, parametrization, records), output)
    provenance.write_sidecar(
        output.with_suffix(".json"),
        [output],
        settings,
        inputs=[images],
        started=started,
        runs=runs.origins(records),
    )


@app.command("audit")
def audit_archive(
    task: TaskArgument,
    parametrization: ParametrizationArgument,
    curves: Annotated[Path, typer.Option("--curves", help="Archived table of curves.")],
    images: ImagesOption,
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 2,
) -> None:
    """Train the first epochs of an archived run again, and compare."""
    from dataclasses import asdict

    import torch

    from dynparam import audit, curve_archive, provenance
    from dynparam.devices import resolve_device
    from dynparam.images import load_pair

    started = time.monotonic()
    settings = load(RunStage, config).of_task(task)
    limits = load(AuditStage, config).training.audit
    torch.set_num_threads(threads)
    archived = curve_archive.read_archive(curves, settings, images)
    result = audit.audit(
        archived, settings, parametrization, load_pair(images), limits, resolve_device(device)
    )
    typer.echo(result.sentence(), err=True)
    provenance.write_sidecar(
        output, [], settings, inputs=[curves, images], started=started, audit=asdict(result)
    )


@app.command("collect")
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
    from dynparam import audit_result, collection, curve_archive, provenance, tables

    started = time.monotonic()
    settings = load(RunStage, config)
    merged = curve_archive.merge_curves([curve_archive.read_curves(path) for path in curves])
    checked = None if audit is None else audit_result.read_result(audit)
    tables.write_csv(merged.table, output)
    provenance.write_sidecar(
        output.with_suffix(".json"),
        [output],
        settings,
        inputs=[*curves, images, *([audit] if audit else [])],
        started=started,
        **collection.source_details(merged, checked),
    )


@app.command("archive")
def extend_archive(
    archive: Annotated[Path, typer.Option("--archive", help="Archived table to make or extend.")],
    images: ImagesOption,
    curves: Annotated[list[Path] | None, typer.Argument(help="Tables of curves to add.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Add runs to the archived curves of a task and parametrization."""
    from dynparam import curve_archive, provenance, tables

    started = time.monotonic()
    settings = load(RunStage, config)
    old = [curve_archive.read_archive(archive, settings, images)] if archive.exists() else []
    new = [curve_archive.read_archive(path, settings, images) for path in curves or []]
    merged = curve_archive.merge_curves([*old, *new])
    if new:
        tables.write_csv(merged.table, archive)
        provenance.write_sidecar(
            archive.with_suffix(".json"),
            [archive],
            settings,
            inputs=[images],
            started=started,
            runs=list(merged.origins),
        )
    typer.echo(f"{archive}: {len(merged.seeds)} seeds, {sum(len(part.seeds) for part in new)} new")


@app.command("claims")
def judge_claims(
    results: ResultsOption,
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Judge the claims on training curves: paired differences, intervals, effect sizes, verdicts."""
    from dynparam import claims, claims_page, collection, provenance
    from dynparam.curve_archive import read_curves

    started = time.monotonic()
    settings = load(ClaimsStage, config)
    files = {
        (figure, name): results / "training" / task / f"{name}.csv"
        for figure, task in settings.figures.training.items()
        for name in settings.training.parametrizations
    }
    table = claims.judge_all(settings, {key: read_curves(path).table for key, path in files.items()})
    sentences = collection.audit_sentences(
        {f"{settings.figures.training[figure]}, {name}": path for (figure, name), path in files.items()}
    )
    written = claims_page.write_claims(table, output, sentences, settings)
    provenance.write_sidecar(
        output.with_suffix(".json"), written, settings, inputs=list(files.values()), started=started
    )


@plot.command("curves")
def plot_curves(
    figure: Annotated[str, typer.Argument(help="Name of a figure in figures.training.")],
    results: ResultsOption,
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw a figure of training curves (Figs. 3.4 and 3.5)."""
    from dynparam import collection, curve_figures, figures, provenance
    from dynparam.curve_archive import read_curves

    started = time.monotonic()
    settings = load(ClaimsStage, config)
    task = settings.figures.training_figure(figure)
    files: dict[str, Path] = {
        name: results / "training" / task / f"{name}.csv" for name in settings.training.parametrizations
    }
    plotted = curve_figures.plotted_curves(
        {name: read_curves(path).table for name, path in files.items()}
    )
    caption = collection.caption(files, settings.training.seeds)
    picture = curve_figures.training_figure(task, plotted, caption)
    written = figures.save(picture, plotted, output, settings.figures.dpi)
    provenance.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=list(files.values()),
        started=started,
        caption=caption,
    )


@plot.command("domain")
def plot_domain(
    results: ResultsOption,
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw where the claims on training curves hold: the domain study."""
    from dynparam import claims, curve_figures, figures, provenance
    from dynparam.curve_archive import read_curves

    started = time.monotonic()
    settings = load(ClaimsStage, config)
    files = claims.domain_files(settings, results / "training")
    curves = {
        key: (read_curves(first).table, read_curves(second).table)
        for key, (first, second) in files.items()
    }
    table = claims.domain_table(settings, curves)
    reference = (settings.protocol.n, settings.protocol.n_min)
    picture = curve_figures.domain_figure(table, reference)
    plotted = curve_figures.domain_data(table, reference)
    written = figures.save(picture, plotted, output, settings.figures.dpi)
    provenance.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=[path for paths in files.values() for path in paths],
        started=started,
    )


@app.command("status")
def report_status(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List which training runs are done, running, interrupted or failed, and the time left."""
    from dynparam import status

    typer.echo(status.report(load(Config, config)), nl=False)
