"""The figure: what grows, how long learning takes, and what a fit costs on new data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dynparam.experiments.attentional_boltzmann.judge import Measured
from dynparam.experiments.attentional_boltzmann.settings import BoltzmannStage
from dynparam.presentation.figure_style import LAYER_COLOURS, PAGE, Sheet, grid
from dynparam.statistics.estimates import Estimate
from dynparam.theory.attentional_boltzmann import excess_loss, growth_factor

COLUMNS = ("panel", "kind", "hidden", "x", "expected", "value", "low", "high")
"""The columns of the plotted data."""

CONTROL = "0.45"

POINTS: Any = {"elinewidth": 0.8, "capsize": 2, "markersize": 5, "linestyle": ""}


def plotted_data(measured: pd.DataFrame, settings: BoltzmannStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``.

    Panel "growth": the growth in one step, less 1, times K over the learning rate, against lambda (x),
    whose line is lambda - 1; kind "shifted" is the control. Panel "escape": steps against the number of
    hidden units (x), by kind of learning rate. Panel "mixture": the excess loss against samples (x).
    """
    found = Measured(measured, settings.fit.confidence)
    rows = [*_growth(found, settings), *_escape(found, settings), *_mixture(found, settings)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def boltzmann_figure(data: pd.DataFrame, sheet: Sheet = PAGE) -> Figure:
    """The three panels."""
    with mpl.rc_context(sheet.large):
        figure, (left, middle, right) = sheet.subplots(3, across=3, row=3.5)
        _growth_panel(left, data[data["panel"] == "growth"])
        _escape_panel(middle, data[data["panel"] == "escape"])
        _mixture_panel(right, data[data["panel"] == "mixture"])
    return figure


def _growth(found: Measured, settings: BoltzmannStage) -> Iterator[dict[str, object]]:
    own = settings.attentional_boltzmann
    for hidden in own.growth.hidden:
        unit = own.growth.rate / hidden
        expected = (growth_factor(own.eigenvalues, own.growth.rate, hidden) - 1) / unit
        for kind in ("centred", "shifted"):
            for place, (x, line) in enumerate(zip(own.eigenvalues, expected, strict=True), start=1):
                values = found.values("growth", kind, hidden, "factor", place)
                if kind == "centred" or place == 1:
                    yield _row("growth", kind, hidden, x, line, found.mean((values - 1) / unit))


def _escape(found: Measured, settings: BoltzmannStage) -> Iterator[dict[str, object]]:
    for kind in ("fixed", "proportional"):
        for hidden in settings.attentional_boltzmann.escape.hidden:
            steps, expected = (
                found.values("escape", kind, hidden, name) for name in ("steps", "expected")
            )
            yield _row("escape", kind, hidden, hidden, float(expected.mean()), found.mean(steps))


def _mixture(found: Measured, settings: BoltzmannStage) -> Iterator[dict[str, object]]:
    own = settings.attentional_boltzmann.mixture
    for kind in ("apart", "overlapping"):
        for samples in own.samples:
            expected = excess_loss(own.components, own.dimensions, samples)
            values = found.values("mixture", kind, own.components, "excess", samples)
            yield _row("mixture", kind, own.components, samples, expected, found.mean(values))


def _row(
    panel: str, kind: str, hidden: int, x: float, expected: float, measured: Estimate
) -> dict[str, object]:
    return {
        "panel": panel,
        "kind": kind,
        "hidden": hidden,
        "x": x,
        "expected": expected,
        "value": measured.value,
        "low": measured.ci_low,
        "high": measured.ci_high,
    }


def _growth_panel(axis: Axes, data: pd.DataFrame) -> None:
    centred = data[data["kind"] == "centred"].sort_values("x")
    ends = np.array([0.0, float(centred["x"].max())])
    axis.plot(ends, ends - 1, "-", color="0.1", label=r"$\lambda-1$")
    axis.axhline(0, color="0.5", linewidth=0.6)
    for place, (hidden, rows) in enumerate(centred.groupby("hidden")):
        colour, marker = LAYER_COLOURS[(0, 5, 2)[place % 3]], ("o", "s", "^")[place % 3]
        # Small on large: both lie on the line.
        size = (9, 4.5, 2.5)[min(place, 2)]
        drawn: Any = {**POINTS, "markersize": size, "markerfacecolor": colour if place else "white"}
        _points(axis, rows, marker, f"$K={hidden}$", color=colour, **drawn)
    _points(axis, data[data["kind"] == "shifted"], "x", "$b$ off the mean", color=CONTROL, **POINTS)
    axis.set(
        xlabel=r"eigenvalue $\lambda$ of the data",
        ylabel=r"(growth $-\,1$) $K/\eta$",
        title="what is learned",
        ylim=(-1.2, float(data["value"].max()) * 1.2),
    )
    axis.legend(loc="upper left", frameon=False, handlelength=1.2, handletextpad=0.4)
    grid(axis)


def _escape_panel(axis: Axes, data: pd.DataFrame) -> None:
    for kind, colour, marker, label in (
        ("fixed", LAYER_COLOURS[5], "s", r"$\eta$ fixed"),
        ("proportional", LAYER_COLOURS[0], "o", r"$\eta\propto K$"),
    ):
        rows = data[data["kind"] == kind]
        axis.plot(rows["x"], rows["expected"], "-", color=colour)
        _points(axis, rows, marker, label, color=colour, **POINTS)
    axis.set(xscale="log", yscale="log", xlabel="hidden units $K$", title="steps to learn")
    hidden = sorted(data["hidden"].unique())
    axis.set_xticks(hidden, [str(one) for one in hidden])
    _number_ticks(axis, data)
    axis.legend(loc="upper left", frameon=False, handletextpad=0.2)
    grid(axis)


def _mixture_panel(axis: Axes, data: pd.DataFrame) -> None:
    apart, overlapping = (data[data["kind"] == kind] for kind in ("apart", "overlapping"))
    axis.plot(apart["x"], apart["expected"], "-", color="0.1", label="$(PD+P-1)/2n$")
    _points(axis, apart, "o", "apart", color=LAYER_COLOURS[0], **POINTS)
    _points(axis, overlapping, "x", "overlapping", color=CONTROL, **POINTS)
    axis.set(xscale="log", yscale="log", xlabel="samples $n$", title="loss of a fit, less truth's")
    samples = sorted(data["x"].unique())
    axis.set_xticks(samples, [f"{one:g}" for one in samples])
    _number_ticks(axis, data)
    axis.legend(loc="lower left", frameon=False, handlelength=1.2, handletextpad=0.4)
    grid(axis)


def _points(axis: Axes, rows: pd.DataFrame, marker: str, label: str, **drawn: Any) -> None:
    errors = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
    axis.errorbar(rows["x"], rows["value"], yerr=errors, marker=marker, label=label, **drawn)


def _number_ticks(axis: Axes, data: pd.DataFrame) -> None:
    """1, 2 and 5 of every power of ten that the values of a logarithmic axis reach."""
    low, high = float(data["value"].min()) / 1.3, float(data["value"].max()) * 1.3
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    shown = [tick for tick in ticks if low < tick < high]
    axis.set_yticks(shown, [f"{tick:g}" for tick in shown])
    axis.minorticks_off()
