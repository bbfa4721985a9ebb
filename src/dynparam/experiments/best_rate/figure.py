"""The figure: losses and accuracy against the learning rate, a column a width, rows for each task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from dynparam.experiments.best_rate.settings import BestRateSettings, BestRateStage
from dynparam.experiments.best_rate.tried import groups
from dynparam.presentation.figure_style import PAGE, Sheet, grid
from dynparam.presentation.marked_line import best_marked_line
from dynparam.presentation.parametrization_style import look
from dynparam.presentation.plain_axis import plain_numbers
from dynparam.statistics.estimates import mean_of
from dynparam.training.arms.quantities import QUANTITIES, SPEED, TEST_LOSS, Quantity

COLUMNS = ("task", "network", "scheme", "quantity", "learning_rate", "value", "low", "high", "best")
"""The columns of the plotted data. ``best`` says whether the rate is the scheme's best."""

ACCURACY = QUANTITIES[3]

SHOWN: Mapping[Quantity, str] = {
    SPEED: "training loss,\nmean over epochs",
    TEST_LOSS: "test loss,\nbest epoch",
    ACCURACY: "test accuracy,\nbest epoch",
}

HEIGHT_INCHES = 1.35
"""Of a row of panels."""


def plotted_data(tables: Mapping[str, pd.DataFrame], settings: BestRateStage) -> pd.DataFrame:
    """Means over seeds with their intervals at every rate at which no run diverged, in ``COLUMNS``."""
    level = settings.fit.confidence
    rows = [
        (
            group.task,
            group.network,
            tried.scheme,
            quantity.wording,
            float(rate),
            *_mean(tried.at(quantity, place), level),
            place == tried.best,
        )
        for group in groups(settings.best_rate, tables)
        for tried in group.tried.values()
        for quantity in SHOWN
        for place, rate in enumerate(tried.rates)
        if tried.curves.whole[place].all()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def best_rate_figure(data: pd.DataFrame, settings: BestRateStage, sheet: Sheet = PAGE) -> Figure:
    """A row for each task and quantity, a column for each network, a line for each scheme."""
    own = settings.best_rate
    networks = [str(name) for name in data["network"].drop_duplicates()]
    rows = [(str(task), one) for task in data["task"].drop_duplicates() for one in SHOWN]
    size = 7 if sheet.is_column else None
    with mpl.rc_context(sheet.large):
        figure = sheet.figure(0.8 + HEIGHT_INCHES * len(rows))
        axes: Any = figure.subplots(len(rows), len(networks), sharex=True, sharey="row", squeeze=False)
        for row, (task, quantity) in zip(axes, rows, strict=True):
            for axis, network in zip(row, networks, strict=True):
                here = (data["task"] == task) & (data["network"] == network)
                _panel(axis, data[here & (data["quantity"] == quantity.wording)], own)
                if sheet.is_column:  # every second power of ten has room
                    axis.xaxis.set_major_locator(LogLocator(base=100.0))
            _near_the_best(row[0], data[(data["task"] == task) & (data["quantity"] == quantity.wording)])
            label = SHOWN[quantity] if quantity != SPEED else f"{task}\n{SHOWN[quantity]}"
            row[0].set_ylabel(label, fontsize=size)
        for axis, network in zip(axes[0], networks, strict=True):
            axis.set_title(network, fontsize=size)
        for axis in axes[-1]:
            axis.set_xlabel(r"$\eta$")
        across = 1 if sheet.is_column else 3
        figure.legend(handles=_key(data, own), loc="outside lower center", ncols=across, frameon=False)
    return figure


def _mean(values: Any, level: float) -> tuple[float, float, float]:
    found = mean_of(np.asarray(values, dtype=float), level)
    return found.value, found.ci_low, found.ci_high


def _panel(axis: Axes, rows: pd.DataFrame, own: BestRateSettings) -> None:
    axis.axvline(own.learning_rate, color="0.4", linewidth=0.8, linestyle=":", zorder=0)
    for name, line in rows.groupby("scheme", sort=False):
        best_marked_line(axis, line, "learning_rate", **_style(str(name), own))
    axis.set_xscale("log", base=10)
    if not rows.empty and "loss" in str(rows["quantity"].iloc[0]):
        axis.set_yscale("log")
        plain_numbers(axis.yaxis)
    plain_numbers(axis.xaxis, leading=(1.0,))
    grid(axis)


def _near_the_best(axis: Axes, rows: pd.DataFrame) -> None:
    """Show what is near the best of schemes: rates at which nothing is learnt would flatten the rest."""
    wording, best = str(rows["quantity"].iloc[0]), rows[rows["best"]]["value"]
    if wording == TEST_LOSS.wording:
        axis.set_ylim(0.95 * rows["value"].min(), 1.5 * best.max())
    elif wording == ACCURACY.wording:
        axis.set_ylim(best.min() - 0.1, rows["value"].max() + 0.015)


def _style(name: str, own: BestRateSettings) -> dict[str, Any]:
    """Colour and marker by initial scales; dashes and open markers where the rates are another's."""
    initial = look(own.schemes[name].initialization)
    pure = _is_pure(name, own)
    return {
        "color": initial.colour,
        "marker": initial.marker,
        "markerfacecolor": initial.colour if pure else "white",
        "linestyle": "-" if pure else "--",
    }


def _is_pure(name: str, own: BestRateSettings) -> bool:
    """Whether a scheme's rates are those of the parametrization that scales its initial weights."""
    scheme = own.schemes[name]
    return scheme.initialization == scheme.rates


def _key(data: pd.DataFrame, own: BestRateSettings) -> list[Line2D]:
    handles = []
    for name in data["scheme"].drop_duplicates():
        scheme, pure = own.schemes[str(name)], _is_pure(str(name), own)
        label = scheme.rates if pure else f"{scheme.initialization}, rates of {scheme.rates}"
        handles.append(Line2D([], [], label=label, **_style(str(name), own)))
    handles.append(
        Line2D(
            [], [], color="0.4", linewidth=0.8, linestyle=":", label=f"{own.learning_rate:g}, the thesis"
        )
    )
    return handles
