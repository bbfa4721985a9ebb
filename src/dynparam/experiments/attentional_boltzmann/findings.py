"""What the findings say of attentional Boltzmann machines: rows of the table of verdicts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.attentional_boltzmann.judge import (
    EXCESS,
    EXPONENT,
    FACTOR,
    MEAN,
    machine,
    rates,
    sampled,
)
from dynparam.experiments.attentional_boltzmann.settings import AttentionalBoltzmannSettings
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, RIGHT, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: AttentionalBoltzmannSettings, table: pd.DataFrame) -> None:
        """Answer from ``results/attentional_boltzmann/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings

    def growth_holds(self) -> bool:
        """Whether weights grow or decay along every eigenvector as theory says."""
        return all_right(self.claims[self.claims["quantity"].isin((FACTOR, MEAN))])

    def furthest(self) -> float:
        """The largest distance of a growth from that of theory."""
        rows = self.claims[self.claims["quantity"].isin((FACTOR, MEAN))]
        return float((rows["measured"] - rows["expected"]).abs().max())

    def factors(self) -> list[dict[str, float]]:
        """Of the machine with the fewest hidden units, by eigenvalue."""
        rows = self._by_setting(FACTOR)
        name = machine(self._settings.growth.hidden[0])
        found = ((one, rows[f"{name}, lambda = {one:g}"]) for one in self._settings.eigenvalues)
        return [
            {"eigenvalue": one, "measured": row["measured"], "expected": row["expected"]}
            for one, row in found
        ]

    def shifted(self) -> dict[str, Any]:
        """The control whose data lie beside b, of the fewest hidden units."""
        name = machine(self._settings.growth.hidden[0])
        rows = records(self.controls[self.controls["setting"].str.startswith(f"{name}, ")])
        return next(row for row in rows if "beside b" in str(row["setting"]))

    def exponent(self, kind: str) -> dict[str, Any]:
        """Of the number of hidden units in the steps to learn; kind "fixed" or "proportional"."""
        rows = self._by_setting(EXPONENT).items()
        return next(row for setting, row in rows if setting.endswith(rates(kind)))

    def rate_decides(self) -> bool:
        """Whether both exponents are those of theory."""
        return {self.exponent(kind)["verdict"] for kind in ("fixed", "proportional")} <= set(RIGHT)

    def excess(self) -> list[dict[str, float]]:
        """The excess loss by samples: measured and expected, and that of overlapping Gaussians."""
        rows = {
            str(row["setting"]): row for row in records(self.table[self.table["quantity"] == EXCESS])
        }
        return [
            {
                "samples": samples,
                "measured": rows[sampled("apart", samples)]["measured"],
                "expected": rows[sampled("apart", samples)]["expected"],
                "overlapping": rows[sampled("overlapping", samples)]["measured"],
            }
            for samples in self._settings.mixture.samples
        ]

    def excess_holds(self) -> bool:
        """Whether the excess loss of separated Gaussians is that of theory at all numbers of samples."""
        return all_right(self.claims[self.claims["quantity"] == EXCESS])

    def _by_setting(self, quantity: str) -> dict[str, dict[str, Any]]:
        rows = records(self.claims[self.claims["quantity"] == quantity])
        return {str(row["setting"]): row for row in rows}


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.attentional_boltzmann, files.table("attentional_boltzmann/verdicts", FORM))
