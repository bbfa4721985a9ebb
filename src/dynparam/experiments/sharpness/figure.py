"""The figure of sharpness: against width in two families, and with normalized outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from dynparam.experiments.sharpness.settings import Sharpness, SharpnessVerdicts
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, STYLE, Sheet, grid
from dynparam.presentation.parametrization_style import Look, look
from dynparam.settings.widths import NarrowWidth
from dynparam.statistics.estimates import mean_of

INPUTS = {"proportional": "as many inputs as units", "fixed": "inputs fixed"}
NORMALIZATIONS = {
    "none": "as they are",
    "mean": "less their mean",
    "batch": "batch normalization",
    "layer": "layer normalization",
}
LOOKS = dict(zip(NORMALIZATIONS, map(Look, LAYER_COLOURS, LAYER_MARKERS), strict=False))


def plotted_data(
    widths: pd.DataFrame, limits: pd.DataFrame, normalization: pd.DataFrame, confidence: float
) -> pd.DataFrame:
    """What all panels show: panel, series, kind, x, value, low, high.

    ``kind`` is "measured", the mean over networks with its interval, or "theory". The tables are those
    of ``measure``.
    """
    measured = widths.rename(columns={"family": "panel", "parametrization": "series", "n": "x"})
    normalized = normalization.rename(
        columns={"inputs": "panel", "normalization": "series", "width": "x"}
    )
    rows = [
        {"panel": panel, "series": series, "kind": "measured", "x": x, **_mean(part, confidence)}
        for table in (measured, normalized)
        for (panel, series, x), part in table.groupby(["panel", "series", "x"], sort=False)
    ]
    # What theory understates, the finite network's own noise, has no line.
    known = normalized[normalized["series"].isin(["none", "layer"])]
    rows += [
        {"panel": panel, "series": series, "kind": "theory", "x": x, "value": part["expected"].mean()}
        for (panel, series, x), part in known.groupby(["panel", "series", "x"], sort=False)
    ]
    rows += [
        {
            "panel": row.family,
            "series": row.parametrization,
            "kind": "theory",
            "x": row.n,
            "value": row.sharpness,
        }
        for row in limits[limits["inputs"] == "pooled"].itertuples()
    ]
    return pd.DataFrame(rows)


def _mean(part: pd.DataFrame, confidence: float) -> dict[str, float]:
    found = mean_of(part["sharpness"].to_numpy(), confidence)
    return {"value": found.value, "low": found.ci_low, "high": found.ci_high}


def sharpness_figure(data: pd.DataFrame, settings: SharpnessVerdicts, sheet: Sheet = PAGE) -> Figure:
    """Above, each family against n; below, normalized outputs against M. Points on lines of theory."""
    part = settings.sharpness
    with mpl.rc_context(STYLE):
        shapes = [sheet.grid(len(kinds), across=2) for kinds in (part.families, INPUTS)]
        heights = [0.4 + 2.6 * rows for rows, _ in shapes]
        figure = sheet.figure(sum(heights))
        halves: Any = figure.subfigures(2, 1, height_ratios=heights)
        above, below = halves
        panels: Any = above.subplots(*shapes[0], squeeze=False).flat
        for axis, (family, narrow) in zip(panels, part.families.items(), strict=True):
            looks: dict[str, Look] = {name: look(name) for name in part.parametrizations}
            _panel(axis, data[data["panel"] == family], {name: name for name in looks}, looks)
            window = (part.thesis.widths.smallest, part.thesis.window)
            axis.axvspan(*window, color="0.9", zorder=0, linewidth=0)
            title = f"{family} ratio, {_formula(narrow)}"
            axis.set(xlabel="$n$ (neurons)", ylabel=r"$\lambda_{\max}$", title=title)
            _rates(axis)
        _key(above, panels[0], sheet)
        panels = below.subplots(*shapes[1], squeeze=False).flat
        counts = {"proportional": "$T = M$", "fixed": f"$T = {part.normalization.fixed_images}$"}
        for axis, (inputs, told) in zip(panels, INPUTS.items(), strict=True):
            _panel(axis, data[data["panel"] == inputs], NORMALIZATIONS, LOOKS)
            axis.set(
                xlabel="$M$ (neurons)",
                ylabel=r"$\lambda_{\max}$ of an output",
                title=f"{told}, {counts[inputs]}",
            )
            axis.margins(y=0.1)
            shown = _widths(part, inputs)
            axis.set_xticks(shown, map(str, shown))
            axis.set_xticks([], minor=True)
        _key(below, panels[0], sheet)
    return figure


def _formula(narrow: NarrowWidth) -> str:
    """The rule of n_min as mathematical text."""
    rule = str(narrow.rule()).replace("^(", "^{").replace(")", "}").replace(" n", r"\,n")
    return rf"$n_{{\min}} = {rule}$"


def _widths(settings: Sharpness, inputs: str) -> tuple[int, ...]:
    """The widths M of a panel."""
    part = settings.normalization
    return part.widths if inputs == "proportional" else part.fixed_widths


def _key(place: SubFigure, axis: Axes, sheet: Sheet) -> None:
    """The series of a row, below it."""
    handles, labels = axis.get_legend_handles_labels()
    across = 2 if sheet.is_column else len(labels)
    place.legend(handles, labels, loc="outside lower center", ncols=across, frameon=False)


def _panel(axis: Axes, data: pd.DataFrame, series: dict[str, str], looks: Mapping[str, Look]) -> None:
    """Points with their intervals on lines of theory, a colour and a marker each series."""
    for name, label in series.items():
        colour, marker = looks[name]
        rows = data[data["series"] == name].sort_values("x")
        found, theory = rows[rows["kind"] == "measured"], rows[rows["kind"] == "theory"]
        # Open markers: series that lie on each other are all seen.
        axis.plot(theory["x"], theory["value"], color=colour, linewidth=0.9)
        axis.errorbar(
            found["x"],
            found["value"],
            yerr=[found["value"] - found["low"].clip(lower=0), found["high"] - found["value"]],
            fmt=marker,
            color=colour,
            markersize=4,
            markerfacecolor="none",
            elinewidth=0.7,
            capsize=1.5,
            label=label,
        )
    axis.set(xscale="log", yscale="log")
    grid(axis)


def _rates(axis: Axes) -> None:
    """A second axis with the largest stable learning rate, 2 / lambda_max."""

    def rate(values: Any) -> Any:
        """2 / lambda_max, and its own inverse; matplotlib asks for the value at zero too."""
        return 2 / np.maximum(values, np.finfo(np.float64).tiny)

    second = axis.secondary_yaxis("right", functions=(rate, rate))
    second.set_ylabel(r"$\eta^* = 2/\lambda_{\max}$")
