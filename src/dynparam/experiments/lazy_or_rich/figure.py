"""The figure: discrepancy from the linearization, change of the kernel, and the laziness index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from dynparam.experiments.lazy_or_rich.judge import Tables, at_narrowest, mean_log
from dynparam.experiments.lazy_or_rich.settings import LINEARIZED, LazinessStage
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, STYLE, Sheet, grid
from dynparam.presentation.numbers import fraction
from dynparam.presentation.parametrization_style import Look, look
from dynparam.statistics.slopes import log_intercept, log_line
from dynparam.theory.laziness import laziness_index, narrowest_layer
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import log_spaced

COLUMNS = ("panel", "series", "family", "engine", "width", "value", "low", "high", "expected")
"""The plotted data: a point each, with its interval and what its line has there.

Panels: "discrepancy" and "index" against n, "kernel" against n_min. The lines of "kernel" have theory's
slope, and a constant of their own that is fitted; those of "index" have no constant.
"""

R_LOOKS = tuple(Look(LAYER_COLOURS[place], LAYER_MARKERS[place]) for place in (0, 5, 3, 2, 4))
"""Of dynamic with several r: from that of ntk, whose kernel r = 0 has, to dynamic's own at r = 1/2."""

LITTLE = 100.0
"""An axis that spans less than this factor has numbers between powers of ten."""

WINDOW = (1e3, 1e4)
"""The widths of the thesis's figures."""


