"""The figure: spectra as staircases, growth with depth, and bottlenecks at growing depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dynparam.experiments.isometry.judge import Measured, expected_kernel, theory_of
from dynparam.experiments.isometry.settings import IsometryStage
from dynparam.presentation.figure_style import LAYER_COLOURS, PAGE, Sheet, grid
from dynparam.presentation.parametrization_style import look
from dynparam.statistics.estimates import Estimate
from dynparam.theory.isometry import ThreeLayers, isometry

COLUMNS = ("panel", "kind", "depth", "x", "expected", "value", "low", "high")
"""The columns of the plotted data."""

RATE, LARGEST = "learning rate", "largest eigenvalue"

POINTS = 400
"""On a line of theory."""

ERROR_BARS: Any = {"elinewidth": 0.7, "capsize": 1.5, "markersize": 4, "linestyle": ""}


def plotted_data(measured: pd.DataFrame, settings: IsometryStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``.

    Panel "spectrum": eigenvalues of the first trial over the largest of the wide limit (x) against the
    share of eigenvalues that are at most so large (value), of three layers and at the first and the last
    of ``depths``; in theory (kind "theory") the whole of three layers, and where the top begins at
    others. Panel "growth": the largest eigenvalue over qhat, and the stable learning rate times
    qhat M, against L. Panel "bottleneck": Theta(x, x) against L by parametrization.
    """
    found = Measured(measured, settings.fit.confidence)
    rows = [*_spectra(found, settings), *_growth(found, settings), *_bottlenecks(found, settings)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def isometry_figure(data: pd.DataFrame, sheet: Sheet = PAGE) -> Figure:
    """The three panels."""
    with mpl.rc_context(sheet.large):
        figure, (left, middle, right) = sheet.subplots(3, across=3, row=3.6)
        _spectrum_panel(left, data[data["panel"] == "spectrum"])
        _growth_panel(middle, data[data["panel"] == "growth"])
        _bottleneck_panel(right, data[data["panel"] == "bottleneck"])
    return figure


def _spectra(found: Measured, settings: IsometryStage) -> Iterator[dict[str, object]]:
    own = settings.isometry
    three = isometry(3, own.three_layers.clipped)
    shown = {("three", 3): three}
    shown |= {
        ("spectrum", depth): theory_of(settings, depth) for depth in (own.depths[0], own.depths[-1])
    }
    for (part, depth), theory in shown.items():
        values = np.sort(found.values(part, depth, "eigenvalue"))
        shares = np.arange(1, len(values) + 1) / len(values)
        for value, share in zip(values / theory.largest_eigenvalue, shares, strict=True):
            yield _row("spectrum", "measured", depth, value, value=share)
        if depth == 3:
            grid = np.linspace(0, three.largest_eigenvalue * (1 - 1e-9), POINTS)
            line = ThreeLayers(three).below(grid)
            for x, share in zip(grid / three.largest_eigenvalue, line, strict=True):
                yield _row("spectrum", "theory", depth, x, expected=share)
            yield _row("spectrum", "theory", depth, 1.0, expected=1.0)
        else:
            yield _row("spectrum", "theory", depth, 1.0, expected=1 - theory.top_mass)


def _growth(found: Measured, settings: IsometryStage) -> Iterator[dict[str, object]]:
    own = settings.isometry
    for depth in own.depths:
        theory = theory_of(settings, depth)
        expected = theory.largest_eigenvalue / theory.square
        measured = found.mean(found.values("spectrum", depth, "largest") / theory.square)
        yield _row("growth", LARGEST, depth, depth, expected, measured)
    for depth in own.descent.depths:
        theory = theory_of(settings, depth)
        rate, largest = (found.values("descent", depth, name) for name in ("rate", "largest"))
        expected = theory.learning_rate * theory.square
        yield _row("growth", RATE, depth, depth, expected, found.mean(rate / largest * theory.square))


def _bottlenecks(found: Measured, settings: IsometryStage) -> Iterator[dict[str, object]]:
    own = settings.isometry.bottlenecks
    for name in own.parametrizations:
        for depth in own.depths:
            expected = expected_kernel(settings, name, depth)
            measured = found.mean(found.values("bottleneck", depth, "kernel", name))
            yield _row("bottleneck", name, depth, depth, expected, measured)


def _row(
    panel: str,
    kind: str,
    depth: int,
    x: float,
    expected: float = np.nan,
    measured: Estimate | None = None,
    value: float = np.nan,
) -> dict[str, object]:
    known = {"value": value} if measured is None else measured.row("value")
    named = {"ci_low": "low", "ci_high": "high"}
    return {
        "panel": panel,
        "kind": kind,
        "depth": depth,
        "x": x,
        "expected": expected,
        **{named.get(name, name): number for name, number in known.items()},
    }


def _spectrum_panel(axis: Axes, data: pd.DataFrame) -> None:
    for place, depth in enumerate(data["depth"].unique()):
        colour, dashes = LAYER_COLOURS[(0, 5, 2)[place % 3]], ("-", "-.", ":")[place % 3]
        rows = data[data["depth"] == depth]
        measured, theory = (rows[rows["kind"] == kind] for kind in ("measured", "theory"))
        axis.step(
            measured["x"],
            measured["value"],
            where="post",
            linestyle=dashes,
            color=colour,
            linewidth=1.6,
            label=f"$L={depth}$",
        )
        if len(theory) > 1:
            axis.plot(theory["x"], theory["expected"], "--", color="0.1", linewidth=0.8, label="theory")
        else:
            fill = (colour, colour, "white")[place % 3]  # of two diamonds one is open, for grey print
            axis.plot(1.0, theory["expected"], "D", color=fill, markeredgecolor="0.1", markersize=5)
    axis.set(
        xlabel=r"eigenvalue / $\lambda_{\max}$ of the limit",
        ylabel="share at most so large",
        title="spectra; ◆ top begins",
        xlim=(0, 1.12),
        ylim=(0, 1.02),
    )
    axis.legend(loc="upper left", frameon=False, handlelength=1.3)
    grid(axis)


def _growth_panel(axis: Axes, data: pd.DataFrame) -> None:
    for kind, colour, marker, label in (
        (LARGEST, LAYER_COLOURS[0], "o", r"$\lambda_{\max}/\hat{q}$"),
        (RATE, LAYER_COLOURS[5], "s", r"stable $\eta\,\hat{q}M$"),
    ):
        rows = data[data["kind"] == kind]
        axis.plot(rows["x"], rows["expected"], "-", color=colour, linewidth=1.0)
        _points(axis, rows, colour, marker, label)
    axis.set(xscale="log", yscale="log", xlabel="depth $L$", title="growth with depth")
    depths = sorted(data["depth"].unique())
    axis.set_xticks(depths, [f"{depth:g}" for depth in depths])
    axis.minorticks_off()
    axis.legend(loc="center right", frameon=False, handletextpad=0.3)
    grid(axis)


def _bottleneck_panel(axis: Axes, data: pd.DataFrame) -> None:
    for name, rows in data.groupby("kind", sort=False):
        colour, marker = look(str(name))
        axis.plot(rows["x"], rows["expected"], "-", color=colour, linewidth=1.0)
        _points(axis, rows, colour, marker, str(name))
    axis.set(
        yscale="log",
        xlabel="depth $L$",
        title=r"bottlenecks: $\Theta(x,x)$",
    )
    axis.set_xticks(sorted(data["depth"].unique()))
    low, high = axis.get_ylim()
    axis.set_ylim(low, high * 30)
    axis.legend(
        loc="upper center",
        ncols=2,
        frameon=False,
        handlelength=1.0,
        handletextpad=0.1,
        columnspacing=0.3,
    )
    grid(axis)


def _points(axis: Axes, rows: pd.DataFrame, colour: str, marker: str, label: str) -> None:
    errors = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
    axis.errorbar(
        rows["x"], rows["value"], yerr=errors, marker=marker, color=colour, label=label, **ERROR_BARS
    )
