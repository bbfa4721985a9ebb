"""The figure: residuals against steps on one line of theory, and after one full step against n."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from dynparam.experiments.natural_gradient.judge import METHODS
from dynparam.experiments.natural_gradient.settings import NaturalGradientStage
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, Sheet, grid
from dynparam.presentation.parametrization_style import Look, look
from dynparam.statistics.estimates import mean_of
from dynparam.support.arrays import FloatArray
from dynparam.theory.natural_gradient import APPROXIMATIONS

LOOKS = dict(zip(APPROXIMATIONS, map(Look, LAYER_COLOURS, LAYER_MARKERS), strict=False))

GREY = "0.55"

COLUMNS = ("panel", "method", "scales", "n", "step", "expected", "value", "low", "high")
"""The columns of the plotted data. ``expected`` is (1 - c)^t, missing where theory has no number."""

INPUTS = {"gaussian": "Gaussian inputs", "images": "images"}

ERROR_BARS: Any = {"elinewidth": 0.7, "capsize": 1.5, "markersize": 4.5, "markeredgewidth": 0.9}

APART = 0.13
"""Steps by which the points of two methods stand apart, as they lie on one line."""


def plotted_data(trials: pd.DataFrame, settings: NaturalGradientStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``.

    Panels "gaussian" and "images": what steps leave of the residual, in the narrowest and the widest
    network; of the controls, gradient descent in the widest. Panels "one_step": what one full step
    leaves, at every n. Means over networks with their intervals, in panels of one step those of
    logarithms.
    """
    level, rows = settings.fit.confidence, list[dict[str, object]]()
    own = settings.natural_gradient
    keys = ["part", "method", "scales", "n", "step"]
    for (part, method, scales, n, step), found in trials.groupby(keys, sort=False):
        values = found["residual"].to_numpy(float)
        widths = getattr(own, str(part)).widths
        ends = (widths[0], widths[-1])
        point = {"panel": part, "method": method, "scales": scales, "n": n, "step": step}
        if part == "one_step":
            rows.append(point | {"expected": np.nan} | _mean(np.log(values), level, exponential=True))
        elif (method == "gradient" and n == widths[-1]) or (method in LOOKS and n in ends):
            rows.append(point | {"expected": (1 - own.step) ** int(str(step))} | _mean(values, level))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def natural_gradient_figure(
    data: pd.DataFrame, settings: NaturalGradientStage, sheet: Sheet = PAGE
) -> Figure:
    """Above, some steps on both kinds of inputs; below, one full step of each approximation."""
    own = settings.natural_gradient
    below = own.one_step.approximations
    shapes = [sheet.grid(count, across=2) for count in (len(INPUTS), len(below))]
    with mpl.rc_context(sheet.large):
        heights = [0.8 + 2.5 * rows for rows, _ in shapes]
        figure = sheet.figure(sum(heights))
        halves: Any = figure.subfigures(2, 1, height_ratios=heights)
        axes: Any = halves[0].subplots(*shapes[0], sharey=True, squeeze=False)
        for axis, (part, title) in zip(axes.flat, INPUTS.items(), strict=True):
            rows = data[data["panel"] == part]
            _steps_panel(axis, rows, own.steps)
            axis.set(title=title, xlabel="step $t$")
        for axis in axes[:, 0]:
            axis.set_ylabel("residual / first one")
        named = {name: one for name, one in LOOKS.items() if name in set(data["method"])}
        narrow = [part.widths[0] for part in (own.gaussian, own.images)]
        wide = [part.widths[-1] for part in (own.gaussian, own.images)]
        keys = [*_key(named, METHODS), *_others(narrow, wide)]
        across = 2 if sheet.is_column else 4
        halves[0].legend(handles=keys, loc="outside lower center", ncols=across, frameon=False)
        axes = halves[1].subplots(*shapes[1], sharey=True, squeeze=False)
        for axis, method in zip(axes.flat, below, strict=False):
            rows = data[(data["panel"] == "one_step") & (data["method"] == method)]
            _widths_panel(axis, rows, own.one_step.widths)
            axis.set(title=f"one full step, {METHODS[method]}", xlabel="$n$ (neurons)")
        for axis in axes[:, 0]:
            axis.set_ylabel("residual / first one")
        looks = {name: look(name) for name in own.one_step.parametrizations}
        handles = _key(looks, {name: name for name in looks})
        across = 3 if sheet.is_column else len(handles)
        halves[1].legend(handles=handles, loc="outside lower center", ncols=across, frameon=False)
    return figure


