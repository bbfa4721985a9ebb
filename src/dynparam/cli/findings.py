"""The command that writes the findings; registered by ``cli/main.py``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, OutputOption, examples
from dynparam.configuration.config import FindingsStage
from dynparam.configuration.loading import load

app = typer.Typer()


@app.command(
    "findings",
    epilog=examples(
        "dynparam findings --results results --conditions figures/conditions.csv"
        " --curves figures/fig3_4.csv --output findings.md"
    ),
)
def write_findings(
    results: Annotated[
        Path,
        typer.Option(
            "--results", help="Directory with comparison/, table1_1/, sweep/ and open_choices/."
        ),
    ],
    conditions: Annotated[Path, typer.Option("--conditions", help="Plotted data of the conditions.")],
    curves: Annotated[Path, typer.Option("--curves", help="Plotted data of a figure of training.")],
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    domain: Annotated[
        Path | None, typer.Option("--domain", help="Plotted data of the domain study, if it is made.")
    ] = None,
) -> None:
    """Write the findings, their numbers filled in from finished tables."""
    from dynparam.provenance import record
    from dynparam.report import findings
    from dynparam.support import files, tables

    started = time.monotonic()
    settings = load(FindingsStage, config)
    places = {
        "slopes": results / "comparison" / "slopes.csv",
        "claims": results / "comparison" / "claims.csv",
        "table1_1": results / "table1_1" / "table1_1.csv",
        "conditions": conditions,
        "edges": results / "sweep" / "edges.csv",
        "changes": results / "open_choices" / "changes.csv",
    }
    evidence = findings.Evidence(
        **{name: tables.read_csv(path) for name, path in places.items()},
        domain=tables.read_csv(domain) if domain else None,
        seeds=int(tables.read_csv(curves)["seeds"].max()),
    )
    files.write_text(output, findings.page(evidence, settings))
    record.write_sidecar(
        output.with_suffix(".json"),
        [output],
        settings,
        inputs=[*places.values(), curves, *([domain] if domain else [])],
        started=started,
    )