def plotted_data(tables: Tables, settings: LazinessStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``."""
    rows = [
        *_discrepancy_data(tables.linearization, settings),
        *_kernel_data(tables.kernel_change, settings),
        *_index_data(tables.index, settings),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def laziness_figure(data: pd.DataFrame, settings: LazinessStage, sheet: Sheet = PAGE) -> Figure:
    """The three panels."""
    with mpl.rc_context(STYLE):
        figure, (left, middle, right) = sheet.subplots(3, across=3, row=3.1)
        _discrepancy_panel(left, data[data["panel"] == "discrepancy"], settings)
        _kernel_panel(middle, data[data["panel"] == "kernel"], settings)
        _index_panel(right, data[data["panel"] == "index"], settings)
    return figure


def index_family(settings: LazinessStage) -> str:
    """The family whose index is shown: the one whose bottleneck sharpens fastest."""
    families = settings.lazy_or_rich.families
    return min(families, key=lambda name: families[name].exponent)


def _discrepancy_data(table: pd.DataFrame, settings: LazinessStage) -> Iterator[dict[str, object]]:
    for (name, n), rows in table.groupby(["parametrization", "n"], sort=False):
        yield {"panel": "discrepancy", "series": name, "width": n} | _point(
            rows["discrepancy"], settings
        )


def _kernel_data(table: pd.DataFrame, settings: LazinessStage) -> Iterator[dict[str, object]]:
    lazy = settings.lazy_or_rich
    shown = table[(table["parametrization"] != "spectral") & table["kernel_change"].notna()]
    for (family, name, power), mine in shown.groupby(["family", "parametrization", "r"], sort=False):
        r = float(str(power))
        slope = 2 * r - 1 if name == "dynamic" else 0.0
        series = f"r = {fraction(r)}" if name == "dynamic" else str(name)
        points = {
            int(str(n_min)): _point(rows["kernel_change"], settings)
            for n_min, rows in mine.groupby("n_min")
        }
        widths = list(points)
        values = [point["value"] for point in points.values()]
        line = log_line(widths, slope, log_intercept(widths, values, slope))
        for (n_min, point), expected in zip(points.items(), line, strict=True):
            yield {
                "panel": "kernel",
                "series": series,
                "family": str(lazy.rule(str(family))),
                "width": n_min,
                **point,
                "expected": expected,
            }


def _index_data(table: pd.DataFrame, settings: LazinessStage) -> Iterator[dict[str, object]]:
    lazy = settings.lazy_or_rich
    family = index_family(settings)
    mine = at_narrowest(table[table["family"] == family], lazy)
    for (engine, name, n), rows in mine.groupby(["engine", "parametrization", "n"], sort=False):
        yield {
            "panel": "index",
            "series": name,
            "family": str(lazy.rule(family)),
            "engine": engine,
            "width": n,
            **_point(rows["index"], settings),
            "expected": rows["expected"].iloc[0],
        }


def _point(values: pd.Series[float], settings: LazinessStage) -> dict[str, float]:
    """The geometric mean over trials with its interval; the value alone if there is one trial."""
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2:
        return {"value": float(array[0]), "low": np.nan, "high": np.nan}
    found = mean_log(array, settings.fit.confidence)
    return {"value": found.value, "low": found.ci_low, "high": found.ci_high}


def _discrepancy_panel(axis: Axes, data: pd.DataFrame, settings: LazinessStage) -> None:
    slope = settings.lazy_or_rich.linearization.discrepancy_slope
    for name in LINEARIZED:
        rows = data[data["series"] == name].sort_values("width")
        label = "dynamic, $r = 1/2$" if name == "dynamic" else name
        _points(axis, rows, *look(name), label)
    lazy = data[data["series"] == LINEARIZED[0]].sort_values("width")
    n = lazy["width"].to_numpy(float)
    line = log_line(n, slope, np.log(lazy["value"].iloc[0]) - slope * np.log(n[0]))
    axis.plot(n, line, "--", color="0.5", linewidth=0.8, label=rf"$n^{{{_typed(slope)}}}$")
    axis.set(
        xlabel="$n$, all hidden layers",
        ylabel=r"rms $(f - f_{\mathrm{lin}})$ / rms $(f_{\mathrm{lin}} - f_0)$",
        title="Off the linearization",
    )
    _finish(axis, n.tolist())


def _kernel_panel(axis: Axes, data: pd.DataFrame, settings: LazinessStage) -> None:
    families = list(data["family"].unique())
    names = list(data["series"].unique())
    for place, series in enumerate(names):
        drawn = look("mup") if series == "mup" else R_LOOKS[place % len(R_LOOKS)]
        for family in families:
            rows = data[(data["series"] == series) & (data["family"] == family)].sort_values("width")
            if rows.empty:
                continue
            filled = family == families[0]
            label = _symbol(series) if filled else None
            _points(axis, rows, *drawn, label, filled=filled, line=False)
            style = "-" if filled else "--"
            axis.plot(rows["width"], rows["expected"], style, color=drawn.colour, linewidth=0.7)
    axis.set(
        xlabel=r"$n_{\min}$",
        ylabel=r"$\|K_t-K_0\|_F$ / $\|K_0\|_F$",
        title="Change of the kernel",
    )
    axis.margins(y=0.3)  # room for the legend, which lies on points in a column otherwise
    _finish(axis, sorted(data["width"].unique().tolist()))


def _index_panel(axis: Axes, data: pd.DataFrame, settings: LazinessStage) -> None:
    lazy, family = settings.lazy_or_rich, index_family(settings)
    ends = data["width"].min(), data["width"].max()
    window = max(WINDOW[0], ends[0]), min(WINDOW[1], ends[1])
    if window[0] < window[1]:
        axis.axvspan(*window, color="0.92", linewidth=0, zorder=-2)
    widths_drawn = log_spaced(int(ends[0]), int(ends[1]), 25)
    for name in NAMES:
        mine = data[data["series"] == name].sort_values("width")
        line = []
        for n in widths_drawn:
            widths = lazy.network(family, n, lazy.index.hidden)
            found = laziness_index(widths, layer_scales(name, widths), float(lazy.inputs))
            line.append(found[narrowest_layer(widths) - 1])
        axis.plot(widths_drawn, line, "-", color=look(name).colour, linewidth=0.7)
        for engine, filled in (("law", True), ("dense", False)):
            rows = mine[mine["engine"] == engine]
            _points(axis, rows, *look(name), name if filled else None, filled, False)
    axis.set(
        xlabel="$n$",
        ylabel=r"laziness index $\rho$, last narrow layer",
        title=f"Index at $n_{{\\min}} = {_formula(str(lazy.rule(family)))}$",
    )
    _finish(axis)


def _points(
    axis: Axes,
    rows: pd.DataFrame,
    colour: str,
    marker: str,
    label: str | None,
    filled: bool = True,
    line: bool = True,
) -> None:
    """Points with their intervals; hollow ones are larger, so that they show around filled ones."""
    axis.errorbar(
        rows["width"],
        rows["value"],
        yerr=[rows["value"] - rows["low"], rows["high"] - rows["value"]],
        linestyle="-" if line else "",
        linewidth=0.7,
        marker=marker,
        markersize=3.5 if filled else 5.5,
        markerfacecolor=colour if filled else "none",
        markeredgewidth=0.7,
        color=colour,
        elinewidth=0.6,
        capsize=1.5,
        label=label,
    )


def _finish(axis: Axes, widths: Sequence[float] = ()) -> None:
    """Both axes in logarithms; ``widths``, if there are any, are marked by their numbers."""
    axis.set(xscale="log", yscale="log")
    if widths:
        axis.set_xticks(widths, [f"{n:g}" for n in widths])
        axis.xaxis.set_minor_locator(NullLocator())
    # One label a power of ten is too few on some axes, and all labels are too many on others.
    low, high = axis.get_ylim()
    if high / low < LITTLE:
        axis.yaxis.set_minor_formatter(FuncFormatter(_leading))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    grid(axis)
    axis.legend(frameon=False, handlelength=1.4, borderaxespad=0.2, labelspacing=0.25)


def _leading(value: float, place: int | None = None) -> str:
    """Twos and fives between powers of ten."""
    digit = f"{value:e}"[0]
    return f"{value:g}" if digit in "25" else ""


def _symbol(series: str) -> str:
    return f"${series}$" if series.startswith("r =") else series


def _typed(slope: float) -> str:
    return str(fraction(slope))


def _formula(rule: str) -> str:
    """``4 n^(1/2)`` as mathtext has it."""
    return rule.replace("(", "{").replace(")", "}").replace(" ", r"\,")
