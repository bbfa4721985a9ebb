"""The command line: what the workflow's rules call, and what people call by hand.

Arguments in, one library call, files out; the commands are in ``cli_*.py``. Every command imports what
it needs inside its function: ``--help`` and a dry run stay quick, and a command's code digest
(``stages.py``) covers exactly the modules it can reach.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dynparam import (
    __version__,
    cli_cluster,
    cli_crate,
    cli_data,
    cli_findings,
    cli_law,
    cli_ledger,
    cli_orders,
    cli_probe,
    cli_report,
    cli_sweep,
    cli_theory,
    cli_training,
    cli_verify,
)
from dynparam.cli_options import EXIT_CODES, examples
from dynparam.errors import DynparamError
from dynparam.loading import json_schema

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
)
plot = typer.Typer(help="Draw the figures.", no_args_is_help=True)
app.add_typer(cli_data.app, name="data")
app.add_typer(cli_probe.app)
app.add_typer(cli_theory.app)
app.add_typer(cli_training.app)
app.add_typer(cli_orders.app)
app.add_typer(cli_sweep.app)
app.add_typer(cli_findings.app)
app.add_typer(cli_verify.app)
app.add_typer(cli_crate.app)
app.add_typer(cli_cluster.app)
app.add_typer(cli_ledger.app, name="ledger")
app.add_typer(cli_report.app, name="report")
app.add_typer(plot, name="plot")
for part in (cli_probe, cli_law, cli_theory, cli_training, cli_orders, cli_sweep, cli_ledger):
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
    from dynparam.files import write_text

    write_text(output, json_schema())


def main() -> None:
    """Run the command line; errors are one sentence on standard error and an exit code."""
    try:
        app()
    except DynparamError as error:
        print(f"dynparam: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
