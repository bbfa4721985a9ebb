"""The command of the report; registered by ``cli/main.py``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, OutputOption, examples
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load

app = typer.Typer(help="Put a finished run on one page.", no_args_is_help=True)


@app.command("page", epilog=examples("dynparam report page --output report.html"))
def assemble_report(
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    captions: Annotated[
        Path, typer.Option("--captions", help="Directory with the figures' captions.")
    ] = Path("workflow/report"),
) -> None:
    """Assemble the report, one HTML page that needs no network and no other file."""
    from dynparam.provenance import record
    from dynparam.report import page
    from dynparam.support import files

    started = time.monotonic()
    sources = page.Sources(load(Config, config), captions)
    files.write_text(output, page.page(sources))
    record.write_sidecar(
        output.with_suffix(".json"),
        [output],
        sources.settings,
        inputs=sources.inputs(),
        started=started,
    )
