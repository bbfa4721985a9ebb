"""The figure: kernel, weights and features against steps, under every parametrization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from dynparam.experiments.through_training.judge import Tables, geometric_mean, mean
from dynparam.experiments.through_training.settings import ThroughStage
from dynparam.experiments.through_training.tables import WHOLE_NETWORK
from dynparam.presentation.few_seeds import THIN, draw_seeds, is_few, means_of, seeds_key, singles_of
from dynparam.presentation.figure_style import PAGE, Sheet, grid
from dynparam.presentation.parametrization_style import look

COLUMNS = (
    "panel",
    "task",
    "network",
    "parametrization",
    "layer",
    "step",
    "value",
    "low",
    "high",
    "seeds",
    "seed",
)
"""The columns of the plotted data. Interval ends are missing where there is one seed; ``seed`` is empty
in the rows of means."""

PANELS = {
    "trace": "trace of the kernel",
    "cosine": "cosine of the kernel\nwith its start",
    "movement": "relative movement\nof the weights",
    "participation": "participation ratio of $h^{{{layer}}}$",
}
"""Columns of a table of probes, and what their panels are called."""

LOGARITHMIC = ("trace", "movement", "participation")
"""Panels on log axes, of geometric means."""

DASHES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
"""Line styles of the networks, the first one solid."""

LAYERS: Any = {**THIN, "linestyle": ":", "linewidth": 0.8}
"""How the lines of single layers look."""


def plotted_data(tables: Tables, settings: ThroughStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``: means over seeds with their intervals.

    ``layer`` 0 is the whole network. Of movement every layer is there too, of features the first narrow
    one. Numbers that are not known, such as those of a layer that is silent, are left out. Where seeds
    are few, every one has rows of its own, but for those of single layers.
    """
    rows = [
        row
        for (task, network, name), probes in tables.items()
        for panel in PANELS
        for row in _rows((panel, task, network, name), probes, settings)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"seed": "Int64"})


def through_figure(data: pd.DataFrame, settings: ThroughStage, sheet: Sheet = PAGE) -> Figure:
    """Four panels of the first task: networks by line style, parametrizations by colour and marker."""
    through = settings.through_training
    shown = data[data["task"] == through.tasks[0]]
    _, columns = sheet.grid(len(PANELS), across=2)
    with mpl.rc_context(sheet.large):
        figure, axes = sheet.subplots(len(PANELS), across=2, row=2.5, key=0.7, sharex=True)
        for axis, (panel, title) in zip(axes, PANELS.items(), strict=True):
            _panel(axis, panel, shown[shown["panel"] == panel], settings)
            axis.set_title(title.format(layer=settings.bottleneck))
        for axis in axes[-columns:]:
            axis.set_xlabel("steps of training")
        key = [*_names(settings), *_networks(settings)]
        if len(singles_of(shown[shown["network"] == through.networks[0].name])):
            key.append(seeds_key())
        across = 2 if sheet.is_column else 3
        figure.legend(handles=key, loc="outside lower center", ncols=across, frameon=False)
    return figure


def _rows(
    where: tuple[str, str, str, str], probes: pd.DataFrame, settings: ThroughStage
) -> Iterator[tuple[object, ...]]:
    """Rows of one panel and network under one parametrization."""
    panel, layers = where[0], [WHOLE_NETWORK]
    if panel == "movement":
        layers = sorted(probes["layer"].unique().tolist())
    elif panel == "participation":
        layers = [settings.bottleneck]
    average = geometric_mean if panel in LOGARITHMIC else mean
    chosen = probes[probes["layer"].isin(layers)].dropna(subset=[panel])
    if panel in LOGARITHMIC:
        chosen = chosen[chosen[panel] > 0]  # before the first step nothing has moved
    for (layer, step), found in chosen.groupby(["layer", "step"]):
        values = found[panel].to_numpy(float)
        estimate = average(values, settings.fit.confidence)
        yield (*where, layer, step, estimate.value, *estimate.interval, len(values), None)
    if is_few(probes["seed"].nunique()):
        whole = chosen[chosen["layer"] == _main_layer(panel, settings)]
        for step, seed, value in whole[["step", "seed", panel]].itertuples(index=False):
            yield (*where, _main_layer(panel, settings), step, value, None, None, 1, seed)


def _main_layer(panel: str, settings: ThroughStage) -> int:
    """The layer of a panel's thick lines."""
    return settings.bottleneck if panel == "participation" else WHOLE_NETWORK


def _panel(axis: Axes, panel: str, rows: pd.DataFrame, settings: ThroughStage) -> None:
    through = settings.through_training
    for place, network in enumerate(through.networks):
        for name in through.parametrizations:
            own = (rows["network"] == network.name) & (rows["parametrization"] == name)
            style = DASHES[place % len(DASHES)]
            for layer, curve in rows[own].groupby("layer"):
                if layer == _main_layer(panel, settings):
                    _main_line(axis, curve, name, style, first=place == 0)
                elif place == 0:
                    axis.plot(curve["step"], curve["value"], **_behind(name), **LAYERS)
    if panel in LOGARITHMIC:
        axis.set_yscale("log")
        _decades(axis)
    axis.set_xscale("symlog", linthresh=1, linscale=0.4)
    last = int(rows["step"].max()) if len(rows) else 1
    axis.set_xlim(0, last * 1.15)
    powers = [10**k for k in range(len(str(last)))]
    axis.xaxis.set_major_locator(FixedLocator([0, *powers]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    grid(axis)


def _main_line(
    axis: Axes, curve: pd.DataFrame, name: str, style: Literal["-", "--", ":", "-."], *, first: bool
) -> None:
    """The line of a network. Markers are open but for the first one, whose spread is shown too."""
    drawn, means, singles = look(name), means_of(curve), singles_of(curve)
    axis.plot(
        means["step"],
        means["value"],
        linestyle=style,
        color=drawn.colour,
        linewidth=1.6 if first else 1.1,
        marker=drawn.marker,
        markersize=4,
        markerfacecolor=drawn.colour if first else "white",
    )
    if first and len(singles):
        draw_seeds(axis, singles, "step", "value", **_behind(name))
    elif first:
        axis.fill_between(
            means["step"], means["low"], means["high"], color=drawn.colour, alpha=0.25, lw=0
        )


def _behind(name: str) -> dict[str, Any]:
    """How a parametrization's thin lines look: they end in its marker, for black-and-white print."""
    drawn = look(name)
    return {"color": drawn.colour, "marker": drawn.marker, "markersize": 2.5, "markevery": [-1]}


def _decades(axis: Axes) -> None:
    """Within two decades number a log axis at 2 and 5 too, and plainly: 0.1 and not 10^-1."""
    low, high = axis.get_ylim()
    if high / low < 100:
        axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.yaxis.set_minor_formatter(NullFormatter())


def _names(settings: ThroughStage) -> Iterator[Line2D]:
    """What colours and markers mean."""
    for name in settings.through_training.parametrizations:
        one = look(name)
        yield Line2D([], [], color=one.colour, marker=one.marker, markersize=5, label=name)


def _networks(settings: ThroughStage) -> Iterator[Line2D]:
    """What line styles mean."""
    for place, network in enumerate(settings.through_training.networks):
        seeds = f"{network.seeds} seeds" if network.seeds > 1 else "1 seed"
        label = f"{network.n}-{network.n_min}, {seeds}"
        yield Line2D([], [], color="0.2", linestyle=DASHES[place % len(DASHES)], label=label)
    yield Line2D([], [], color="0.2", label="single layers", **LAYERS)
