"""What the findings say of sharpness: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.sharpness.judge import RATE, SLOPE
from dynparam.experiments.sharpness.settings import SharpnessVerdicts, for_verdicts
from dynparam.experiments.sharpness.tables import THESIS
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, Judged, all_right, outcomes, records
from dynparam.statistics.verdicts import Verdict

Row = dict[str, Any]

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(
        self, settings: SharpnessVerdicts, verdicts: pd.DataFrame, thesis: pd.DataFrame
    ) -> None:
        """Answer from ``results/sharpness/verdicts.csv`` and ``results/sharpness/thesis.csv``."""
        super().__init__(verdicts)
        self._settings = settings.sharpness
        self._thesis = thesis

    def sharpest(self) -> str:
        """The rule of the measured family whose ratio sharpens most."""
        return str(self._settings.families[self._sharpest()].rule())

    def slope(self, parametrization: str) -> Row:
        """That of sharpness against n along this family."""
        return self._claim("widths", f"{self._sharpest()}, {parametrization}")

    def width_decides(self) -> bool:
        """Whether spectral falls and ntk and dynamic stay, as theory has them."""
        names = ("spectral", "ntk", "dynamic")
        return {self.slope(name)["verdict"] for name in names} == {Verdict.AGREES} and (
            self.slope("spectral")["expected"] < self.slope("dynamic")["expected"]
        )

    def thesis(self, parametrization: str) -> list[Row]:
        """Along each of the thesis's families: rule, exponent and slope up to the window's end."""
        rules = {name: str(one.rule()) for name, one in self._settings.thesis.families.items()}
        mine = self._thesis[self._thesis["parametrization"] == parametrization]
        return [{**row, "rule": rules[row["family"]]} for row in records(mine)]

    def normalized(self, inputs: str, normalization: str) -> Row:
        """The slope of normalized outputs against M; that of a control where it is one."""
        return self._row("normalization", f"{inputs} inputs, {normalization}", self.table)

    def normalization_decides(self) -> bool:
        """Whether all slopes of normalized outputs are as theory says, and those of controls are not."""
        table = self.table
        slopes = table[(table["experiment"] == "normalization") & (table["quantity"] == SLOPE)]
        return set(outcomes(slopes, CLAIM, CONTROL)) == {"passed"}

    def rates(self) -> Row:
        """The smallest and largest product of stable learning rate and sharpness; whether all agree."""
        rows = self.claims[self.claims["quantity"] == RATE]
        return {
            "low": rows["measured"].min(),
            "high": rows["measured"].max(),
            "agree": all_right(rows),
        }

    def _sharpest(self) -> str:
        families = self._settings.families
        return min(families, key=lambda name: families[name].exponent)

    def _claim(self, experiment: str, setting: str) -> Row:
        return self._row(experiment, setting, self.claims)

    def _row(self, experiment: str, setting: str, table: pd.DataFrame) -> Row:
        """The slope of a setting. Raises ``IndexError`` if there is none."""
        here = (table["experiment"] == experiment) & (table["setting"] == setting)
        return records(table[here & (table["quantity"] == SLOPE)])[0]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(
        for_verdicts(config),
        files.table("sharpness/verdicts", FORM),
        files.table("sharpness/thesis", THESIS),
    )
