"""Labels at the ends of lines, so that no reader looks up a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from scipy.optimize import isotonic_regression

from dynparam.support.arrays import FloatArray


class Label(NamedTuple):
    """What is written at the end of a line: text, colour, and the line's last value."""

    text: str
    colour: str
    value: float


def label_ends(axis: Axes, labels: Sequence[Label], gap: float, head: str = "") -> None:
    """Write labels right of an axis, each as near to the end of its line as the others let it.

    The limits of the axis have to be set before.

    Args:
        axis: logarithmic or not.
        labels: one for each line.
        gap: the least distance of two labels, as a share of the axis's height.
        head: what the labels tell, above them.
    """
    ordered = sorted(labels, key=lambda label: label.value)
    ends = axis.transAxes.inverted().transform(
        axis.transData.transform([(axis.get_xlim()[1], label.value) for label in ordered])
    )[:, 1]
    places = spread(ends, gap, 1 - gap if head else 1.0)
    for label, place in zip(ordered, places, strict=True):
        axis.text(
            1.02, place, label.text, transform=axis.transAxes, va="center", color=label.colour,
            fontsize="small",
        )  # fmt: skip
    if head:
        axis.text(
            1.02, places[-1] + gap, head, transform=axis.transAxes, va="center", color="0.3",
            fontsize="small",
        )  # fmt: skip


def spread(places: FloatArray, gap: float, highest: float = 1.0) -> FloatArray:
    """Increasing places moved as little as possible (least squares) until neighbours are a gap apart.

    All are moved down together if the last one is above ``highest``.

    >>> spread([0.0, 0.5, 0.5], 0.2).tolist()
    [0.0, 0.4, 0.6]
    """
    steps = gap * np.arange(len(places))
    apart: FloatArray = isotonic_regression(np.asarray(places, float) - steps).x + steps
    return apart - max(0.0, float(apart[-1]) - highest)
