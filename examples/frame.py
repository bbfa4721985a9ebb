"""What the examples share: options, inputs, and files whose provenance is written down."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import BaseModel
from tabulate import tabulate
from torch import Tensor, nn

from dynparam.data.images import Bytes, load_pair, normalize
from dynparam.presentation.figure_style import save
from dynparam.provenance.record import git_state, read_sidecar, write_sidecar
from dynparam.support.errors import DynparamError
from dynparam.support.files import sha256, write_text
from dynparam.support.tables import read_csv

DPI = 200


class Measure(Protocol):
    """The work of an example."""

    def __call__(self, settings: Any, pair: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Settings and images, or ``None``, to a table of what was measured, and facts on the images."""
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
    *,
    needs_images: bool = True,
) -> None:
    """Measure, print, draw and write ``name`` .csv, .png, .svg, .pdf and .json, as the options say.

    ``arguments`` stand for those of the command line. A ``DynparamError`` becomes a message and exit
    status 1.
    """
    options = _options(name, arguments)
    settings = quick if options.quick else full
    started, cpu_started = time.monotonic(), time.process_time()
    png = options.output / f"{name}.png"
    try:
        if options.redraw:
            return redraw(png, draw)
        images = [options.images] if needs_images else []
        runs, facts = measure(settings, load_pair(options.images) if needs_images else None)
        print(report(runs, settings, facts))
        outputs = save(draw(runs, facts), runs, png, dpi=DPI)
        write_sidecar(
            png.with_suffix(".json"),
            outputs,
            settings,
            inputs=images,
            started=started,
            cpu_seconds=round(time.process_time() - cpu_started, 1),
            facts=facts,
        )
    except DynparamError as error:
        sys.exit(str(error))


def table_of(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> str:
    """A table in Markdown without padding, whose lines change only where their cells do."""
    wide = tabulate(rows, headers, tablefmt="github")
    return re.sub("-{3,}", "---", re.sub(" {2,}", " ", wide))


def between(page: str, begin: str, end: str, found: str) -> str:
    """The page with another text between two marks."""
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n\n{found}\n\n{end}{rest.partition(end)[2]}"


def redraw(png: Path, draw: Draw) -> None:
    """Draw the figure again from the table and the facts beside it; the sidecar says so.

    Raises ``DataError`` if they cannot be read.
    """
    sidecar = png.with_suffix(".json")
    record = read_sidecar(sidecar)
    runs = read_csv(png.with_suffix(".csv"))
    outputs = save(draw(runs, record["facts"]), runs, png, dpi=DPI)
    record["outputs"] = {path.name: sha256(path) for path in outputs}
    record["redrawn"] = dict(git_state())
    write_text(sidecar, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


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
    parser.add_argument(
        "--redraw", action="store_true", help="only the figure, from the table in OUTPUT"
    )
    return parser.parse_args(arguments)
