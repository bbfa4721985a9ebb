"""The picture of a coordinate check: sizes, updates and alignments of every layer against width."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, STYLE, Sheet
from dynparam.presentation.numbers import signed
from dynparam.statistics.measured_conditions import COLUMNS
from dynparam.statistics.slopes import log_intercept, log_line
from dynparam.support.errors import ConfigError
from dynparam.support.files import atomic_path
from dynparam.theory.conditions import Quantity

TITLES: Mapping[Quantity, str] = {
    "preactivation": r"preactivations, rms of $\tilde{h}^{(\ell)}_i$",
    "update": r"updates, rms of $\Delta\tilde{h}^{(\ell)}_i$",
    "alignment": r"$|\langle\partial\mathcal{L}/\partial\tilde{h}^{(\ell)},\ "
    r"\Delta\tilde{h}^{(\ell)}\rangle|$",
}

LEGEND_LINE_INCHES = 0.15

LABEL_INCHES = 0.4
"""Of the numbers and the name of an axis, below which the legend stands."""

DPI = 200


def coordinate_figure(table: pd.DataFrame, slopes: pd.DataFrame, message: str) -> Figure:
    """One panel a quantity: means and standard deviations over seeds, fitted lines with their slopes.

    ``table`` and ``slopes`` are those of ``check_result.CoordinateCheck``, at one step. In brackets
    behind a slope stands the exponent that theory expects, where it expects one. ``message`` stands
    above.
    """
    widths = sorted(table["width"].unique().tolist())
    height = 2.4 + LEGEND_LINE_INCHES * table["layer"].nunique()
    with mpl.rc_context(STYLE):
        figure = Sheet(message=message).figure(height)
        axes = figure.subplots(1, len(TITLES), squeeze=False)[0]
        # In inches, as the axis's own words are, however high the panels come out.
        below = ScaledTranslation(0, -LABEL_INCHES, figure.dpi_scale_trans)
        for axis, (quantity, title) in zip(axes, TITLES.items(), strict=True):
            _panel(axis, table, slopes[slopes["quantity"] == quantity], quantity)
            axis.set(xscale="log", yscale="log", xlabel="width (units)", title=title)
            axis.set_xticks(widths, list(map(str, widths)))
            axis.minorticks_off()
            axis.grid(True, which="major", linewidth=0.3, color="0.85")
            axis.set_axisbelow(True)
            axis.legend(
                title="layer, slope (expected)",
                loc="upper left",
                bbox_to_anchor=(-0.1, 0.0),
                bbox_transform=axis.transAxes + below,
                frameon=False,
                handletextpad=0.3,
                alignment="left",
            )
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write the figure in the format that the ending of ``path`` names.

    Raises ``ConfigError`` for an ending that names none, ``DynparamError`` for a place that is none.
    """
    known = sorted(FigureCanvasBase.get_supported_filetypes())
    if path.suffix.lower().removeprefix(".") not in known:
        raise ConfigError(
            f"{path}: its ending names no format of pictures; write {path}.png, or one of "
            f"{', '.join(known)}"
        )
    with mpl.rc_context(STYLE), atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=DPI)


def _panel(axis: Axes, table: pd.DataFrame, slopes: pd.DataFrame, quantity: Quantity) -> None:
    # What is zero everywhere has no place on log axes.
    for row in slopes[slopes["slope"].notna()].to_dict("records"):
        layer = int(row["layer"])
        values = table[table["layer"] == layer].groupby("width")[COLUMNS[quantity]]
        mean, std = values.mean(), values.std()
        widths = mean.index.to_numpy(float)
        intercept = log_intercept(widths, mean, row["slope"])
        colour = LAYER_COLOURS[(layer - 1) % len(LAYER_COLOURS)]
        expected = "" if row["expected"] is None else f"  ({row['expected']})"
        axis.errorbar(
            widths,
            mean,
            # A bar below zero has no place on a log axis: it ends at a tenth of the mean.
            yerr=[np.minimum(std, 0.9 * mean), std],
            fmt=LAYER_MARKERS[(layer - 1) % len(LAYER_MARKERS)],
            color=colour,
            markersize=3.2,
            elinewidth=0.5,
            label=f"{row['name']}  ${signed(row['slope'], 2)}${expected}",
        )
        axis.plot(widths, log_line(widths, row["slope"], intercept), "--", color=colour)
