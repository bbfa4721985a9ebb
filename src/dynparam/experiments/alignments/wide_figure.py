"""Figs. 3.2 and 3.3 continued to widths no dense network can reach, with their local slopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from dynparam.experiments.alignments.figure import ALIGNMENT, beside_expected, layer_look, summarize
from dynparam.experiments.alignments.fits import by_width, require_squares
from dynparam.presentation.figure_style import PAGE, STYLE, Sheet, grid
from dynparam.statistics.slopes import log_slope, slope_per_square
from dynparam.theory.widths import INPUT_WIDTH

COLUMNS = (
    "kind",
    "curve",
    "parametrization",
    "layer",
    "n",
    "value",
    "low",
    "high",
    "expected",
    "asymptotic",
)
"""Plotted data. Kinds: "law" and "dense", the alignment (mean; low and high one sample standard
deviation off it), and "slope", the local slope (low and high its interval, n the geometric mean of its
widths).
``expected`` is mean-field theory's value or local slope, ``asymptotic`` the exact exponent."""


@dataclass(frozen=True)
class WideCurve:
    """One curve: its trials on both engines, mean-field values, and exact exponents of the layers."""

    law: pd.DataFrame
    dense: pd.DataFrame
    expected: pd.DataFrame
    exponents: tuple[Fraction, ...]


def plotted_data(curve: WideCurve, sliding: int, confidence: float) -> pd.DataFrame:
    """All a panel shows, in ``COLUMNS``; local slopes are over ``sliding`` neighbouring widths.

    Raises ``DataError`` for tables of other layers or widths.
    """
    law = beside_expected(_alignments(curve.law, "law"), curve.expected)
    table = pd.concat(
        [law, _alignments(curve.dense, "dense"), local_slopes(curve, sliding, confidence)],
        ignore_index=True,
    )
    exponent = {layer: float(value) for layer, value in enumerate(curve.exponents, start=1)}
    table["asymptotic"] = table["layer"].map(exponent)
    return table.reindex(columns=list(COLUMNS))


def local_slopes(curve: WideCurve, sliding: int, confidence: float) -> pd.DataFrame:
    """Slopes over each ``sliding`` neighbouring widths, measured and expected, in ``COLUMNS``.

    The scatter of the images' norms is taken out of them (``statistics.slopes.slope_per_square``).
    Raises ``DataError`` if the trials do not say it.
    """
    require_squares(curve.law)
    rows = []
    for layer, trials in curve.law.groupby("layer"):
        widths, values = by_width(trials, ("alignment", "relative_square"))
        theory = curve.expected[curve.expected["layer"] == layer].set_index("n")["alignment"]
        for start in range(len(widths) - sliding + 1):
            window = widths[start : start + sliding]
            found = slope_per_square(window, values[start : start + sliding], confidence=confidence)
            rows.append(
                {
                    "kind": "slope",
                    "curve": trials["curve"].iloc[0],
                    "parametrization": trials["parametrization"].iloc[0],
                    "layer": layer,
                    "n": float(np.exp(np.mean(np.log(window)))),
                    "value": found.value,
                    "low": found.ci_low,
                    "high": found.ci_high,
                    "expected": float(log_slope(window, theory.loc[window])),
                }
            )
    return pd.DataFrame(rows)


def wide_figure(panels: Mapping[str, pd.DataFrame], sheet: Sheet = PAGE) -> Figure:
    """Panel title -> plotted data: alignments, and below them their local slopes, against n.

    In a column the pairs stand below one another.
    """
    blocks, columns = sheet.grid(len(panels), across=2)
    with mpl.rc_context(STYLE):
        figure = sheet.figure(0.8 + (4.0 if sheet.is_column else 5.4) * blocks)
        axes = figure.subplots(2 * blocks, columns, sharex=True, squeeze=False)
        pairs = [
            (axes[2 * block, at], axes[2 * block + 1, at]) for block, at in np.ndindex(blocks, columns)
        ]
        for (above, below), (title, table) in zip(pairs, panels.items(), strict=False):
            above.sharey(pairs[0][0])
            below.sharey(pairs[0][1])
            _alignment_panel(above, table)
            _slope_panel(below, table)
            above.set_title(title)
            _frame(above, table)
            _frame(below, table)
        for above, below in pairs[len(panels) :]:
            above.set_axis_off()
            below.set_axis_off()
        for axis in axes[-1]:
            axis.set_xlabel(r"$n$ (neurons)")
        for above, below in axes[:, 0].reshape(blocks, 2):
            above.set_ylabel(ALIGNMENT)
            below.set_ylabel(r"local slope, $\mathrm{d}\log/\mathrm{d}\log n$")
        layers = sorted(next(iter(panels.values()))["layer"].unique())
        key = _key(layers)
        figure.legend(
            handles=key, loc="outside lower center", ncols=3 if sheet.is_column else 4, frameon=False
        )
    return figure


