"""What the findings say of depth: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.isometry.settings import IsometrySettings
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, RIGHT, Judged, all_right, records

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""

GROWTH = "exponent of L in the largest eigenvalue over qhat"
RATE = "exponent of L in the stable learning rate times qhat"
IDENTITY = ("largest eigenvalue over the identity, less 1", "multiplicity less unclipped units")


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, settings: IsometrySettings, table: pd.DataFrame) -> None:
        """Answer from ``results/isometry/verdicts.csv``."""
        super().__init__(table)
        self._settings = settings

    def exponent(self, quantity: str) -> dict[str, Any]:
        """An exponent of depth, with its interval and verdict."""
        return records(self.claims[self.claims["quantity"] == quantity])[0]

    def growth(self) -> dict[str, Any]:
        """Of the largest eigenvalue."""
        return self.exponent(GROWTH)

    def rate(self) -> dict[str, Any]:
        """Of the stable learning rate."""
        return self.exponent(RATE)

    def linear_in_depth(self) -> bool:
        """Whether both exponents are those of theory."""
        return {self.growth()["verdict"], self.rate()["verdict"]} <= set(RIGHT)

    def networks_of_identity(self) -> int:
        """How many networks are held against the identity."""
        return self._settings.trials * int((self.claims["quantity"] == IDENTITY[0]).sum())

    def identity_holds(self) -> bool:
        """Whether eigenvalue and multiplicity are those of the identity in every network."""
        rows = self.claims[self.claims["quantity"].isin(IDENTITY)]
        return all_right(rows)

    def bottleneck(self, name: str) -> list[dict[str, float]]:
        """Theta(x, x) of a parametrization by depth, measured and expected."""
        return [
            {"depth": depth, "measured": float(row["measured"]), "expected": float(row["expected"])}
            for depth, row in self._kernels(name)
        ]

    def opposite(self) -> bool:
        """Whether at bottlenecks dynamic's kernel grows with depth and spectral's falls, as expected."""
        found = {name: [row for _, row in self._kernels(name)] for name in ("dynamic", "spectral")}
        if not all(len(rows) > 1 for rows in found.values()):
            return False
        up, down = ([row["measured"] for row in found[name]] for name in ("dynamic", "spectral"))
        verdicts = {row["verdict"] for rows in found.values() for row in rows}
        ordered = up == sorted(set(up)) and down == sorted(set(down), reverse=True)
        return ordered and verdicts <= set(RIGHT)

    def control(self) -> float:
        """The largest eigenvalue with Gaussian weights, over the limit of orthogonal ones."""
        rows = self.controls
        return float(rows.loc[rows["quantity"].str.startswith("largest"), "measured"].iloc[0])

    def _kernels(self, name: str) -> list[tuple[int, dict[str, Any]]]:
        rows = records(self.claims[self.claims["experiment"] == "bottleneck"])
        found = {str(row["setting"]): row for row in rows}
        own = self._settings.bottlenecks
        settings = {
            depth: f"{name}, L = {depth}, widths {own.n} and {own.n_min}" for depth in own.depths
        }
        return [(depth, found[setting]) for depth, setting in settings.items() if setting in found]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.isometry, files.table("isometry/verdicts", FORM))
