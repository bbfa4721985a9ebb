"""Cells of verdicts: what holds is pale and has no sign, so that what fails stands out, in grey too."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from dynparam.presentation.verdicts import CLAIMS, sign

FILLS = {"holds": "#dbe9f2", "fails": "#b3400a", "undecided": "#f2d16b"}
"""Pale blue, dark vermilion and yellow: far apart in lightness, so in grey and to any eye."""

INK = {"holds": "#5f7f95", "fails": "white", "undecided": "black"}


def whole_cell(axis: Axes, x: float, y: float, verdict: str) -> None:
    """A cell of one verdict; its upper left corner is (x, y)."""
    fill = FILLS[verdict]
    axis.add_patch(Rectangle((x, y), 1, 1, facecolor=fill, linewidth=0.8, edgecolor="white"))


def in_cell(axis: Axes, x: float, y: float, text: str, verdict: str, size: float) -> None:
    """Text about a point, in the ink of a verdict."""
    axis.text(
        x, y, text, ha="center", va="center_baseline", fontsize=size, color=INK[verdict],
        fontweight="bold",
    )  # fmt: skip


def signed_word(verdict: str) -> str:
    """A verdict's word behind its sign, if cells have one."""
    return verdict if verdict == "holds" else f"{sign(verdict)} {verdict}"


def verdict_key() -> list[Patch]:
    """Of each verdict its colour, its sign and its word."""
    return [Patch(facecolor=FILLS[one], label=signed_word(one)) for one in CLAIMS]
