"""What the examples share: options, inputs, and files whose provenance is written down."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import BaseModel
from torch import Tensor, nn

from dynparam.errors import DynparamError
from dynparam.figures import save
from dynparam.images import Bytes, Pair, load_pair, normalize
from dynparam.provenance import write_sidecar


class Measure(Protocol):
    """The work of an example."""

    def __call__(self, settings: Any, pair: Pair) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Settings and images in; a tidy table of what was measured, and facts about the images."""
        ...


class Report(Protocol):
    """What an example prints."""

    def __call__(self, runs: pd.DataFrame, settings: Any, facts: dict[str, Any]) -> str:
        """The text, from nothing but what ``Measure`` returned and the settings."""
        ...


class Draw(Protocol):
    """The figure of an example."""

    def __call__(self, runs: pd.DataFrame, facts: dict[str, Any]) -> Figure:
        """The figure, from nothing but what ``Measure`` returned."""
        ...


def inputs(images: Bytes, side: int) -> Tensor:
    """Network inputs (N, 3 side^2) from images (N, 3, 32, 32), averaged over squares of pixels."""
    pixels = torch.tensor(normalize(images, "half_range"), dtype=torch.float32)
    return nn.functional.avg_pool2d(pixels.reshape(-1, 3, 32, 32), 32 // side).flatten(1)


def run(
    name: str,
    full: BaseModel,
    quick: BaseModel,
    measure: Measure,
    report: Report,
    draw: Draw,
    arguments: Sequence[str] | None = None,
) -> None:
    """Measure, print, draw and write ``name`` .csv, .png, .pdf and .json, as the options say.

    ``arguments`` stand for those of the command line. A ``DynparamError`` becomes a message and exit
    status 1.
    """
    options = _options(name, arguments)
    settings = quick if options.quick else full
    started, cpu_started = time.monotonic(), time.process_time()
    png = options.output / f"{name}.png"
    try:
        runs, facts = measure(settings, load_pair(options.images))
        print(report(runs, settings, facts))
        outputs = save(draw(runs, facts), runs, png, dpi=200)
        write_sidecar(
            png.with_suffix(".json"),
            outputs,
            settings,
            inputs=[options.images],
            started=started,
            cpu_seconds=round(time.process_time() - cpu_started, 1),
            facts=facts,
        )
    except DynparamError as error:
        sys.exit(str(error))


def _options(name: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"The worked example {name}.")
    parser.add_argument(
        "--images",
        type=Path,
        default=Path("data/processed/airplane-automobile.npz"),
        help="an extracted pair of classes (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("results/examples"),
        help="directory for figure, table and provenance (default: %(default)s)",
    )
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    return parser.parse_args(arguments)
