"""The figure of the r-sweep: exponents of the drift against r, growth of gradients against m^r."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dynparam.experiments.r_sweep import edges
from dynparam.experiments.r_sweep.settings import EdgesStage
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, STYLE, Sheet, grid
from dynparam.theory.update_bound import Reference, expected_edge
from dynparam.trials.networks import hidden_exponents

SYMBOLS: Mapping[Reference, str] = {
    "n_min": r"$m = n_{\min}$",
    "geometric_mean": r"$m$ = geometric mean",
    "n_max": r"$m = n_{\max}$",
}

COLOURS: Mapping[Reference, str] = dict(
    zip(SYMBOLS, (LAYER_COLOURS[0], LAYER_COLOURS[2], LAYER_COLOURS[5]), strict=True)
)

MARKERS: Mapping[Reference, str] = dict(zip(SYMBOLS, LAYER_MARKERS, strict=False))

CEILING = 1e3
"""Growth beyond it, or infinite, is drawn at the upper edge of its panel."""


def plotted_data(trials: pd.DataFrame, settings: EdgesStage) -> pd.DataFrame:
    """What both panels show.

    Columns: panel ("drift" or "growth"), reference, r, expected, value, low, high, and for growth n,
    relative_size (m^r / sqrt(n_min)) and diverged (share of trials). The drift's values are exponents in
    the narrowest layers with their intervals, growth's the median and the range over trials.
    """
    return pd.concat([_drift_data(trials, settings), _growth_data(trials)], ignore_index=True)


def sweep_figure(data: pd.DataFrame, settings: EdgesStage, sheet: Sheet = PAGE) -> Figure:
    """Both panels; a colour and a marker each reference, its expected edge dotted."""
    rows, columns = sheet.grid(2, across=2)
    with mpl.rc_context(STYLE):
        figure = sheet.figure(0.7 + 2.8 * rows)
        left, right = figure.subplots(rows, columns, squeeze=False).flat
        _drift_panel(left, data[data["panel"] == "drift"], settings)
        _growth_panel(right, data[data["panel"] == "growth"], settings)
        figure.legend(
            handles=_key(settings, data),
            loc="outside lower center",
            ncols=1 if sheet.is_column else 3,
            frameon=False,
        )
    return figure


def _drift_data(trials: pd.DataFrame, settings: EdgesStage) -> pd.DataFrame:
    found = edges.narrow_exponents(trials, settings)
    found = found.rename(columns={"exponent": "value", "ci_low": "low", "ci_high": "high"})
    found.insert(0, "panel", "drift")
    shown: pd.DataFrame = found.drop(columns=["trials", "left_out", "verdict"])
    return shown


def _growth_data(trials: pd.DataFrame) -> pd.DataFrame:
    table = edges.growths(trials)
    table["relative_size"] = table["update_norm"] / np.sqrt(table["n_min"])
    grouped = table.groupby(["reference", "r", "n", "relative_size"])
    growth = grouped["growth"].agg(value="median", low="min", high="max")
    shown: pd.DataFrame = growth.assign(diverged=grouped["diverged"].mean(), panel="growth")
    return shown.reset_index()


def _drift_panel(axis: Axes, data: pd.DataFrame, settings: EdgesStage) -> None:
    hidden = hidden_exponents(settings.network, settings.sweep.narrow)
    for reference in settings.sweep.references:
        rows = data[data["reference"] == reference].sort_values("r")
        colour = COLOURS[reference]
        axis.errorbar(
            rows["r"],
            rows["value"],
            yerr=[rows["value"] - rows["low"], rows["high"] - rows["value"]],
            fmt=MARKERS[reference],
            color=colour,
            markersize=4,
            elinewidth=0.7,
            capsize=1.5,
        )
        axis.plot(rows["r"], rows["expected"], "-", color=colour, linewidth=0.8)
        edge = float(expected_edge(reference, hidden))
        axis.axvline(edge, linestyle=":", color=colour)
        axis.annotate(
            f"$r = {expected_edge(reference, hidden)}$",
            (edge, 0.98),
            xycoords=axis.get_xaxis_transform(),
            xytext=(2, 0),
            textcoords="offset points",
            rotation=90,
            va="top",
            fontsize=7,
            color=colour,
        )
    axis.axhline(0, color="0.4", linewidth=0.6)
    axis.set_xticks([k / 4 for k in range(5)], ["0", "1/4", "1/2", "3/4", "1"])
    axis.set(
        xlabel=r"$r$,  updates of size $\|\Delta\tilde{h}\| = m^{\,r}$",
        ylabel="exponent of $n$ in the drift,\nnarrow layers",
        title="Second step: terms of eq. 2.55",
    )
    grid(axis)


def _growth_panel(axis: Axes, data: pd.DataFrame, settings: EdgesStage) -> None:
    widths = sorted(data["n"].unique())
    for reference in settings.sweep.references:
        for position, n in enumerate(widths):
            rows = data[(data["reference"] == reference) & (data["n"] == n)].sort_values("relative_size")
            # Wider networks have fuller markers.
            fill = ("none", "left", "full")[round(2 * position / max(1, len(widths) - 1))]
            axis.plot(
                rows["relative_size"],
                np.minimum(rows["value"], CEILING),
                linestyle="-",
                linewidth=0.4,
                marker=MARKERS[reference],
                markersize=4.5,
                markeredgewidth=0.7,
                fillstyle=fill,
                markerfacecoloralt="white",
                color=COLOURS[reference],
            )
    axis.text(
        0.02,
        CEILING,
        "diverged,\nor beyond",
        transform=axis.get_yaxis_transform(),
        va="top",
        fontsize=7,
        color="0.3",
    )
    axis.axvline(1, color="0.4", linewidth=0.6)
    axis.axhline(settings.sweep.onset, color="0.4", linewidth=0.6, linestyle=":")
    axis.set(
        xscale="log",
        yscale="log",
        ylim=(0.8, 1.3 * CEILING),
        xlabel=r"$m^{\,r} / \sqrt{n_{\min}}$",
        ylabel=r"growth of $\|\partial\mathcal{L}/\partial\tilde{h}^{(1)}\|"
        r" / \|\partial\mathcal{L}/\partial\tilde{h}^{(L)}\|$",
        title=f"Largest in {settings.sweep.steps} steps, relative to the first",
    )
    grid(axis)


def _key(settings: EdgesStage, data: pd.DataFrame) -> list[Line2D]:
    references = [
        Line2D(
            [],
            [],
            color=COLOURS[name],
            marker=MARKERS[name],
            markersize=4,
            linestyle="",
            label=SYMBOLS[name],
        )
        for name in settings.sweep.references
    ]
    widths = data["n"].dropna()
    return [
        *references,
        Line2D([], [], color="0.3", linewidth=0.8, label=r"theory of the drift, $\rho - a_\ell/2$"),
        Line2D([], [], color="0.3", linestyle=":", label="expected edge of the drift; onset of growth"),
        Line2D(
            [],
            [],
            color="0.3",
            marker="o",
            markersize=4,
            linestyle="",
            fillstyle="left",
            markerfacecoloralt="white",
            label=f"fuller: wider, $n$ = {widths.min():,.0f} to {widths.max():,.0f}",
        ),
    ]
