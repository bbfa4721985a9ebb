"""What the findings say of local receptive fields: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from dynparam.experiments.receptive_fields.judge import BY_A_BLUR, DISPLACED, NAMES, RATIO, SAME
from dynparam.experiments.receptive_fields.tables import (
    CORRELATED,
    DENSE,
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

CHANGES = {
    "correlated_noise": (NOISE, CORRELATED, DENSE),
    "local_noise": (NOISE, LOCAL, DENSE),
    "local_square": (SQUARE, LOCAL, DENSE),
    "beside_weighted": (SQUARE, LOCAL, WEIGHTED),
    "beside_permuted": (SQUARE, LOCAL, PERMUTED),
    "permuted_square": (SQUARE, PERMUTED, DENSE),
    "weighted_square": (SQUARE, WEIGHTED, DENSE),
    "correlated_square": (SQUARE, CORRELATED, DENSE),
}
"""Changes of displacements: the disturbance, the kind, and what it is set beside."""


class Found(Judged):
    """The questions the template asks, of ``results/receptive_fields/verdicts.csv``."""

    def pairs(self) -> list[dict[str, Any]]:
        """What each pair of classes says: its name, and its rows by the names of ``CHANGES``.

        Of several radii the smallest.
        """
        return self._pairs

    @cached_property
    def _pairs(self) -> list[dict[str, Any]]:
        names = self.table["experiment"].drop_duplicates()
        return [
            {"name": str(pair)} | {key: self._change(str(pair), *one) for key, one in CHANGES.items()}
            for pair in names
        ]

    def blur_holds(self) -> bool:
        """Whether correlated weights lower the displacement by noise on all pairs, as a blur does."""
        same = self.claims["quantity"].isin((SAME, BY_A_BLUR))
        return self.held("correlated_noise") == len(self.pairs()) and all_right(self.claims[same])

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

    def _change(self, pair: str, disturbance: str, kind: str, base: str) -> dict[str, Any]:
        """The first of these changes, which is that of the smallest radius."""
        chosen = self.table["experiment"] == pair
        chosen &= self.table["quantity"] == DISPLACED[disturbance]
        rows = self.table[chosen & self.table["setting"].str.startswith(f"{NAMES[kind]}, ")]
        beside = rows["setting"].str.partition(", beside ")[2]
        return records(rows[beside == ("" if base == DENSE else NAMES[base])])[0]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(files.table("receptive_fields/verdicts", FORM))
