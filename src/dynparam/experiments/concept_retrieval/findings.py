"""What the findings say of repeated inference: rows of the table of verdicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.concept_retrieval.judge import (
    KINDS,
    LEAST,
    LEAVES,
    NEAR,
    PAIRED,
    RATES,
    RISE,
    SHARE,
    TIME,
    WORST,
    width,
)
from dynparam.experiments.concept_retrieval.settings import ConceptRetrieval
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, SHOWN, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: ConceptRetrieval, table: pd.DataFrame) -> None:
        """Answer from ``results/concept_retrieval/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings

    def linear_holds(self) -> bool:
        """Whether all that is said of linear autoencoders is as theory has it."""
        return all_right(self.claims[self.claims["experiment"] == "linear"])

    def widths(self) -> list[dict[str, Any]]:
        """Of every latent width: time and least distance with theory, and the share of concepts."""
        return [
            {"latent": latent}
            | {
                name: self._row(quantity, width(latent), role)
                for name, quantity, role in (
                    ("time", TIME, CLAIM),
                    ("least", LEAST, CLAIM),
                    ("share", SHARE, SHOWN),
                )
            }
            for latent in self._settings.linear.latent
        ]

    def largest_error(self) -> float:
        """Of what an inference multiplies a mode by, over latent widths."""
        return float(self.claims.loc[self.claims["quantity"] == RATES, "measured"].max())

    def rises(self) -> tuple[float, float]:
        """The least and the largest theory of the distance at the end over the least."""
        rows = self.claims[
            (self.claims["quantity"] == RISE) & ~self.claims["setting"].str.contains("wrong")
        ]
        theory = [float(str(note).removeprefix("theory ")) for note in rows["note"]]
        return min(theory), max(theory)

    def approaches(self) -> bool:
        """Whether every nonlinear autoencoder approaches, and nearer than clean patterns lie."""
        rows = self.claims[self.claims["experiment"] == "nonlinear"]
        return all_right(rows[rows["quantity"].isin((LEAST, WORST, NEAR))])

    def leaves(self) -> bool:
        """Whether patterns leave the concept again: it is no fixed point."""
        return all_right(self.claims[self.claims["quantity"] == LEAVES])

    def needs_clusters(self) -> bool:
        """Whether patterns come nearer than in an autoencoder of one Gaussian."""
        return all_right(self.claims[self.claims["quantity"] == PAIRED])

    def least(self, kind: str) -> dict[str, Any]:
        """The least distance over that at the start; kind "clusters" or "gaussian"."""
        return self._row(LEAST, KINDS[kind], CLAIM if kind == "clusters" else SHOWN)

    def near(self, kind: str) -> dict[str, Any]:
        """The same over the distance of clean patterns; kind "clusters", "gaussian" or "wrong"."""
        if kind == "wrong":
            return self._row(NEAR, KINDS["clusters"], CONTROL)
        return self._row(NEAR, KINDS[kind], CLAIM if kind == "clusters" else SHOWN)

    def paired(self) -> dict[str, Any]:
        """The least distance less that of one Gaussian's autoencoder."""
        return self._row(PAIRED, KINDS["clusters"], CLAIM)

    def growth(self, kind: str) -> dict[str, float]:
        """The geometric mean of the distance at the end over the least; by kind as ``least``."""
        row = self._row(LEAVES, KINDS[kind], CLAIM if kind == "clusters" else SHOWN)
        return {name: float(np.exp(row[name])) for name in ("measured", "ci_low", "ci_high")}

    def farthest(self) -> str:
        """How far patterns of single autoencoders leave, in words."""
        note = str(self._row(LEAVES, KINDS["clusters"], CLAIM)["note"])
        return note.removeprefix("distances: ")

    def _row(self, quantity: str, setting: str, role: str) -> dict[str, Any]:
        rows = self.table
        rows = rows[(rows["quantity"] == quantity) & (rows["setting"] == setting)]
        return records(rows[rows["role"] == role])[0]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.concept_retrieval, files.table("concept_retrieval/verdicts", FORM))
