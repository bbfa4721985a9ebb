"""The figures of the thesis: results in, pictures and their plotted data out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from dynparam.files import atomic_path
from dynparam.tables import write_csv
from dynparam.widths import Widths

LAYER_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe and Ito's palette, distinguishable under every common colour blindness."""

LAYER_MARKERS = ("o", "s", "^", "D", "v", "P")
"""One marker a layer besides its colour, for black-and-white print."""

STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 7,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "mathtext.fontset": "stixsans",
    "pdf.fonttype": 42,
    "svg.hashsalt": "dynparam",
}
TEXT_WIDTH_INCHES = 7.0


def summarize(trials: pd.DataFrame) -> pd.DataFrame:
    """Mean and sample standard deviation of the alignment over trials, per curve, layer and width."""
    keys = ["curve", "parametrization", "ratio", "layer", "n", "n_min"]
    grouped = trials.groupby(keys, sort=True)["alignment"]
    return grouped.agg(mean="mean", std="std", trials="count").reset_index()


def plotted_data(trials: pd.DataFrame, fits: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Everything a panel shows: mean, std, fitted line and expectation at every layer and width."""
    table = summarize(trials).merge(
        expected[["layer", "n", "alignment"]].rename(columns={"alignment": "expected"}),
        on=["layer", "n"],
        validate="one_to_one",
    )
    table = table.merge(fits[["layer", "slope", "intercept"]], on="layer", validate="many_to_one")
    table["fit"] = np.exp(table["intercept"] + table["slope"] * np.log(table["n"]))
    return table.drop(columns="intercept")


def stack(panels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The plotted data of all panels in one table."""
    return pd.concat(list(panels.values()), ignore_index=True)


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


def architecture_figure(widths: Widths) -> Figure:
    """Fig. 3.1: the hidden layers as bars of true relative width, labelled n and n_min."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TEXT_WIDTH_INCHES, 2.6), layout="constrained")
        axis = figure.subplots()
        heights = [size / max(widths.hidden) for size in widths.hidden]
        for layer, height in enumerate(heights, start=1):
            narrow = widths.hidden[layer - 1] == widths.n_min
            _layer_bar(axis, layer, height, narrow=narrow)
        for left in range(1, len(heights)):
            _connection(axis, left, heights[left - 1], heights[left])
        _arrow(axis, 0.15, 0.66, r"$x$", ha="right")
        _arrow(axis, len(heights) + 0.34, len(heights) + 0.85, r"$f(x)$", ha="left")
        axis.set(xlim=(-0.2, len(heights) + 1.4), ylim=(-0.78, 0.62))
        axis.set_axis_off()
    return figure


def architecture_data(widths: Widths) -> pd.DataFrame:
    """What Fig. 3.1 shows: layer, width, and whether it is the narrowest hidden width."""
    return pd.DataFrame(
        {
            "layer": range(1, widths.depth),
            "width": widths.hidden,
            "narrowest": [size == widths.n_min for size in widths.hidden],
        }
    )


def save(figure: Figure, data: pd.DataFrame, png: Path, dpi: int) -> list[Path]:
    """Write picture, vector picture and plotted data side by side; returns the three paths.

    The files carry no date, so that the same data give the same bytes.
    """
    pdf, csv = png.with_suffix(".pdf"), png.with_suffix(".csv")
    with mpl.rc_context(STYLE):
        with atomic_path(png) as temporary:
            figure.savefig(temporary, format="png", dpi=dpi)
        with atomic_path(pdf) as temporary:
            figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
    write_csv(data, csv)
    return [png, pdf, csv]


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
            label=rf"$\ell={layer}$  slope {_signed(rows['slope'].iloc[0])}",
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


def _signed(value: float) -> str:
    """Two decimals with a typographic minus."""
    return f"${value:+.2f}$"


def _layer_bar(axis: Axes, layer: int, height: float, *, narrow: bool) -> None:
    width = 0.26
    axis.add_patch(
        Rectangle(
            (layer - width / 2, -height / 2),
            width,
            height,
            facecolor=LAYER_COLOURS[1] if narrow else LAYER_COLOURS[0],
            edgecolor="black",
            linewidth=0.6,
            hatch="////" if narrow else None,
        )
    )
    size = r"n_{\min}" if narrow else "n"
    axis.text(layer, -0.58, rf"$n_{layer}={size}$", ha="center", va="top", fontsize=10)
    axis.text(layer, -0.72, rf"$\ell={layer}$", ha="center", va="top", fontsize=8, color="0.35")


def _connection(axis: Axes, left: int, height_left: float, height_right: float) -> None:
    """The weights between two layers, as the trapezium between their bars."""
    axis.fill(
        [left + 0.13, left + 0.87, left + 0.87, left + 0.13],
        [height_left / 2, height_right / 2, -height_right / 2, -height_left / 2],
        color="0.9",
        linewidth=0,
    )


def _arrow(axis: Axes, start: float, end: float, text: str, *, ha: str) -> None:
    axis.annotate("", (end, 0), (start, 0), arrowprops={"arrowstyle": "->", "linewidth": 0.8})
    at, offset = (start, -0.05) if ha == "right" else (end, 0.05)
    axis.text(at + offset, 0, text, ha=ha, va="center", fontsize=10)