def _mean(values: FloatArray, level: float, *, exponential: bool = False) -> dict[str, object]:
    found = mean_of(values, level)
    ends = np.array([found.value, found.ci_low, found.ci_high])
    shown = np.exp(ends) if exponential else ends
    return dict(zip(("value", "low", "high"), shown.tolist(), strict=True))


def _steps_panel(axis: Axes, rows: pd.DataFrame, steps: int) -> None:
    line = rows.drop_duplicates("step").sort_values("step")
    axis.plot([0, *line["step"]], [1.0, *line["expected"]], "-", color="0.1", linewidth=1.0, zorder=1)
    shown = [name for name in LOOKS if name in set(rows["method"])]
    places = {name: APART * (at - (len(shown) - 1) / 2) for at, name in enumerate(shown)}
    for name in shown:
        for n, found in rows[rows["method"] == name].groupby("n"):
            _points(axis, found, found["step"] + places[name], LOOKS[name], filled=n == rows["n"].max())
    descent = rows[rows["method"] == "gradient"]
    _points(axis, descent, descent["step"].astype(float), Look(GREY, "x"), filled=True)
    axis.set(yscale="log", xlim=(-0.3, steps + 0.5))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    _plain(axis, (1.0, 2.0, 5.0))
    grid(axis)


def _widths_panel(axis: Axes, rows: pd.DataFrame, widths: tuple[int, ...]) -> None:
    for name, found in rows.groupby("scales", sort=False):
        drawn, found = look(str(name)), found.sort_values("n")
        axis.plot(found["n"], found["value"], "-", color=drawn.colour, linewidth=0.6)
        _points(axis, found, found["n"], drawn, filled=False)
    axis.axhline(1.0, color="0.3", linewidth=0.6, linestyle=":")
    axis.set(xscale="log", yscale="log")
    axis.set_xticks(widths, map(str, widths))
    axis.set_xticks([], minor=True)
    axis.margins(x=0.1)
    _plain(axis, (1.0,))
    grid(axis)


def _plain(axis: Axes, leading: tuple[float, ...]) -> None:
    """Number the residuals as 0.2, not 2 x 10^-1, at these leading digits."""
    axis.yaxis.set_major_locator(LogLocator(subs=leading))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())


def _points(axis: Axes, rows: pd.DataFrame, x: pd.Series, drawn: Look, *, filled: bool) -> None:
    low = rows["low"].clip(lower=np.finfo(float).tiny)
    axis.errorbar(
        x,
        rows["value"],
        yerr=[rows["value"] - low, rows["high"] - rows["value"]],
        fmt=drawn.marker,
        color=drawn.colour,
        markerfacecolor=drawn.colour if filled else "white",
        **ERROR_BARS,
    )


def _key(looks: dict[Any, Look], names: dict[str, str]) -> list[Line2D]:
    return [
        Line2D(
            [], [], linestyle="", marker=one.marker, markersize=5, color=one.colour, label=names[name]
        )
        for name, one in looks.items()
    ]


def _others(narrow: list[int], wide: list[int]) -> Iterator[Line2D]:
    """What colour does not tell."""

    def both(widths: list[int]) -> str:
        """One width, or that of each panel."""
        return "$M$ = " + ", ".join(map(str, dict.fromkeys(widths)))

    dots: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 5, "color": "0.1"}
    yield Line2D([], [], **dots, markerfacecolor="white", label=both(narrow))
    yield Line2D([], [], **dots, label=both(wide))
    yield Line2D([], [], linestyle="", marker="x", color=GREY, label="gradient descent")
    yield Line2D([], [], color="0.1", label="theory, $(1-c)^t$")
