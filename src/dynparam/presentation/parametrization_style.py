"""One colour and marker for each parametrization, the same in every figure."""

from __future__ import annotations

from typing import NamedTuple

from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS

ORDER = ("ntk", "mup", "spectral", "dynamic", "standard")


class Look(NamedTuple):
    """What tells a parametrization's points from others, in colour and in grey."""

    colour: str
    marker: str


def look(name: str) -> Look:
    """How a parametrization is drawn. Raises ``ValueError`` for a name that is none."""
    place = ORDER.index(name)
    return Look(LAYER_COLOURS[place], LAYER_MARKERS[place])
