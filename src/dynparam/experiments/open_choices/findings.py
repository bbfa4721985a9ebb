"""What the findings say of the open choices: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pandas as pd

from dynparam.experiments.open_choices.settings import OpenChoicesStage, for_open_choices
from dynparam.experiments.open_choices.tables import CHANGES
from dynparam.provenance.experiment import Files
from dynparam.settings.widths import Network
from dynparam.trials.claims import Showing
from dynparam.trials.networks import asymptotic_exponents

TEMPLATE = "findings.md.j2"
"""The sentences, in this folder."""


class Found:
    """The questions the template asks."""

    def __init__(self, network: Network, settings: OpenChoicesStage, changes: pd.DataFrame) -> None:
        """Answer from ``results/open_choices/changes.csv``."""
        self._network = network
        self._settings = settings
        self._changes = changes

    def open_choices(self) -> dict[str, Any]:
        """How many alternatives there are, how many slopes change sides, and the largest change."""
        table = self._changes
        decided = table[["shows_by_default", "shows"]].isin([Showing.YES, Showing.NO]).all(axis=1)
        moved = decided & (table["shows_by_default"] != table["shows"])
        return {
            "alternatives": table["alternative"].nunique(),
            "moved": int(moved.sum()),
            "largest": table.iloc[int(table["change"].abs().argmax())].to_dict(),
        }

    def differences(self) -> list[Fraction]:
        """By how much the exponents of the curves of a figure differ, each difference once."""
        probe = self._settings.probe
        found = []
        for curves in self._settings.panels.values():
            exponents = [asymptotic_exponents(self._network, probe.curve(curve)) for curve in curves]
            found += [max(layer) - min(layer) for layer in zip(*exponents, strict=True)]
        return [difference for difference in dict.fromkeys(found) if difference]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.network, for_open_choices(config), files.table("open_choices/changes", CHANGES))
