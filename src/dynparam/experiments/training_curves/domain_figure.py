"""The figure of the domain study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, STYLE, Sheet
from dynparam.training.paired_curves import JUMPS_PER

END = "end"
"""The place of the last epoch that all networks were compared at."""

OPEN = "best"
"""The place whose markers are open."""


@dataclass(frozen=True)
class Panel:
    """A row of the figure: what it shows, from which place of the curves, and in which unit.

    Attributes:
        metric: a column of the curves.
        name: at its side.
        unit: of the advantage: ``points`` (hundredths), ``%`` of the first parametrization's value, or
            that of the value itself.
        better: sign of a difference that speaks for the second parametrization.
        places: of the curves.
    """

    metric: str
    name: str
    unit: str
    better: int
    places: tuple[str, ...]

    def scale(self, rows: pd.DataFrame) -> pd.Series[float]:
        """What a difference of ``rows`` is multiplied with to be an advantage."""
        ones = pd.Series(float(self.better), index=rows.index)
        if self.unit == "%":
            return 100 * ones / rows["first"]
        return 100 * ones if self.unit == "points" else ones


PANELS = (
    Panel("test_accuracy", "test accuracy", "points", 1, (END, OPEN)),
    Panel("test_loss", "test loss", "%", -1, (END, OPEN)),
    Panel("train_loss", "mean training loss", "%", -1, ("area",)),
    Panel("train_loss", "training-loss jumps", f"fewer in {JUMPS_PER} epochs", -1, ("jumps",)),
)
"""What is shown, from above: what a reader asks for first."""


def domain_data(table: pd.DataFrame, reference: tuple[int, int]) -> pd.DataFrame:
    """The rows of the domain study that ``domain_figure`` shows, and what it draws of them.

    Args:
        table: the columns of ``domain.DOMAIN_COLUMNS``.
        reference: n and n_min of the reference; panel "n" holds the networks of exactly its ratio,
            panel "ratio" those of the n that has most networks of other ratios (the smallest such n).

    Returns:
        The rows with further columns: panel ("n" or "ratio"), ratio, and advantage, advantage_low and
        advantage_high, which are positive where the second parametrization is better: in points
        (hundredths) of accuracy, in percent of the first parametrization's mean loss, in jumps.
    """
    last = _final_epoch(table)
    table = table.assign(epoch=table["epoch"].astype(str), ratio=table["n"] / table["n_min"])
    rows = pd.concat([_advantages(_at_places(table, panel, last), panel) for panel in PANELS])
    same = rows["n"] * reference[1] == rows["n_min"] * reference[0]
    others = rows.loc[~same, ["n", "n_min"]].drop_duplicates()["n"].mode()
    panels = {"n": rows[same], "ratio": rows[rows["n"].isin(others.head(1))]}
    return pd.concat([part.assign(panel=name) for name, part in panels.items()], ignore_index=True)


def domain_figure(table: pd.DataFrame, reference: tuple[int, int], sheet: Sheet = PAGE) -> Figure:
    """Where dynamic parametrization is better, and by how much: against n and against n/n_min.

    Rows are test accuracy, test loss, mean training loss and its jumps, colours and markers the tasks.
    Above zero dynamic is better, in units a reader knows. Filled: the last epoch that all networks were
    compared at, or all epochs; open: each run's best epoch. Bars are the table's intervals.

    Args:
        table: as for ``domain_data``.
        reference: n and n_min of the reference network.
        sheet: in a column the panels against n stand above those against n/n_min.
    """
    rows = domain_data(table, reference)
    tasks = list(table["task"].unique())
    labels = {
        "n": rf"$n$, at $n/n_{{\min}}={_number(reference[0] / reference[1])}$",
        "ratio": r"$n/n_{\min}$" + "".join(f", at $n={n}$" for n in _sizes(rows, "ratio")),
    }
    with mpl.rc_context(STYLE):
        figure, axes = _panels(sheet, len(labels))
        for row, panel in enumerate(PANELS):
            drawn = of_panel(rows, panel, _final_epoch(table))
            for column, against in enumerate(labels):
                _panel(axes[row, column], drawn[drawn["panel"] == against], against, tasks)
            _advantage_axis(axes[row], panel, named_once=not sheet.is_column)
        for column, label in enumerate(labels.values()):
            axes[-1, column].set_xlabel(label)
        key = _key(rows, tasks)
        across = 2 if sheet.is_column else len(key)
        figure.legend(handles=key, loc="outside lower center", ncols=across, frameon=False)
    return figure


def of_panel(table: pd.DataFrame, panel: Panel, last: str = "") -> pd.DataFrame:
    """The rows of a table of the domain study that a panel shows.

    ``last`` is the final epoch: the last one that all networks of the table were compared at, if it is
    not named.
    """
    return _at_places(table, panel, last or _final_epoch(table))


def _panels(sheet: Sheet, columns: int) -> tuple[Figure, Any]:
    """A figure with a row of panels for each of ``PANELS``, by row and column."""
    rows = len(PANELS)
    if not sheet.is_column:
        figure = sheet.figure(6.6)
        return figure, figure.subplots(rows, columns, sharex="col", sharey="row", squeeze=False)
    figure = sheet.figure(0.9 + 1.15 * rows * columns)
    axes = figure.subplots(rows * columns, 1).reshape(columns, rows).T
    for row in axes:
        for axis in row[1:]:
            axis.sharey(row[0])
    for axis in axes[:-1].flat:
        axis.tick_params(labelbottom=False)
    return figure, axes


def _at_places(table: pd.DataFrame, panel: Panel, last: str) -> pd.DataFrame:
    """The rows that a panel shows, where ``last`` is the final epoch."""
    places = [last if place == END else place for place in panel.places]
    return table[(table["metric"] == panel.metric) & table["epoch"].isin(places)]


def _advantages(rows: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """The rows with their differences in the panel's unit, positive where the second is better."""
    scale = panel.scale(rows)
    ends = pd.DataFrame({"low": rows["ci_low"] * scale, "high": rows["ci_high"] * scale})
    return rows.assign(
        advantage=rows["value"] * scale,
        advantage_low=ends.min(axis="columns"),
        advantage_high=ends.max(axis="columns"),
    )


