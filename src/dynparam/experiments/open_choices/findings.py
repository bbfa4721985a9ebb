"""What the findings say of the open choices: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from dynparam.experiments.open_choices.message import moved
from dynparam.experiments.open_choices.settings import OpenChoicesStage, for_open_choices
from dynparam.experiments.open_choices.tables import CHANGES, TRAINED
from dynparam.experiments.open_choices.trained import Conclusion, title
from dynparam.provenance.experiment import Files
from dynparam.statistics.verdicts import Verdict
from dynparam.trials.networks import asymptotic_exponents
from dynparam.trials.settings import ASYMPTOTIC

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found:
    """The questions the template asks."""

    def __init__(self, settings: OpenChoicesStage, changes: pd.DataFrame, trained: pd.DataFrame) -> None:
        """Answer from ``results/open_choices/changes.csv`` and ``training.csv``."""
        self._settings = settings
        self._changes = changes
        self._trained = trained

    def open_choices(self) -> dict[str, Any]:
        """How many alternatives there are, which change a conclusion, and the others' largest change."""
        table = self._changes
        changed = moved(table)
        names = changed["alternative"].unique().tolist()
        others = table[~table["alternative"].isin(names)]
        return {
            "alternatives": table["alternative"].nunique(),
            "names": [f"`{name}`" for name in names],
            "moving": [self._moving(name, changed) for name in names],
            "others": others["alternative"].nunique(),
            "largest": None
            if others.empty
            else others.iloc[int(others["change"].abs().argmax())].to_dict(),
        }

    def _moving(self, name: str, changed: pd.DataFrame) -> dict[str, Any]:
        """An alternative that changes a conclusion: in which slopes, and where these are then."""
        rows = self._changes[self._changes["alternative"] == name]
        return {
            "name": name,
            "asymptotic": name == ASYMPTOTIC,
            "moved": int((changed["alternative"] == name).sum()),
            "slopes": len(rows),
            "at_exponent": int((rows["at_exponent"] == Verdict.AGREES).sum()),
            "by_default": int((rows["at_exponent_by_default"] == Verdict.AGREES).sum()),
            "curves": [
                {
                    "curve": curve,
                    "exponent": float(of_curve["exponent"].iloc[0]),
                    "default": of_curve["default"].tolist(),
                    "slopes": of_curve["slope"].tolist(),
                }
                for curve, of_curve in rows.groupby("curve", sort=False)
            ],
        }

    def on_curves(self) -> dict[str, Any]:
        """What the alternatives do to the conclusions on training, and whether controls are found."""
        choices = self._trained[self._trained["role"] == "choice"]
        controls = self._trained[self._trained["role"] == "control"]
        changed = choices[choices["conclusion"] == Conclusion.CHANGED]
        found = controls[controls["conclusion"] == Conclusion.CHANGED]
        return {
            "alternatives": choices["alternative"].nunique(),
            "conclusions": len(choices),
            "same": int((choices["conclusion"] == Conclusion.SAME).sum()),
            "undecided": int((choices["conclusion"] == Conclusion.UNDECIDED).sum()),
            "names": [f"`{name}`" for name in changed["alternative"].unique()],
            "changed": [
                {
                    "name": row["alternative"],
                    "endpoint": title(row["endpoint"]),
                    "by_default": _measured(row, "default", "default_low", "default_high"),
                    "there": _measured(row, "difference", "ci_low", "ci_high"),
                }
                for row in changed.to_dict("records")
            ],
            "controls": controls["alternative"].nunique(),
            "found": found["alternative"].nunique(),
        }

    def differences(self) -> list[Fraction]:
        """By how much the exponents of the curves of a figure differ, each difference once."""
        probe = self._settings.probe
        found = []
        for curves in self._settings.panels.values():
            exponents = [
                asymptotic_exponents(self._settings.network, probe.curve(curve)) for curve in curves
            ]
            found += [max(layer) - min(layer) for layer in zip(*exponents, strict=True)]
        return [difference for difference in dict.fromkeys(found) if difference]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(
        for_open_choices(config),
        files.table("open_choices/changes", CHANGES),
        files.table("open_choices/training", TRAINED),
    )


def _measured(row: Mapping[Any, Any], value: str, low: str, high: str) -> dict[str, Any]:
    """A difference as the filter ``with_error`` takes it."""
    return {
        "metric": row["endpoint"],
        "value": row[value],
        "ci_low": row[low],
        "ci_high": row[high],
    }
