"""The figure of the domain study."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import SymmetricalLogLocator

from dynparam.experiments.training_curves.figure import LINEAR_DECADES, QUANTITIES
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, STYLE, TEXT_WIDTH_INCHES


def domain_data(table: pd.DataFrame, reference: tuple[int, int]) -> pd.DataFrame:
    """The rows of the domain study that ``domain_figure`` shows, with panel ("n" or "ratio") and ratio.

    Args:
        table: columns task, n, n_min, metric, epoch (a number as text, or "area"), value (mean paired
            difference, dynamic minus spectral), ci_low, ci_high.
        reference: n and n_min of the reference; panel "n" holds the networks of exactly its ratio,
            panel "ratio" those of the n that has most networks of other ratios (the smallest such n).
    """
    epochs = ["area", *_final_epoch(table)]
    rows = table[table["metric"].isin(list(QUANTITIES)) & table["epoch"].astype(str).isin(epochs)]
    rows = rows.assign(epoch=rows["epoch"].astype(str), ratio=rows["n"] / rows["n_min"])
    same = rows["n"] * reference[1] == rows["n_min"] * reference[0]
    others = rows.loc[~same, ["n", "n_min"]].drop_duplicates()["n"].mode()
    panels = {"n": rows[same], "ratio": rows[rows["n"].isin(others.head(1))]}
    return pd.concat([part.assign(panel=name) for name, part in panels.items()], ignore_index=True)


def domain_figure(table: pd.DataFrame, reference: tuple[int, int]) -> Figure:
    """Where dynamic parametrization's losses are lower: differences against n and against n/n_min.

    Rows are the training and the test loss, colours and markers the tasks. Filled: the last epoch that
    all networks were compared at; open: the area under the curve divided by its epochs, a mean loss.
    Bars are the table's intervals. The vertical axis is linear about zero and logarithmic beyond.

    Args:
        table: as for ``domain_data``.
        reference: n and n_min of the reference network.
    """
    rows = domain_data(table, reference)
    tasks = list(table["task"].unique())
    labels = {
        "n": rf"$n$ (neurons), at $n/n_{{\min}}={_number(reference[0] / reference[1])}$",
        "ratio": r"$n/n_{\min}$" + "".join(f", at $n={n}$" for n in _sizes(rows, "ratio")),
    }
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TEXT_WIDTH_INCHES, 5.2), layout="constrained")
        axes = figure.subplots(len(QUANTITIES), len(labels), sharex="col", sharey="row")
        for row, (metric, name) in enumerate(QUANTITIES.items()):
            for column, panel in enumerate(labels):
                shown = rows[(rows["metric"] == metric) & (rows["panel"] == panel)]
                _domain_panel(axes[row, column], shown, panel, tasks)
            _difference_axis(axes[row, 0], name, rows[rows["metric"] == metric])
            _name_sides(axes[row, -1])
        for column, label in enumerate(labels.values()):
            axes[-1, column].set_xlabel(label)
        key = _domain_key(rows, tasks)
        figure.legend(handles=key, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _final_epoch(table: pd.DataFrame) -> list[str]:
    """The last epoch that all networks of all tasks were compared at, if there is one."""
    numbered = table[table["epoch"].astype(str) != "area"]
    per_network = numbered.groupby(["task", "n", "n_min"])["epoch"]
    epochs = [{int(epoch) for epoch in network} for _, network in per_network]
    common = set.intersection(*epochs) if epochs else set()
    return [str(max(common))] if common else []


def _domain_panel(axis: Axes, rows: pd.DataFrame, panel: str, tasks: list[str]) -> None:
    """Intervals of every task, at the final epoch (filled) and of the area (open), shifted sideways."""
    axis.axhline(0, color="black", linewidth=0.8)
    places = sorted(rows[panel].unique())
    left, right = (places[0] / 1.5, places[-1] * 1.5) if places else (1, 10)
    for place, task in enumerate(tasks):
        colour = LAYER_COLOURS[place % len(LAYER_COLOURS)]
        of_task = rows[rows["task"] == task].sort_values(panel)
        for area in (False, True):
            points = of_task[(of_task["epoch"] == "area") == area]
            shift = (right / left) ** (0.02 * (place + len(tasks) * area - len(tasks) + 0.5))
            # Bars by themselves: an interval from a skewed bootstrap need not contain the mean.
            axis.errorbar(
                points[panel] * shift,
                (points["ci_low"] + points["ci_high"]) / 2,
                yerr=(points["ci_high"] - points["ci_low"]) / 2,
                fmt="none",
                ecolor=colour,
                elinewidth=0.8,
                capsize=2.2,
            )
            axis.plot(
                points[panel] * shift,
                points["value"],
                linestyle="",
                color=colour,
                marker=LAYER_MARKERS[place % len(LAYER_MARKERS)],
                markerfacecolor="white" if area else colour,
                markersize=3.2,
            )
    axis.set(xscale="log", xlim=(left, right))
    axis.set_xticks(places, [_number(place) for place in places])
    axis.set_xticks([], minor=True)
    axis.grid(True, which="major", axis="y", linewidth=0.3, color="0.85")
    axis.set_axisbelow(True)


def _difference_axis(axis: Axes, name: str, rows: pd.DataFrame) -> None:
    """Linear up to a power of ten that every interval reaches, logarithmic beyond."""
    bounds = rows[["value", "ci_low", "ci_high"]]
    reach = bounds.abs().max(axis="columns")
    reach = reach[reach > 0]
    if not reach.empty:
        smallest = max(reach.min(), reach.max() / 10**LINEAR_DECADES)
        linear = 10 ** np.floor(np.log10(smallest))
        axis.set_yscale("symlog", linthresh=linear)
        axis.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=linear))
        axis.set_ylim(2 * min(bounds.min().min(), -linear), 2 * max(bounds.max().max(), linear))
    axis.set_ylabel(rf"{name}: dynamic $-$ spectral")


def _name_sides(axis: Axes) -> None:
    """Say beside the zero line what each side of it means."""
    at = axis.get_yaxis_transform()
    for text, va, points in (("spectral\nlower", "bottom", 3), ("dynamic\nlower", "top", -3)):
        axis.annotate(text, (1.02, 0), (0, points), at, "offset points", va=va, fontsize=7)


def _domain_key(rows: pd.DataFrame, tasks: list[str]) -> list[Line2D]:
    colours = [LAYER_COLOURS[place % len(LAYER_COLOURS)] for place in range(len(tasks))]
    markers = [LAYER_MARKERS[place % len(LAYER_MARKERS)] for place in range(len(tasks))]
    handles = [
        _symbol(colour, marker, colour, task)
        for colour, marker, task in zip(colours, markers, tasks, strict=True)
    ]
    for epoch in sorted(rows["epoch"].unique()):
        if epoch == "area":
            handles.append(_symbol("0.3", "o", "white", "mean loss over epochs (area under the curve)"))
        else:
            handles.append(_symbol("0.3", "o", "0.3", f"loss at epoch {epoch}"))
    handles.append(_symbol("0.3", "|", "0.3", "confidence interval"))
    return handles


def _symbol(colour: str, marker: str, face: str, label: str) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="",
        color=colour,
        marker=marker,
        markersize=4,
        markerfacecolor=face,
        label=label,
    )


def _sizes(rows: pd.DataFrame, panel: str) -> list[int]:
    return sorted({int(n) for n in rows.loc[rows["panel"] == panel, "n"]})


def _number(value: float) -> str:
    return f"{value:.5g}"
