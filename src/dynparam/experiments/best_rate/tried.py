"""The curves of every scheme in every network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynparam.experiments.best_rate.settings import BestRateSettings, RatedNetwork
from dynparam.support.arrays import FloatArray
from dynparam.training.arms.curves import Curves
from dynparam.training.arms.quantities import Quantity


@dataclass(frozen=True)
class Tried:
    """A scheme in one network on one task, at all of its rates.

    Attributes:
        task: the pair of classes.
        network: the network, as the configuration has it.
        scheme: the scheme's name.
        rates: the learning rates (rates,).
        curves: its runs, an arm for each rate.
    """

    task: str
    network: RatedNetwork
    scheme: str
    rates: FloatArray
    curves: Curves

    @property
    def best(self) -> int:
        """The place of its best rate."""
        return self.curves.best()

    def place_of(self, rate: float) -> int | None:
        """The place of a rate that was tried; ``None`` of another."""
        found = np.flatnonzero(np.isclose(self.rates, rate, rtol=1e-9))
        return int(found[0]) if len(found) else None

    def at(self, quantity: Quantity, place: int) -> FloatArray:
        """A quantity at the rate of that place, (seeds,); nan where a run diverged."""
        found: FloatArray = self.curves.at(quantity.metric, quantity.place)[place]
        return found


@dataclass(frozen=True)
class Group:
    """All schemes tried in one network on one task."""

    task: str
    network: str
    tried: Mapping[str, Tried]

    @property
    def setting(self) -> str:
        """How verdicts name it."""
        return f"{self.task}, {self.network}"


def groups(settings: BestRateSettings, tables: Mapping[str, pd.DataFrame]) -> list[Group]:
    """The curves of every network and task, from tables by place (``settings.tables``)."""
    found: dict[tuple[str, str], dict[str, Tried]] = {}
    for place, (task, network, name) in settings.tables():
        arms = settings.arms(network, name)
        curves = Curves.of(tables[place], arms, network.seeds, network.epochs, settings.chosen_by)
        rates = np.array([arm.learning_rate for arm in arms])
        tried = Tried(task, network, name, rates, curves)
        found.setdefault((task, network.name), {})[name] = tried
    return [Group(task, network, tried) for (task, network), tried in found.items()]
