"""The figure: what two disturbances do, against the radius of windows, beside controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dynparam.experiments.receptive_fields.judge import Measured
from dynparam.experiments.receptive_fields.settings import FieldStage, ReceptiveFields
from dynparam.experiments.receptive_fields.tables import (
    BLURRED,
    CORRELATED,
    LOCAL,
    NOISE,
    PERMUTED,
    SQUARE,
    WEIGHTED,
)
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, Sheet, grid
from dynparam.theory.receptive_fields import Fields, profiles

COLUMNS = ("panel", "pair", "kind", "at", "value", "low", "high")
"""The columns of the plotted data."""

TITLES = {SQUARE: "square of one colour", NOISE: "white noise"}

COLOURS = tuple(LAYER_COLOURS[place] for place in (0, 5, 2, 3, 1, 4))

CONTROL = "0.45"

APART = 0.5
"""How far the correlated weights stand from the windows, in steps between radii, besides one step."""

ASIDE = 0.34
"""How far permuted pixels stand beside the windows of their radius, in the same steps."""

PIXELS = 32

BARS: Any = {"elinewidth": 0.8, "capsize": 1.5}


def plotted_data(measured: dict[str, pd.DataFrame], settings: FieldStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``: displacements over those of a dense network.

    By panel, "square" or "noise", pair and kind, at a radius or a length.
    """
    rows: list[dict[str, object]] = []
    for panel in TITLES:
        for pair, table in measured.items():
            found = Measured(pair, table, settings.fit.confidence)
            for kind, at in _shown(settings.receptive_fields):
                ratio = found.change(kind, at, panel).shifted(1.0)
                place = {"panel": panel, "pair": pair, "kind": kind, "at": at}
                rows.append({**place, "value": ratio.value, "low": ratio.ci_low, "high": ratio.ci_high})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def fields_figure(data: pd.DataFrame, settings: FieldStage, sheet: Sheet = PAGE) -> Figure:
    """Two panels, and the windows beside them; in a column below one another, with the windows last."""
    own = settings.receptive_fields
    rows, columns = sheet.grid(len(TITLES), across=2)
    with mpl.rc_context(sheet.large):
        if sheet.is_column:
            heights = (1.1 + 2.6 * rows, 1.0)
            figure = sheet.figure(sum(heights))
            parts: Any = figure.subfigures(2, 1, height_ratios=heights)
        else:
            figure = sheet.figure(3.5)
            parts = figure.subfigures(1, 2, width_ratios=[6.2, 0.8])
        panels, windows = parts
        axes: Any = panels.subplots(rows, columns, squeeze=False)
        for axis, panel in zip(axes.flat, TITLES, strict=True):
            _panel(axis, data[data["panel"] == panel], own)
            axis.set_title(TITLES[panel])
        for axis in axes[:, 0]:
            axis.set_ylabel("displacement over dense")
        _legends(panels, own, across=2 if sheet.is_column else 3)
        _windows(windows, own, beside=sheet.is_column)
    return figure


def told(settings: FieldStage) -> str:
    """The numbers of the settings, for the caption."""
    own, level = settings.receptive_fields, 100 * settings.fit.confidence
    return (
        f"{own.trials} draws of {own.samples} images to train and {own.test_samples} to test on, ridge "
        f"{own.ridge:g}; windows on a grid of {own.grid} by {own.grid}; weights correlated over "
        f"{own.correlation:g} pixels. The square has {own.square} by {own.square} pixels, noise the "
        f"standard deviation {own.noise:g}. Bars are {level:g} % intervals."
    )


def _shown(own: ReceptiveFields) -> Iterator[tuple[str, float]]:
    yield PERMUTED, own.radii[0]
    for kind in (LOCAL, WEIGHTED):
        for radius in own.radii:
            yield kind, radius
    for kind in (CORRELATED, BLURRED):
        yield kind, own.correlation


def _panel(axis: Axes, data: pd.DataFrame, own: ReceptiveFields) -> None:
    radii = len(own.radii)
    axis.axhline(1.0, color="0.4", linewidth=0.8)
    for place, pair in enumerate(own.pairs):
        colour, marker = COLOURS[place], LAYER_MARKERS[place]
        # Side by side, so that bars of pairs do not hide each other.
        shift = 0.16 * (place - (len(own.pairs) - 1) / 2)
        rows = data[data["pair"] == pair]
        for kind, drawn in _looks(colour, marker).items():
            points = rows[rows["kind"] == kind]
            alone = kind in (CORRELATED, BLURRED)
            x = np.full(len(points), radii + APART) if alone else np.arange(float(len(points)))
            x -= ASIDE * (kind == PERMUTED)
            value, low, high = (points[name].to_numpy(float) for name in ("value", "low", "high"))
            errors = [value - low, high - value]
            axis.errorbar(x + shift, value, yerr=errors, color=colour, **drawn, **BARS)
    labels = [*(f"{radius:g}" for radius in own.radii), f"$l={own.correlation:g}$"]
    axis.set_xticks([*range(radii), radii + APART], labels)
    axis.set_xlim(-0.6, radii + APART + 0.5)
    axis.axvline(radii - 0.25, color="0.8", linewidth=0.6)
    axis.set_xlabel("radius $r$ of windows | correlation")
    grid(axis)


def _looks(colour: str, marker: str) -> dict[str, dict[str, Any]]:
    """How each kind is drawn; blurred images lie on correlated weights, small on large."""
    open_one = {"markerfacecolor": "white", "markeredgecolor": colour}
    half = {"fillstyle": "left", "markerfacecoloralt": "white"}
    return {
        WEIGHTED: {"marker": marker, "linestyle": "--", "markersize": 4.5, "linewidth": 0.9, **open_one},
        LOCAL: {"marker": marker, "linestyle": "-", "markersize": 5},
        PERMUTED: {"marker": marker, "linestyle": "", "markersize": 6, **half},
        CORRELATED: {"marker": marker, "linestyle": "", "markersize": 8, **open_one},
        BLURRED: {"marker": marker, "linestyle": "", "markersize": 3.5},
    }


def _legends(figure: Any, own: ReceptiveFields, across: int) -> None:
    """Pairs by colour, and kinds by marker and line."""
    pairs = [
        Line2D([], [], color=COLOURS[place], marker=LAYER_MARKERS[place], linestyle="", label=pair)
        for place, pair in enumerate(own.pairs)
    ]
    looks = _looks(CONTROL, "o")
    names = {
        LOCAL: "windows",
        WEIGHTED: "pixels weighted alike",
        PERMUTED: "permuted pixels",
        CORRELATED: "correlated weights",
        BLURRED: "blurred images",
    }
    kinds = [Line2D([], [], color=CONTROL, label=name, **looks[kind]) for kind, name in names.items()]
    figure.legend(
        handles=[*pairs, *kinds],
        loc="outside lower center",
        ncols=across,
        frameon=False,
        handletextpad=0.4,
        columnspacing=1.2,
    )


def _windows(figure: Any, own: ReceptiveFields, *, beside: bool) -> None:
    """The window nearest to the middle at every radius, dark where it sees most."""
    shape = (1, len(own.radii)) if beside else (len(own.radii), 1)
    axes = figure.subplots(*shape, squeeze=False).flat
    for axis, radius in zip(axes, own.radii, strict=True):
        along = profiles(PIXELS, Fields(own.grid, radius))[own.grid // 2]
        axis.imshow(np.outer(along, along), cmap="Greys", vmin=0)
        axis.set_title(f"$r={radius:g}$", fontsize=9.5, pad=2)
        axis.set_xticks([])
        axis.set_yticks([])
