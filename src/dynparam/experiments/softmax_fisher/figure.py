"""The figure: eigenvalues against their rank, and how far outliers spread against the size of f."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dynparam.experiments.softmax_fisher.judge import Network, networks
from dynparam.experiments.softmax_fisher.settings import SoftmaxStage
from dynparam.presentation.figure_style import PAGE, Sheet, grid
from dynparam.presentation.parametrization_style import look
from dynparam.support.arrays import FloatArray

GREY = "0.55"

COLUMNS = (
    "panel", "scales", "n", "quantity", "rank", "output_rms", "expected", "value", "low", "high"
)  # fmt: skip
"""The columns of the plotted data. ``output_rms`` is sqrt(E f^2) in theory."""

ERROR_BARS: Any = {"elinewidth": 0.7, "capsize": 1.5, "markersize": 3.5}


def plotted_data(trials: pd.DataFrame, settings: SoftmaxStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``.

    Panel "spectrum": eigenvalues of the widest network over the mean of those that stand out in theory,
    C - 1 under softmax and C of the squared loss; means over trials with their intervals. Panel
    "spread": the largest of those that stand out over the smallest, in units of the same of the squared
    loss (one in the wide limit), at every width.
    """
    shown = [one for one in networks(trials, settings) if one.part == "images"]
    widest = max(one.n for one in shown)
    rows: list[dict[str, object]] = []
    for network in shown:
        if network.n == widest:
            rows += _spectrum(network)
        rows += _spread(network)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def softmax_figure(data: pd.DataFrame, settings: SoftmaxStage, sheet: Sheet = PAGE) -> Figure:
    """A panel for each parametrization, and one for the spread of all."""
    names = list(dict.fromkeys(data["scales"]))
    count = len(names) + 1
    _, columns = sheet.grid(count, across=3)
    classes = settings.softmax_fisher.images.outputs
    with mpl.rc_context(sheet.large):
        figure, axes = sheet.subplots(count, across=3, row=2.4, key=0.7)
        spectra = data[data["panel"] == "spectrum"]
        span, limits = _span(spectra), settings.softmax_fisher.tolerances
        for place, (axis, name) in enumerate(zip(axes, names, strict=False)):
            _spectrum_panel(axis, spectra[spectra["scales"] == name], name, classes)
            axis.set(ylim=span)
            first = place % columns == 0
            axis.tick_params(labelleft=first, which="both")
            axis.set_ylabel("eigenvalue / mean outlier" if first else "")
        _spread_panel(axes[count - 1], data[data["panel"] == "spread"], (limits.alike, limits.dispersed))
        across = 1 if sheet.is_column else 3
        figure.legend(handles=_key(), loc="outside lower center", ncols=across, frameon=False)
    return figure


def _spectrum(network: Network) -> Iterator[dict[str, object]]:
    for measured, expected, count in (
        ("softmax", "refined", network.outputs - 1),
        ("squared", "squared_wide", network.outputs),
    ):
        theory = network.values[expected]
        unit = theory[:, :count].mean(axis=1, keepdims=True)
        scaled, line = network.values[measured] / unit, (theory / unit).mean(axis=0)
        for rank, values in enumerate(scaled.T, start=1):
            yield _point(network, "spectrum", measured, line[rank - 1], values) | {"rank": rank}


def _spread(network: Network) -> Iterator[dict[str, object]]:
    values, last = network.values, network.outputs - 1
    own = values["softmax"][:, 0] / values["softmax"][:, last - 1]
    plain = values["squared"][:, 0] / values["squared"][:, last]
    expected = (values["refined"][:, 0] / values["refined"][:, last - 1]).mean()
    yield _point(network, "spread", "softmax", expected, own / plain)


def _point(
    network: Network, panel: str, quantity: str, expected: float, values: FloatArray
) -> dict[str, object]:
    found = network.mean(values)
    return {
        "panel": panel,
        "scales": network.scales,
        "n": network.n,
        "quantity": quantity,
        "output_rms": network.values["output_rms"][:, 0].mean(),
        "expected": expected,
        "value": found.value,
        "low": found.ci_low,
        "high": found.ci_high,
    }


def _spectrum_panel(axis: Axes, data: pd.DataFrame, name: str, classes: int) -> None:
    for quantity in ("squared", "softmax"):
        rows = data[data["quantity"] == quantity].sort_values("rank")
        softmax = quantity == "softmax"
        colour, marker = look(name) if softmax else (GREY, "o")
        axis.plot(rows["rank"], rows["expected"], "-", color=colour, linewidth=1.0)
        _points(axis, rows, rows["rank"], colour, marker, filled=softmax)
    axis.axvline(classes - 0.5, color="0.3", linewidth=0.6, linestyle=":")
    axis.set(yscale="log", title=name, xlabel="rank")
    grid(axis)


def _spread_panel(axis: Axes, data: pd.DataFrame, bounds: tuple[float, float]) -> None:
    widest = data["n"].max()
    for bound in bounds:
        axis.axhline(bound, color="0.3", linewidth=0.6, linestyle=":")
    for name, softmax in data.groupby("scales", sort=False):
        colour, marker = look(str(name))
        for wide in (False, True):
            rows = softmax[(softmax["n"] == widest) == wide]
            _points(axis, rows, rows["output_rms"], colour, marker, filled=wide)
        # The small mark tells whose theory it is in grey too.
        for mark, size in (("_", 12.0), (marker, 2.5)):
            axis.plot(softmax["output_rms"], softmax["expected"], mark, color=colour, markersize=size)
    axis.set(
        xscale="log",
        yscale="log",
        title="spread of outliers",
        xlabel=r"size of outputs, $f_{\mathrm{rms}}$",
        ylabel=r"$e_1/e_{C-1}$ / squared loss's",
    )
    axis.margins(x=0.2)
    ticks = (1, 1.5, 2, 3, 4)
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    grid(axis)


def _points(
    axis: Axes, rows: pd.DataFrame, x: pd.Series, colour: str, marker: str, *, filled: bool
) -> None:
    axis.errorbar(
        x,
        rows["value"],
        yerr=[rows["value"] - rows["low"], rows["high"] - rows["value"]],
        fmt=marker,
        color=colour,
        markerfacecolor=colour if filled else "white",
        markeredgewidth=0.8,
        **ERROR_BARS,
    )


def _span(data: pd.DataFrame) -> tuple[float, float]:
    """One axis for all spectra, with room for every interval that stays positive."""
    values = np.concatenate([data[name].to_numpy(float) for name in ("expected", "value", "high")])
    low = data["low"].to_numpy(float)
    positive = np.concatenate([values, low[low > 0]])
    return float(positive.min()) / 1.3, float(positive.max()) * 1.3


def _key() -> list[Line2D]:
    def dots(label: str, **drawn: Any) -> Line2D:
        """Points without a line."""
        return Line2D([], [], linestyle="", marker="o", markersize=4, label=label, **drawn)

    return [
        dots("softmax, in colour", color="0.1"),
        dots("squared loss", color=GREY, markerfacecolor="white"),
        Line2D([], [], color="0.1", linewidth=1.0, label="wide limit, measured $p$"),
        Line2D([], [], color="0.3", linestyle=":", label="behind rank $C-1$; bounds"),
        dots("last panel: narrower", color="0.1", markerfacecolor="white"),
        Line2D([], [], color="0.1", linestyle="", marker="_", markersize=10, label="last panel: theory"),
    ]
