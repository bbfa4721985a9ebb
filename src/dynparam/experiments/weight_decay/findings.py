"""What the findings say of weight decay and of sizes of updates: rows of the table of verdicts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.weight_decay.judge import DECAY, LEVEL, MERGED, SIZES
from dynparam.experiments.weight_decay.settings import WeightDecayStage, for_decay
from dynparam.presentation.numbers import with_interval
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, Judged, all_right, records
from dynparam.training.arms.quantities import QUANTITIES, SPEED, TEST_LOSS

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""

SHOWN = {"speed": SPEED, "merged": MERGED, "test_loss": TEST_LOSS, "accuracy": QUANTITIES[3]}
"""What templates call the quantities."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: WeightDecayStage, table: pd.DataFrame) -> None:
        """Answer from ``results/weight_decay/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings

    def merges(self) -> bool:
        """Whether no difference of test losses is left wherever decay forgets the initial scale."""
        return all_right(self.claims[self.claims["experiment"] == DECAY])

    def forgetting_learns(self) -> bool:
        """Whether a decay that forgets the initial scale lets a network learn, so that all is judged."""
        return bool((self.claims["experiment"] == DECAY).any())

    def decays(self, task: str) -> list[dict[str, str]]:
        """Of each decay: eta lambda T, both differences, and the test losses at the last epoch."""
        own = self._settings.weight_decay
        found = []
        for share in own.shrinkage:
            setting = f"{task}, eta lambda = {share:.3g}"
            rows = [self._row(LEVEL, "merged", f"{setting}, {name}") for name in own.parametrizations]
            if not all(rows):
                continue
            levels = [f"{row['measured']:.3f}" for row in rows]
            found.append(
                {
                    "exponent": f"{share * self._settings.steps:.3g}",
                    "speed": self._difference(DECAY, "speed", setting),
                    "merged": self._difference(DECAY, "merged", setting),
                    "levels": " and ".join(levels),
                }
            )
        return found

    def half_is_best(self) -> bool:
        """Whether the test loss of every smaller r is higher than that of r = 1/2."""
        return all_right(self.claims[self.claims["experiment"] == SIZES])

    def sizes(self, task: str) -> list[dict[str, str]]:
        """Of each r but 1/2, its differences from 1/2, each at its best rate."""
        found = []
        for r in self._settings.weight_decay.sizes.values:
            setting = f"{task}, r = {r} less r = 1/2"
            row = self._row(SIZES, "speed", setting)
            if row:
                cells = {name: self._difference(SIZES, name, setting) for name in SHOWN}
                found.append({"r": str(r), "rates": str(row["note"]), **cells})
        return found

    def _difference(self, part: str, name: str, setting: str) -> str:
        row = self._row(part, name, setting)
        return (
            with_interval(row["measured"], row["ci_low"], row["ci_high"], "{:+.3f}".format)
            if row
            else "-"
        )

    def _row(self, part: str, name: str, setting: str) -> dict[str, Any]:
        """A row that is no control; nothing if there is none."""
        rows = self.table[
            (self.table["experiment"] == part)
            & (self.table["quantity"] == SHOWN[name].wording)
            & (self.table["setting"] == setting)
        ]
        return next(iter(records(rows)), {})


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(for_decay(config), files.table("weight_decay/verdicts", FORM))
