"""The command that exports a finished run as an RO-Crate; registered by ``cli/main.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.help import RUN, App
from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, examples
from dynparam.cli.telling import tell
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.provenance.stage import run
from dynparam.report.stages import EXPORT

app = App()


@app.command("crate", group=RUN, epilog=examples(*EXPORT.examples))
def export_crate(
    output: Annotated[Path, typer.Argument(help="Zip file, or new directory, to write.")],
    root: Annotated[
        Path, typer.Option("--root", help="The run's directory: the repository's.")
    ] = Path(),
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Export a finished run as an RO-Crate: figures, tables, sidecars, configuration, workflow."""
    tell(run(EXPORT, load(Config, config), output, root=root).said)
