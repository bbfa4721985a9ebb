"""What the findings say of networks looked at while they train: rows of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.through_training.judge import (
    CLASSES,
    COSINE,
    CROSSING,
    LAZY,
    LESS,
    MOVEMENT,
    PARTICIPATION,
    RICH,
    TRACE,
    TURNED,
)
from dynparam.experiments.through_training.settings import ThroughTraining, for_through
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, through: ThroughTraining, bottleneck: int, table: pd.DataFrame) -> None:
        """Answer from ``results/through_training/verdicts.csv``; ``bottleneck`` is a layer's number."""
        super().__init__(table)
        self._through = through
        self.bottleneck = bottleneck

    def compares(self) -> bool:
        """Whether there are verdicts at all: both parametrizations, and several seeds."""
        return not self.claims.empty

    def places(self) -> list[str]:
        """Task and network of all comparisons in the table, those of one seed too."""
        through = self._through
        every = [f"{task}, {one.name}" for task in through.tasks for one in through.networks]
        return [place for place in every if self.traces(place)]

    def seeds(self, place: str) -> int:
        """How many runs of a network there are under each parametrization."""
        return self._through.network(place.rpartition(", ")[2]).seeds

    def moves_less(self) -> bool:
        """Whether the weights of every layer move less under dynamic."""
        return all_right(self.claims[self.claims["quantity"].str.startswith(MOVEMENT)])

    def richer(self) -> bool:
        """Whether features behind the first layer have fewer directions under spectral."""
        return all_right(self.claims[self.claims["quantity"].str.startswith(PARTICIPATION)])

    def crosses(self) -> bool:
        """Whether spectral's kernel is the smaller one at first, and the larger one at the end."""
        return all_right(self.claims[self.claims["quantity"].str.startswith(TRACE)])

    def moved(self, place: str, name: str) -> tuple[float, float]:
        """The least and the greatest movement of a layer's weights."""
        rows = self.table[self.table["quantity"] == MOVEMENT]
        own = rows.loc[rows["setting"].str.startswith(f"{place}, {name}, "), "measured"]
        return float(own.min()), float(own.max())

    def cosine_differences(self) -> list[dict[str, Any]]:
        """The cosine of the kernel with its start, dynamic less spectral, where there are intervals."""
        return records(self.claims[self.claims["quantity"] == f"{COSINE}, {LESS}"])

    def own(self, quantity: str, place: str, name: str, layer: int | None = None) -> float:
        """A value at the end of training under one parametrization, of features that of h^``layer``."""
        setting = f"{place}, {name}" + ("" if layer is None else f", h^{layer}")
        return float(self._row(quantity, setting)["measured"])

    def cosines(self, place: str) -> tuple[float, float]:
        """The cosine of the kernel with its start: dynamic, spectral."""
        return self.own(COSINE, place, LAZY), self.own(COSINE, place, RICH)

    def directions(self, place: str) -> tuple[float, float]:
        """The participation ratio in the bottleneck: dynamic, spectral."""
        at = self.bottleneck
        return self.own(PARTICIPATION, place, LAZY, at), self.own(PARTICIPATION, place, RICH, at)

    def classes(self, place: str) -> tuple[float, float]:
        """Variance between over within classes in the bottleneck: dynamic, spectral."""
        at = self.bottleneck
        return self.own(CLASSES, place, LAZY, at), self.own(CLASSES, place, RICH, at)

    def traces(self, place: str) -> list[float]:
        """The trace of the kernel, spectral over dynamic: at step 0 and at the last one."""
        rows = self.table[self.table["quantity"] == f"{TRACE}, {TURNED}"]
        return rows.loc[rows["setting"].str.startswith(f"{place}, step "), "measured"].tolist()

    def not_larger(self) -> list[str]:
        """Where one seed alone, which has no verdict, ends with spectral's trace no larger."""
        places = [place for place in self.places() if self.seeds(place) == 1]
        return [place for place in places if self.traces(place)[-1] <= 1]

    def crossing(self, place: str) -> float | None:
        """The step at which both traces are equal; none if they never are."""
        rows = self.table[(self.table["quantity"] == CROSSING) & (self.table["setting"] == place)]
        return float(rows["measured"].iloc[0]) if len(rows) else None

    def _row(self, quantity: str, setting: str) -> dict[str, Any]:
        chosen = (self.table["quantity"] == quantity) & (self.table["setting"] == setting)
        return records(self.table[chosen])[0]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    bottleneck = for_through(config).bottleneck
    return Found(config.through_training, bottleneck, files.table("through_training/verdicts", FORM))
