"""What training costs on which machine: hours of cores and GPUs, from the records of archived runs."""

from __future__ import annotations

import json
import re
import statistics
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from dynparam.support.errors import DataError
from dynparam.theory.widths import bottleneck
from dynparam.training.archive import read_curves
from dynparam.training.settings import RunStage

FIGURE_RUNS = 400
"""Runs of Figs. 3.4 and 3.5 in the thesis: two tasks, two parametrizations, 100 seeds."""


SEEDS = 100
"""Seeds of one curve of these figures."""


SUSTAINED_RATE = 1e13
"""Operations per second of the GPU in the estimate; a round number, nothing measured."""


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


COLUMNS = (
    "hardware",
    "device",
    "network",
    "epochs",
    "runs",
    "unit",
    "hours_per_run",
    "hours_smallest",
    "hours_largest",
)


@dataclass(frozen=True)
class _Kind:
    """Runs that are comparable: the same machine, device, network and epochs."""

    hardware: str
    device: str
    network: str
    epochs: int

    @property
    def unit(self) -> str:
        """What costs are told in."""
        return "core hour" if self._threads else "GPU hour"

    @property
    def units(self) -> int:
        """Cores held by a run, or its one GPU."""
        return self._threads or 1

    @property
    def _threads(self) -> int:
        found = re.fullmatch(r"cpu, (\d+) threads", self.device)
        return int(found[1]) if found else 0


def costs(archive: Path) -> pd.DataFrame:
    """A row of ``COLUMNS`` per machine, device, network and epochs of the archived runs.

    Hours are those of a core held (wall time times threads) or of a GPU, of which runs that train
    together share one. Diverged runs, which end early, are left out. Raises ``DataError`` if nothing is
    archived, or if a table does not fit its sidecar.
    """
    seconds: dict[_Kind, list[float]] = defaultdict(list)
    for csv in sorted(archive.glob("*/*/*.csv")):
        curves = read_curves(csv)
        epochs = int(curves.table["epoch"].max())
        for origin in curves.origins:
            kind = _Kind(_machine(origin["hardware"]), origin["device"], csv.parent.name, epochs)
            seconds[kind] += [
                value for seed, value in origin["seeds"].items() if seed not in origin["diverged"]
            ]
    kept = {kind: values for kind, values in seconds.items() if values}
    if not kept:
        raise DataError(f"{archive}: no archived runs; `snakemake archive` trains and archives them")
    rows = [_row(kind, kept[kind]) for kind in sorted(kept, key=_largest_network_first)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def totals(table: pd.DataFrame, runs: Iterable[int]) -> pd.DataFrame:
    """``table`` with a column of hours for each number of runs, at the mean of those measured."""
    columns = {f"hours_{count}": table["hours_per_run"] * count for count in runs}
    return table.assign(**columns)


def operations(run: RunStage) -> tuple[float, float]:
    """Floating-point operations of one run: training, and evaluation after every epoch.

    Counted for the dense form: two per weight and image forward, and two each for the gradients of
    weights and inputs; the first layer needs none of its inputs.
    """
    protocol, data = run.protocol, run.data
    widths = bottleneck(protocol.n, protocol.n_min, hidden=run.network.hidden)
    weights, first = widths.weight_count, widths.sizes[0] * widths.sizes[1]
    training = protocol.epochs * data.train_images * 2.0 * (3 * weights - first)
    evaluation = (protocol.epochs + 1) * (data.train_images + data.test_images) * 2.0 * weights
    return training, evaluation


def _row(kind: _Kind, seconds: list[float]) -> tuple[Any, ...]:
    hours = [value * kind.units / 3600 for value in seconds]
    spread = statistics.fmean(hours), min(hours), max(hours)
    return kind.hardware, kind.device, kind.network, kind.epochs, len(hours), kind.unit, *spread


def _machine(hardware: Mapping[str, Any]) -> str:
    """The processor and its cores; the GPU, where there is one, is the device."""
    return f"{hardware['processor']}, {hardware['cores']} cores"


def _largest_network_first(kind: _Kind) -> tuple[list[int], str, str]:
    return [-int(width) for width in kind.network.split("-")], kind.hardware, kind.device


def as_json(table: pd.DataFrame, run: RunStage) -> str:
    """The table's rows and the operations of one run, for scripts."""
    training, evaluation = operations(run)
    rows = totals(table, (SEEDS, FIGURE_RUNS)).to_dict("records")
    counts = {"training": training, "evaluation": evaluation}
    return json.dumps({"costs": rows, "operations_per_run": counts}, indent=2)


def as_text(table: pd.DataFrame, run: RunStage) -> str:
    """The table in Markdown, and what can be said of GPUs."""
    rows = [_cells(row, run.protocol.network_name) for row in table.to_dict("records")]
    written = tabulate(rows, HEADERS, tablefmt="github", disable_numparse=True)
    return f"{written}\n\n{_on_gpus(table, run)}"


def _cells(row: dict[Hashable, Any], network: str) -> list[str]:
    """A row of the table in print; the runs of Figs. 3.4 and 3.5 are those of ``network``."""
    hours, low, high = (row[key] for key in ("hours_per_run", "hours_smallest", "hours_largest"))
    figures = f"{hours * FIGURE_RUNS:.3g}" if row["network"] == network else ""
    named = [str(row[key]) for key in ("hardware", "device", "network", "epochs", "runs", "unit")]
    return [*named, f"{hours:.3g} ({low:.3g} to {high:.3g})", f"{hours * SEEDS:.3g}", figures]


def _on_gpus(table: pd.DataFrame, run: RunStage) -> str:
    """Where no GPU was measured, what the number of operations bounds, said to be no measurement."""
    if (table["unit"] == "GPU hour").any():
        return "GPU hours: of a GPU shared by the runs that trained together on it."
    training, evaluation = operations(run)
    hours = FIGURE_RUNS * (training + evaluation) / SUSTAINED_RATE / 3600
    return (
        f"No run on a GPU is archived: GPU hours have not been measured. An estimate, by counting "
        f"alone: one run takes {training / 1e12:.0f} * 10^12 operations of training and "
        f"{evaluation / 1e12:.0f} * 10^12 of evaluation, so a GPU that sustained "
        f"{SUSTAINED_RATE / 1e12:.0f} * 10^12 a second would make the {FIGURE_RUNS} runs in "
        f"{hours:.1f} h."
    )
