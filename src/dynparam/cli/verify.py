"""The command that verifies files against their sidecars; registered by ``cli/main.py``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.help import RUN, App
from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, examples
from dynparam.cli.telling import tell
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.report.stages import STAGES

app = App()


@app.command(
    "verify",
    group=RUN,
    epilog=examples(
        "dynparam verify figures/fig3_2.png",
        "dynparam verify figures --redraw",
        "dynparam verify results/comparison/slopes.csv --json",
    ),
)
def verify_files(
    paths: Annotated[
        list[Path], typer.Argument(help="Figures, tables, pages or sidecars; or directories of them.")
    ],
    root: Annotated[
        Path | None,
        typer.Option("--root", help="The run's directory.", show_default="found from the sidecar"),
    ] = None,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Make the files again and compare every byte and pixel.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="List what agrees too, one line for each thing compared.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say whether files still agree with their sidecars and with all they were made from.

    Exit code 0: all that is recorded agrees. 1: something differs. 3: a file is not here.
    """
    from dataclasses import replace

    from rich.console import Console

    from dynparam.configuration.choices import load_open_choices
    from dynparam.configuration.jobs import ConfiguredStages
    from dynparam.provenance import remaking, verification, verification_tree

    settings = load(Config, config)
    choices = load_open_choices(Path("config/open_choices.yaml"), settings)
    configured = ConfiguredStages(settings, choices, STAGES)
    verifier = verification.Verifier(configured, root)
    repeatable = {tuple(stage.command.split()) for stage in STAGES.values() if stage.repeatable}
    checked = [verifier.check(path) for path in verification.wanted_files(paths)]
    if redraw:
        checked = [
            replace(node, findings=(*node.findings, *remaking.make_again(node, repeatable)))
            for node in checked
        ]
    if as_json:
        tell(verification_tree.as_json(checked), nl=False)
    else:
        # In a file or a pipe, one line for each finding.
        console = Console(highlight=False, width=None if sys.stdout.isatty() else 1000)
        for node in checked:
            console.print(verification_tree.tree(node, every=every))
    raise typer.Exit(verification_tree.exit_code(checked))
