"""What cannot be told apart in a figure printed in grey: lines and marks that differ by colour alone."""

from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

NEAR_POINTS = 12.0
"""A line so near to marks is known by them."""

ALONG = 3
"""By so many of them, or by all if the line has fewer points."""

Style = tuple[object, ...]


def faults(figure: Figure) -> list[str]:
    """Pairs of a panel that nothing but colour tells apart, a sentence each; nothing if all is well."""
    figure.draw_without_rendering()
    return [fault for axis in figure.findobj(Axes) for fault in _alike(axis)]


def _alike(axis: Axes) -> list[str]:
    known = (_passes_marks, _surrounds_marks)
    lines = [line for line in _lines(axis) if not any(by(line, axis) for by in known)]
    looks = [(_style(line), _colour(line)) for line in lines]
    looks += [look for one in axis.collections for look in _scattered(one)]
    found = {
        (str(style), *sorted((colour, other)))
        for (style, colour), (same, other) in combinations(looks, 2)
        if style == same and colour != other
    }
    return [
        f"in {axis.get_title()!r} {one} and {two} are both {style}" for style, one, two in sorted(found)
    ]


def _lines(axis: Axes) -> list[Line2D]:
    """The lines and marks of a panel; neither the ends of error bars nor lines across the panel."""
    ends = [
        end for bars in axis.containers if isinstance(bars, ErrorbarContainer) for end in bars.lines[1]
    ]
    across = [line for line in axis.lines if line.get_transform() != axis.transData]
    return [line for line in axis.lines if line not in [*ends, *across] and len(line.get_xdata())]


def _style(line: Line2D) -> Style:
    """All of a line's look but its colour; its width tells too."""
    drawn = line.get_linestyle()
    width = line.get_linewidth() if drawn != "None" else 0.0
    marker = line.get_marker()
    if marker in ("", "None", None, " "):
        return drawn, width
    fill = "open" if _is_white(line.get_markerfacecolor()) else line.get_fillstyle()
    return drawn, width, marker, fill, line.get_markersize()


def _scattered(collection: object) -> list[tuple[Style, str]]:
    if not isinstance(collection, PathCollection) or len(collection.get_facecolor()) != 1:
        return []
    shape = tuple(map(tuple, collection.get_paths()[0].vertices.round(6)))
    size = tuple(collection.get_sizes())
    return [(("scattered", shape, size), to_hex(collection.get_facecolor()[0]))]


def _passes_marks(line: Line2D, axis: Axes) -> bool:
    """Whether a line without marks passes by marks of its own colour."""
    marks = _marks(axis, _colour(line))
    if _is_marked(line) or not marks:
        return False
    points = np.vstack([axis.transData.transform(one.get_xydata()) for one in marks])
    near = NEAR_POINTS * axis.figure.dpi / 72
    path = line.get_path().interpolated(20)
    places = axis.transData.transform(path.vertices)
    distances = np.linalg.norm(points[:, None] - places[None], axis=2).min(axis=1)
    return int((distances < near).sum()) >= min(ALONG, len(line.get_xdata()))


def _surrounds_marks(line: Line2D, axis: Axes) -> bool:
    """Whether marks, such as rings, lie on smaller ones of their own colour, which tell them apart."""
    smaller = [
        one for one in _marks(axis, _colour(line)) if one.get_markersize() < line.get_markersize()
    ]
    inside = {tuple(point) for one in smaller for point in one.get_xydata().tolist()}
    return _is_marked(line) and {tuple(point) for point in line.get_xydata().tolist()} <= inside


def _marks(axis: Axes, colour: str) -> list[Line2D]:
    return [line for line in _lines(axis) if _is_marked(line) and _colour(line) == colour]


def _is_marked(line: Line2D) -> bool:
    return len(_style(line)) > 2


def _colour(line: Line2D) -> str:
    return to_hex(line.get_color())


def _is_white(colour: object) -> bool:
    return colour == "none" or to_hex(colour) == "#ffffff"  # type: ignore[arg-type]
