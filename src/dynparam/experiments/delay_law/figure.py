"""The figure: delays against R beside theory's curves, and along the thesis's families of widths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from dynparam.experiments.delay_law.cases import Case, parts
from dynparam.experiments.delay_law.judge import Measured, by_case, delays_of, series_cases
from dynparam.experiments.delay_law.settings import FAMILIES, DelayLaw, DelayStage
from dynparam.presentation.figure_style import PAGE, Sheet, grid
from dynparam.presentation.parametrization_style import Look, look
from dynparam.presentation.plain_axis import plain_numbers
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.theory.delay import asymptotic_exponent, delay

COLUMNS = ("panel", "kind", "bottlenecks", "parametrization", "x", "expected", "value", "low", "high")
"""The columns of the plotted data. ``value`` is missing on the points of theory's curves alone."""

CURVE_POINTS = 25
"""Points of each of theory's curves."""

ERROR_BARS: Any = {"elinewidth": 0.8, "capsize": 1.5, "markersize": 4.5, "markeredgewidth": 0.9}

OPEN: Any = {"markersize": 5, "markerfacecolor": "white"}

SERIES_LOOKS = tuple(
    map(Look, ("#332288", "#882255", "#999933", "0.35", "0.1"), ("o", "s", "^", "D", "v"))
)
"""Of one to five bottlenecks: Tol's muted palette, so that no parametrization has their colours."""


