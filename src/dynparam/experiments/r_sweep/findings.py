"""What the findings say of the r-sweep: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.provenance.experiment import Files

Rows = list[dict[str, Any]]


class Found:
    """The questions the template asks."""

    def __init__(self, edges: pd.DataFrame) -> None:
        """Answer from ``results/sweep/edges.csv``."""
        self._edges = edges

    def edges(self, statistic: str) -> Rows:
        """The measured edges of the r-sweep, of the drift or of the growth of gradients."""
        table = self._edges
        return [
            {str(key): value for key, value in row.items()}
            for _, row in table[table["statistic"] == statistic].iterrows()
        ]


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(files.table("sweep/edges"))
