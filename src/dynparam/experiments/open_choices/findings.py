"""What the findings say of the open choices: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dynparam.provenance.experiment import Files
from dynparam.trials.claims import Showing


class Found:
    """The questions the template asks."""

    def __init__(self, changes: pd.DataFrame) -> None:
        """Answer from ``results/open_choices/changes.csv``."""
        self._changes = changes

    def open_choices(self) -> dict[str, Any]:
        """How many alternatives there are, how many slopes change sides, and the largest change."""
        table = self._changes
        decided = table[["shows_by_default", "shows"]].isin([Showing.YES, Showing.NO]).all(axis=1)
        moved = decided & (table["shows_by_default"] != table["shows"])
        return {
            "alternatives": table["alternative"].nunique(),
            "moved": int(moved.sum()),
            "largest": table.iloc[int(table["change"].abs().argmax())].to_dict(),
        }


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(files.table("open_choices/changes"))
