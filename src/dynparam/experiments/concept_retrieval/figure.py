"""The figure: what an inference makes of modes, and distances from concepts as it is repeated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dynparam.experiments.concept_retrieval.judge import KINDS, Measured
from dynparam.experiments.concept_retrieval.settings import ConceptRetrieval, ConceptStage
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, Sheet, grid
from dynparam.support.arrays import FloatArray
from dynparam.theory.concept_retrieval import retained

COLUMNS = ("panel", "kind", "latent", "x", "expected", "value", "low", "high")
"""The columns of the plotted data."""

THEORY, WRONG = "theory", "wrong"

CONTROL = "0.45"

SHOWN_STEPS = (0, 1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80)
"""Inferences of which a point is drawn, and so on by factors of two."""

TICKS = (0, 1, 3, 10, 20, 40, 100, 200, 400, 1000, 2000, 4000, 10000)

SIZES = (7.5, 5.5, 4.0, 2.0)
"""Of markers: small on large, as most lie on one another."""

LOOKS = {
    "clusters": (LAYER_COLOURS[0], "o", "clusters"),
    "gaussian": (LAYER_COLOURS[5], "s", "one Gaussian"),
    WRONG: (CONTROL, "x", "wrong concept"),
}
"""Colour, marker and name of each nonlinear curve."""

POINTS: Any = {"elinewidth": 0.8, "capsize": 2, "linestyle": ""}


def plotted_data(measured: pd.DataFrame, settings: ConceptStage) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``.

    Panel "modes": what an inference multiplies each mode of the first data set by, against its
    eigenvalue (x); kind "theory" is the line of a latent width that cuts no mode. Panels "linear" and
    "nonlinear": the distance over that at the start against inferences (x), geometric means over trials
    with their intervals, kind "wrong" from wrong concepts.
    """
    own, found = settings.concept_retrieval, Measured(measured, settings.fit.confidence)
    rows = [*_modes(found, own), *_linear(found, own), *_nonlinear(found, own)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def concepts_figure(data: pd.DataFrame, sheet: Sheet = PAGE) -> Figure:
    """The three panels."""
    with mpl.rc_context(sheet.large):
        figure, (left, middle, right) = sheet.subplots(3, across=3, row=3.4)
        _modes_panel(left, data[data["panel"] == "modes"])
        _linear_panel(middle, data[data["panel"] == "linear"])
        _nonlinear_panel(right, data[data["panel"] == "nonlinear"])
    return figure


def told(settings: ConceptStage) -> str:
    """The numbers of the settings, for the caption."""
    own, level = settings.concept_retrieval, 100 * settings.fit.confidence
    return (
        f"{own.clusters.clusters} clusters of {own.clusters.samples} patterns in "
        f"{own.clusters.dimensions} dimensions, s^2 = {own.variance:g}; {own.linear.trials} linear and "
        f"{own.nonlinear.trials} nonlinear autoencoders of each kind, the latter of "
        f"{own.nonlinear.latent} latent and {own.nonlinear.hidden} hidden units. Bars are {level:g} % "
        f"intervals."
    )


def _modes(found: Measured, own: ConceptRetrieval) -> Iterator[dict[str, object]]:
    for latent in own.linear.latent:
        place = ("linear", "clusters", latent)
        eigenvalues = found.grid(*place, "eigenvalue")[0]
        rates, expected = (found.grid(*place, "rate", column)[0] for column in ("value", "expected"))
        for x, rate, theory in zip(eigenvalues, rates, expected, strict=True):
            yield _row("modes", "clusters", latent, x, theory, (rate, rate, rate))
    above = eigenvalues[eigenvalues > 0]
    line = np.sort(np.append(np.geomspace(above.min(), above.max(), 200), own.variance))[::-1]
    for x, theory in zip(line, retained(line, own.variance, len(line)), strict=True):
        yield _row("modes", THEORY, len(eigenvalues), x, theory, (np.nan, np.nan, np.nan))


def _linear(found: Measured, own: ConceptRetrieval) -> Iterator[dict[str, object]]:
    for latent in own.linear.latent:
        yield from _curve(found, "linear", "clusters", latent, "own")
    yield from _curve(found, "linear", "clusters", own.linear.latent[-1], WRONG)


def _nonlinear(found: Measured, own: ConceptRetrieval) -> Iterator[dict[str, object]]:
    for kind in KINDS:
        yield from _curve(found, "nonlinear", kind, own.nonlinear.latent, "own")
    yield from _curve(found, "nonlinear", "clusters", own.nonlinear.latent, WRONG)


def _curve(
    found: Measured, part: str, kind: str, latent: int, quantity: str
) -> Iterator[dict[str, object]]:
    """Distances over those at the start: geometric means, whose logarithms have Student's interval."""
    values, expected = (
        found.grid(part, kind, latent, quantity, column) for column in ("value", "expected")
    )
    logs, theory = (np.log(one / one[:, :1]) for one in (values, expected))
    for x in range(logs.shape[1]):
        mean = found.mean(logs[:, x])
        ends: FloatArray = np.exp([mean.value, *mean.interval])
        line = float(np.exp(theory[:, x].mean()))
        shown = WRONG if quantity == WRONG else kind
        yield _row(part, shown, latent, float(x), line, (float(ends[0]), float(ends[1]), float(ends[2])))


def _row(
    panel: str, kind: str, latent: int, x: float, expected: float, value: tuple[float, float, float]
) -> dict[str, object]:
    return {
        "panel": panel,
        "kind": kind,
        "latent": latent,
        "x": x,
        "expected": expected,
        "value": value[0],
        "low": value[1],
        "high": value[2],
    }


def _modes_panel(axis: Axes, data: pd.DataFrame) -> None:
    line = data[data["kind"] == THEORY]
    axis.plot(line["x"], line["expected"], "-", color="0.1", label=r"$1-s^2/\lambda$")
    points = data[(data["kind"] != THEORY) & (data["x"] > 0)]
    for place, (latent, rows) in enumerate(points.groupby("latent")):
        drawn = _look(place)
        axis.plot(rows["x"], rows["value"], linestyle="", label=f"$k={latent}$", **drawn)
    axis.set(
        xscale="log",
        ylim=(-0.05, 1.05),
        xlabel=r"eigenvalue $\lambda$ of the data",
        title="kept by an inference",
    )
    axis.legend(loc="upper left", frameon=False, handlelength=1.0, handletextpad=0.4, labelspacing=0.2)
    grid(axis)


def _linear_panel(axis: Axes, data: pd.DataFrame) -> None:
    wrong = data[data["kind"] == WRONG]
    axis.plot(wrong["x"], wrong["expected"], "--", color=CONTROL, linewidth=1.0, label="wrong concept")
    for place, (_, rows) in enumerate(data[data["kind"] != WRONG].groupby("latent")):
        drawn = _look(place)
        axis.plot(rows["x"], rows["expected"], "-", color=drawn["color"], linewidth=1.0)
        _points(axis, rows, **drawn)
    _points(axis, wrong, marker="x", color=CONTROL, markersize=4)
    axis.set(ylim=(0, 1.05), title="linear")
    _steps(axis, data, "distance / distance at the start")
    # The widths look as in the first panel.
    axis.legend(loc="upper right", frameon=False, handlelength=1.5)


def _nonlinear_panel(axis: Axes, data: pd.DataFrame) -> None:
    for kind, (colour, marker, label) in LOOKS.items():
        rows = data[data["kind"] == kind]
        dashes = "--" if kind == WRONG else "-"
        axis.plot(rows["x"], rows["value"], dashes, color=colour, linewidth=0.6)
        _points(axis, rows, label=label, marker=marker, color=colour, markersize=4)
    axis.set(yscale="log", title="nonlinear")
    _steps(axis, data, "")
    low, high = axis.get_ylim()
    ticks = [digit * power for power in 10.0 ** np.arange(-3, 10) for digit in (1, 2, 5)]
    # At most some eight of them: powers of ten alone where distances diverge far.
    ticks = [one for one in ticks if low <= one <= high]
    if len(ticks) > len(TICKS) - 4:
        ticks = [one for one in ticks if float(np.log10(one)).is_integer()]
    axis.set_yticks(ticks, [f"{one:g}" for one in ticks])
    axis.minorticks_off()
    axis.legend(loc="upper left", frameon=False, handletextpad=0.2)


def _look(place: int) -> dict[str, Any]:
    """Colour, marker and size of the latent width in this place."""
    colours = (LAYER_COLOURS[1], LAYER_COLOURS[0], LAYER_COLOURS[2], LAYER_COLOURS[5])
    return {
        "color": colours[place % len(colours)],
        "marker": LAYER_MARKERS[place % len(LAYER_MARKERS)],
        "markersize": SIZES[place % len(SIZES)],
    }


def _steps(axis: Axes, data: pd.DataFrame, label: str) -> None:
    """Inferences from zero on, the first ones spread out."""
    last = float(data["x"].max())
    # The margin beside zero is negative.
    axis.set_xscale(
        "function",
        functions=(
            lambda x: np.sign(x) * np.sqrt(np.abs(x)),
            lambda x: np.sign(x) * np.square(x),
        ),
    )
    ticks = [one for one in TICKS if one <= last]
    axis.set_xticks(ticks, [str(one) for one in ticks])
    axis.minorticks_off()
    axis.set(xlim=(-last / 200, 1.08 * last), xlabel="inferences $t$", ylabel=label)
    grid(axis)


def _points(axis: Axes, rows: pd.DataFrame, **drawn: Any) -> None:
    """Points of the steps that are shown, with their intervals."""
    last = float(rows["x"].max())
    shown = rows[rows["x"].isin([*SHOWN_STEPS, last])]
    errors = [shown["value"] - shown["low"], shown["high"] - shown["value"]]
    axis.errorbar(shown["x"], shown["value"], yerr=errors, **POINTS, **drawn)
