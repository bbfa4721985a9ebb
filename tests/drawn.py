"""What a figure or a table's picture shows, read back as numbers: bars, lines and bands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.legend import Legend
from matplotlib.lines import Line2D


@dataclass(frozen=True)
class Bars:
    """The points of one call of ``errorbar``: where they are, and where each bar begins and ends."""

    colour: str
    marker: str
    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]


def error_bars(axis: Axes) -> list[Bars]:
    """The bars of an axis, in the order of drawing; they are along the axis that has errors."""
    found = []
    for container in axis.containers:
        if not isinstance(container, ErrorbarContainer):
            continue
        points, _, (bars,) = container.lines
        along = 1 if container.has_yerr else 0
        ends = np.sort(np.array(bars.get_segments())[:, :, along], axis=1)
        assert points is not None
        x, y = (
            np.asarray(values, float).tolist() for values in (points.get_xdata(), points.get_ydata())
        )
        colour, marker = to_hex(points.get_color()), str(points.get_marker())
        found.append(Bars(colour, marker, x, y, *ends.T.tolist()))
    return found


def plain_lines(axis: Axes, style: str) -> list[Line2D]:
    """The lines of a style through more than two points, in the order of drawing."""
    lines = [line for line in axis.lines if line.get_linestyle() == style]
    return [line for line in lines if len(line.get_xdata()) > 2]


def key(legend: Legend) -> list[tuple[str, str, str, str]]:
    """Each entry of a legend: its words, colour, marker and line style; a patch has no such two."""
    found = []
    for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True):
        line = isinstance(handle, Line2D)
        look = (handle.get_color(), handle.get_marker(), handle.get_linestyle()) if line else None
        colour, marker, style = look or (handle.get_facecolor(), "", "")  # type: ignore[union-attr]
        words = [str(part).replace("None", "").strip() for part in (marker, style)]
        found.append((text.get_text(), to_hex(colour), *words))
    return found


def bands(pictures: Sequence[object], values: Sequence[float]) -> list[tuple[float, float]]:
    """Where the bands behind intervals on one axis begin and end, in the dots' units."""
    dots = [float(re.search(r'cx="([\d.]+)"', str(one))[1]) for one in pictures]  # type: ignore[index]
    scale, start = np.polyfit(dots, values, 1)
    found = []
    for one in pictures:
        left, width = re.search(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', str(one)).groups()  # type: ignore[union-attr]
        found.append((start + scale * float(left), start + scale * (float(left) + float(width))))
    return found
