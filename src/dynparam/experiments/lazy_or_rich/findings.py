"""What the findings say of lazy and rich training: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.lazy_or_rich.settings import LazyOrRich
from dynparam.provenance.experiment import Files
from dynparam.statistics.judged import FORM, RIGHT, WRONG, Judged, all_right, records
from dynparam.theory.laziness import laziness_index, narrowest_layer
from dynparam.theory.parametrization import layer_scales

Rows = list[dict[str, Any]]

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""

OFF_LINEARIZATION = "exponent of n in |f"
INDEX_EXPONENT, IN_LAW = "exponent of n in the narrowest layer", "in law"
"""How the quantities and settings begin, or end, on which the first sentences rest."""


class Found(Judged):
    """The questions the template asks."""

    def __init__(self, lazy: LazyOrRich, verdicts: pd.DataFrame) -> None:
        """Answer from ``results/lazy_or_rich/verdicts.csv``."""
        super().__init__(verdicts)
        self._lazy = lazy

    def rows(self, experiment: str, beginning: str = "", setting: str = "") -> Rows:
        """The claims of an experiment, by how quantity begins and what setting holds.

        Besides the columns of the table they have ``of``, the quantity without the beginning.
        """
        chosen = self.claims["experiment"] == experiment
        chosen &= self.claims["quantity"].str.startswith(beginning)
        chosen &= self.claims["setting"].str.contains(setting, regex=False)
        return [
            row | {"of": row["quantity"].removeprefix(beginning).lstrip(", ")}
            for row in records(self.claims[chosen])
        ]

    def linear_under_ntk_alone(self) -> bool:
        """Whether ntk keeps below the bound on its way from the linearization, and dynamic does not."""
        off = Judged(self.table[self.table["quantity"].str.startswith(OFF_LINEARIZATION)])
        return all_right(off.claims) and off.controls_refuted()

    def kernels_move_as_theory_says(self) -> bool:
        """Whether no exponent of the kernel's change is refuted; the table shows the undecided."""
        return not {row["verdict"] for row in self.rows("kernel change")} & set(WRONG)

    def index_is_known(self) -> bool:
        """Whether each exponent of the laziness index, as the sentence shows them, agrees."""
        rows = self.rows("laziness index", INDEX_EXPONENT, IN_LAW)
        return bool(rows) and {row["verdict"] for row in rows} <= set(RIGHT)

    def identity(self, what: str) -> dict[str, Any]:
        """The largest difference between dynamic and ntk: of "kernels", of "outputs"."""
        rows = self.rows("identity", f"relative difference, {what}")
        return {
            "largest": max(row["measured"] for row in rows),
            "agree": {row["verdict"] for row in rows} <= set(RIGHT),
        }

    def spectral(self) -> dict[str, Any]:
        """Theory's index of spectral at the smallest and the largest n, where n_min sharpens fastest."""
        lazy = self._lazy
        family = min(lazy.families, key=lambda name: lazy.families[name].exponent)
        ends = lazy.index.widths.smallest, lazy.index.widths.largest
        found = []
        for n in ends:
            widths = lazy.network(family, n, lazy.index.hidden)
            scales = layer_scales("spectral", widths)
            index = laziness_index(widths, scales, float(lazy.inputs))
            found.append(float(index[narrowest_layer(widths) - 1]))
        return {"rule": str(lazy.rule(family)), "n": ends, "index": found}


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.lazy_or_rich, files.table("lazy_or_rich/verdicts", FORM))
