"""The command line: what the workflow's rules call, and what people call by hand.

Arguments in, one library call, files out; the commands are in ``cli_*.py``. Every command imports what
it needs inside its function: ``--help`` and a dry run stay quick, and a command's code digest
(``provenance/code_digest.py``) covers exactly the modules it can reach.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dynparam import __version__
from dynparam.cli import (
    cluster,
    crate,
    data,
    findings,
    law,
    open_choices,
    orders,
    probe,
    report,
    sweep,
    table1_1,
    training,
    verify,
)
from dynparam.cli.options import EXIT_CODES, examples
from dynparam.configuration.loading import json_schema
from dynparam.support.errors import DynparamError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
)


plot = typer.Typer(help="Draw the figures.", no_args_is_help=True)
app.add_typer(data.app, name="data")
app.add_typer(probe.app)
app.add_typer(orders.app)
app.add_typer(training.app)
app.add_typer(table1_1.app)
app.add_typer(sweep.app)
app.add_typer(findings.app)
app.add_typer(verify.app)
app.add_typer(crate.app)
app.add_typer(cluster.app)
app.add_typer(open_choices.app, name="choices")
app.add_typer(report.app, name="report")
app.add_typer(plot, name="plot")


for part in (probe, law, orders, training, table1_1, sweep, open_choices):
    plot.add_typer(part.plot)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dynparam {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Reproduce a thesis on learning in networks of very different hidden widths."""


@app.command("schema", epilog=examples("dynparam schema --output config.schema.json"))
def write_schema(
    output: Annotated[Path, typer.Option("--output", help="JSON file to write.")],
) -> None:
    """Write the JSON Schema of the configuration."""
    from dynparam.support.files import write_text

    write_text(output, json_schema())


def main() -> None:
    """Run the command line; errors are one sentence on standard error and an exit code."""
    try:
        app()
    except DynparamError as error:
        print(f"dynparam: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
