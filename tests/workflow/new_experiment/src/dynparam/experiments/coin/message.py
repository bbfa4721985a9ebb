"""What the figure of the coins says, in a sentence, with the verdicts of its table."""

from __future__ import annotations

import pandas as pd

from dynparam.presentation.sentences import joined, words
from dynparam.statistics.verdicts import Verdict


def coin_message(table: pd.DataFrame) -> str:
    """How many coins fall as they are said to, and which do not."""
    fair = int((table["verdict"] == Verdict.AGREES).sum())
    wrong = table.loc[table["verdict"] == Verdict.DISAGREES, "coin"]
    said = f"{fair} of {len(table)} coins fall as they are said to"
    return said if wrong.empty else f"{said}; {joined([words(name) for name in wrong])} not"
