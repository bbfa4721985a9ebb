"""The matrix of conditions as a figure: where they hold and fail, one block for each family of widths.

Rows are conditions, columns parametrizations. A condition that holds is pale and has no sign, so that
those that fail stand out, in colour, in grey, and by their sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon, Rectangle

from dynparam.experiments.measured_orders.conditions import CONTROL
from dynparam.experiments.measured_orders.formulas import narrow_width
from dynparam.experiments.measured_orders.settings import Exponents
from dynparam.presentation.figure_style import STYLE, TEXT_WIDTH_INCHES
from dynparam.presentation.verdicts import CLAIMS, sign
from dynparam.theory.conditions import CONDITIONS

DEMANDS = {
    "2.18": "forward size kept",
    "2.19": "output bounded",
    "2.27": "own part leads",
    "2.31": "alignment",
    "2.32": "along the gradient",
    "2.36": "backward size",
    "2.40": "equal updates",
    "2.41": "own contribution",
    "2.45": "output moves",
    "2.58": "steady gradient",
    "2.59": "weights' change small",
    "2.62": "update bounded",
    "2.66": "last update felt",
}
"""What each condition asks for, in two or three words."""

FILLS = {"holds": "#dbe9f2", "fails": "#b3400a", "undecided": "#f2d16b"}
"""Pale blue, dark vermilion and yellow: far apart in lightness, so in grey and to any eye."""

INK = {"holds": "#5f7f95", "fails": "white", "undecided": "black"}

LARGE, SMALL = 13.5, 12.0
"""Points at the full width of a page: half of it in a column of 3.4 inches, no smaller than 5.8."""

GAP = 0.5
"""Between blocks, in cells."""

NAMES, TITLES = 3.3, 1.8
"""Heights of the columns' names and of the blocks' titles above the first row, in cells."""


@dataclass(frozen=True)
class Block:
    """Columns that stand together.

    Attributes:
        title: above them.
        columns: (parametrization, family) of each.
        labels: of each.
    """

    title: str
    columns: Sequence[tuple[str, str]]
    labels: Sequence[str]


def condition_figure(matrix: pd.DataFrame, settings: Exponents) -> Figure:
    """``conditions.condition_matrix`` drawn: a block of columns for each family of widths.

    A cell has one colour and sign where theory and measurement agree. Where they do not, its upper left
    half is theory's and its lower right half the measurement's.
    """
    blocks = list(_blocks(matrix, settings))
    places = zip(matrix["parametrization"], matrix["family"], matrix["condition"], strict=True)
    verdicts = dict(zip(places, zip(matrix["theory"], matrix["measured"], strict=True), strict=True))
    rows = len(CONDITIONS) + NAMES + TITLES
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TEXT_WIDTH_INCHES, 0.6 + 0.28 * rows), layout="constrained")
        axis = figure.subplots()
        left = 0.0
        for block in blocks:
            for column, (key, label) in enumerate(zip(block.columns, block.labels, strict=True)):
                x = left + column
                for row, one in enumerate(CONDITIONS):
                    _cell(axis, x, row, *verdicts[(*key, f"eq. {one.equation}")])
                axis.text(x + 0.5, -0.25, label, rotation=90, ha="center", va="bottom", fontsize=SMALL)
            middle = left + len(block.columns) / 2
            axis.text(
                middle, -NAMES, block.title, ha="center", va="bottom", fontsize=LARGE, linespacing=1.1
            )
            left += len(block.columns) + GAP
        _frame(axis, left - GAP)
        figure.legend(
            handles=_key(split=bool((matrix["theory"] != matrix["measured"]).any())),
            loc="outside lower center",
            ncols=4,
            frameon=False,
            fontsize=SMALL,
            handlelength=1.0,
            handleheight=1.0,
            handletextpad=0.4,
            columnspacing=1.2,
        )
    return figure


def _blocks(matrix: pd.DataFrame, settings: Exponents) -> Iterator[Block]:
    families = list(dict.fromkeys(matrix["family"]))
    names = list(dict.fromkeys(matrix["parametrization"]))
    shown = [name for name in names if name != CONTROL]
    if shown:
        for family in families:
            title = f"$n_{{\\min}}=$\n${narrow_width(settings.families[family])}$"
            yield Block(title, [(name, family) for name in shown], shown)
    if CONTROL in names:
        labels = [f"${narrow_width(settings.families[family])}$" for family in families]
        yield Block(f"{CONTROL}\n(control)", [(CONTROL, family) for family in families], labels)


def _cell(axis: Axes, x: float, y: int, theory: str, measured: str) -> None:
    whole = Rectangle((x, y), 1, 1, facecolor=FILLS[measured], linewidth=1.2, edgecolor="white")
    axis.add_patch(whole)
    if theory == measured:
        _sign(axis, x + 0.5, y + 0.5, measured, SMALL)
        return
    half = [(x, y), (x + 1, y), (x, y + 1)]
    axis.add_patch(Polygon(half, facecolor=FILLS[theory], linewidth=1.2, edgecolor="white"))
    _sign(axis, x + 0.28, y + 0.28, theory, SMALL * 0.6)
    _sign(axis, x + 0.72, y + 0.72, measured, SMALL * 0.6)


def _sign(axis: Axes, x: float, y: float, verdict: str, size: float) -> None:
    if verdict != "holds":
        axis.text(
            x, y, sign(verdict), ha="center", va="center_baseline", fontsize=size, color=INK[verdict],
            fontweight="bold",
        )  # fmt: skip


def _frame(axis: Axes, right: float) -> None:
    """The conditions beside their rows, and no axes."""
    axis.set(xlim=(0, right), ylim=(len(CONDITIONS), -NAMES - TITLES))
    axis.set_xticks([])
    axis.set_yticks(
        [row + 0.5 for row in range(len(CONDITIONS))],
        [f"{DEMANDS[one.equation]}  {one.equation}" for one in CONDITIONS],
        fontsize=SMALL,
    )
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _key(split: bool) -> list[Patch]:
    """Of each verdict its colour, its sign and its word; whose halves are which, if cells have any."""
    signs = {verdict: "" if verdict == "holds" else f"{sign(verdict)} " for verdict in CLAIMS}
    verdicts = [Patch(facecolor=FILLS[one], label=f"{signs[one]}{one}") for one in CLAIMS]
    halves = Patch(
        facecolor="none",
        label="\N{BLACK UPPER LEFT TRIANGLE} theory, measured \N{BLACK LOWER RIGHT TRIANGLE}",
    )
    return [*verdicts, halves] if split else verdicts
