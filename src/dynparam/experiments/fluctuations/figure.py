"""The figure: random networks on one curve, the readout's contribution, and the seeds of training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from dynparam.experiments.fluctuations.judge import Measured, pooled_spreads
from dynparam.experiments.fluctuations.kinds import kinds, scales_of
from dynparam.experiments.fluctuations.settings import FluctuationSettings, FluctuationStage
from dynparam.presentation.figure_style import PAGE, Sheet, grid
from dynparam.presentation.parametrization_style import look
from dynparam.statistics.estimates import Estimate
from dynparam.statistics.scatter import exponential
from dynparam.theory.fluctuations import (
    contribution_variation,
    inverse_sum,
    moment,
    moment_error,
    variation,
    wide_variation,
)

COLUMNS = (
    "panel",
    "task",
    "parametrization",
    "bottlenecks",
    "n",
    "n_min",
    "x",
    "expected",
    "value",
    "low",
    "high",
    "heavy",
)
"""The columns of the plotted data; x is sum_l 1/n_l over hidden layers."""

PANELS = {
    "layers": r"last hidden layer, $\Vert h^{L-1}\Vert^2$",
    "readout": "readout's contribution $C_L$",
    "loss": "seeds: training loss",
    "fall": "seeds: fall of the loss",
}

NARROWER, WIDER = 0.8, 1.25
"""How far axes and lines reach beyond the points."""

ERROR_BARS: Any = {"elinewidth": 0.7, "capsize": 0, "markersize": 4.5, "markeredgewidth": 0.8}


def plotted_data(trials: pd.DataFrame, spread: pd.DataFrame, settings: FluctuationStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``: coefficients of variation with their intervals.

    Panel "layers": ||h^{L-1}||^2 of all kinds of networks, with what theory expects; ``heavy`` where it
    foresees too large an error for these trials. Panel "readout": C_L at the main number of bottlenecks.
    Panels "loss" and "fall": the seeds' spread of the training loss, and of its fall, pooled over draws
    of the images; expected is what a wide random network has.
    """
    rows = [*_layers(trials, settings), *_readout(trials, settings), *_seeds(spread, settings)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def fluctuations_figure(data: pd.DataFrame, settings: FluctuationStage, sheet: Sheet = PAGE) -> Figure:
    """Four panels against the same sum over hidden layers."""
    own = settings.fluctuations
    with mpl.rc_context(sheet.large):
        figure, axes = sheet.subplots(len(PANELS), across=2, row=2.8, key=0.8)
        for axis, (panel, title) in zip(axes, PANELS.items(), strict=True):
            rows = data[data["panel"] == panel]
            if panel in ("layers", "readout"):
                _networks_panel(axis, rows, own)
            else:
                _seeds_panel(axis, rows)
                title += f", epoch {own.epoch}" if panel == "loss" else ""
            axis.set(title=title)
            _scales(axis, rows)
        _, columns = sheet.grid(len(PANELS), across=2)
        for axis in axes[-columns:]:
            axis.set_xlabel(r"$\sum_l 1/n_l$ over hidden layers")
        for axis in axes[::columns]:
            axis.set_ylabel("standard deviation / mean")
        shown = list(dict.fromkeys(data["parametrization"]))
        keys = [*_key(shown), Line2D([], [], color="0.1", label=r"$\sqrt{\exp(5\sum1/n_l)-1}$")]
        figure.legend(handles=keys, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _layers(trials: pd.DataFrame, settings: FluctuationStage) -> Iterator[dict[str, object]]:
    own, found = settings.fluctuations, Measured(trials, settings.fit.confidence)
    for kind in kinds(own):
        hidden = own.hidden(kind.bottlenecks, kind.n_min)
        foreseen = moment_error(moment(hidden, 2), moment(hidden, 4), own.trials)
        measured = found.variation(
            found.values(kind.bottlenecks, kind.n_min, kind.parametrization, "square")
        )
        heavy = foreseen > own.tolerances.tail
        yield _row("layers", own.n, hidden, variation(hidden), measured, heavy) | kind._asdict()


def _readout(trials: pd.DataFrame, settings: FluctuationStage) -> Iterator[dict[str, object]]:
    own, found = settings.fluctuations, Measured(trials, settings.fit.confidence)
    for name in own.parametrizations:
        for n_min in own.n_min:
            widths = own.network(own.main, n_min)
            scales = scales_of(own, name, widths)
            expected = contribution_variation(widths, scales, float(own.inputs))
            measured = found.variation(found.values(own.main, n_min, name, "own"))
            yield _row("readout", own.n, widths.hidden, expected, measured) | {
                "parametrization": name,
                "bottlenecks": own.main,
                "n_min": n_min,
            }


def _seeds(spread: pd.DataFrame, settings: FluctuationStage) -> Iterator[dict[str, object]]:
    for row in pooled_spreads(spread, settings.fit.confidence).to_dict("records"):
        measured, x = exponential(row["log"]), float(row["inverse_sum"])
        yield {
            "panel": row["quantity"],
            "task": row["task"],
            "parametrization": row["parametrization"],
            "n": row["n"],
            "n_min": row["n_min"],
            "x": x,
            "expected": wide_variation(x),
            **_measured(measured),
            "heavy": False,
        }


def _row(
    panel: str,
    n: int,
    hidden: Sequence[int],
    expected: float,
    measured: Estimate,
    heavy: bool = False,
) -> dict[str, object]:
    return {
        "panel": panel,
        "task": "",
        "n": n,
        "x": inverse_sum(hidden),
        "expected": expected,
        **_measured(measured),
        "heavy": heavy,
    }


def _measured(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.ci_low, "high": estimate.ci_high}


def _networks_panel(axis: Axes, rows: pd.DataFrame, own: FluctuationSettings) -> None:
    """Points of every parametrization; those with too heavy a tail are faint."""
    _limit(axis, rows)
    for name, found in rows.groupby("parametrization", sort=False):
        if rows["panel"].iloc[0] == "readout":
            line = found.sort_values("x")
            axis.plot(line["x"], line["expected"], "-", color=look(str(name)).colour, linewidth=0.8)
        for heavy, points in found.groupby("heavy"):
            _points(axis, points, str(name), filled=False, alpha=0.25 if heavy else 1.0)
    if rows["panel"].iloc[0] == "layers":
        for bottlenecks, style in ((own.bottlenecks[0], ":"), (own.bottlenecks[-1], "--")):
            line = rows[rows["bottlenecks"] == bottlenecks].sort_values("x")
            label = f"exact, {bottlenecks} bottleneck{'s' * (bottlenecks > 1)}"
            axis.plot(
                line["x"], line["expected"], style, color="0.1", linewidth=1.2, label=label, zorder=5
            )
        axis.legend(loc="lower right", frameon=False, handlelength=1.8)


def _seeds_panel(axis: Axes, rows: pd.DataFrame) -> None:
    """Every task filled in its own way. Random networks do not foretell the loss, so it has no line."""
    tasks = list(dict.fromkeys(rows["task"]))
    if (rows["panel"] == "fall").all():
        _limit(axis, rows)
    for name, found in rows.groupby("parametrization", sort=False):
        for task, points in found.groupby("task", sort=False):
            _points(axis, points, str(name), filled=task == tasks[0])
    handles = [
        Line2D([], [], linestyle="", marker="o", color="0.1", markersize=4.5, label=task,
               markerfacecolor="0.1" if task == tasks[0] else "white")
        for task in tasks
    ]  # fmt: skip
    if (rows["panel"] == "loss").all():
        axis.legend(handles=handles, loc="lower left", frameon=False, handletextpad=0.2)


def _limit(axis: Axes, rows: pd.DataFrame) -> None:
    """Hanin's line over the points of a panel."""
    if len(rows):
        x = np.geomspace(NARROWER * rows["x"].min(), WIDER * rows["x"].max(), 200)
        line = [wide_variation(float(one)) for one in x]
        axis.plot(x, line, "-", color="0.1", linewidth=1.0, zorder=1)


def _points(axis: Axes, rows: pd.DataFrame, name: str, *, filled: bool, alpha: float = 1.0) -> None:
    drawn, low = look(name), rows["low"].clip(lower=np.finfo(float).tiny)
    axis.errorbar(
        rows["x"],
        rows["value"],
        yerr=[rows["value"] - low, rows["high"] - rows["value"]],
        fmt=drawn.marker,
        color=drawn.colour,
        markerfacecolor=drawn.colour if filled else "white",
        alpha=alpha,
        **ERROR_BARS,
    )


def _scales(axis: Axes, rows: pd.DataFrame) -> None:
    """Logarithmic axes numbered as 0.2, not 2 x 10^-1, over the points."""
    axis.set(xscale="log", yscale="log")
    if len(rows):
        axis.set_ylim(NARROWER * rows["low"].min(), WIDER * rows["high"].max())
    for one, subs in ((axis.xaxis, (1.0,)), (axis.yaxis, (1.0, 3.0))):
        one.set_major_locator(LogLocator(subs=subs))
        one.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        one.set_minor_formatter(NullFormatter())
    grid(axis)


def _key(names: Sequence[str]) -> list[Line2D]:
    return [
        Line2D([], [], linestyle="", marker=look(name).marker, markersize=5, color=look(name).colour,
               markerfacecolor="white", label=name)
        for name in names
    ]  # fmt: skip
