"""What the findings say of lazy and rich training: rows of the table of verdicts, for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.experiments.lazy_or_rich.settings import LazyOrRich
from dynparam.experiments.lazy_or_rich.tables import VERDICTS
from dynparam.provenance.experiment import Files
from dynparam.theory.laziness import laziness_index, narrowest_layer
from dynparam.theory.parametrization import layer_scales

Rows = list[dict[str, Any]]

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


class Found:
    """The questions the template asks."""

    def __init__(self, lazy: LazyOrRich, verdicts: pd.DataFrame) -> None:
        """Answer from ``results/lazy_or_rich/verdicts.csv``."""
        self._lazy = lazy
        self._verdicts = verdicts

    def rows(self, experiment: str, beginning: str = "", setting: str = "") -> Rows:
        """The rows of an experiment but its controls, by how quantity begins and what setting holds.

        Besides the columns of the table they have ``of``, the quantity without the beginning.
        """
        table = self._verdicts
        chosen = (table["experiment"] == experiment) & table["control"].isna()
        chosen &= table["quantity"].str.startswith(beginning)
        chosen &= table["setting"].str.contains(setting, regex=False)
        return [
            row | {"of": row["quantity"].removeprefix(beginning).lstrip(", ")}
            for row in _records(table[chosen])
        ]

    def failed_controls(self) -> Rows:
        """The negative controls that are undecided; had one come out well, there would be no table."""
        table = self._verdicts
        return _records(table[table["control"].notna() & (table["verdict"] != table["control"])])

    def as_expected(self, experiment: str) -> bool:
        """Whether no row of the experiment disagrees or fails, controls aside."""
        return not {row["verdict"] for row in self.rows(experiment)} & {"disagrees", "fails"}

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


def _records(table: pd.DataFrame) -> Rows:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(config.lazy_or_rich, files.table("lazy_or_rich/verdicts", VERDICTS))
