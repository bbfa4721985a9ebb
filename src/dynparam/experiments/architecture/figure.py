"""Figure 3.1: the hidden layers of the network."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dynparam.presentation.figure_style import LAYER_COLOURS, PAGE, STYLE, Sheet
from dynparam.presentation.sentences import grouped
from dynparam.theory.widths import Widths


def architecture_figure(widths: Widths, sheet: Sheet = PAGE) -> Figure:
    """Fig. 3.1: the hidden layers as bars of true relative width, labelled n and n_min."""
    with mpl.rc_context(STYLE):
        figure = sheet.figure(2.6)
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


def architecture_message(widths: Widths) -> str:
    """What Fig. 3.1 says: how many units its layers have."""
    narrow = [size for size in widths.hidden if size == widths.n_min]
    if len(narrow) == len(widths.hidden):
        return f"All {len(narrow)} hidden layers have {grouped(widths.n_min)} units"
    wide = max(widths.hidden)
    return (
        f"{len(narrow)} of {len(widths.hidden)} hidden layers are bottlenecks of "
        f"{grouped(widths.n_min)} units; wide ones have {grouped(wide)}"
    )


def architecture_data(widths: Widths) -> pd.DataFrame:
    """What Fig. 3.1 shows: layer, width, and whether it is the narrowest hidden width."""
    return pd.DataFrame(
        {
            "layer": range(1, widths.depth),
            "width": widths.hidden,
            "narrowest": [size == widths.n_min for size in widths.hidden],
        }
    )


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
