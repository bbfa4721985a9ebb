"""The figure: losses against decay, and against the rate for every size of updates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from dynparam.experiments.weight_decay.compared import all_decays, all_sizes
from dynparam.experiments.weight_decay.judge import MERGED, forgotten
from dynparam.experiments.weight_decay.settings import WeightDecaySettings, WeightDecayStage
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, Sheet, grid
from dynparam.presentation.marked_line import best_marked_line
from dynparam.presentation.parametrization_style import look
from dynparam.presentation.plain_axis import plain_numbers
from dynparam.statistics.estimates import mean_of
from dynparam.training.arms.quantities import SPEED, TEST_LOSS

COLUMNS = ("part", "task", "line", "quantity", "x", "value", "low", "high", "best")
"""The columns of the plotted data. ``x`` is eta lambda T, of sizes of updates the rate."""

DECAY, SIZES = "decay", "sizes"

SHOWN = {
    DECAY: ((SPEED, "training loss,\nmean over epochs"), (MERGED, "test loss, last epoch")),
    SIZES: ((SPEED, "training loss,\nmean over epochs"), (TEST_LOSS, "test loss, best epoch")),
}

LINEAR = 0.003
"""Below this eta lambda T the axis is linear, so that no decay has a place."""


def plotted_data(tables: Mapping[str, pd.DataFrame], settings: WeightDecayStage) -> pd.DataFrame:
    """Means over seeds with their intervals, where no run diverged, in ``COLUMNS``."""
    own, level = settings.weight_decay, settings.fit.confidence
    rows: list[tuple[object, ...]] = []
    for decays in all_decays(own, tables):
        for name, curves in zip(own.parametrizations, (decays.first, decays.second), strict=True):
            for quantity, _ in SHOWN[DECAY]:
                for place, share in enumerate(decays.shares):
                    if curves.whole[place].all():
                        values = decays.at(curves, quantity)[place]
                        x = forgotten(share, settings.steps)
                        mean = _mean(values, level)
                        rows.append((DECAY, decays.task, name, quantity.wording, x, *mean, False))
    for size in all_sizes(own, tables):
        for quantity, _ in SHOWN[SIZES]:
            for place, rate in enumerate(size.rates):
                if size.curves.whole[place].all():
                    line, best = f"r = {size.r}", place == size.best
                    mean = _mean(size.at(quantity, place), level)
                    rows.append((SIZES, size.task, line, quantity.wording, float(rate), *mean, best))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def weight_decay_figure(data: pd.DataFrame, settings: WeightDecayStage, sheet: Sheet = PAGE) -> Figure:
    """Decay above, sizes of updates below, a pair of rows for each task."""
    own = settings.weight_decay
    rows, _ = sheet.grid(2, across=2)
    with mpl.rc_context(sheet.large):
        figure = sheet.figure((1.3 + 4.2 * rows) * len(own.tasks))
        halves: Any = figure.subfigures(2 * len(own.tasks), 1, squeeze=False)[:, 0]
        for place, task in enumerate(own.tasks):
            of_task = data[data["task"] == task]
            parts = of_task[of_task["part"] == DECAY], of_task[of_task["part"] == SIZES]
            _decay_row(halves[2 * place], parts[0], own, f"weight decay, {task}", sheet)
            _sizes_row(halves[2 * place + 1], parts[1], own, f"size of updates, {task}", sheet)
    return figure


def _mean(values: Any, level: float) -> tuple[float, float, float]:
    found = mean_of(values, level)
    return found.value, found.ci_low, found.ci_high


def _decay_row(
    half: Any, rows: pd.DataFrame, own: WeightDecaySettings, title: str, sheet: Sheet
) -> None:
    axes = _panels(half, title, sheet)
    for axis, (quantity, label) in zip(axes, SHOWN[DECAY], strict=True):
        for name in own.parametrizations:
            style = look(name)
            line = rows[(rows["line"] == name) & (rows["quantity"] == quantity.wording)].sort_values("x")
            _band(axis, line, style.colour)
            axis.plot(
                line["x"], line["value"], color=style.colour, lw=1.1, marker=style.marker, markersize=5
            )
        axis.set_xscale("symlog", linthresh=LINEAR)
        _decays(axis, rows["x"])
        axis.set(xlabel=r"$\eta\lambda T$", ylabel=label, ylim=(0, None))
        grid(axis)
    _key(half, [(name, *look(name)) for name in own.parametrizations])


def _sizes_row(
    half: Any, rows: pd.DataFrame, own: WeightDecaySettings, title: str, sheet: Sheet
) -> None:
    axes = _panels(half, title, sheet)
    looks = [
        (f"r = {r}", LAYER_COLOURS[at % 6], LAYER_MARKERS[at % 6])
        for at, r in enumerate(own.sizes.values)
    ]
    for axis, (quantity, label) in zip(axes, SHOWN[SIZES], strict=True):
        for name, colour, marker in looks:
            line = rows[(rows["line"] == name) & (rows["quantity"] == quantity.wording)]
            _band(axis, line, colour)
            best_marked_line(axis, line, "x", color=colour, marker=marker)
        axis.axvline(own.learning_rate, color="0.4", linewidth=0.8, linestyle=":", zorder=0)
        axis.set_xscale("log")
        axis.set_yscale("log")
        plain_numbers(axis.xaxis)
        plain_numbers(axis.yaxis)
        axis.set(xlabel=r"$\eta$", ylabel=label)
        grid(axis)
    _key(half, [(f"${name}$", colour, marker) for name, colour, marker in looks])


def _panels(half: Any, title: str, sheet: Sheet) -> list[Axes]:
    """Two panels under a title, side by side where there is room."""
    half.suptitle(title)
    axes = half.subplots(*sheet.grid(2, across=2), squeeze=False)
    return list(axes.flat)


def _decays(axis: Axes, decays: pd.Series[float]) -> None:
    """Number no decay, and the powers of ten on the logarithmic part of the axis."""
    largest = float(decays.max()) if len(decays) else 1.0
    powers = range(math.ceil(math.log10(LINEAR)), math.floor(math.log10(max(largest, LINEAR))) + 1)
    axis.set_xticks([0.0, *(10.0**power for power in powers)])
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_locator(NullLocator())


def _key(half: Any, lines: Sequence[tuple[str, str, str]]) -> None:
    """What the lines of a row are, below its panels: labels, colours and markers."""
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4.5, label=label)
        for label, colour, marker in lines
    ]
    half.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)


def _band(axis: Axes, line: pd.DataFrame, colour: str) -> None:
    """The band of a line's interval."""
    line = line.sort_values("x")
    axis.fill_between(line["x"], line["low"], line["high"], color=colour, alpha=0.15, linewidth=0)
