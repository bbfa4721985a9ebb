"""The command line: what the workflow's rules call, and what people call by hand.

Most commands are stages of the workflow (``cli/stage.py``); the modules beside this one have the others.
Every command imports what it needs inside its function: ``--help`` and a dry run stay quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dynparam import __version__
from dynparam.cli import cluster, crate, data, demo, orders, probe, publish, training, verify
from dynparam.cli.help import RUN, App, wrong_usage
from dynparam.cli.options import EXIT_CODES, examples
from dynparam.cli.stage import add
from dynparam.cli.telling import tell, tell_error, tell_fault
from dynparam.configuration.loading import json_schema
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.report.stages import STAGES
from dynparam.support.errors import DynparamError

app = App(epilog=EXIT_CODES)
GROUPS = {
    "": app,
    "data": data.app,
    "report": App(help="A finished run: on one page, and beside the published one."),
    "plot": App(help="Draw the figures."),
    "arms": App(help="Train runs that differ in rate, decay or updates."),
}
"""Groups of commands by name; the empty one is the program."""

# An experiment's own group needs no line here.
for experiment in EXPERIMENTS:
    for stage in experiment.stages:
        if stage.group not in GROUPS:
            GROUPS[stage.group] = App(help=experiment.title)

BY_HAND = {
    "archive",
    "audit",
    "collect",
    "compare",
    "crate",
    "data extract",
    "data retrieve",
    "expect",
    "probe",
    "train",
}
"""Stages whose commands differ when people call them: most find their files themselves."""

for name, group in GROUPS.items():
    if name:
        app.add_typer(group, name=name, rich_help_panel=RUN if name == "data" else None)
for part in (demo, probe, orders, training, verify, publish, crate, cluster):
    app.add_typer(part.app)
add(GROUPS, (stage for stage in STAGES.values() if stage.command not in BY_HAND))


def _show_version(wanted: bool) -> None:
    if wanted:
        tell(f"dynparam {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Reproduce a thesis on learning in networks of very different hidden widths."""


@app.command("schema", group=RUN, epilog=examples("dynparam schema --output config.schema.json"))
def write_schema(
    output: Annotated[Path, typer.Option("--output", help="JSON file to write.")],
) -> None:
    """Write the JSON Schema of the configuration."""
    from dynparam.support.files import write_text

    write_text(output, json_schema())


def main() -> None:
    """Run the command line; errors are one sentence on standard error and an exit code."""
    try:
        code = app(standalone_mode=False)
    except DynparamError as error:
        tell_error(str(error))
        code = error.exit_code
    except typer.TyperException as error:
        tell_error(wrong_usage(error))
        code = error.exit_code
    except ModuleNotFoundError:  # told by whoever called the program, which may lack it altogether
        raise
    except Exception as error:
        tell_fault(error)
        code = 1
    sys.exit(code or 0)
