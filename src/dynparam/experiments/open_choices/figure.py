"""The figure of the open choices: how much every alternative changes in Figs. 3.2 and 3.3 at most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, STYLE, Sheet

LINEAR_REACH = 0.01
"""The axis is linear up to here, and logarithmic beyond."""

EXPONENT: Mapping[str, Any] = {
    "color": "black",
    "marker": "|",
    "markersize": 7,
    "markeredgewidth": 0.9,
    "linestyle": "",
}
"""The strokes of exact exponents."""

CURVE_STEP = 0.18
"""Distance of the marks of two curves, in rows."""


def open_choices_figure(
    changes: pd.DataFrame, titles: Mapping[str, str], tolerance: float, sheet: Sheet = PAGE
) -> Figure:
    """A row per alternative, a mark with its interval per curve: the layer that changes most.

    The alternative that changes most is on top. ``changes`` has the columns of ``changes.COLUMNS``;
    ``titles`` maps curves to titles. The band is what counts as equal in the comparison of slopes. Where
    a change leaves it, a black stroke is the change that makes the slope its exact exponent.
    """
    most = largest(changes)
    names = most["alternative"].unique().tolist()
    curves = changes["curve"].unique().tolist()
    with mpl.rc_context(STYLE):
        across = 1 if sheet.is_column else 2
        entries = len(curves) + 2
        figure = sheet.figure(0.7 + 0.3 * len(names) + 0.17 * -(-entries // across))
        axis = figure.subplots()
        axis.axvspan(0, tolerance, color="0.9", zorder=0)
        for place, curve in enumerate(curves):
            rows = most[most["curve"] == curve].set_index("alternative").loc[names]
            offset = CURVE_STEP * (place - (len(curves) - 1) / 2)
            _marks(axis, rows, np.arange(len(names)) + offset, _look(place))
            _strokes(axis, rows, np.arange(len(names)) + offset, tolerance)
        axis.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
        axis.set_ylim(len(names) - 0.5, -0.5)
        _scale(axis, most, tolerance)
        figure.legend(
            handles=_key([titles[curve] for curve in curves], most, tolerance),
            loc="outside lower center",
            ncols=across,
            frameon=False,
        )
    return figure


def largest(changes: pd.DataFrame) -> pd.DataFrame:
    """Of every alternative and curve the layer whose slope changes most, the greatest change first.

    Columns: those of ``changes``, and size, size_low and size_high: the change without its sign, and
    how small and how large that may be by its interval.
    """
    size = changes["change"].abs()
    ends = changes[["change_low", "change_high"]].abs()
    crosses = (changes["change_low"] < 0) & (changes["change_high"] > 0)
    table = changes.assign(
        size=size, size_low=ends.min(axis=1).where(~crosses, 0.0), size_high=ends.max(axis=1)
    )
    most = table.loc[table.groupby(["alternative", "curve"], sort=False)["size"].idxmax()]
    order = most.groupby("alternative", sort=False)["size"].max().sort_values(ascending=False)
    rank = {name: place for place, name in enumerate(order.index)}
    return most.sort_values("alternative", key=lambda names: names.map(rank), kind="stable")


def _look(place: int) -> tuple[str, str]:
    """Colour and marker of a curve."""
    return LAYER_COLOURS[place % len(LAYER_COLOURS)], LAYER_MARKERS[place % len(LAYER_MARKERS)]


def _marks(axis: Axes, rows: pd.DataFrame, at: Any, look: tuple[str, str]) -> None:
    colour, marker = look
    axis.errorbar(
        rows["size"],
        at,
        xerr=[rows["size"] - rows["size_low"], rows["size_high"] - rows["size"]],
        fmt=marker,
        color=colour,
        markersize=4.0,
        elinewidth=0.8,
    )


def _strokes(axis: Axes, rows: pd.DataFrame, at: Any, tolerance: float) -> None:
    leaves = (rows["size"] > tolerance).to_numpy()
    exact = (rows["exponent"] - rows["default"]).abs()
    axis.plot(exact[leaves], at[leaves], zorder=3, **EXPONENT)


def _scale(axis: Axes, most: pd.DataFrame, tolerance: float) -> None:
    """As far to the right as marks go."""
    right = 1.3 * max(tolerance, float(most["size_high"].max()))
    steps = [0.0, LINEAR_REACH, tolerance, 4 * tolerance, 20 * tolerance]
    ticks = [step for step in steps if step < right]
    axis.set_xscale("symlog", linthresh=LINEAR_REACH, linscale=1.0)
    axis.set_xlim(0, right)
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_xlabel("largest change of a slope")
    axis.grid(True, axis="x", linewidth=0.3, color="0.85")
    for row in range(1, most["alternative"].nunique()):
        axis.axhline(row - 0.5, color="0.85", linewidth=0.3)
    axis.set_axisbelow(True)


def _key(titles: list[str], most: pd.DataFrame, tolerance: float) -> list[Line2D | Patch]:
    marks = []
    for place, title in enumerate(titles):
        colour, marker = _look(place)
        marks.append(
            Line2D([], [], color=colour, marker=marker, markersize=4.0, linewidth=0.8, label=title)
        )
    band = Patch(color="0.9", label=f"within the tolerance, {tolerance:g}")
    stroke = Line2D([], [], label="change to the exact exponent", **EXPONENT)
    return [*marks, band, *([stroke] if (most["size"] > tolerance).any() else [])]
