"""The picture of the network."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.architecture.settings import ArchitectureStage, for_architecture
from dynparam.provenance.experiment import Experiment, ShownFigure, titled
from dynparam.provenance.stage import Made, Parameter, Stage

FIGURE = Parameter(
    "figure",
    "Name of a figure in figures.architecture.",
    names=lambda config: config.figures.architecture,
)


def plot_architecture(
    settings: ArchitectureStage, files: tuple[Path, ...], output: Path, figure: str
) -> Made:
    """Draw the hidden layers of the thesis's network (Fig. 3.1)."""
    from dynparam.experiments.architecture.figure import (
        architecture_data,
        architecture_figure,
        architecture_message,
    )
    from dynparam.provenance.drawing import drawn
    from dynparam.theory.widths import bottleneck

    shown = settings.figures.architecture_figure(figure)
    widths = bottleneck(shown.n, shown.n_min, hidden=settings.network.hidden)
    said, data = architecture_message(widths), architecture_data(widths)
    return drawn(partial(architecture_figure, widths), said, data, output, settings.figures)


PLOT = Stage(
    "plot architecture",
    ArchitectureStage,
    plot_architecture,
    parameters=(FIGURE,),
    jobs=lambda config: (for_architecture(config, name) for name in config.figures.architecture),
    examples=("dynparam plot architecture fig3_1 --output fig3_1.png",),
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The pictures of networks that are configured."""
    titles = {"fig3_1": ("Fig. 3.1: the network", "Fig. 3.1, Sec. 3.1")}
    return (titled(titles, name) for name in config.figures.architecture)


EXPERIMENT = Experiment(
    name="architecture",
    title="The network",
    source="Fig. 3.1, Sec. 3.1",
    stages=(PLOT,),
    figures=figures,
)
