"""What the findings say of the delays: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.delay_law.judge import (
    EXPONENT,
    FALLS,
    GROWTH,
    INCREMENTS,
    RATIO,
    VARIANT,
)
from dynparam.experiments.delay_law.settings import FAMILIES, SERIES, VARIANTS, DelayLaw
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, WRONG, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: DelayLaw, table: pd.DataFrame) -> None:
        """Answer from ``results/delay_law/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings

    def law_holds(self) -> bool:
        """Whether the exponents of all series are those of theory, and no control agrees.

        Local exponents decide that. Increments say of a logarithm that it is one, and are told apart.
        """
        exponents = self.claims[self._of(SERIES) & self.claims["quantity"].isin((EXPONENT, FALLS))]
        controls = self.controls[self.controls["experiment"] == SERIES]
        return all_right(exponents) and set(controls["verdict"]) <= set(WRONG)

    def increments(self) -> list[dict[str, Any]]:
        """Increments in the sharper half over those in the other, behind one bottleneck."""
        return records(self.claims[self.claims["quantity"] == INCREMENTS])

    def increments_equal(self) -> bool:
        """Whether they are equal, up to the tolerance."""
        return all_right(self.claims[self.claims["quantity"] == INCREMENTS])

    def series(self) -> list[dict[str, Any]]:
        """The exponent of each series in its sharper half, with the number of bottlenecks."""
        claims = self.claims[(self.claims["quantity"] == EXPONENT) & self._of(SERIES)]
        rows = records(claims.drop_duplicates("setting"))
        return [row | {"bottlenecks": _bottlenecks(row["setting"])} for row in rows]

    def ratios(self) -> list[dict[str, Any]]:
        """The delay over theory's of each series: the smallest and the largest over its R."""
        rows = self.claims[(self.claims["quantity"] == RATIO) & self._of(SERIES)]
        grouped = rows.groupby(rows["setting"].map(_bottlenecks), sort=False)["measured"]
        return [
            {"bottlenecks": count, "low": float(values.min()), "high": float(values.max())}
            for count, values in grouped
        ]

    def near_theory(self) -> bool:
        """Whether all delays of the series are those of theory, up to the tolerance."""
        return all_right(self.claims[(self.claims["quantity"] == RATIO) & self._of(SERIES)])

    def delays(self, kind: str, parametrization: str) -> dict[str, Any] | None:
        """The exponent of n along a family; none if it was not measured."""
        setting = f"{parametrization}, {kind.replace('_', ' ')}"
        chosen = (self.claims["quantity"] == GROWTH) & (self.claims["setting"] == setting)
        found = records(self.claims[chosen])
        return found[0] if found else None

    def only_spectral_waits(self) -> bool:
        """Whether the delay grows under spectral as theory has it, and under no other."""
        rows = self.claims[self._of(FAMILIES) & self.claims["quantity"].str.startswith(GROWTH)]
        return all_right(rows)

    def narrow(self) -> list[dict[str, Any]]:
        """The delay over theory's by n_min."""
        rows = self.table[self.table["experiment"] == "narrow layers"]
        return [row | {"n_min": int(row["setting"].rpartition(" ")[2])} for row in records(rows)]

    def variants_alike(self) -> bool:
        """Whether exponents stay with smaller steps, momentum, several images, and weights in law."""
        rows = self.claims[self._of(VARIANTS) & (self.claims["quantity"] == VARIANT)]
        return all_right(rows)

    def _of(self, part: str) -> pd.Series:
        """Which of the claims belong to a part."""
        return self.claims["experiment"] == part


def _bottlenecks(setting: str) -> int:
    """The number of bottlenecks that a setting names."""
    return int(setting.partition("B = ")[2].partition(",")[0])


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.delay_law, files.table("delay_law/verdicts", FORM))
