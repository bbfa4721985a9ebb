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

from dynparam.experiments.alignments.figure import beside_expected, summarize
from dynparam.experiments.alignments.fits import by_width, require_squares
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, STYLE, TEXT_WIDTH_INCHES
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


def wide_figure(panels: Mapping[str, pd.DataFrame]) -> Figure:
    """Panel title -> plotted data: alignments above, their local slopes below, against n."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TEXT_WIDTH_INCHES, 6.4), layout="constrained")
        axes = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False)
        for column, (title, table) in enumerate(panels.items()):
            _alignment_panel(axes[0, column], table)
            _slope_panel(axes[1, column], table)
            axes[0, column].set_title(title)
            for axis in axes[:, column]:
                _frame(axis, table)
            axes[1, column].set_xlabel(r"$n$ (neurons)")
        axes[0, 0].set_ylabel(
            r"$|\langle \partial\mathcal{L}/\partial\tilde{h}^{(\ell)},"
            r"\ \Delta\tilde{h}^{(\ell)}\rangle|$"
        )
        axes[1, 0].set_ylabel(r"local slope, $\mathrm{d}\log/\mathrm{d}\log n$")
        layers = sorted(next(iter(panels.values()))["layer"].unique())
        figure.legend(handles=_key(layers), loc="outside upper center", ncols=4, frameon=False)
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
    axis.grid(True, which="major", linewidth=0.3, color="0.85")
    axis.set_axisbelow(True)


def _style(layer: int) -> dict[str, Any]:
    index = (layer - 1) % len(LAYER_COLOURS)
    return {"color": LAYER_COLOURS[index], "marker": LAYER_MARKERS[index]}


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
