"""Runs of few seeds, drawn one by one: a band of so few would say little about their spread."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

FEW_SEEDS = 5
"""At most so many seeds are drawn as single thin lines; more have a band."""

THIN: Any = {"linewidth": 0.5, "alpha": 0.7}
"""How a line looks that stands behind the mean."""


def is_few(seeds: int) -> bool:
    """Whether so many seeds are drawn one by one. A single one is its own mean."""
    return 1 < seeds <= FEW_SEEDS


def means_of(plotted: pd.DataFrame) -> pd.DataFrame:
    """The rows of plotted data that are means: those whose column ``seed`` is empty."""
    rows: pd.DataFrame = plotted[plotted["seed"].isna()]
    return rows


def singles_of(plotted: pd.DataFrame) -> pd.DataFrame:
    """The rows of plotted data that are single seeds; none where there are more than a few."""
    rows: pd.DataFrame = plotted[plotted["seed"].notna()]
    return rows


def draw_seeds(axis: Axes, singles: pd.DataFrame, x: str, y: str, **style: Any) -> None:
    """A thin line for each seed, from one column to another, in a style of ``Axes.plot``."""
    for _, run in singles.groupby("seed"):
        axis.plot(run[x], run[y], **THIN, **style)


def seeds_key() -> Line2D:
    """What a legend says of them."""
    return Line2D([], [], color="0.2", label="single seeds", **THIN)
