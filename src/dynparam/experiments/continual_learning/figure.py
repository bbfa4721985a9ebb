"""The figure: errors against the samples of the second task, and against the similarity of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dynparam.experiments.continual_learning.judge import SAME, Pair, pairs
from dynparam.experiments.continual_learning.settings import ContinualStage
from dynparam.presentation.figure_style import LAYER_COLOURS, PAGE, Sheet, grid
from dynparam.statistics.estimates import Estimate, student

COLUMNS = ("panel", "part", "quantity", "x", "expected", "value", "low", "high")
"""The columns of the plotted data."""

FIRST, AGAIN, BACK = "first", "again", "back"

LOOKS = {
    "gaussian": (LAYER_COLOURS[0], "o", "modes"),
    "images": (LAYER_COLOURS[5], "s", "images"),
    "smooth": ("0.35", "^", "smooth targets"),
}
"""Colour, marker and name of each kind of data."""

TITLES = {"gaussian": "modes", "images": "images"}

NARROW = 10.0
"""Up to this factor an axis is marked at every digit, beyond it at 1, 2 and 5."""

ERROR_BARS: Any = {"elinewidth": 0.7, "capsize": 1.5, "markersize": 4, "linestyle": ""}


def plotted_data(
    measured: pd.DataFrame, expected: pd.DataFrame, settings: ContinualStage
) -> pd.DataFrame:
    """What the panels show, in ``COLUMNS``.

    Panels "gaussian" and "images": errors against N_B / N_A, of quantity "first" (on A after A), "again"
    (after the same task again) and "back" (on A after the other B of the curve). Panel "similarity": the
    error on B after A over that without A, against rho, for each part.
    """
    own = settings.continual_learning
    found = pairs(measured, expected, settings)
    rows: list[dict[str, object]] = []
    for part, curve in (("gaussian", own.gaussian.curve), ("images", own.images.curve)):
        scales = _scales(part, settings)
        for second in curve.seconds:
            rows += _curve(_pair(found, part, scales, curve.first, second), curve.other)
    for part, chosen in (
        ("gaussian", own.gaussian.similarity),
        ("images", own.images.similarity),
        ("smooth", own.gaussian.smooth),
    ):
        pair = _pair(found, part, _scales(part, settings), chosen.first, chosen.second)
        rows += _similarities(pair, chosen.values)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def continual_figure(data: pd.DataFrame, sheet: Sheet = PAGE) -> Figure:
    """The three panels."""
    with mpl.rc_context(sheet.large):
        figure, (left, middle, right) = sheet.subplots(3, across=3, row=3.3)
        for axis, part in ((left, "gaussian"), (middle, "images")):
            _curve_panel(axis, data[data["panel"] == part], part)
        left.set_ylabel("mean squared error")
        left.legend(loc="lower left", frameon=False, handletextpad=0.3)
        _similarity_panel(right, data[data["panel"] == "similarity"])
    return figure


def told(settings: ContinualStage) -> str:
    """The numbers of the settings, for the caption."""
    own, level = settings.continual_learning, 100 * settings.fit.confidence
    modes, images = own.gaussian, own.images
    compared = (("modes", modes.similarity), ("images", images.similarity), ("smooth", modes.smooth))
    right = ", ".join(f"{one.first} and {one.second} ({name})" for name, one in compared)
    return (
        f"{modes.modes} modes in {modes.trials} draws; a pool of {images.pool} images in "
        f"{images.trials} draws, with the kernel of {images.parametrizations[0]} at n = {images.n}. "
        f"Left and middle: {modes.curve.first} and {images.curve.first} samples of the first task, "
        f"other tasks of similarity {modes.curve.other:g} and {images.curve.other:g}. "
        f"Right: samples of both tasks, {right}. Bars are {level:g} % intervals."
    )


def _scales(part: str, settings: ContinualStage) -> str | None:
    return settings.continual_learning.images.parametrizations[0] if part == "images" else None


def _pair(found: list[Pair], part: str, scales: str | None, first: int, second: int) -> Pair:
    """The noise-free pair of these numbers of samples; every one is measured that the settings name."""
    return next(
        one
        for one in found
        if (one.part, one.first, one.second, one.noise) == (part, first, second, 0.0)
        and scales in (None, one.scales)
    )


def _curve(pair: Pair, other: float) -> Iterator[dict[str, object]]:
    x = pair.second / pair.first
    for quantity, name, similarity in (
        (FIRST, "error_first", SAME),
        (AGAIN, "error_second", SAME),
        (BACK, "error_back", other),
    ):
        expected = pair.expected[similarity][name]
        yield _row(pair.part, pair.part, quantity, x, expected, pair.mean(name, similarity))


def _similarities(pair: Pair, values: tuple[float, ...]) -> Iterator[dict[str, object]]:
    """A ratio of means over the same trials, with the interval of its linearization."""
    for rho in values:
        after, alone = (pair.errors[rho][name] for name in ("error_second", "error_alone"))
        ratio = float(after.mean() / alone.mean())
        theory = pair.expected[rho]["error_second"] / pair.expected[rho]["error_alone"]
        scatter = (after - ratio * alone) / alone.mean()
        error = float(scatter.std(ddof=1) / len(scatter) ** 0.5)
        measured = student(ratio, error, len(scatter) - 1, pair.confidence)
        yield _row("similarity", pair.part, "ratio", rho, theory, measured)


def _row(
    panel: str, part: str, quantity: str, x: float, expected: float, measured: Estimate
) -> dict[str, object]:
    return {
        "panel": panel,
        "part": part,
        "quantity": quantity,
        "x": x,
        "expected": expected,
        "value": measured.value,
        "low": measured.ci_low,
        "high": measured.ci_high,
    }


def _curve_panel(axis: Axes, data: pd.DataFrame, part: str) -> None:
    colour, marker, _ = LOOKS[part]
    first = data[data["quantity"] == FIRST]
    axis.plot(first["x"], first["expected"], "--", color="0.4", linewidth=1.0, label="trained once")
    for quantity, label, filled in ((AGAIN, "same again", True), (BACK, "after another", False)):
        rows = data[data["quantity"] == quantity]
        axis.plot(rows["x"], rows["expected"], "-", color=colour, linewidth=1.0)
        _points(axis, rows, colour, marker, label, filled=filled)
    axis.set(xscale="log", yscale="log", title=TITLES[part], xlabel="samples $N_B/N_A$")
    axis.set_xticks((0.1, 1), ("0.1", "1"))
    _plain_ticks(axis)
    grid(axis)


def _similarity_panel(axis: Axes, data: pd.DataFrame) -> None:
    axis.axhline(1.0, color="0.4", linewidth=1.0, linestyle="--")
    for part, rows in data.groupby("part", sort=False):
        colour, marker, label = LOOKS[str(part)]
        axis.plot(rows["x"], rows["expected"], "-", color=colour, linewidth=1.0)
        _points(axis, rows, colour, marker, label, filled=True)
    axis.set(title="error on B / on B alone", xlabel=r"similarity $\rho$")
    axis.legend(loc="lower left", frameon=False, handletextpad=0.3)
    grid(axis)


def _points(
    axis: Axes, rows: pd.DataFrame, colour: str, marker: str, label: str, *, filled: bool
) -> None:
    axis.errorbar(
        rows["x"],
        rows["value"],
        yerr=[rows["value"] - rows["low"], rows["high"] - rows["value"]],
        marker=marker,
        color=colour,
        markerfacecolor=colour if filled else "white",
        label=label,
        **ERROR_BARS,
    )


def _plain_ticks(axis: Axes) -> None:
    """Few round numbers in place of powers of ten."""
    low, high = axis.get_ylim()
    steps = (1, 2, 5) if high > NARROW * low else range(1, 10)
    ticks = [step * power for power in (0.001, 0.01, 0.1, 1, 10) for step in steps]
    ticks = [tick for tick in ticks if low <= tick <= high]
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
