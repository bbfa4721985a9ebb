"""Commands around the exact-law engine's figures; registered by ``cli.py``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.blocks import panels_of
from dynparam.cli_options import DEFAULT_CONFIG, ConfigOption, FigureOption, complete_wide, examples
from dynparam.config_stages import WideFigureStage
from dynparam.loading import load

plot = typer.Typer()


@plot.command(
    "wide", epilog=examples("dynparam plot wide fig3_2_wide --results results --output wide.png")
)
def plot_wide(
    figure: Annotated[
        str, typer.Argument(help="Name of a figure in law.figures.", autocompletion=complete_wide)
    ],
    results: Annotated[
        Path, typer.Option("--results", help="Directory with law/probe/wide/, law/expected/ and probe/.")
    ],
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw a figure of the one-step probe at the widths of the law engine."""
    from dynparam import expectation, figures, provenance, tables, wide_figures
    from dynparam.blocks import named

    started = time.monotonic()
    settings = load(WideFigureStage, config)
    curves = panels_of(settings.panels, named(settings.law.figures, figure, "law.figures"))
    inputs = {
        curve: [
            results / place / f"{curve}.csv" for place in ("law/probe/wide", "probe", "law/expected")
        ]
        for curve in curves
    }
    plotted = {}
    for curve, paths in inputs.items():
        law, dense, expected = (tables.read_csv(path) for path in paths)
        exponents = expectation.asymptotic_exponents(settings.network, settings.probe.curve(curve))
        known = wide_figures.WideCurve(law, dense, expected, exponents)
        plotted[curve] = wide_figures.plotted_data(known, settings.law.sliding, settings.fit.confidence)
    picture = wide_figures.wide_figure(
        {settings.figures.titles[curve]: table for curve, table in plotted.items()}
    )
    written = figures.save(picture, figures.stack(plotted), output, settings.figures.dpi)
    provenance.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=[path for paths in inputs.values() for path in paths],
        started=started,
    )
