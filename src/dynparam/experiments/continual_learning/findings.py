"""What the findings say of continual learning: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.continual_learning.judge import AGAIN, CRITICAL, LAZINESS, POOL
from dynparam.experiments.continual_learning.settings import ContinualLearning
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, WRONG, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: ContinualLearning, table: pd.DataFrame) -> None:
        """Answer from ``results/continual_learning/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings

    def again(self) -> list[dict[str, Any]]:
        """The same task again, on modes and with the first kernel on images, but for noise."""
        kernels = ("N = ", f"{self._settings.images.parametrizations[0]}, ")
        return [
            row | {"word": str(row["note"]).partition(":")[0]}
            for row in records(self.claims[self.claims["quantity"] == AGAIN])
            if str(row["setting"]).startswith(kernels)
        ]

    def both_ways(self) -> bool:
        """Whether the same task again helps in some cases and harms in others, and none is refuted."""
        rows = self.again()
        sure = {row["word"] for row in rows if row["verdict"] == "holds"}
        return sure == {"transfer", "forgetting"} and not {row["verdict"] for row in rows} & set(WRONG)

    def critical(self) -> list[dict[str, Any]]:
        """The critical similarities, of the control's targets too."""
        return records(self.claims[self.claims["quantity"] == CRITICAL])

    def critical_holds(self) -> bool:
        """Whether all of them are those of theory."""
        return all_right(self.claims[self.claims["quantity"] == CRITICAL])

    def errors(self) -> dict[str, float]:
        """How many errors are within the tolerance of theory, of how many, and the farthest one."""
        rows = self.claims[self.claims["quantity"].str.endswith("over theory")]
        return {
            "agree": int((rows["verdict"] == "agrees").sum()),
            "all": len(rows),
            "farthest": float((rows["measured"] - 1).abs().max()),
        }

    def pool(self) -> list[dict[str, Any]]:
        """What a finite pool adds to the errors of another task alone, in per cent of theory."""
        return [
            {"note": row["note"]}
            | {name: 100 * (float(row[name]) - 1) for name in ("measured", "ci_low", "ci_high")}
            for row in records(self.table[self.table["quantity"] == POOL])
        ]

    def laziness(self) -> list[dict[str, Any]]:
        """The laziness index of every parametrization."""
        rows = records(self.table[self.table["quantity"] == LAZINESS])
        return [{"name": row["setting"], "value": float(row["expected"])} for row in rows]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.continual_learning, files.table("continual_learning/verdicts", FORM))
