"""The figures of the thesis: results in, pictures and their plotted data out."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dynparam.presentation.direct_labels import Label, label_ends
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, STYLE, Sheet, grid
from dynparam.presentation.numbers import signed
from dynparam.statistics.slopes import log_line
from dynparam.support.errors import DataError
from dynparam.theory.widths import INPUT_WIDTH

ALIGNMENT = (
    r"$|\langle \partial\mathcal{L}/\partial\tilde{h}^{(\ell)},\ \Delta\tilde{h}^{(\ell)}\rangle|$"
)
"""What the vertical axes show."""

PANEL_INCHES = 2.9
"""Height of a row of panels."""

LABEL_GAP = 0.058
"""Distance of the slopes beside a panel, as a share of its height."""


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


def probe_figure(panels: Mapping[str, pd.DataFrame], sheet: Sheet = PAGE) -> Figure:
    """Figs. 3.2 and 3.3: panel title -> plotted data; one colour a layer, its slope at its end."""
    rows, columns = sheet.grid(len(panels), across=2)
    with mpl.rc_context(STYLE):
        figure = sheet.figure(0.4 + PANEL_INCHES * rows)
        axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axis, (title, table) in zip(axes.flat, panels.items(), strict=False):
            _lines(axis, table)
            axis.set(xscale="log", yscale="log", title=title)
            grid(axis)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for axis in axes[-1]:
            axis.set_xlabel(r"$n$ (neurons)")
        for axis in axes[:, 0]:
            axis.set_ylabel(ALIGNMENT)
        # One scale for all is settled before labels are set beside the lines.
        for number, (axis, table) in enumerate(zip(axes.flat, panels.values(), strict=False)):
            _slopes_beside(axis, table)
            _mark_inputs(axis, table, named=number == 0)
        columns_of_key = 1 if sheet.is_column else 3
        figure.legend(
            handles=_key(panels), loc="outside lower center", ncols=columns_of_key, frameon=False
        )
    return figure


def layer_look(layer: int) -> tuple[str, str]:
    """Colour and marker of a layer; a seventh one looks like the first."""
    place = (layer - 1) % len(LAYER_COLOURS)
    return LAYER_COLOURS[place], LAYER_MARKERS[place]


def _lines(axis: Axes, table: pd.DataFrame) -> None:
    layers = sorted(table["layer"].unique())
    for layer in layers:
        rows = table[table["layer"] == layer]
        colour, marker = layer_look(layer)
        # Widths are shifted a little, layer by layer, so that error bars do not hide each other.
        shifted = rows["n"] * 1.012 ** (layer - (len(layers) + 1) / 2)
        # A bar below zero has no place on a log axis: it ends at a tenth of the mean.
        below = np.minimum(rows["std"], 0.9 * rows["mean"])
        axis.errorbar(
            shifted,
            rows["mean"],
            yerr=[below, rows["std"]],
            fmt=marker,
            color=colour,
            markersize=3.2,
            elinewidth=0.5,
        )
        axis.plot(rows["n"], rows["fit"], "--", color=colour)
        axis.plot(rows["n"], rows["expected"], "-", color=colour, linewidth=0.5, alpha=0.8)


def _slopes_beside(axis: Axes, table: pd.DataFrame) -> None:
    """The slope of every layer at the end of its line."""
    labels = [
        Label(
            rf"$\ell={layer}$:  ${signed(rows['slope'].iloc[0], 2)}$",
            layer_look(layer)[0],
            rows.sort_values("n")["fit"].tolist()[-1],
        )
        for layer, rows in ((int(str(key)), rows) for key, rows in table.groupby("layer"))
    ]
    label_ends(axis, labels, LABEL_GAP, "slope")


def _mark_inputs(axis: Axes, table: pd.DataFrame, *, named: bool) -> None:
    """A line at n = n_0, where eq. 3.4 changes its case, if it lies among the widths."""
    if not table["n"].min() < INPUT_WIDTH < table["n"].max():
        return
    axis.axvline(INPUT_WIDTH, color="0.4", linestyle=":", linewidth=0.8, zorder=0)
    if named:
        axis.annotate(
            rf"$n=n_0={INPUT_WIDTH}$", (INPUT_WIDTH, 0.03), (-3, 0), axis.get_xaxis_transform(),
            "offset points", ha="right", color="0.3",
        )  # fmt: skip


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
