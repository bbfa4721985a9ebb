"""What the findings say of the r-sweep: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dynparam.experiments.r_sweep.settings import EdgesStage, for_edges
from dynparam.experiments.r_sweep.tables import EDGES, EXPONENTS
from dynparam.provenance.experiment import Files
from dynparam.statistics.verdicts import Verdict, equivalence
from dynparam.theory.update_bound import Reference, reference_exponent
from dynparam.trials.networks import hidden_exponents

Rows = list[dict[str, Any]]

NAMES: dict[Reference, dict[str, str]] = {
    "geometric_mean": {
        "full": "the geometric mean of the hidden widths",
        "kind": "a mean",
        "known": "the mean",
        "root": "the geometric mean",
        "cell": "geometric mean",
    }
}
"""What a reference width is called: in full, as one of its kind, once it is known, when its root is
taken, and in a table. Others go by their name."""

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


@dataclass(frozen=True)
class Root:
    """The square root of a reference width, n^exponent, and how it compares with the measured onset."""

    name: str
    exponent: float
    verdict: Verdict


class Found:
    """The questions the template asks."""

    def __init__(self, settings: EdgesStage, edges: pd.DataFrame, exponents: pd.DataFrame) -> None:
        """Answer from ``results/sweep/edges.csv`` and ``results/sweep/exponents.csv``."""
        self._settings = settings
        self._edges = edges
        self._exponents = exponents

    def references(self) -> list[str]:
        """The reference widths in full."""
        return [_name(one, "full") for one in self._settings.sweep.references]

    def others(self, form: str) -> list[str]:
        """Those beside n_min in a form of ``NAMES``, the last one first."""
        return [_name(one, form) for one in reversed(self._settings.sweep.references) if one != "n_min"]

    def edges(self, statistic: str) -> Rows:
        """The measured edges of the r-sweep, of the drift or of the growth of gradients."""
        table = self._edges
        return [
            {str(key): value for key, value in row.items()} | {"name": _name(row["reference"], "cell")}
            for _, row in table[table["statistic"] == statistic].iterrows()
        ]

    def only_n_min(self) -> bool:
        """Whether the drift's measured edges agree with theory, which has that of n_min alone at 1/2."""
        rows = self.edges("drift")
        alone = [row["reference"] for row in rows if math.isclose(row["edge_expected"], 1 / 2)]
        return alone == ["n_min"] and {row["verdict"] for row in rows} == {Verdict.AGREES}

    def onset(self) -> dict[str, Any] | None:
        """Where gradients start to grow, in units of the first reference; none if they nowhere do."""
        row = self.edges("growth")[0]
        return None if math.isnan(row["edge"]) else row

    def roots(self) -> list[Root]:
        """The square roots of the reference widths but n_min, beside the onset's exponent."""
        sweep, onset = self._settings.sweep, self.edges("growth")[0]
        hidden = hidden_exponents(self._settings.network, sweep.narrow)
        power = float(reference_exponent(onset["reference"], hidden))
        interval = (onset["ci_low"] * power, onset["ci_high"] * power)
        exponents = {
            one: float(reference_exponent(one, hidden)) / 2 for one in sweep.references if one != "n_min"
        }
        return [
            Root(_name(one, "root"), value, equivalence(*interval, value, sweep.tolerance))
            for one, value in exponents.items()
        ]

    def steady_below(self) -> bool:
        """Whether no exponent of the growth of gradients is off zero at any r up to the edge."""
        table = self._exponents
        below = table[(table["statistic"] == "growth") & table["expected"].notna()]
        return not below.empty and Verdict.DISAGREES not in set(below["verdict"])

    def diverges_beyond(self) -> bool:
        """Whether all trials of several steps diverge at the largest r of some reference."""
        table = self._exponents
        growth = table[(table["statistic"] == "growth") & (table["r"] == table["r"].max())]
        return bool((growth["trials"] == 0).any())

    def gradual(self) -> bool:
        """Whether the growth's exponent is within the tolerance at the first r beyond n_min's edge."""
        table = self._exponents
        growth = table[(table["statistic"] == "growth") & (table["reference"] == "n_min")]
        beyond = growth[growth["expected"].isna()].sort_values("r")["exponent"]
        return not beyond.empty and bool(beyond.iloc[0] <= self._settings.sweep.tolerance)

    def falls_short(self) -> bool:
        """Whether an exponent of the drift is below theory at the largest r, where it should grow."""
        table = self._exponents
        far = table[(table["statistic"] == "drift") & (table["r"] == table["r"].max())]
        short = far[(far["expected"] > 0) & (far["ci_high"] < far["expected"])]
        return Verdict.DISAGREES in set(short["verdict"])


def _name(reference: Reference, form: str) -> str:
    return NAMES.get(reference, {}).get(form, reference)


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(
        for_edges(config), files.table("sweep/edges", EDGES), files.table("sweep/exponents", EXPONENTS)
    )
