"""What a cluster wants to know: what jobs ask for, and what training costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.help import RUN, App
from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, examples
from dynparam.cli.telling import tell
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load

app = App()


@app.command("cost", group=RUN, epilog=examples("dynparam cost"))
def tell_cost(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Tell what training costs on which machine, from the times of the archived runs.

    Core hours and, once a run on a GPU is archived, GPU hours: of a run, of 100 seeds, of both figures.
    """
    from dynparam.cluster.cost import cost_table

    settings = load(Config, config)
    tell(cost_table(settings.training.archive, settings.protocol.network_name))


@app.command("resources", group=RUN, epilog=examples("dynparam resources", "dynparam resources --write"))
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
    tell(usage.as_json(table) if as_json else usage.as_text(table))
    if not table["enough"].all():
        raise typer.Exit(1)
