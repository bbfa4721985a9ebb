"""The figure of the open choices: what every alternative changes in every slope of Figs. 3.2 and 3.3."""

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

from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, STYLE, TEXT_WIDTH_INCHES
from dynparam.presentation.numbers import typographic

LINEAR_REACH = 0.01
"""The axis is linear to here on either side of zero, and logarithmic beyond."""

EXPONENT: Mapping[str, Any] = {
    "color": "black",
    "marker": "|",
    "markersize": 6,
    "markeredgewidth": 0.9,
    "linestyle": "",
}
"""The strokes of exact exponents."""

LAYER_STEP = 0.12
"""Distance of the dots of two layers, in rows."""


def open_choices_figure(changes: pd.DataFrame, titles: Mapping[str, str], tolerance: float) -> Figure:
    """A panel per curve, a row per alternative, a dot with its interval per layer.

    ``changes`` has the columns of ``changes.COLUMNS``; ``titles`` maps curves to titles. The band
    is what counts as equal in the comparison of slopes, ``tolerance`` on either side. Where a
    change leaves it, a black stroke is the change that makes the slope its exact exponent.
    """
    alternatives = changes["alternative"].unique().tolist()
    curves = changes["curve"].unique().tolist()
    with mpl.rc_context(STYLE):
        size = (TEXT_WIDTH_INCHES, 1.6 + 0.35 * len(alternatives) * -(-len(curves) // 2))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(-(-len(curves) // 2), 2, sharex=True, sharey=True, squeeze=False)
        for axis in grid.flat[len(curves) :]:
            axis.set_axis_off()
        for axis, curve in zip(grid.flat, curves, strict=False):
            _panel(axis, changes[changes["curve"] == curve], alternatives, tolerance)
            axis.set_title(titles[curve])
        _scale(grid[0, 0], changes, tolerance)
        for axis in grid[-1]:
            axis.set_xlabel("change of the slope")
        layers = sorted(changes["layer"].unique())
        figure.legend(
            handles=_key(layers, tolerance, leaving=bool((changes["change"].abs() > tolerance).any())),
            loc="outside upper center",
            ncols=4,
            frameon=False,
        )
    return figure


def _panel(axis: Axes, changes: pd.DataFrame, alternatives: list[str], tolerance: float) -> None:
    axis.axvspan(-tolerance, tolerance, color="0.93", zorder=0)
    axis.axvline(0.0, color="0.4", linewidth=0.6)
    layers = sorted(changes["layer"].unique())
    for place, layer in enumerate(layers):
        rows = changes[changes["layer"] == layer].set_index("alternative").loc[alternatives]
        offset = LAYER_STEP * (place - (len(layers) - 1) / 2)
        middle = rows["change"].to_numpy(float)
        reach = np.stack([middle - rows["change_low"], rows["change_high"] - middle])
        axis.errorbar(
            middle,
            np.arange(len(alternatives)) + offset,
            xerr=reach,
            fmt=LAYER_MARKERS[(layer - 1) % len(LAYER_MARKERS)],
            color=LAYER_COLOURS[(layer - 1) % len(LAYER_COLOURS)],
            markersize=3.0,
            elinewidth=0.7,
        )
        leaves = rows["change"].abs().to_numpy(float) > tolerance
        axis.plot(
            (rows["exponent"] - rows["default"])[leaves],
            np.flatnonzero(leaves) + offset,
            zorder=3,
            **EXPONENT,
        )
    axis.set_yticks(range(len(alternatives)), [name.replace("_", " ") for name in alternatives])
    axis.set_ylim(len(alternatives) - 0.5, -0.5)
    axis.tick_params(axis="x", labelsize=7)
    axis.minorticks_off()
    axis.grid(True, axis="x", linewidth=0.3, color="0.85")
    for row in range(1, len(alternatives)):
        axis.axhline(row - 0.5, color="0.85", linewidth=0.3)
    axis.set_axisbelow(True)


def _scale(axis: Axes, changes: pd.DataFrame, tolerance: float) -> None:
    """The horizontal axis that all panels share: as far to either side as their dots go."""
    left = 1.3 * max(tolerance, -float(changes["change_low"].min()))
    right = 1.3 * max(tolerance, float(changes["change_high"].max()))
    steps = [LINEAR_REACH, tolerance, 4 * tolerance, 20 * tolerance]
    below, above = ([step for step in steps if step < end] for end in (left, right))
    ticks = [*(-step for step in reversed(below)), 0.0, *above]
    axis.set_xscale("symlog", linthresh=LINEAR_REACH, linscale=1.0)
    axis.set_xlim(-left, right)
    axis.set_xticks(ticks, [typographic(f"{tick:g}") for tick in ticks])
    axis.minorticks_off()


def _key(layers: list[int], tolerance: float, *, leaving: bool) -> list[Line2D | Patch]:
    dots = [
        Line2D(
            [],
            [],
            color=LAYER_COLOURS[(layer - 1) % len(LAYER_COLOURS)],
            marker=LAYER_MARKERS[(layer - 1) % len(LAYER_MARKERS)],
            markersize=3.2,
            linewidth=0.7,
            label=rf"$\ell={layer}$",
        )
        for layer in layers
    ]
    band = Patch(color="0.93", label=rf"within the tolerance, $\pm{tolerance:g}$")
    stroke = Line2D([], [], label="slope of the exact exponent", **EXPONENT)
    return [*dots, band, *([stroke] if leaving else [])]
