"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dynparam import blocks

ConfigOption = Annotated[
    list[str],
    typer.Option("--config", help="YAML file or JSON text; repeat to override key by key."),
]
OutputOption = Annotated[Path, typer.Option("--output", help="File to write.")]
ImagesOption = Annotated[Path, typer.Option("--images", help="Extracted pair (.npz).")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, help="Threads to use.")]
EngineOption = Annotated[
    blocks.Engine,
    typer.Option("--engine", help="dense draws the weights; law draws what is seen of them, in O(n)."),
]
DeviceOption = Annotated[blocks.Device, typer.Option("--device", help="Where to train.")]
CurvesArgument = Annotated[list[Path], typer.Argument(help="Tables of curves (.csv).")]
TaskArgument = Annotated[str, typer.Argument(help="Name of a pair in data.pairs.")]
ParametrizationArgument = Annotated[
    blocks.ParametrizationName, typer.Argument(help="Name of a parametrization.")
]
ResultsOption = Annotated[Path, typer.Option("--results", help="Directory with training/.")]
FigureOption = Annotated[Path, typer.Option("--output", help="PNG; PDF, CSV and JSON go beside it.")]

DEFAULT_CONFIG = ["config/thesis.yaml"]
