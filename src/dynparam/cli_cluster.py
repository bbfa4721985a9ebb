"""What a cluster wants to know: what jobs ask for, and what training costs; registered by ``cli.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli_options import DEFAULT_CONFIG, ConfigOption, JsonOption, examples
from dynparam.config import Config
from dynparam.loading import load

app = typer.Typer()


@app.command("cost", epilog=examples("dynparam cost", "dynparam cost --json"))
def tell_cost(
    archive: Annotated[
        Path | None,
        typer.Option(
            "--archive", help="Archive of curves.", show_default="training.archive of the configuration"
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Tell what training costs on which machine, from the times of the archived runs.

    Core hours and, once a run on a GPU is archived, GPU hours: of a run, of 100 seeds, of both figures.
    """
    from dynparam import cost

    settings = load(Config, config)
    table = cost.costs(archive or settings.training.archive)
    run = settings.for_run(next(iter(settings.data.pairs)), settings.protocol.network_name)
    write = cost.as_json if as_json else cost.as_text
    typer.echo(write(table, run))


@app.command("resources", epilog=examples("dynparam resources", "dynparam resources --write"))
def tell_resources(
    benchmarks: Annotated[
        Path, typer.Option("--benchmarks", help="Benchmarks that a run of the workflow has kept.")
    ] = Path("results/benchmarks"),
    needs: Annotated[
        Path, typer.Option("--needs", help="What the rules were measured to need (.yaml).")
    ] = Path("workflow/resources.yaml"),
    write: Annotated[
        bool, typer.Option("--write", help="Put what the benchmarks say into the file of --needs.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Hold what jobs ask a cluster for against what they used.

    Exits with 1 if a rule asks for less than its jobs used, times the factors of the file of --needs.
    """
    from dynparam import job_resources, resource_report

    requests = job_resources.read_needs(needs)
    measured = resource_report.measure(benchmarks)
    if write:
        requests = resource_report.updated(requests, measured)
        job_resources.write_needs(needs, requests)
    table = resource_report.comparison(requests, measured)
    typer.echo(resource_report.as_json(table) if as_json else resource_report.as_text(table))
    if not table["enough"].all():
        raise typer.Exit(1)
