"""What the findings say of Figs. 3.2 and 3.3: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy import stats

from dynparam.presentation.verdicts import COMPARISONS
from dynparam.provenance.experiment import Files


@dataclass(frozen=True)
class Slopes:
    """Slopes of one figure's curve, layer by layer."""

    measured: tuple[float, ...]
    expected: tuple[float, ...]
    exact: tuple[float, ...]
    asymptotic: tuple[float, ...]
    half_width: float


class Found:
    """The questions the template asks."""

    def __init__(self, slopes: pd.DataFrame) -> None:
        """Answer from ``results/comparison/slopes.csv``."""
        self._slopes = slopes

    def slopes(self, figure: str, curve: str) -> Slopes:
        """The slopes of a curve in a figure of the comparison table."""
        table = self._slopes
        rows = table[(table["figure"] == figure) & (table["curve"] == curve)].sort_values("layer")
        if rows.empty:
            raise KeyError(f"slopes of {curve} in {figure}")
        return Slopes(
            measured=tuple(rows["slope"].tolist()),
            expected=tuple(rows["expected"].tolist()),
            exact=tuple(rows["expected_exact"].tolist()),
            asymptotic=tuple(rows["asymptotic"].tolist()),
            half_width=float((rows["ci_high"] - rows["ci_low"]).mean() / 2),
        )

    def verdicts(self, *figures: str) -> dict[str, int]:
        """How many slopes of the figures agree, disagree, are undecided, and how many there are."""
        chosen = self._slopes[self._slopes["figure"].isin(figures)]
        counts = chosen["verdict"].value_counts()
        return {name: int(counts.get(name, 0)) for name in COMPARISONS} | {"all": len(chosen)}

    def visible(self, figure: str, curve: str) -> int:
        """In how many layers of a curve the thesis's claim shows."""
        table = self._slopes
        notes = table.loc[(table["figure"] == figure) & (table["curve"] == curve), "note"]
        return int((notes.str.contains("visible") & ~notes.str.contains("not visible")).sum())

    def exact_error(self) -> float:
        """The standard error of the exact slopes on the thesis's window, on average."""
        return float(self._slopes["expected_exact_error"].mean())

    def largest_deviation(self) -> dict[str, Any]:
        """Of a measured slope from the exact one: by curve, and how likely one so large is by chance.

        The layers of a curve share their trials, so that a curve counts as one.
        """
        deviation = self._slopes.set_index("curve")["deviation"].dropna().abs()
        largest = float(deviation.max())
        curves = deviation.index.nunique()
        single = 2 * stats.norm.sf(largest)
        return {
            "curve": deviation.idxmax(),
            "errors": largest,
            "chance": 1 - (1 - single) ** curves,
            "curves": curves,
        }


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(files.table("comparison/slopes"))
