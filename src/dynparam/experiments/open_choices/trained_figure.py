"""The figure of the open choices in training: dynamic less spectral under every alternative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from dynparam.experiments.open_choices.entries import DEFAULT
from dynparam.experiments.open_choices.trained import Conclusion, title
from dynparam.presentation.figure_style import LAYER_COLOURS, PAGE, STYLE, Sheet

MARKS: Mapping[str, tuple[str, str, str]] = {
    Conclusion.SAME: ("o", LAYER_COLOURS[0], LAYER_COLOURS[0]),
    Conclusion.CHANGED: ("X", LAYER_COLOURS[5], LAYER_COLOURS[5]),
    Conclusion.UNDECIDED: ("o", "0.35", "white"),
}
"""Marker, colour and filling of a row, by what the alternative does to the conclusion."""


def trained_figure(
    trained: pd.DataFrame, parametrizations: Sequence[str], sheet: Sheet = PAGE
) -> Figure:
    """A panel per endpoint, a row per alternative, a dot with its interval: second less first.

    ``trained`` has the columns of ``trained.COLUMNS``. The uppermost row is the default, whose interval
    is the band. Controls stand below the line.
    """
    endpoints = trained["endpoint"].unique().tolist()
    first, second = parametrizations
    _, columns = sheet.grid(len(endpoints), across=3)
    names = trained["alternative"].nunique() + 1
    with mpl.rc_context(STYLE):
        figure, axes = sheet.subplots(
            len(endpoints), across=3, row=0.5 + 0.19 * names, key=0.6, sharey=True
        )
        for axis, endpoint in zip(axes, endpoints, strict=True):
            _panel(axis, trained[trained["endpoint"] == endpoint])
            axis.set_title(title(endpoint))
        for axis in axes[-columns:]:
            axis.set_xlabel(f"{second} less {first}")
        across = 2 if sheet.is_column else 5
        figure.legend(handles=_key(), loc="outside lower center", ncols=across, frameon=False)
    return figure


def _panel(axis: Axes, rows: pd.DataFrame) -> None:
    default = rows.iloc[0]
    axis.axvspan(default["default_low"], default["default_high"], color="0.93", zorder=0)
    axis.axvline(0.0, color="0.4", linewidth=0.6)
    _dot(axis, 0, (default["default"], default["default_low"], default["default_high"]), ("s", "k", "k"))
    for place, row in enumerate(rows.to_dict("records"), start=1):
        mark = MARKS[row["conclusion"]]
        _dot(axis, place, (row["difference"], row["ci_low"], row["ci_high"]), mark)
    names = [DEFAULT, *rows["alternative"]]
    axis.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axis.set_ylim(len(names) - 0.5, -0.5)
    choices = int((rows["role"] == "choice").sum())
    for edge in (0.5, choices + 0.5):
        axis.axhline(edge, color="0.6", linewidth=0.5)
    axis.tick_params(axis="x", labelsize=7)
    axis.locator_params(axis="x", nbins=4)
    axis.grid(True, axis="x", linewidth=0.3, color="0.85")
    axis.set_axisbelow(True)


def _dot(axis: Axes, place: int, known: tuple[float, float, float], mark: tuple[str, str, str]) -> None:
    """A difference with its interval; nothing where nothing is known."""
    value, low, high = known
    if not np.isfinite(value):
        return
    marker, colour, filling = mark
    axis.errorbar(
        [value],
        [place],
        xerr=[[value - low], [high - value]],
        fmt=marker,
        color=colour,
        markerfacecolor=filling,
        markersize=4.0,
        elinewidth=0.8,
    )


def _key() -> list[Line2D | Patch]:
    words = {
        Conclusion.SAME: "conclusion as by default",
        Conclusion.CHANGED: "changed",
        Conclusion.UNDECIDED: "undecided",
    }
    dots = [
        Line2D(
            [],
            [],
            marker=marker,
            color=colour,
            markerfacecolor=filling,
            markersize=4.0,
            linewidth=0.8,
            label=words[Conclusion(name)],
        )
        for name, (marker, colour, filling) in MARKS.items()
    ]
    by_default = Line2D([], [], marker="s", color="k", markersize=4.0, linewidth=0.8, label=DEFAULT)
    return [by_default, Patch(color="0.93", label="its interval"), *dots]
