"""What the findings say of softmax: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.softmax_fisher.judge import outputs_stay
from dynparam.experiments.softmax_fisher.settings import SoftmaxFisher
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""

SPREAD = "spread e_1 / e_{C-1} over that of the squared loss"


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: SoftmaxFisher, table: pd.DataFrame) -> None:
        """Answer from ``results/softmax_fisher/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings
        self.widest = max(settings.images.widths)

    def gaussian(self) -> dict[str, float]:
        """The mean over outliers and the largest one, over theory, and the gap of the squared loss."""
        rows = self.table[self.table["experiment"] == "gaussian"].set_index("quantity")["measured"]
        return {
            "outliers": float(rows["mean over the C - 1 outliers of e / refined"]),
            "largest": float(rows["e_1 / refined"]),
            "gap": float(rows["e_{C+1} / e_C, squared loss"]),
            "own_gap": float(rows["e_C / e_{C-1}, softmax"]),
        }

    def spreads(self, *, dispersed: bool) -> list[dict[str, Any]]:
        """Those whose outputs stay of order one, or vanish: spread over the squared loss's."""
        return [
            {"name": name, "value": float(row["measured"]), "verdict": row["verdict"]}
            for name, row in self._at_widest(SPREAD)
            if outputs_stay(name, self._settings.r) == dispersed
        ]

    def decided_by_size(self) -> bool:
        """Whether in the widest network just those are dispersed whose outputs do not vanish."""
        rows = [*self.spreads(dispersed=True), *self.spreads(dispersed=False)]
        return bool(rows) and {row["verdict"] for row in rows} == {"holds"}

    def theory_holds(self) -> bool:
        """Whether sizes and sums agree with the limit on Gaussian inputs and in the widest network."""
        own = self.claims["setting"].str.endswith(f"n = {self.widest}")
        wide = own | (self.claims["experiment"] == "gaussian")
        return all_right(self.claims[wide & (self.claims["quantity"] != SPREAD)])

    def _at_widest(self, quantity: str) -> list[tuple[str, dict[str, Any]]]:
        here = self.claims[self.claims["quantity"] == quantity]
        rows = {row["setting"]: row for row in records(here)}
        settings = {name: f"{name}, n = {self.widest}" for name in self._settings.parametrizations}
        return [(name, rows[setting]) for name, setting in settings.items() if setting in rows]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.softmax_fisher, files.table("softmax_fisher/verdicts", FORM))