def _alignments(trials: pd.DataFrame, kind: str) -> pd.DataFrame:
    table = summarize(trials)
    return table.assign(
        kind=kind,
        value=table["mean"],
        low=table["mean"] - table["std"],
        high=table["mean"] + table["std"],
    )[["kind", "curve", "parametrization", "layer", "n", "value", "low", "high"]]


def _alignment_panel(axis: Axes, table: pd.DataFrame) -> None:
    for layer, rows in table[table["kind"] == "law"].groupby("layer"):
        style = _style(int(str(layer)))
        # A bar below zero has no place on a log axis: it ends at a tenth of the mean.
        below = np.minimum(rows["value"] - rows["low"], 0.9 * rows["value"])
        axis.errorbar(
            rows["n"],
            rows["value"],
            yerr=[below, rows["high"] - rows["value"]],
            linestyle="",
            markersize=3,
            elinewidth=0.4,
            **style,
        )
        axis.plot(rows["n"], rows["expected"], "-", color=style["color"], linewidth=0.5)
    for layer, rows in table[table["kind"] == "dense"].groupby("layer"):
        style = _style(int(str(layer)))
        axis.plot(
            rows["n"],
            rows["value"],
            linestyle="",
            markersize=5.5,
            markerfacecolor="none",
            markeredgewidth=0.5,
            **style,
        )
    axis.set(yscale="log")


def _slope_panel(axis: Axes, table: pd.DataFrame) -> None:
    slopes = table[table["kind"] == "slope"]
    for exponent in sorted(slopes["asymptotic"].unique()):
        axis.axhline(exponent, color="black", linestyle="--", linewidth=0.8)
    layers = sorted(slopes["layer"].unique())
    for layer, rows in slopes.groupby("layer"):
        style = _style(int(str(layer)))
        # Widths are shifted a little, layer by layer, so that error bars do not hide each other.
        shifted = rows["n"] * 1.06 ** (int(str(layer)) - (len(layers) + 1) / 2)
        reach = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        axis.errorbar(
            shifted, rows["value"], yerr=reach, linestyle="", markersize=3, elinewidth=0.5, **style
        )
        axis.plot(rows["n"], rows["expected"], "-", color=style["color"], linewidth=0.5)


def _frame(axis: Axes, table: pd.DataFrame) -> None:
    """Log axis of n, the thesis's window shaded, n_0 marked."""
    dense = table.loc[table["kind"] == "dense", "n"]
    axis.axvspan(dense.min(), dense.max(), color="0.93", linewidth=0, zorder=-2)
    axis.axvline(INPUT_WIDTH, color="0.4", linestyle=":", linewidth=0.8, zorder=-1)
    axis.set(xscale="log")
    grid(axis)


def _style(layer: int) -> dict[str, Any]:
    return dict(zip(("color", "marker"), layer_look(layer), strict=True))


def _key(layers: Sequence[int]) -> list[Line2D | Patch]:
    key: list[Line2D | Patch] = [
        Line2D([], [], linestyle="", markersize=3.2, label=rf"$\ell={layer}$", **_style(layer))
        for layer in layers
    ]
    hollow: dict[str, Any] = {
        "marker": "o",
        "markersize": 5.5,
        "markerfacecolor": "none",
        "markeredgewidth": 0.5,
    }
    key += [
        Line2D([], [], color="0.3", linestyle="", label="dense weights", **hollow),
        Line2D([], [], color="0.3", linestyle="-", linewidth=0.5, label="mean-field theory"),
        Line2D([], [], color="black", linestyle="--", linewidth=0.8, label="exact exponent"),
        Line2D([], [], color="0.4", linestyle=":", linewidth=0.8, label=rf"$n=n_0={INPUT_WIDTH}$"),
        Patch(color="0.93", label="the thesis's window"),
    ]
    return key
