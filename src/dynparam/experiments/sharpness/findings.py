"""What the findings say of sharpness: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.sharpness.settings import SharpnessVerdicts, for_verdicts
from dynparam.experiments.sharpness.tables import THESIS, VERDICTS
from dynparam.provenance.experiment import Files
from dynparam.statistics.verdicts import Verdict

Row = dict[str, Any]

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found:
    """The questions the template asks."""

    def __init__(
        self, settings: SharpnessVerdicts, verdicts: pd.DataFrame, thesis: pd.DataFrame
    ) -> None:
        """Answer from ``results/sharpness/verdicts.csv`` and ``results/sharpness/thesis.csv``."""
        self._settings = settings.sharpness
        self._verdicts = verdicts
        self._thesis = thesis

    def sharpest(self) -> str:
        """The rule of the measured family whose ratio sharpens most."""
        return str(self._settings.families[self._sharpest()].rule())

    def slope(self, parametrization: str) -> Row:
        """That of sharpness against n along this family."""
        return self._row("widths", "slope", f"{self._sharpest()}, {parametrization}")

    def width_decides(self) -> bool:
        """Whether spectral falls and ntk and dynamic stay, as theory has them."""
        names = ("spectral", "ntk", "dynamic")
        return {self.slope(name)["verdict"] for name in names} == {Verdict.AGREES} and (
            self.slope("spectral")["expected"] < self.slope("dynamic")["expected"]
        )

    def thesis(self, parametrization: str) -> list[Row]:
        """Along each of the thesis's families: rule, exponent and slope up to the window's end."""
        table = self._thesis[self._thesis["parametrization"] == parametrization]
        rules = {name: str(one.rule()) for name, one in self._settings.thesis.families.items()}
        return [{**row, "rule": rules[row["family"]]} for row in _rows(table)]

    def normalized(self, inputs: str, normalization: str) -> Row:
        """The slope of normalized outputs against M."""
        return self._row("normalization", "slope", f"{inputs} inputs, {normalization}")

    def normalization_decides(self) -> bool:
        """Whether all slopes of normalized outputs come out as wanted."""
        table = self._verdicts
        slopes = table[(table["experiment"] == "normalization") & (table["quantity"] == "slope")]
        return bool((slopes["verdict"] == slopes["wanted"]).all())

    def rates(self) -> Row:
        """The smallest and largest product of stable learning rate and sharpness; whether all agree."""
        table = self._verdicts[self._verdicts["experiment"] == "rates"]
        return {
            "low": table["measured"].min(),
            "high": table["measured"].max(),
            "agree": set(table["verdict"]) == {Verdict.AGREES},
        }

    def identity(self, what: str) -> Row:
        """The largest difference between dynamic and ntk: of "kernels", of "outputs"."""
        table = self._verdicts
        rows = table[
            (table["experiment"] == "output scale")
            & table["quantity"].str.startswith(f"difference of {what}")
            & (table["wanted"] == Verdict.AGREES)
        ]
        return {
            "largest": rows["measured"].max(),
            "agree": set(rows["verdict"]) == {Verdict.AGREES},
        }

    def counts(self) -> dict[str, int]:
        """How many statements there are, come out as wanted, do not, or are undecided."""
        table = self._verdicts
        undecided = int((table["verdict"] == Verdict.UNDECIDED).sum())
        wanted = int((table["verdict"] == table["wanted"]).sum())
        return {
            "all": len(table),
            "wanted": wanted,
            "undecided": undecided,
            "otherwise": len(table) - wanted - undecided,
        }

    def _sharpest(self) -> str:
        families = self._settings.families
        return min(families, key=lambda name: families[name].exponent)

    def _row(self, experiment: str, quantity: str, setting: str) -> Row:
        """The row of a statement, not that of a control. Raises ``IndexError`` if there is none."""
        table = self._verdicts
        rows = _rows(
            table[
                (table["experiment"] == experiment)
                & (table["quantity"] == quantity)
                & (table["setting"] == setting)
            ].sort_values("wanted")
        )
        return rows[0]


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(
        for_verdicts(config),
        files.table("sharpness/verdicts", VERDICTS),
        files.table("sharpness/thesis", THESIS),
    )
