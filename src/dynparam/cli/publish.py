"""The command that publishes figures and pages of a run; registered by ``cli/main.py``."""

from __future__ import annotations

from typing import Annotated

import typer

from dynparam.cli.help import RUN, App
from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, examples
from dynparam.cli.telling import tell
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load

app = App()


@app.command(
    "publish",
    group=RUN,
    epilog=examples("dynparam publish", "dynparam publish fig3_2 findings"),
)
def publish_run(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Figures and pages.", show_default="all of them"),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Copy figures and pages of a finished run, with their sidecars, to where the repository keeps them.

    The code must be committed, now and when they were made.
    """
    from dynparam.provenance.record import git_state
    from dynparam.report.publishing import publish

    tell(publish(load(Config, config), names or (), git_state()))
