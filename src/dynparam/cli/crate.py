"""The command that exports a finished run as an RO-Crate; registered by ``cli/main.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, examples
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load

app = typer.Typer()


@app.command("crate", epilog=examples("dynparam crate run.zip", "dynparam crate run --root ."))
def export_crate(
    output: Annotated[Path, typer.Argument(help="Zip file, or new directory, to write.")],
    root: Annotated[
        Path, typer.Option("--root", help="The run's directory: the repository's.")
    ] = Path(),
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Export a finished run as an RO-Crate: figures, tables, sidecars, configuration, workflow."""
    from dynparam.provenance import crate

    settings = load(Config, config)
    pages = [page for page in (settings.open_choices.page, settings.findings.page) if page is not None]
    run = crate.read_run(root.absolute(), settings.paths, pages)
    crate.write_crate(run, output)
    files = sum(1 for path in run.results())
    typer.echo(f"{output}: {files} files of {len(run.records)} stages")
