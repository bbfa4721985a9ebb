"""Commands around the exact-law engine's figures; registered by ``cli/main.py``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, FigureOption, complete_wide, examples
from dynparam.configuration.loading import load
from dynparam.experiments.alignments.settings import WideFigureStage
from dynparam.settings.shared import panels_of

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
    from dynparam.experiments.alignments import expected as expectation
    from dynparam.experiments.alignments import wide_figure
    from dynparam.presentation import figure_style
    from dynparam.provenance import record
    from dynparam.settings.base import named
    from dynparam.support import tables

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
        known = wide_figure.WideCurve(law, dense, expected, exponents)
        plotted[curve] = wide_figure.plotted_data(known, settings.law.sliding, settings.fit.confidence)
    picture = wide_figure.wide_figure(
        {settings.figures.titles[curve]: table for curve, table in plotted.items()}
    )
    written = figure_style.save(picture, figure_style.stack(plotted), output, settings.figures.dpi)
    record.write_sidecar(
        output.with_suffix(".json"),
        written,
        settings,
        inputs=[path for paths in inputs.values() for path in paths],
        started=started,
    )
