"""What training costs on which machine: hours of cores and GPUs, from the records of archived runs."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tabulate import tabulate

from dynparam.presentation import terminal
from dynparam.support.errors import DataError
from dynparam.training.archive import RESTORE, read_curves

SEEDS = 100
"""Seeds of one curve of Figs. 3.4 and 3.5 in the thesis."""

FIGURE_RUNS = 400
"""Runs of both figures in the thesis: two tasks, two parametrizations, 100 seeds."""

HEADERS = (
    "processor",
    "trained on",
    "network",
    "epochs",
    "runs measured",
    "unit",
    "one run: mean (range)",
    f"{SEEDS} seeds of one curve",
    f"Figs. 3.4 and 3.5, {FIGURE_RUNS} runs",
)

Kind = tuple[str, str, str, int]
"""Machine, device, network and epochs: runs that agree in all of them are comparable."""


def cost_table(archive: Path, network: str) -> str:
    """The hours of all archived runs, a row of ``HEADERS`` for each kind of run; in a pipe in Markdown.

    Hours are those of a core held (wall time times threads) or of a GPU, of which runs that train
    together share one. Diverged runs, which end early, are left out.

    Args:
        archive: the directory of archived curves.
        network: the network of Figs. 3.4 and 3.5, such as ``10000-500``.

    Raises:
        DataError: if nothing is archived, or if a table does not fit its sidecar.
    """
    seconds = {kind: values for kind, values in _wall_seconds(archive).items() if values}
    if not seconds:
        raise DataError(f"{archive}: no archived runs; `snakemake archive` trains and archives them")
    rows = [_row(kind, seconds[kind], network) for kind in sorted(seconds, key=_largest_network_first)]
    markdown = tabulate(rows, HEADERS, tablefmt="github", disable_numparse=True)
    return terminal.shown(HEADERS, rows, markdown)


def _wall_seconds(archive: Path) -> dict[Kind, list[float]]:
    """The wall time of every run that ended, kind by kind."""
    seconds: dict[Kind, list[float]] = defaultdict(list)
    for csv in sorted(archive.glob("*/*/*.csv")):
        curves = read_curves(csv, RESTORE)
        epochs = int(curves.table["epoch"].max())
        network = _network(csv)
        for origin in curves.origins:
            kind = (_machine(origin), origin["device"], network, epochs)
            ended = set(origin["seeds"]) - set(origin["diverged"])
            seconds[kind] += [origin["seeds"][seed] for seed in sorted(ended, key=int)]
    return seconds


def _network(csv: Path) -> str:
    """The widths of archived runs; what a run takes does not depend on the draw of its images."""
    name = csv.parent.name.partition(".")[0]
    if not re.fullmatch(r"[0-9]+-[0-9]+", name):
        raise DataError(f"{csv}: its folder is not named after a network; rename it, or remove it")
    return name


def _row(kind: Kind, seconds: list[float], figures: str) -> list[str]:
    machine, device, network, epochs = kind
    found = re.fullmatch(r"cpu, (\d+) threads", device)
    hours = [value * (int(found[1]) if found else 1) / 3600 for value in seconds]
    mean = statistics.fmean(hours)
    return [
        *(machine, device, network, str(epochs), str(len(hours))),
        "core hour" if found else "GPU hour",
        f"{mean:.3g} ({min(hours):.3g} to {max(hours):.3g})",
        f"{mean * SEEDS:.3g}",
        f"{mean * FIGURE_RUNS:.3g}" if network == figures else "",
    ]


def _machine(origin: Mapping[str, Any]) -> str:
    """The processor and its cores; the GPU, where there is one, is the device."""
    return f"{origin['hardware']['processor']}, {origin['hardware']['cores']} cores"


def _largest_network_first(kind: Kind) -> tuple[list[int], str, str]:
    machine, device, network, _ = kind
    return [-int(width) for width in network.split("-")], machine, device
