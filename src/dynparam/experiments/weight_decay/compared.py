"""The curves under every decay and of every size of updates, and what is compared of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from dynparam.experiments.weight_decay.settings import WeightDecaySettings
from dynparam.support.arrays import FloatArray
from dynparam.training.arms.curves import Curves
from dynparam.training.arms.quantities import Quantity

CHOSEN_BY = "validation_loss"
"""The column that chooses rates and best epochs."""


@dataclass(frozen=True)
class Decays:
    """Both parametrizations on one task, an arm for each decay.

    Attributes:
        task: the pair of classes.
        shares: eta lambda of each arm.
        first: the curves of the first parametrization.
        second: those of the second.
    """

    task: str
    shares: tuple[float, ...]
    first: Curves
    second: Curves

    def difference(self, quantity: Quantity) -> FloatArray:
        """The second less the first, (arms, seeds); nan where a run of the two diverged."""
        one, two = (self.at(curves, quantity) for curves in (self.first, self.second))
        return two - one

    def at(self, curves: Curves, quantity: Quantity) -> FloatArray:
        """A quantity of one of the two: (arms, seeds)."""
        return curves.at(quantity.metric, quantity.place)


@dataclass(frozen=True)
class Size:
    """One size of updates on one task, an arm for each rate.

    Attributes:
        task: the pair of classes.
        r: exponent of n_min.
        rates: the learning rates (arms,).
        curves: its curves.
    """

    task: str
    r: Fraction
    rates: FloatArray
    curves: Curves

    @property
    def best(self) -> int:
        """The place of its best rate."""
        return self.curves.best()

    def at(self, quantity: Quantity, place: int) -> FloatArray:
        """A quantity at the rate of that place: (seeds,)."""
        found: FloatArray = self.curves.at(quantity.metric, quantity.place)[place]
        return found


def all_decays(settings: WeightDecaySettings, tables: Mapping[str, pd.DataFrame]) -> list[Decays]:
    """The curves with decay, by task; ``tables`` are by place."""
    found: dict[str, dict[str, Curves]] = {}
    for place, table in settings.tables():
        if table.name:
            curves = Curves.of(tables[place], table.arms, table.seeds, settings.epochs, CHOSEN_BY)
            found.setdefault(table.task, {})[table.name] = curves
    first, second = settings.parametrizations
    return [
        Decays(task, settings.shrinkage, curves[first], curves[second]) for task, curves in found.items()
    ]


def all_sizes(settings: WeightDecaySettings, tables: Mapping[str, pd.DataFrame]) -> list[Size]:
    """The curves of every size of updates; ``tables`` are by place."""
    return [
        Size(
            table.task,
            table.r,
            np.array([arm.learning_rate for arm in table.arms]),
            Curves.of(tables[place], table.arms, table.seeds, settings.epochs, CHOSEN_BY),
        )
        for place, table in settings.tables()
        if table.r is not None
    ]
