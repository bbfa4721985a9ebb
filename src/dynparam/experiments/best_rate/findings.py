"""What the findings say of best rates: rows of the tables of verdicts and of best rates."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.best_rate.judge import (
    FIXED,
    MORE,
    OWN_BEST,
    PART_INITIAL,
    PART_RATES,
)
from dynparam.experiments.best_rate.settings import BestRateSettings
from dynparam.experiments.best_rate.tables import BEST
from dynparam.presentation.numbers import with_interval
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, RIGHT, WRONG, Judged, all_right, records
from dynparam.training.arms.quantities import QUANTITIES, SPEED, TEST_LOSS, Quantity

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""

ACCURACY = QUANTITIES[3]

NAMED = {"speed": SPEED, "test_loss": TEST_LOSS, "accuracy": ACCURACY}
"""What templates call the quantities."""

PARTS = {"best": OWN_BEST, "fixed": FIXED, "initial": PART_INITIAL, "rates": PART_RATES, "more": MORE}
"""What templates call the parts."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: BestRateSettings, table: pd.DataFrame, best: pd.DataFrame) -> None:
        """Answer from ``results/best_rate/verdicts.csv`` and ``results/best_rate/best.csv``."""
        super().__init__(table)
        self._settings = settings
        self._best = best

    def settings_of(self, part: str = "best") -> list[str]:
        """Task and network of every comparison of a part, in order."""
        return [str(one) for one in self._rows(part, SPEED)["setting"].unique()]

    def side(self, part: str, quantity: str) -> dict[str, int]:
        """How the differences of a part fall: better, worse, undecided for the second, and how many."""
        words = self._rows(part, NAMED[quantity])["verdict"].tolist()
        better, worse = (sum(word in these for word in words) for these in (RIGHT, WRONG))
        return {
            "better": better,
            "worse": worse,
            "undecided": len(words) - better - worse,
            "all": len(words),
        }

    def holds(self, part: str, quantity: str) -> bool:
        """Whether a claim on a part holds everywhere."""
        return all_right(self._rows(part, NAMED[quantity]))

    def difference(self, part: str, quantity: str, setting: str) -> str:
        """A difference with its interval; a dash where there is none."""
        rows = self._rows(part, NAMED[quantity])
        for row in records(rows[rows["setting"] == setting]):
            return with_interval(row["measured"], row["ci_low"], row["ci_high"], "{:+.3f}".format)
        return "-"

    def rate(self, scheme: str, setting: str) -> dict[str, Any]:
        """The best rate of a scheme, and whether it is the last tried; nothing if it is not there."""
        task, network = setting.split(", ")
        n, n_min = network.split("-")
        rows = self._best[
            (self._best["task"] == task)
            & (self._best["n"] == int(n))
            & (self._best["n_min"] == int(n_min))
            & (self._best["scheme"] == scheme)
        ]
        return next(iter(records(rows)), {})

    def ratio(self, scheme: str) -> tuple[float, float]:
        """The thesis's rate over the best ones of a scheme: the smallest and the largest ratio."""
        rates = self._best[self._best["scheme"] == scheme]["best_rate"]
        return self._settings.learning_rate / rates.max(), self._settings.learning_rate / rates.min()

    def at_edge(self) -> list[dict[str, Any]]:
        """The schemes whose best rate has none beyond it."""
        return records(self._best[self._best["edge"].notna()])

    def _rows(self, part: str, quantity: Quantity) -> pd.DataFrame:
        return self.table[
            (self.table["experiment"] == PARTS[part]) & (self.table["quantity"] == quantity.wording)
        ]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(
        config.best_rate,
        files.table("best_rate/verdicts", FORM),
        files.table("best_rate/best", BEST),
    )
