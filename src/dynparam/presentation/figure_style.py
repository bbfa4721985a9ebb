"""How figures look and how they are saved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


def grid(axis: Axes) -> None:
    """Thin lines behind the data, at the major ticks of both directions."""
    axis.grid(True, which="major", linewidth=0.3, color="0.85")
    axis.set_axisbelow(True)


def stack(panels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The plotted data of all panels in one table."""
    return pd.concat(list(panels.values()), ignore_index=True)


def save(figure: Figure, data: pd.DataFrame, png: Path, dpi: int) -> list[Path]:
    """Write picture, vector picture and plotted data side by side; returns the three paths.

    The files carry no date, so that the same data give the same bytes.
    """
    pdf, csv = png.with_suffix(".pdf"), png.with_suffix(".csv")
    with mpl.rc_context(STYLE):
        with atomic_path(png) as temporary:
            figure.savefig(temporary, format="png", dpi=dpi)
        with atomic_path(pdf) as temporary:
            figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
    write_csv(data, csv)
    return [png, pdf, csv]
