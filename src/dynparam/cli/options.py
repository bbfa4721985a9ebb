"""Options, arguments and texts of help that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load, over_thesis
from dynparam.settings.reading import THESIS
from dynparam.support.errors import DynparamError
from dynparam.theory.parametrization import NAMES, ParametrizationName
from dynparam.training.settings import Device
from dynparam.trials.settings import Engine

DEFAULT_CONFIG = [THESIS]

EXIT_CODES = (
    "Exit codes: 0 done; 1 bad input, or something failed or differs; 2 wrong usage; 3 a file to verify "
    "is not here; 4 an archived curve is not reproduced; 128 + n stopped by signal n (130: Ctrl-C)."
    "\n\nEvery command works from any directory: where there is no config/thesis.yaml, the package's "
    "own is taken. docs/cli.md tells more."
)


def examples(*lines: str) -> str | None:
    """Example command lines as the end of a command's help; ``None`` if there are none."""
    if not lines:
        return None
    # The mark keeps the lines below it as they are: a broken one could not be copied.
    return "\n".join(["Examples:" if len(lines) > 1 else "Example:", "", "\b", *lines])


def completion(names: Callable[[Any], Iterable[str]]) -> Callable[[str], list[str]]:
    """Completes an argument to names in the configuration of the working directory."""

    def complete(incomplete: str) -> list[str]:
        """Names that begin with what has been typed; none if the configuration cannot be read."""
        try:
            known = names(load(Config, DEFAULT_CONFIG))
        except DynparamError:
            return []
        return [name for name in known if name.startswith(incomplete)]

    return complete


complete_curves = completion(lambda config: config.probe.curves)
complete_tasks = completion(lambda config: config.data.pairs)

ConfigOption = Annotated[
    list[str],
    typer.Option(
        "--config",
        callback=over_thesis,
        show_default=False,
        help="What to change in config/thesis.yaml: a YAML file, KEY=VALUE or JSON text; may be "
        "repeated, a later one wins. only=FILE is taken by itself.",
    ),
]
OutputOption = Annotated[
    Path, typer.Option("--output", help="File to write; of a figure the PNG, the rest goes beside it.")
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, help="Threads to use.")]
EngineOption = Annotated[
    Engine,
    typer.Option(
        "--engine",
        metavar="dense|law",
        help="dense draws the weights; law draws what is seen of them, in O(n).",
    ),
]
DeviceOption = Annotated[
    Device, typer.Option("--device", metavar="|".join(get_args(Device)), help="Where to train.")
]
CurveArgument = Annotated[
    str, typer.Argument(help="Name of a curve in probe.curves.", autocompletion=complete_curves)
]
TaskArgument = Annotated[
    str, typer.Argument(help="Name of a pair in data.pairs.", autocompletion=complete_tasks)
]
ParametrizationArgument = Annotated[
    ParametrizationName, typer.Argument(help=f"One of {', '.join(NAMES)}.")
]
ImagesOption = Annotated[Path, typer.Option("--images", help="Extracted pair (.npz).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

OwnImagesOption = Annotated[
    Path | None,
    typer.Option("--images", help="Extracted pair (.npz).", show_default="that of dynparam data pair"),
]
OwnOutputOption = Annotated[
    Path | None,
    typer.Option("--output", help="File to write.", show_default="below results/own"),
]
