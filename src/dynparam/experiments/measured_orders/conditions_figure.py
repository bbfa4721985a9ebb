"""The matrix of conditions as a figure: what theory says and what is measured, cell by cell."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from dynparam.experiments.measured_orders.settings import Exponents
from dynparam.presentation.figure_style import STYLE, TEXT_WIDTH_INCHES
from dynparam.presentation.numbers import signed, typographic
from dynparam.presentation.verdicts import CLAIMS, sign, tone
from dynparam.settings.widths import NarrowWidth
from dynparam.theory.conditions import CONDITIONS

DEMANDS = {
    "eq. 2.18": r"$g_\ell\sqrt{n_{\ell-1}}\,\sigma_\ell=\Theta(1)$",
    "eq. 2.19": r"$g_L\sqrt{n_{L-1}}\,\sigma_L=O(1)$",
    "eq. 2.31": r"$|\langle\partial\mathcal{L}/\partial\tilde{h}^{(\ell)},"
    r"\Delta\tilde{h}^{(\ell)}\rangle|=\Theta(1)$",
    "eq. 2.41": r"$g_\ell^2\Vert h^{(\ell-1)}\Vert^2\Vert\partial\mathcal{L}/\partial\tilde{h}^{(\ell)}"
    r"\Vert^2=\Theta(1)$",
    "eq. 2.40": r"$\Vert\Delta\tilde{h}^{(\ell)}\Vert=\Theta(\Vert\Delta\tilde{h}^{(1)}\Vert)$",
    "eq. 2.59": r"$\Vert g_\ell\Delta W^{(\ell)\top}\partial\mathcal{L}/\partial\tilde{h}^{(\ell)}\Vert"
    r"=O(\Vert\partial\mathcal{L}/\partial\tilde{h}^{(\ell-1)}\Vert)$",
    "eq. 2.62": r"$\Vert\Delta\tilde{h}^{(\ell)}\Vert=O(\sqrt{n_{\ell-1}})$",
    "eq. 2.66": r"$\Vert\Delta\tilde{h}^{(L-1)}\Vert=\Omega(1)$",
}
"""What each condition demands, in symbols."""


def condition_figure(matrix: pd.DataFrame, settings: Exponents) -> Figure:
    """``conditions.condition_matrix`` drawn: left half of a cell theory, right half measurement.

    Below the signs stand the exact exponent and the measured slope of the entry that decides.
    """
    rows = list(dict.fromkeys(zip(matrix["parametrization"], matrix["family"], strict=True)))
    columns = [f"eq. {one.equation}" for one in CONDITIONS]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TEXT_WIDTH_INCHES, 2.2 + 0.3 * len(rows)), layout="constrained")
        axis = figure.subplots()
        for cell in matrix.to_dict("records"):
            place = rows.index((cell["parametrization"], cell["family"]))
            column = columns.index(cell["condition"])
            _half(axis, column, place, cell["theory"], cell["exact_exponent"])
            _half(axis, column + 0.5, place, cell["measured"], cell["slope"])
            _border(axis, column, place)
        _label(axis, rows, columns, settings)
        figure.legend(
            handles=[Patch(facecolor=tone(v).fill, label=f"{sign(v)}  {v}") for v in CLAIMS],
            title=_caption(settings),
            loc="outside lower center",
            ncols=3,
            frameon=False,
        )
    return figure


def _half(axis: Axes, left: float, row: int, verdict: str, exponent: float) -> None:
    axis.add_patch(Rectangle((left, row), 0.5, 1, facecolor=tone(verdict).fill, linewidth=0))
    axis.text(left + 0.25, row + 0.35, sign(verdict), ha="center", va="center", fontsize=7.5)
    if pd.notna(exponent):
        text = typographic(signed(exponent, 2))
        axis.text(left + 0.25, row + 0.77, text, ha="center", va="center", fontsize=5)


def _border(axis: Axes, column: int, row: int) -> None:
    axis.plot([column + 0.5] * 2, [row, row + 1], color="white", linewidth=0.5)
    axis.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor="0.25", linewidth=0.5))


def _label(axis: Axes, rows: list[tuple[str, str]], columns: list[str], settings: Exponents) -> None:
    """Conditions above, families beside the rows, and one bracketed name for each parametrization."""
    axis.set(xlim=(0, len(columns)), ylim=(len(rows), 0))
    axis.set_xticks(
        [k + 0.5 for k in range(len(columns))],
        [f"{column}\n{DEMANDS[column]}" for column in columns],
        rotation=38,
        ha="left",
        rotation_mode="anchor",
        fontsize=7,
    )
    axis.xaxis.tick_top()
    axis.set_yticks(
        [k + 0.5 for k in range(len(rows))], [_family(settings.families[family]) for _, family in rows]
    )
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    names = [name for name, _ in rows]
    for name in dict.fromkeys(names):
        first, count = names.index(name), names.count(name)
        axis.annotate(
            name,
            (-0.175, first + count / 2),
            xycoords=("axes fraction", "data"),
            rotation=90,
            ha="center",
            va="center",
            fontsize=8,
        )
        if first:
            axis.plot([0, len(columns)], [first] * 2, color="black", linewidth=1.4)


def _caption(settings: Exponents) -> str:
    grid = settings.widths
    return (
        "Left half: theory, with the exact exponent of $n$. Right half: measurement, with the slope of "
        f"{settings.trials} trials at each of\n{grid.count} widths from $n$ = {grid.smallest:,} to "
        f"{grid.largest:,}. Numbers are of the layer that decides what is measured."
    )


def _family(narrow: NarrowWidth) -> str:
    """``n_min = n/5`` or ``n_min = 6 n^{1/2}``, in symbols."""
    over = "" if narrow.coefficient.denominator == 1 else f"/{narrow.coefficient.denominator}"
    times = "" if narrow.coefficient.numerator == 1 else rf"{narrow.coefficient.numerator}\,"
    power = "" if narrow.exponent == 1 else f"^{{{narrow.exponent}}}"
    return rf"$n_{{\min}}={times}n{power}{over}$"
