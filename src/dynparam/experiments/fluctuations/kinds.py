"""The kinds of random networks, in the order of the table, and their scales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dynparam.experiments.fluctuations.settings import FluctuationSettings
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.widths import Widths


class Kind(NamedTuple):
    """What the networks of a block of trials have in common."""

    parametrization: str
    bottlenecks: int
    n_min: int


def kinds(own: FluctuationSettings) -> Iterator[Kind]:
    """All kinds of networks, in the order of the table."""
    for parametrization in own.parametrizations:
        for bottlenecks in own.bottlenecks:
            for n_min in own.n_min:
                yield Kind(parametrization, bottlenecks, n_min)


def scales_of(own: FluctuationSettings, parametrization: str, widths: Widths) -> LayerScales:
    """The scales of a parametrization at these widths."""
    return layer_scales(parametrization, widths, own.r)
