"""Table 1.1, measured, as a figure: claimed, exact and measured exponents of every entry."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from dynparam.experiments.measured_orders.formulas import narrow_width
from dynparam.experiments.measured_orders.settings import Exponents
from dynparam.experiments.measured_orders.table1_1 import CLAIMED, QUANTITIES, Quantity
from dynparam.presentation.figure_style import STYLE, TEXT_WIDTH_INCHES
from dynparam.presentation.parametrization_style import look

AXIS_LABELS: dict[Quantity, str] = {
    "preactivation": r"$|\tilde{h}^{(\ell)}_i|$",
    "update": r"$|\Delta\tilde{h}^{(\ell)}_i|$",
    "own": "own part of\n" r"$|\Delta\tilde{h}^{(\ell)}_i|$",
    "cosine": "cosine",
}
"""Of which size a row shows the exponents."""

LARGE: Any = {
    **STYLE,
    "font.size": 11.5,
    "axes.titlesize": 12.5,
    "axes.labelsize": 12.5,
    "legend.fontsize": 11.5,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
}
"""Type for the full width of a page: half of it in a column of 3.4 inches."""

INCHES_PER_UNIT = 1.15
"""Of exponents; all rows have about the same."""

STEP = 0.21
"""Between parametrizations within a layer, in layers."""


def table1_1_figure(table: pd.DataFrame, exponents: Exponents) -> Figure:
    """Exponents against layers: a row for each of ``table1_1.QUANTITIES``, a column for each family.

    The cosine is that of the angle between gradient and update. Filled marks are measured slopes with
    their intervals, rings exact exponents, grey bars claims, tied to exact exponents by dotted lines.
    Colour and marker tell the parametrization. ``table`` has the columns of ``table1_1.COLUMNS``; all
    axes are dimensionless.
    """
    families = list(table["family"].unique())
    names = [name for name in CLAIMED if (table["parametrization"] == name).any()]
    with mpl.rc_context(LARGE):
        heights = _heights(table)
        size = (TEXT_WIDTH_INCHES, 1.9 + INCHES_PER_UNIT * sum(heights))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(
            len(QUANTITIES),
            len(families),
            sharex=True,
            sharey="row",
            squeeze=False,
            height_ratios=heights,
        )
        for row, quantity in enumerate(QUANTITIES):
            for column, family in enumerate(families):
                shown = table[(table["quantity"] == quantity) & (table["family"] == family)]
                _panel(axes[row, column], shown, names)
            axes[row, 0].set_ylabel(AXIS_LABELS[quantity])
        for column, family in enumerate(families):
            narrow = narrow_width(exponents.families[family])
            axes[0, column].set_title(rf"$n_{{\min}}={narrow}$")
            axes[-1, column].set_xlabel(r"layer $\ell$")
        figure.supylabel("exponent of", fontsize=LARGE["axes.labelsize"])
        figure.legend(
            handles=_key(names),
            loc="outside upper center",
            ncols=3,
            frameon=False,
            columnspacing=1.0,
            handletextpad=0.4,
        )
    return figure


def _heights(table: pd.DataFrame) -> list[float]:
    """Heights of the rows in proportion to the range they show: one unit is about as high in both."""
    shown = [table[table["quantity"] == quantity] for quantity in QUANTITIES]
    columns = ["claimed", "exact", "ci_low", "ci_high"]
    spans = [float(np.ptp(rows[columns].to_numpy(float))) for rows in shown]
    return [max(span, 0.3) + 0.15 for span in spans]


def _panel(axis: Axes, table: pd.DataFrame, names: list[str]) -> None:
    axis.axhline(0, color="0.7", linewidth=0.5, zorder=0)
    for name in names:
        place = CLAIMED.index(name)
        rows = table[table["parametrization"] == name]
        at = rows["layer"] + STEP * (place - (len(CLAIMED) - 1) / 2)
        colour, marker = look(name)
        half = STEP * 0.5
        axis.hlines(rows["claimed"], at - half, at + half, color="0.7", linewidth=3.5, zorder=1)
        axis.vlines(
            at, rows["claimed"], rows["exact"], color=colour, linewidth=0.7, linestyle=":", zorder=2
        )
        axis.plot(
            at, rows["exact"], "o", markersize=6.4, markerfacecolor="none", color="black",
            markeredgewidth=0.6, zorder=3,
        )  # fmt: skip
        # Bars by themselves: the mark is the slope, wherever it lies in its interval.
        axis.vlines(at, rows["ci_low"], rows["ci_high"], color=colour, linewidth=0.9, zorder=2)
        axis.plot(at, rows["slope"], marker, color=colour, markersize=3.4, zorder=4)
    layers = sorted(table["layer"].unique())
    axis.set_xticks(layers)
    axis.set_xlim(layers[0] - 0.55, layers[-1] + 0.55)
    for edge in np.arange(layers[0] + 0.5, layers[-1]):
        axis.axvline(edge, color="0.9", linewidth=0.4, zorder=0)
    axis.yaxis.set_major_locator(MultipleLocator(0.4))
    axis.margins(y=0.08)


def _key(names: list[str]) -> list[Line2D]:
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            color=look(name).colour,
            marker=look(name).marker,
            markersize=3.8,
            label=name,
        )
        for name in names
    ]
    ring = Line2D(
        [], [], linestyle="", marker="o", markersize=5.6, markerfacecolor="none", color="black",
        markeredgewidth=0.6, label="exact exponent",
    )  # fmt: skip
    return [
        *handles,
        Line2D([], [], color="0.7", linewidth=3.5, label="the thesis's claim"),
        ring,
        Line2D([], [], linestyle="", marker="o", markersize=3.2, color="0.3", label="measured slope"),
        Line2D([], [], linestyle="", marker="|", markersize=7, color="0.3", label="its interval"),
    ]
