"""Intervals as small pictures in the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

WIDTH, HEIGHT = 132, 16
"""Size of a picture, in pixels."""


@dataclass(frozen=True)
class Interval:
    """Which columns of a table a picture of an interval shows.

    Attributes:
        value: the column of the dot.
        expected: columns of what was expected; the first that is known in a row counts.
        tolerance: half the width of the band around it.
        own_scale: whether every row has an axis of its own; else all rows share one.
        low: the column of the interval's lower end.
        high: that of its upper end.
    """

    value: str
    expected: tuple[str, ...] = ()
    tolerance: float = 0.0
    own_scale: bool = False
    low: str = "ci_low"
    high: str = "ci_high"

    def draw(self, table: pd.DataFrame) -> list[Markup]:
        """A picture for every row."""
        ends = table[[self.low, self.value, self.high]].astype(float)
        wanted = table[list(self.expected)].astype(float)
        shared = _reach([*ends.to_numpy().ravel(), *wanted.to_numpy().ravel()])
        pictures = []
        for known, hoped in zip(ends.to_numpy(), wanted.to_numpy(), strict=True):
            low, value, high = (float(one) for one in known)
            expected = next((float(one) for one in hoped if pd.notna(one)), None)
            reach = _reach(known) if self.own_scale else shared
            pictures.append(picture(low, value, high, reach, expected, self.tolerance))
        return pictures


def picture(
    low: float,
    value: float,
    high: float,
    reach: tuple[float, float],
    expected: float | None = None,
    tolerance: float = 0.0,
) -> Markup:
    """An interval as a line with a dot on an axis that spans ``reach``; nothing if it is unknown.

    Zero is marked; ``expected`` with ``tolerance`` to either side is a band behind. The numbers stand in
    the cell beside it, so that the picture is hidden from screen readers.
    """
    if not all(pd.notna(one) for one in (low, value, high)):
        return Markup("")

    def place(at: float) -> float:
        """Horizontal position in pixels; what lies outside is drawn at the edge."""
        inside = min(max(at, reach[0]), reach[1])
        return round(3 + (WIDTH - 6) * (inside - reach[0]) / (reach[1] - reach[0]), 1)

    band = Markup("")
    if expected is not None:
        left, right = place(expected - tolerance), place(expected + tolerance)
        band = Markup('<rect x="{}" y="1" width="{}" height="{}"/>').format(
            left, round(right - left, 1), HEIGHT - 2
        )
    return Markup(
        '<svg class="interval" aria-hidden="true" width="{w}" height="{h}" viewBox="0 0 {w} {h}">{band}'
        '<path class="zero" d="M{zero} 0V{h}"/><path d="M{low} {mid}H{high}"/>'
        '<circle cx="{at}" cy="{mid}" r="3"/></svg>'
    ).format(
        w=WIDTH,
        h=HEIGHT,
        band=band,
        zero=place(0.0),
        low=place(low),
        high=place(high),
        mid=HEIGHT / 2,
        at=place(value),
    )


def _reach(values: Iterable[float]) -> tuple[float, float]:
    """The span of all finite values and zero, with some room."""
    finite = [float(value) for value in values if pd.notna(value) and abs(value) != float("inf")]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room