def _final_epoch(table: pd.DataFrame) -> str:
    """The last epoch that all networks of all tasks were compared at; empty if there is none."""
    numbered = table[table["epoch"].astype(str).str.isdigit()]
    per_network = numbered.groupby(["task", "n", "n_min"])["epoch"]
    epochs = [{int(epoch) for epoch in network} for _, network in per_network]
    common = set.intersection(*epochs) if epochs else set()
    return str(max(common)) if common else ""


def _panel(axis: Axes, rows: pd.DataFrame, against: str, tasks: list[str]) -> None:
    """Advantages of every task at evenly spaced places, the tasks side by side."""
    axis.axhline(0, color="black", linewidth=0.8)
    places = sorted(rows[against].unique())
    kinds = [(task, is_open) for task in tasks for is_open in (False, True)]
    for number, (task, is_open) in enumerate(kinds):
        points = rows[(rows["task"] == task) & ((rows["epoch"] == OPEN) == is_open)]
        at = points[against].map(places.index) + (number - (len(kinds) - 1) / 2) * 0.7 / len(kinds)
        colour = _colour(tasks, task)
        axis.vlines(at, points["advantage_low"], points["advantage_high"], color=colour, linewidth=1.1)
        axis.plot(
            at,
            points["advantage"],
            linestyle="",
            color=colour,
            marker=_marker(tasks, task),
            markerfacecolor="white" if is_open else colour,
            markersize=4,
        )
    axis.set_xlim(-0.6, max(len(places), 1) - 0.4)
    axis.set_xticks(range(len(places)), [_number(place) for place in places])
    axis.grid(True, which="major", axis="y", linewidth=0.3, color="0.85")
    axis.set_axisbelow(True)


def _advantage_axis(axes: Any, panel: Panel, *, named_once: bool) -> None:
    """The unit at the left, what both sides of zero mean at the right, the better side shaded.

    Panels that stand side by side are named once.
    """
    for axis in axes[:1] if named_once else axes:
        axis.set_ylabel(f"{panel.name}\n({panel.unit})", fontsize=9 if named_once else 7)
    low, high = axes[0].get_ylim()
    reach = 1.12 * max(abs(low), abs(high))
    axes[0].set_ylim(min(low, -0.35 * reach), max(high, 0.35 * reach))
    for axis in axes:
        axis.axhspan(0, axis.get_ylim()[1], color="#E8F1F8", linewidth=0, zorder=-2)
    for axis in axes[-1:] if named_once else axes:
        at = axis.get_yaxis_transform()
        for text, va, points in (("dynamic\nbetter", "bottom", 3), ("spectral\nbetter", "top", -3)):
            axis.annotate(text, (1.02, 0), (0, points), at, "offset points", va=va, fontsize=7)


def _key(rows: pd.DataFrame, tasks: list[str]) -> list[Line2D]:
    handles = [
        _symbol(_colour(tasks, task), _marker(tasks, task), _colour(tasks, task), task) for task in tasks
    ]
    last = [epoch for epoch in rows["epoch"].unique() if epoch.isdigit()]
    handles += [_symbol("0.3", "o", "0.3", f"at epoch {epoch}, or over all") for epoch in last]
    handles.append(_symbol("0.3", "o", "white", "at each run's best epoch"))
    handles.append(_symbol("0.3", "|", "0.3", "interval"))
    return handles


def _symbol(colour: str, marker: str, face: str, label: str) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="",
        color=colour,
        marker=marker,
        markersize=4,
        markerfacecolor=face,
        label=label,
    )


def _colour(tasks: list[str], task: str) -> str:
    # Blue and orange-red of the palette: the pair farthest apart in grey as well.
    return LAYER_COLOURS[(5 * tasks.index(task)) % len(LAYER_COLOURS)]


def _marker(tasks: list[str], task: str) -> str:
    return LAYER_MARKERS[tasks.index(task) % len(LAYER_MARKERS)]


def _sizes(rows: pd.DataFrame, panel: str) -> list[int]:
    return sorted({int(n) for n in rows.loc[rows["panel"] == panel, "n"]})


def _number(value: float) -> str:
    return f"{value:.5g}"
