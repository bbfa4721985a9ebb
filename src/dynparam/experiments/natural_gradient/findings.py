"""What the findings say of natural gradients: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.natural_gradient.judge import EXPONENT, FALLS, METHODS, RATIO, SAME
from dynparam.experiments.natural_gradient.settings import NaturalGradientSettings
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import CONTROL, FORM, WRONG, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: NaturalGradientSettings, table: pd.DataFrame) -> None:
        """Answer from ``results/natural_gradient/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings

    def rows(self, part: str, beginning: str = "") -> list[dict[str, Any]]:
        """The claims of a part, by how quantity begins."""
        chosen = self.claims["experiment"] == part
        chosen &= self.claims["quantity"].str.startswith(beginning)
        return records(self.claims[chosen])

    def ratio(self, part: str, method: str) -> float | None:
        """The residual over theory in the widest network; none if it was not measured."""
        widest = getattr(self._settings, part).widths[-1]
        setting = f"{METHODS[method]}, M = {widest}"
        found = [row for row in self.rows(part, RATIO) if row["setting"] == setting]
        return float(found[0]["measured"]) if found else None

    def on_one_line(self) -> bool:
        """Whether all approximations leave what theory says in the widest networks, on all inputs."""
        return all_right(self.claims[self.claims["quantity"].str.startswith(RATIO)])

    def has_errors(self) -> bool:
        """Whether it was asked if an error falls: that of K-FAC."""
        return bool((self.claims["quantity"] == FALLS).any())

    def errors_fall(self) -> bool:
        """Whether K-FAC's distance from theory falls as layers widen, on all inputs."""
        return all_right(self.claims[self.claims["quantity"] == FALLS])

    def exponents(self, method: str) -> list[dict[str, Any]]:
        """Of what one full step of this approximation leaves, by parametrization."""
        mine = self.table["setting"].str.startswith(f"{METHODS[method]}, ")
        rows = records(self.table[(self.table["quantity"] == EXPONENT) & mine])
        return [row | {"name": row["setting"].rpartition(", ")[2]} for row in rows]

    def needs_lazy_layers(self) -> bool:
        """Whether what one full step leaves falls just where theory's layers are lazy."""
        rows = self.table[self.table["quantity"].str.startswith(EXPONENT)]
        claims, controls = rows[rows["role"] != CONTROL], rows[rows["role"] == CONTROL]
        return all_right(claims) and set(controls["verdict"]) <= set(WRONG)

    def identities(self) -> list[dict[str, Any]]:
        """Approximations that multipliers do not reach, with the largest difference found."""
        return [
            {"name": row["setting"], "value": float(row["measured"])}
            for row in self.rows("one step", SAME)
        ]

    def identical(self) -> bool:
        """Whether these differences are of rounding, and the exact gradient's is not."""
        rows = self.table[self.table["quantity"] == SAME]
        controls = rows[rows["role"] == CONTROL]
        return all_right(rows[rows["role"] != CONTROL]) and set(controls["verdict"]) <= set(WRONG)


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.natural_gradient, files.table("natural_gradient/verdicts", FORM))
