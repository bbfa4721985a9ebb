"""The figures of the thesis: results in, pictures and their plotted data out."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, STYLE, TEXT_WIDTH_INCHES
from dynparam.presentation.numbers import signed
from dynparam.statistics.slopes import log_line
from dynparam.support.errors import DataError


def summarize(trials: pd.DataFrame) -> pd.DataFrame:
    """Mean and sample standard deviation of the alignment over trials, per curve, layer and width."""
    keys = ["curve", "parametrization", "ratio", "layer", "n", "n_min"]
    grouped = trials.groupby(keys, sort=True)["alignment"]
    return grouped.agg(mean="mean", std="std", trials="count").reset_index()


def plotted_data(trials: pd.DataFrame, fits: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Everything a panel shows: mean, std, fitted line and expectation at every layer and width.

    Raises ``DataError`` for tables of other layers or widths.
    """
    table = beside_expected(summarize(trials), expected)
    if set(table["layer"]) - set(fits["layer"]):
        raise DataError(
            "the slopes are of other layers than the trials of their curve; run the rules of both again"
        )
    table = table.merge(fits[["layer", "slope", "intercept"]], on="layer", validate="many_to_one")
    table["fit"] = log_line(table["n"], table["slope"], table["intercept"])
    return table.drop(columns="intercept")


def beside_expected(table: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """A row per layer and n with the alignment expected there, in the column "expected".

    Raises ``DataError`` if it is not known for all of them.
    """
    found = table.merge(
        expected[["layer", "n", "alignment"]].rename(columns={"alignment": "expected"}),
        on=["layer", "n"],
        validate="one_to_one",
    )
    if len(found) < len(table):
        raise DataError(
            "the expected values are of other layers or widths than the trials of their curve; run the "
            "rules of both again"
        )
    return found


def probe_figure(panels: Mapping[str, pd.DataFrame]) -> Figure:
    """Figs. 3.2 and 3.3: panel title -> plotted data; one colour a layer, slopes in the legends."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TEXT_WIDTH_INCHES, 3.9), layout="constrained")
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axis, (title, table) in zip(axes, panels.items(), strict=True):
            _probe_panel(axis, title, table)
        axes[0].set_ylabel(
            r"$|\langle \partial\mathcal{L}/\partial\tilde{h}^{(\ell)},"
            r"\ \Delta\tilde{h}^{(\ell)}\rangle|$"
        )
        figure.legend(handles=_key(panels), loc="outside upper center", ncols=3, frameon=False)
    return figure


def _probe_panel(axis: Axes, title: str, table: pd.DataFrame) -> None:
    layers = sorted(table["layer"].unique())
    for layer in layers:
        rows = table[table["layer"] == layer]
        colour = LAYER_COLOURS[(layer - 1) % len(LAYER_COLOURS)]
        # Widths are shifted a little, layer by layer, so that error bars do not hide each other.
        shifted = rows["n"] * 1.012 ** (layer - (len(layers) + 1) / 2)
        # A bar below zero has no place on a log axis: it ends at a tenth of the mean.
        below = np.minimum(rows["std"], 0.9 * rows["mean"])
        axis.errorbar(
            shifted,
            rows["mean"],
            yerr=[below, rows["std"]],
            fmt=LAYER_MARKERS[(layer - 1) % len(LAYER_MARKERS)],
            color=colour,
            markersize=3.2,
            elinewidth=0.5,
            label=rf"$\ell={layer}$  slope ${signed(rows['slope'].iloc[0], 2)}$",
        )
        axis.plot(rows["n"], rows["fit"], "--", color=colour)
        axis.plot(rows["n"], rows["expected"], "-", color=colour, linewidth=0.5, alpha=0.8)
    axis.set(xscale="log", yscale="log", xlabel=r"$n$ (neurons)", title=title)
    axis.grid(True, which="major", linewidth=0.3, color="0.85")
    axis.set_axisbelow(True)
    handles, labels = axis.get_legend_handles_labels()
    axis.legend(
        handles,
        labels,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=2,
        frameon=False,
        handletextpad=0.3,
        columnspacing=1.2,
    )


def _key(panels: Mapping[str, pd.DataFrame]) -> list[Line2D]:
    trials = max(int(table["trials"].max()) for table in panels.values())
    return [
        Line2D(
            [],
            [],
            color="0.3",
            marker="o",
            markersize=3.2,
            linestyle="",
            label=f"mean and standard deviation of {trials} trials",
        ),
        Line2D([], [], color="0.3", linestyle="--", label="least squares on the means"),
        Line2D([], [], color="0.3", linewidth=0.5, label="mean-field theory"),
    ]