def plotted_data(measured: pd.DataFrame, settings: DelayStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``.

    Panel "ratio": eta times the steps against R (x), measured and, on more points, by theory. Panel
    "family": steps over their mean at the smallest n, against n (x), by kind of family.
    """
    own, level, found = settings.delay_law, settings.fit.confidence, by_case(measured)
    rows = [*_series_rows(found, own, level), *_family_rows(found, own, level)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def delay_figure(data: pd.DataFrame, settings: DelayStage, sheet: Sheet = PAGE) -> Figure:
    """Above, delays against R; below, along each family of widths."""
    own = settings.delay_law
    kinds = list(own.families.families)
    rows_below, columns = sheet.grid(len(kinds), across=3)
    with mpl.rc_context(sheet.large):
        heights = (3.8, 0.7 + 2.0 * rows_below)
        figure = sheet.figure(sum(heights))
        halves: Any = figure.subfigures(2, 1, height_ratios=heights)
        above, below = halves
        _ratio_panel(above.subplots(), data[data["panel"] == "ratio"])
        panels: Any = below.subplots(rows_below, columns, sharey=True, squeeze=False)
        axes = list(panels.flat)[: len(kinds)]
        rows = data[data["panel"] == "family"]
        names = list(own.families.parametrizations)
        for axis, kind in zip(axes, kinds, strict=True):
            _family_panel(axis, rows[rows["kind"] == kind], names)
            axis.set_title(rf"$n_{{\min}} = {_rule(own, kind)}$")
        for axis in axes[::columns]:
            axis.set_ylabel("steps / those at\nthe smallest $n$")
        handles = [
            Line2D([], [], color=look(name).colour, marker=look(name).marker, label=name, **OPEN)
            for name in names
        ]
        below.legend(
            handles=handles,
            loc="outside lower center",
            ncols=3 if sheet.is_column else len(names),
            frameon=False,
        )
    return figure


def _series_rows(measured: Measured, own: DelayLaw, level: float) -> Iterator[dict[str, object]]:
    for series in own.series:
        for case in series_cases(own, series.bottlenecks):
            delays = delays_of(measured, case) * case.learning_rate
            expected = case.learning_rate * case.expected()
            found = _point(case.n / case.n_min, expected, mean_of(delays, level))
            yield _of(case, "ratio") | found
        for ratio in np.geomspace(series.ratios[0], series.ratios[-1], CURVE_POINTS).tolist():
            steps = delay(ratio, series.bottlenecks, own.learning_rate)
            yield _point(ratio, own.learning_rate * steps, None) | {
                "panel": "ratio",
                "kind": "theory",
                "bottlenecks": series.bottlenecks,
                "parametrization": "spectral",
            }


def _family_rows(measured: Measured, own: DelayLaw, level: float) -> Iterator[dict[str, object]]:
    first: dict[tuple[str, str], float] = {}
    for case in parts(own)[FAMILIES]:
        steps = delays_of(measured, case)
        start = first.setdefault((case.kind, case.parametrization), float(steps.mean()))
        yield _of(case, "family") | _point(case.n, np.nan, mean_of(steps / start, level))


def _of(case: Case, panel: str) -> dict[str, object]:
    """What a point is of."""
    return {
        "panel": panel,
        "kind": case.kind,
        "bottlenecks": case.bottlenecks,
        "parametrization": case.parametrization,
    }


def _point(x: float, expected: float, value: Estimate | None) -> dict[str, object]:
    """Where it lies; a point of theory alone has no value."""
    ends = (np.nan,) * 3 if value is None else (value.value, *value.interval)
    return {"x": x, "expected": expected, **dict(zip(("value", "low", "high"), ends, strict=True))}


def _ratio_panel(axis: Axes, data: pd.DataFrame) -> None:
    for bottlenecks, rows in data.groupby("bottlenecks"):
        drawn, curve = SERIES_LOOKS[int(str(bottlenecks)) - 1], rows.sort_values("x")
        axis.plot(curve["x"], curve["expected"], "-", color=drawn.colour, linewidth=1.3)
        _points(axis, rows[rows["value"].notna()], drawn)
        last = curve.iloc[-1]
        axis.annotate(
            _name(int(str(bottlenecks))),
            (last["x"], last["expected"]),
            xytext=(-7, 4),
            textcoords="offset points",
            ha="right",
            color=drawn.colour,
        )
    axis.set(
        xscale="log",
        yscale="log",
        xlabel=r"$R = n/n_{\min}$",
        ylabel=r"$\eta\times$ steps until the loss is halved",
    )
    plain_numbers(axis.yaxis)
    grid(axis)
    handles = [
        Line2D([], [], linestyle="", marker="o", color="0.3", label="measured, spectral", **OPEN),
        Line2D([], [], color="0.3", linewidth=1.3, label="theory, nothing fitted"),
    ]
    axis.legend(handles=handles, loc="lower right", frameon=False)


def _name(bottlenecks: int) -> str:
    """How many bottlenecks, and the law of their delay."""
    power = asymptotic_exponent(bottlenecks)
    law = {0.0: r"\log R", 0.5: r"R^{1/2}", 1.0: "R"}.get(power, rf"R^{{{bottlenecks - 1}/2}}")
    count = "1 bottleneck" if bottlenecks == 1 else f"{bottlenecks} bottlenecks"
    return rf"{count}: ${law}$"


def _family_panel(axis: Axes, rows: pd.DataFrame, names: Sequence[str]) -> None:
    # Spectral last, on top of the others, which lie on one line.
    for name in sorted(names, key=lambda one: one == "spectral"):
        found, drawn = rows[rows["parametrization"] == name].sort_values("x"), look(name)
        axis.plot(found["x"], found["value"], "-", color=drawn.colour, linewidth=0.9)
        _points(axis, found, drawn)
    axis.set(xscale="log", yscale="log", xlabel="$n$ (neurons)")
    axis.xaxis.set_major_locator(LogLocator(numticks=6))
    axis.xaxis.set_minor_formatter(NullFormatter())
    plain_numbers(axis.yaxis)
    grid(axis)


def _rule(own: DelayLaw, kind: str) -> str:
    """A family's rule as a formula."""
    narrow = own.families.families[kind].narrow
    if narrow.exponent == 1:
        c = narrow.coefficient
        return "n" if c == 1 else f"n/{c.denominator}" if c.numerator == 1 else f"({c})\\,n"
    return rf"{narrow.coefficient}\,n^{{{narrow.exponent}}}"


def _points(axis: Axes, rows: pd.DataFrame, drawn: Look) -> None:
    low = rows["low"].clip(lower=np.finfo(float).tiny)
    axis.errorbar(
        rows["x"],
        rows["value"],
        yerr=[rows["value"] - low, rows["high"] - rows["value"]],
        fmt=drawn.marker,
        color=drawn.colour,
        markerfacecolor="white",
        **ERROR_BARS,
    )
