"""What the examples share: options, inputs, and files whose provenance is written down."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import BaseModel, ValidationError
from tabulate import tabulate
from torch import Tensor, nn

from dynparam.data.images import Bytes, load_pair, normalize
from dynparam.presentation.figure_style import Sheet, save
from dynparam.presentation.sentences import joined
from dynparam.provenance.record import git_state, read_sidecar, write_sidecar
from dynparam.provenance.sidecars import as_text, checksum
from dynparam.settings.reading import first_problem
from dynparam.support.errors import DataError, DynparamError
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


class Message(Protocol):
    """What the figure of an example shows, in a sentence."""

    def __call__(self, runs: pd.DataFrame, settings: Any, facts: dict[str, Any]) -> str:
        """The sentence, decided by what ``Measure`` returned and the settings."""
        ...


class Draw(Protocol):
    """The figure of an example."""

    def __call__(self, runs: pd.DataFrame, facts: dict[str, Any], sheet: Sheet) -> Figure:
        """The figure under the sheet's message, from nothing but what ``Measure`` returned."""
        ...


@dataclass(frozen=True)
class Picture:
    """The figure of an example.

    Attributes:
        message: what it says above its panels.
        draw: draws it.
    """

    message: Message
    draw: Draw

    def save(
        self, png: Path, runs: pd.DataFrame, settings: BaseModel, facts: dict[str, Any]
    ) -> tuple[str, list[Path]]:
        """Write picture, vector pictures and table; returns the message and the files."""
        said = self.message(runs, settings, facts)
        return said, save(self.draw(runs, facts, Sheet(message=said)), runs, png, dpi=DPI)


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
    picture: Picture,
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
            return redraw(png, type(full), picture)
        images = [options.images] if needs_images else []
        runs, facts = measure(settings, load_pair(options.images) if needs_images else None)
        print(report(runs, settings, facts))
        said, outputs = picture.save(png, runs, settings, facts)
        write_sidecar(
            png.with_suffix(".json"),
            outputs,
            settings,
            inputs=images,
            started=started,
            cpu_seconds=round(time.process_time() - cpu_started, 1),
            facts=facts,
            message=said,
        )
    except DynparamError as error:
        sys.exit(str(error))


def table_of(rows: Sequence[Sequence[object]], headers: Sequence[str]) -> str:
    """A table in Markdown without padding, whose lines change only where their cells do."""
    wide = tabulate(rows, headers, tablefmt="github")
    return re.sub("-{3,}", "---", re.sub(" {2,}", " ", wide))


def told(courses: Mapping[str, str]) -> str:
    """What happens by name, each course said once: ``stays under mup and moves under standard``."""
    names: dict[str, list[str]] = {}
    for name, course in courses.items():
        names.setdefault(course, []).append(name)
    return joined([f"{course} under {joined(those)}" for course, those in names.items()])


def between(page: str, begin: str, end: str, found: str) -> str:
    """The page with another text between two marks."""
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n\n{found}\n\n{end}{rest.partition(end)[2]}"


def redraw(png: Path, settings: type[BaseModel], picture: Picture) -> None:
    """Draw the figure again from the table, the settings and the facts beside it; the sidecar says so.

    Raises ``DataError`` if they cannot be read.
    """
    sidecar = png.with_suffix(".json")
    record = read_sidecar(sidecar)
    runs = read_csv(png.with_suffix(".csv"))
    try:
        asked = settings.model_validate(record["config"])
    except ValidationError as error:
        raise DataError(f"{sidecar}: {first_problem(error)}; run the example again") from None
    record["message"], outputs = picture.save(png, runs, asked, record["facts"])
    record["outputs"] = {path.name: sha256(path) for path in outputs}
    record["redrawn"] = dict(git_state())
    write_text(sidecar, as_text({**record, "checksum": checksum(record)}))


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
