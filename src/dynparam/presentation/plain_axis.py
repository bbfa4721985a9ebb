"""Logarithmic axes whose numbers read as people write them: 0.5, not 5 x 10^-1."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter


def plain_numbers(axis: Axis, leading: Sequence[float] = (1.0, 2.0, 5.0), ticks: int = 12) -> None:
    """Number a logarithmic axis at these leading digits alone, at so many places at the most."""
    axis.set_major_locator(LogLocator(subs=tuple(leading), numticks=ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
