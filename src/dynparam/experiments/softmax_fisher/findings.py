"""What the findings say of softmax: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.softmax_fisher.judge import outputs_stay
from dynparam.experiments.softmax_fisher.settings import SoftmaxFisher
from dynparam.presentation.sentences import joined
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, WRONG, outcomes

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""

SPREAD = "spread e_1 / e_{C-1} over that of the squared loss"


class Found:
    """The questions the template asks."""

    def __init__(self, settings: SoftmaxFisher, table: pd.DataFrame) -> None:
        """Answer from ``results/softmax_fisher/softmax.csv``."""
        self._settings = settings
        self._table = table
        self.widest = max(settings.images.widths)

    def counts(self) -> dict[str, int]:
        """Claims and controls by how they came out."""
        found = {role: list(outcomes(self._table, role)) for role in (CLAIM, CONTROL)}
        named = {
            f"{role}_{word}": words.count(word)
            for role, words in found.items()
            for word in ("passed", "failed", "undecided")
        }
        return named | {role: len(words) for role, words in found.items()}

    def gaussian(self) -> dict[str, float]:
        """The mean over outliers and the largest one, over theory, and the gap of the squared loss."""
        rows = self._table[self._table["experiment"] == "gaussian"].set_index("quantity")["measured"]
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
        own = self._table["setting"].str.endswith(f"n = {self.widest}")
        wide = (own | (self._table["experiment"] == "gaussian")) & (self._table["quantity"] != SPREAD)
        rows = self._table[wide & self._claims()]
        return set(rows["verdict"]) <= set(RIGHT)

    def controls_refuted(self) -> bool:
        """Whether every control is refuted, and there is one."""
        rows = self._table[self._table["role"] == CONTROL]
        return not rows.empty and set(rows["verdict"]) <= set(WRONG)

    def surprises(self) -> list[str]:
        """Claims that failed, in words."""
        rows = self._table[self._claims() & self._table["verdict"].isin(WRONG)]
        return [
            f"{row['quantity']}, {row['setting']}: {row['measured']:.3g}, expected {row['expected']:.3g}"
            for _, row in rows.iterrows()
        ]

    def names(self, *, dispersed: bool) -> str:
        """Those parametrizations in a sentence."""
        return joined([row["name"] for row in self.spreads(dispersed=dispersed)])

    def _claims(self) -> pd.Series:
        return self._table["role"] == CLAIM

    def _at_widest(self, quantity: str) -> list[tuple[str, dict[Any, Any]]]:
        here = self._table[self._claims() & (self._table["quantity"] == quantity)]
        rows = {row["setting"]: row for row in here.to_dict("records")}
        settings = {name: f"{name}, n = {self.widest}" for name in self._settings.parametrizations}
        return [(name, rows[setting]) for name, setting in settings.items() if setting in rows]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.softmax_fisher, files.table("softmax_fisher/softmax", FORM))
