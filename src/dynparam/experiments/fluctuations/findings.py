"""What the findings say of fluctuations: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.fluctuations.judge import (
    ALIGNMENT,
    ALIKE,
    DEAD,
    FALL,
    GROWS,
    HEAVY,
    LOSS,
    MEDIAN,
    OWN,
    TYPICAL,
    VARIATION,
    bottlenecks_of,
    network,
)
from dynparam.experiments.fluctuations.settings import FluctuationSettings
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import CONTROL, FORM, WRONG, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: FluctuationSettings, table: pd.DataFrame) -> None:
        """Answer from ``results/fluctuations/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings

    def rows(self, quantity: str) -> list[dict[str, Any]]:
        """The rows of a quantity that are no controls."""
        chosen = (self.table["quantity"] == quantity) & (self.table["role"] != CONTROL)
        return records(self.table[chosen])

    def on_one_curve(self) -> bool:
        """Whether every parametrization and depth has theory's scatter, and it grows as theory says."""
        return all_right(self.claims[self.claims["quantity"].isin((ALIKE, GROWS))])

    def none_off(self) -> bool:
        """Whether no coefficient of variation, median or share of dead networks differs from theory."""
        rows = self.claims[self.claims["quantity"].isin((VARIATION, MEDIAN, DEAD))]
        return not rows.empty and not set(rows["verdict"]) & set(WRONG)

    def by_width(self) -> list[dict[str, Any]]:
        """Of the main networks: n_min, and the rows of the variation and of the median."""
        variations, medians = self._settings_of(VARIATION), self._settings_of(MEDIAN)
        named = {n_min: network(self._settings.main, n_min) for n_min in self._settings.n_min}
        return [
            {"n_min": n_min, "variation": variations[name], "median": medians[name]}
            for n_min, name in named.items()
        ]

    def undecided_variations(self) -> dict[str, int]:
        """How many coefficients of variation are not decided: all of them, and for a heavy tail."""
        notes = [row["note"] for row in self.rows(VARIATION) if row["verdict"] == "undecided"]
        return {"all": len(notes), "heavy": sum(HEAVY in str(note) for note in notes)}

    def ratios(self) -> tuple[float, float]:
        """The least and the greatest scatter of the logarithm over theory."""
        found = [row["measured"] for row in self.rows(ALIKE)]
        return min(found), max(found)

    def typical(self) -> list[dict[str, Any]]:
        """By number of bottlenecks: the n_min from which on the mean describes a typical network.

        And the row of the median at the next n_min that was measured. Either is none if there is none.
        """
        rows, medians = self._settings_of(TYPICAL), self._settings_of(MEDIAN)
        found = []
        for count in self._settings.bottlenecks:
            value = rows[bottlenecks_of(count)]["expected"]
            expected = None if np.isnan(value) else int(value)
            beyond = [n for n in self._settings.n_min if expected is not None and n >= expected]
            median = medians[network(count, beyond[0])] if beyond else None
            n_min = beyond[0] if beyond else None
            found.append({"bottlenecks": count, "n_min": expected, "next": n_min, "median": median})
        return found

    def typical_of_main(self) -> dict[str, Any]:
        """The same of the main networks."""
        return next(row for row in self.typical() if row["bottlenecks"] == self._settings.main)

    def dead(self) -> dict[str, Any] | None:
        """The share of dead networks among the main ones of the narrowest layers, if any is expected."""
        name = network(self._settings.main, self._settings.n_min[0])
        return self._settings_of(DEAD).get(name)

    def contributions(self) -> list[dict[str, Any]]:
        """By parametrization: the variation of C_L and of A_L in the widest layers, and theory's."""
        own, whole = self._settings_of(OWN), self._settings_of(ALIGNMENT)
        n_min = self._settings.n_min[-1]
        found = []
        for name in self._settings.parametrizations:
            setting = f"{name}, {network(self._settings.main, n_min)}"
            if setting in own:
                found.append({"name": name, "own": own[setting], "alignment": whole[setting]})
        return found

    def contributions_as_expected(self) -> bool:
        """Whether no contribution differs from its exact law."""
        rows = self.claims[self.claims["quantity"] == OWN]
        return not rows.empty and not set(rows["verdict"]) & set(WRONG)

    def apart(self) -> list[str]:
        """The parametrizations whose contribution does not vary as the last hidden layer does."""
        rows = self.controls[self.controls["quantity"] == OWN]
        return [str(setting).partition(",")[0] for setting in rows["setting"]]

    def seeds(self, quantity: str) -> list[dict[str, Any]]:
        """Exponents of the seeds' spread, "loss" or "fall", by task and parametrization."""
        return self.rows(LOSS if quantity == "loss" else FALL)

    def falls_spread(self) -> bool:
        """Whether the spread of the fall grows with sum 1/n_l in every task and parametrization."""
        rows = self.seeds("fall")
        return bool(rows) and all(row["ci_low"] > 0 for row in rows)

    def shrinking(self) -> list[str]:
        """Where the spread of the loss is smaller in narrower networks, in words."""
        return [row["setting"] for row in self.seeds("loss") if row["ci_high"] < 0]

    def _settings_of(self, quantity: str) -> dict[str, dict[str, Any]]:
        return {row["setting"]: row for row in self.rows(quantity)}


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.fluctuations, files.table("fluctuations/verdicts", FORM))
