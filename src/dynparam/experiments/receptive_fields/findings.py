"""What the findings say of local receptive fields: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.receptive_fields.judge import (
    BY_A_BLUR,
    DISPLACED,
    RATIO,
    SAME,
    setting,
)
from dynparam.experiments.receptive_fields.settings import ReceptiveFields
from dynparam.experiments.receptive_fields.tables import (
    CORRELATED,
    LOCAL,
    NOISE,
    PERMUTED,
    SQUARE,
    WEIGHTED,
)
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: ReceptiveFields, table: pd.DataFrame) -> None:
        """Answer from ``results/receptive_fields/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings

    def pairs(self) -> list[dict[str, Any]]:
        """What each pair of classes says: its name, and its rows by a short name."""
        own = self._settings
        radius, length = own.radii[0], own.correlation
        asked = {
            "correlated_noise": (NOISE, setting(CORRELATED, length)),
            "local_noise": (NOISE, setting(LOCAL, radius)),
            "local_square": (SQUARE, setting(LOCAL, radius)),
            "beside_weighted": (SQUARE, setting(LOCAL, radius, WEIGHTED)),
            "beside_permuted": (SQUARE, setting(LOCAL, radius, PERMUTED)),
            "permuted_square": (SQUARE, setting(PERMUTED, radius)),
            "weighted_square": (SQUARE, setting(WEIGHTED, radius)),
            "correlated_square": (SQUARE, setting(CORRELATED, length)),
        }
        rows = {(row["experiment"], row["quantity"], row["setting"]): row for row in records(self.table)}
        return [
            {"name": pair}
            | {name: rows[pair, DISPLACED[what], where] for name, (what, where) in asked.items()}
            for pair in own.pairs
        ]

    def blur_holds(self) -> bool:
        """Whether correlated weights lower the displacement by noise on all pairs, as a blur does."""
        lower = [pair["correlated_noise"]["verdict"] for pair in self.pairs()]
        same = self.claims["quantity"].isin((SAME, BY_A_BLUR))
        return set(lower) == {"holds"} and all_right(self.claims[same])

    def held(self, name: str) -> int:
        """On how many pairs a claim holds."""
        return [pair[name]["verdict"] for pair in self.pairs()].count("holds")

    def square_is_worse(self) -> bool:
        """Whether correlated weights surely raise the displacement by a square on all pairs."""
        return all(pair["correlated_square"]["ci_low"] > 0 for pair in self.pairs())

    def farthest(self) -> float:
        """The largest distance of kernels that should be the same."""
        return float(self.claims.loc[self.claims["quantity"] == SAME, "measured"].max())

    def ratios(self) -> list[dict[str, Any]]:
        """A drawn network's kernel over theory, by pair."""
        return records(self.claims[self.claims["quantity"] == RATIO])


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.receptive_fields, files.table("receptive_fields/verdicts", FORM))
