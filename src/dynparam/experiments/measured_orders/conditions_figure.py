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
from matplotlib.patches import Patch, Polygon

from dynparam.experiments.measured_orders.conditions import CONTROL
from dynparam.experiments.measured_orders.formulas import narrow_width
from dynparam.experiments.measured_orders.settings import Exponents
from dynparam.experiments.measured_orders.verdict_cells import FILLS, in_cell, verdict_key, whole_cell
from dynparam.presentation.figure_style import PAGE, STYLE, Sheet
from dynparam.presentation.verdicts import sign
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

POINTS = {False: 9.0, True: 6.0}
"""Size of type across a page, and in a column."""

HALF_SIGN = 6.0
"""Size of the two signs of a cell that is split."""

ROOM_FOR_TWO = 8.0
"""Cells for smaller type than this have no room for them: colours tell the halves apart."""

CELL_INCHES = {False: 0.24, True: 0.155}
"""Height of a cell, likewise."""

GAP = {False: 0.5, True: 0.3}
"""Between blocks, in cells, likewise."""

NAMES, TITLES = 3.2, 1.7
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


def condition_figure(matrix: pd.DataFrame, settings: Exponents, sheet: Sheet = PAGE) -> Figure:
    """``conditions.condition_matrix`` drawn: a block of columns for each family of widths.

    A cell has one colour and sign where theory and measurement agree. Where they do not, its upper left
    half is theory's and its lower right half the measurement's.
    """
    blocks = list(_blocks(matrix, settings, sheet))
    places = zip(matrix["parametrization"], matrix["family"], matrix["condition"], strict=True)
    verdicts = dict(zip(places, zip(matrix["theory"], matrix["measured"], strict=True), strict=True))
    rows, size, gap = len(CONDITIONS) + NAMES + TITLES, POINTS[sheet.is_column], GAP[sheet.is_column]
    with mpl.rc_context(STYLE):
        figure = sheet.figure(0.5 + CELL_INCHES[sheet.is_column] * rows)
        axis = figure.subplots()
        left = 0.0
        for block in blocks:
            for column, (key, label) in enumerate(zip(block.columns, block.labels, strict=True)):
                x = left + column
                for row, one in enumerate(CONDITIONS):
                    _cell(axis, x, row, verdicts[(*key, f"eq. {one.equation}")], size)
                axis.text(x + 0.5, -0.25, label, rotation=90, ha="center", va="bottom", fontsize=size)
            middle = left + len(block.columns) / 2
            axis.text(
                middle, -NAMES, block.title, ha="center", va="bottom", fontsize=size, linespacing=1.1
            )
            left += len(block.columns) + gap
        _frame(axis, left - gap, size)
        figure.legend(
            handles=_key(split=bool((matrix["theory"] != matrix["measured"]).any())),
            loc="outside lower center",
            ncols=2 if sheet.is_column else 4,
            frameon=False,
            fontsize=size,
            handlelength=1.0,
            handleheight=1.0,
            handletextpad=0.4,
            columnspacing=1.2,
        )
    return figure


def _blocks(matrix: pd.DataFrame, settings: Exponents, sheet: Sheet) -> Iterator[Block]:
    """The families, then the control; a column has no room for the names of its columns."""
    families = list(dict.fromkeys(matrix["family"]))
    names = list(dict.fromkeys(matrix["parametrization"]))
    shown = [name for name in names if name != CONTROL]
    if shown:
        for family in families:
            title = f"$n_{{\\min}}=$\n${narrow_width(settings.families[family])}$"
            yield Block(title, [(name, family) for name in shown], shown)
    if CONTROL in names:
        rules = [f"${narrow_width(settings.families[family])}$" for family in families]
        named, title = (
            ([""] * len(rules), "(control,\nas left)") if sheet.is_column else (rules, "(control)")
        )
        yield Block(f"{CONTROL}\n{title}", [(CONTROL, family) for family in families], named)


def _cell(axis: Axes, x: float, y: int, verdicts: tuple[str, str], size: float) -> None:
    """Theory's and the measured verdict; each half has its own sign where there is room for it."""
    theory, measured = verdicts
    whole_cell(axis, x, y, measured)
    if theory == measured:
        _sign(axis, x + 0.5, y + 0.5, measured, size)
        return
    half = [(x, y), (x + 1, y), (x, y + 1)]
    axis.add_patch(Polygon(half, facecolor=FILLS[theory], linewidth=0.8, edgecolor="white"))
    if size >= ROOM_FOR_TWO:
        _sign(axis, x + 0.28, y + 0.28, theory, HALF_SIGN)
        _sign(axis, x + 0.72, y + 0.72, measured, HALF_SIGN)


def _sign(axis: Axes, x: float, y: float, verdict: str, size: float) -> None:
    if verdict != "holds":
        in_cell(axis, x, y, sign(verdict), verdict, size)


def _frame(axis: Axes, right: float, size: float) -> None:
    """The conditions beside their rows, and no axes."""
    axis.set(xlim=(0, right), ylim=(len(CONDITIONS), -NAMES - TITLES))
    axis.set_xticks([])
    axis.set_yticks(
        [row + 0.5 for row in range(len(CONDITIONS))],
        [f"{DEMANDS[one.equation]}  {one.equation}" for one in CONDITIONS],
        fontsize=size,
    )
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _key(split: bool) -> list[Patch]:
    """The verdicts; and whose halves are which, if cells have any."""
    halves = Patch(
        facecolor="none",
        label="\N{BLACK UPPER LEFT TRIANGLE} theory, measured \N{BLACK LOWER RIGHT TRIANGLE}",
    )
    return [*verdict_key(), halves] if split else verdict_key()
