"""How figures look and how they are saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dynparam.presentation.plain_formulas import typeset_lines
from dynparam.support.files import atomic_path
from dynparam.support.tables import write_csv

LAYER_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Okabe and Ito's palette, distinguishable under every common colour blindness."""

LAYER_MARKERS = ("o", "s", "^", "D", "v", "P")
"""One marker a layer besides its colour, for black-and-white print."""

STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 7,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "mathtext.fontset": "stixsans",
    "pdf.fonttype": 42,
    # Letters as outlines: text would save a quarter of the bytes, but a browser would set it in other
    # fonts, with other widths, where the reader has not installed ours.
    "svg.fonttype": "path",
    "svg.hashsalt": "dynparam",
}

LARGE: Any = {
    **STYLE,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10.5,
    "legend.fontsize": 9.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
}
"""Type for the full width of a page, half of it in a column."""

TEXT_WIDTH_INCHES = 7.0
"""The width of a page's text."""

COLUMN_INCHES = 5.0
"""Below it a figure is printed in a column, and not across the page."""

COLUMN_ROW_INCHES = 2.6

MESSAGE_POINTS = 9.5

MESSAGE_CHARACTER = 0.6
"""Mean width of a character of a message, over its height."""


@dataclass(frozen=True)
class Sheet:
    """What a figure is printed on.

    Attributes:
        width: in inches; see ``COLUMN_INCHES``.
        message: what the figure shows, in a short sentence above its panels; none if it is empty.
    """

    width: float = TEXT_WIDTH_INCHES
    message: str = ""

    @property
    def is_column(self) -> bool:
        """Whether the figure is printed in a column."""
        return self.width < COLUMN_INCHES

    @property
    def large(self) -> Any:
        """Type for figures of few words: ``LARGE``, in a column ``STYLE``."""
        return STYLE if self.is_column else LARGE

    def grid(self, panels: int, across: int) -> tuple[int, int]:
        """Rows and columns of so many panels, of which ``across`` fit side by side on a page.

        In a column half as many fit, and at least one.
        """
        columns = min(panels, max(1, across // 2) if self.is_column else across)
        return -(-panels // columns), columns

    def figure(self, height: float) -> Figure:
        """An empty figure of this height in inches, with the message and the room that it takes."""
        points = MESSAGE_POINTS - 1 if self.is_column else MESSAGE_POINTS
        line = int(72 * self.width / (MESSAGE_CHARACTER * points))
        lines = typeset_lines(self.message, line)
        room = 1.25 * points * len(lines) / 72
        figure = Figure(figsize=(self.width, height + room), layout="constrained")
        if lines:
            figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=points, fontweight="bold")
        return figure

    def subplots(
        self, panels: int, across: int, row: float, key: float = 0.0, **shared: Any
    ) -> tuple[Figure, list[Axes]]:
        """A figure of so many panels, of which ``across`` fit side by side on a page (``grid``).

        ``row`` is the height of a row in inches, in a column ``COLUMN_ROW_INCHES`` at most, and ``key``
        that of what else the figure has. ``shared`` goes to ``Figure.subplots``.
        """
        rows, columns = self.grid(panels, across)
        figure = self.figure(key + rows * (min(row, COLUMN_ROW_INCHES) if self.is_column else row))
        axes = list(figure.subplots(rows, columns, squeeze=False, **shared).flat)
        for axis in axes[panels:]:
            axis.set_visible(False)
        return figure, axes[:panels]


PAGE = Sheet()
"""Across a page, and no message."""


def grid(axis: Axes) -> None:
    """Thin lines behind the data, at the major ticks of both directions."""
    axis.grid(True, which="major", linewidth=0.3, color="0.85")
    axis.set_axisbelow(True)


def stack(panels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The plotted data of all panels in one table."""
    return pd.concat(list(panels.values()), ignore_index=True)


def save(figure: Figure, data: pd.DataFrame, png: Path, dpi: int) -> list[Path]:
    """Write picture, vector pictures and plotted data side by side; returns the four paths.

    The files carry no date, so that the same data give the same bytes.
    """
    svg, pdf, csv = (png.with_suffix(ending) for ending in (".svg", ".pdf", ".csv"))
    with mpl.rc_context(STYLE):
        with atomic_path(png) as temporary:
            figure.savefig(temporary, format="png", dpi=dpi)
        with atomic_path(svg) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})
        with atomic_path(pdf) as temporary:
            figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
    write_csv(data, csv)
    return [png, svg, pdf, csv]
