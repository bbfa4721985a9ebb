"""What a cluster wants to know: what jobs ask for, and what training costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, examples
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.training.settings import for_run

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
    from dynparam.cluster import cost

    settings = load(Config, config)
    table = cost.costs(archive or settings.training.archive)
    run = for_run(settings, next(iter(settings.data.pairs)), settings.protocol.network_name)
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
    from dynparam.cluster import requests as job_resources
    from dynparam.cluster import usage

    requests = job_resources.read_needs(needs)
    measured = usage.measure(benchmarks)
    if write:
        requests = usage.updated(requests, measured)
        job_resources.write_needs(needs, requests)
    table = usage.comparison(requests, measured)
    typer.echo(usage.as_json(table) if as_json else usage.as_text(table))
    if not table["enough"].all():
        raise typer.Exit(1)
