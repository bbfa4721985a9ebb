"""Lines with a mark at every point, so that they are told apart in grey, and a large one at the best."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

SMALL_POINTS, BEST_POINTS = 2.5, 6.0


def best_marked_line(axis: Axes, line: pd.DataFrame, x: str, **style: Any) -> None:
    """Plot a table's column ``value`` against another, in a style of ``Axes.plot``.

    Its column ``best`` says which points are marked large.
    """
    line = line.sort_values(x)
    axis.plot(
        line[x], line["value"], linewidth=1.1, markersize=SMALL_POINTS, markeredgewidth=0.7, **style
    )
    best = line[line["best"]]
    axis.plot(best[x], best["value"], markersize=BEST_POINTS, **(style | {"linestyle": ""}))
