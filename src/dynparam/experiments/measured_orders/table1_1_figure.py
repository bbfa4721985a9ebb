"""Table 1.1, measured, as a figure: where it holds, and how far off the others are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dynparam.experiments.measured_orders.formulas import narrow_width
from dynparam.experiments.measured_orders.settings import Exponents
from dynparam.experiments.measured_orders.table1_1 import CLAIMED, QUANTITIES, Quantity
from dynparam.experiments.measured_orders.verdict_cells import in_cell, verdict_key, whole_cell
from dynparam.presentation.figure_style import PAGE, STYLE, Sheet
from dynparam.presentation.numbers import signed, typographic
from dynparam.presentation.verdicts import sign

NAMED: dict[Quantity, str] = {
    "preactivation": r"$|\tilde{h}^{(\ell)}_i|$",
    "update": r"$|\Delta\tilde{h}^{(\ell)}_i|$",
    "own": "own part",
    "cosine": "cosine",
}
"""What the rows of a block are exponents of."""

GAP = 0.6
"""Between blocks, in cells."""

CELL_INCHES = {False: 0.215, True: 0.15}
"""Height of a cell, across a page and in a column."""

POINTS = {False: 8.0, True: 6.5}
"""Size of type, likewise."""

NAMES_WIDE = 5.6
"""Width of the longest name of a parametrization, over the size of type."""

NUMBERS = 6.0
"""That of the numbers in cells, which only a page has room for."""


def table1_1_figure(table: pd.DataFrame, exponents: Exponents, sheet: Sheet = PAGE) -> Figure:
    """Table 1.1 as cells: a block of rows for each of ``table1_1.QUANTITIES``, of columns each family.

    A row of a block is a parametrization, a column a hidden layer. A cell tells whether the measured
    exponent is the claimed one; where it is not, by how much it is larger (in a column its sign alone).
    ``table`` has the columns of ``table1_1.COLUMNS``.
    """
    families = list(table["family"].unique())
    names = [name for name in CLAIMED if (table["parametrization"] == name).any()]
    layers = sorted(table["layer"].unique().tolist())
    size = POINTS[sheet.is_column]
    lefts = [place * (len(layers) + GAP) for place in range(len(families))]
    tops = [place * (len(names) + GAP) for place in range(len(QUANTITIES))]
    with mpl.rc_context(STYLE):
        height = tops[-1] + len(names) + 2
        figure = sheet.figure(0.7 + CELL_INCHES[sheet.is_column] * height)
        axis = figure.subplots()
        for row in table.to_dict("records"):
            x = lefts[families.index(row["family"])] + layers.index(row["layer"])
            y = tops[QUANTITIES.index(row["quantity"])] + names.index(row["parametrization"])
            _cell(axis, x, y, row, numbers=not sheet.is_column)
        for left, family in zip(lefts, families, strict=True):
            title = rf"$n_{{\min}}={narrow_width(exponents.families[family])}$"
            axis.text(left + len(layers) / 2, -0.4, title, ha="center", va="bottom", fontsize=size)
        for top, quantity in zip(tops, QUANTITIES, strict=True):
            axis.annotate(
                NAMED[quantity], (0, top + len(names) / 2), (-NAMES_WIDE * size, 0),
                textcoords="offset points", rotation=90, ha="right", va="center", fontsize=size,
            )  # fmt: skip
        _frame(axis, (lefts, layers), (tops, names), size)
        figure.legend(
            handles=_key(numbers=not sheet.is_column),
            loc="outside lower center",
            ncols=3,
            frameon=False,
            fontsize=size,
            handlelength=1.0,
            handleheight=1.0,
        )
    return figure


def _key(*, numbers: bool) -> list[Patch]:
    """The verdicts; of those that fail, what their numbers are."""
    key = verdict_key()
    if numbers:
        key[1].set_label("fails: the measured exponent less the claimed one")
    return key


def _cell(axis: Axes, x: float, y: float, row: Mapping[Any, Any], *, numbers: bool) -> None:
    verdict = str(row["claim"])
    whole_cell(axis, x, y, verdict)
    if verdict == "holds":
        return
    off = row["slope"] - row["claimed"]
    told = _short(off) if numbers else sign(verdict)
    in_cell(axis, x + 0.5, y + 0.5, told, verdict, NUMBERS)


def _short(value: float) -> str:
    """Two digits: ``+.25``, ``−1.2``."""
    text = signed(value, 2) if abs(value) < 0.995 else signed(value, 1)
    return typographic(text.replace("0.", ".", 1) if abs(value) < 0.995 else text)


def _frame(
    axis: Axes, columns: tuple[list[float], list[int]], rows: tuple[list[float], list[str]], size: float
) -> None:
    """Layers below their columns, parametrizations beside their rows, and no axes."""
    (lefts, layers), (tops, names) = columns, rows
    axis.set(xlim=(0, lefts[-1] + len(layers)), ylim=(tops[-1] + len(names), -1.6))
    places = [left + place + 0.5 for left in lefts for place in range(len(layers))]
    axis.set_xticks(places, [str(layer) for layer in layers] * len(lefts), fontsize=size)
    places = [top + place + 0.5 for top in tops for place in range(len(names))]
    axis.set_yticks(places, names * len(tops), fontsize=size)
    axis.set_xlabel(r"layer $\ell$", fontsize=size)
    axis.tick_params(length=0, pad=1)
    axis.spines[:].set_visible(False)
