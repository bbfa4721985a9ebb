"""What is wrong with a printed figure: letters too small, texts on each other or off the paper."""

from itertools import combinations
from unittest import mock

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SMALLEST_POINTS = 6.0
"""The least size of type that journals print."""

TOUCHING = 1.0
"""Pixels that two boxes may share: a box is a little larger than its letters."""


def faults(figure: Figure) -> list[str]:
    """What a reader of the printed figure would complain of, a sentence each; nothing if all is well."""
    texts = drawn_texts(figure)
    boxes = [(text, text.get_window_extent()) for text in texts]
    paper = figure.bbox.padded(TOUCHING)
    found = [
        f"{text.get_text()!r} has {text.get_fontsize():g} points"
        for text in texts
        if text.get_fontsize() < SMALLEST_POINTS
    ]
    found += [
        f"{text.get_text()!r} leaves the paper"
        for text, box in boxes
        if not (paper.contains(*box.min) and paper.contains(*box.max))
    ]
    found += [
        f"{one.get_text()!r} lies on {two.get_text()!r}"
        for (one, first), (two, second) in combinations(boxes, 2)
        if _overlap(first, second)
    ]
    return found + [fault for axis in figure.findobj(Axes) for fault in _covered(axis)]


def drawn_texts(figure: Figure) -> list[Text]:
    """All texts that drawing the figure draws, ticks beyond an axis left out."""
    found: list[Text] = []
    draw = Text.draw

    def noting(self: Text, *given: object, **named: object) -> None:
        if self.get_visible() and self.get_text().strip():
            found.append(self)
        draw(self, *given, **named)

    figure.draw_without_rendering()  # the layout is settled first
    with mock.patch.object(Text, "draw", noting):
        figure.draw_without_rendering()
    return list(dict.fromkeys(found))


def _covered(axis: Axes) -> list[str]:
    """Legends inside an axis that cover points of its lines."""
    legend = axis.get_legend()
    if not isinstance(legend, Legend) or not axis.get_visible():
        return []
    box = legend.get_window_extent()
    points = [
        point
        for line in axis.lines
        if line.get_transform().contains_branch(axis.transData) and len(line.get_xdata()) > 0
        for point in axis.transData.transform(line.get_xydata())
    ]
    inside = sum(bool(axis.bbox.contains(*point) and box.contains(*point)) for point in points)
    return [f"the legend of {axis.get_title()!r} covers {inside} points"] if inside else []


def _overlap(first: Bbox, second: Bbox) -> bool:
    wide = min(first.x1, second.x1) - max(first.x0, second.x0)
    high = min(first.y1, second.y1) - max(first.y0, second.y0)
    return wide > TOUCHING and high > TOUCHING
