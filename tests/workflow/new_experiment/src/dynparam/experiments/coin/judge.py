"""Whether coins fall on heads as often as they are said to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dynparam.experiments.coin.settings import JudgeStage
from dynparam.experiments.coin.tables import TOSSES
from dynparam.statistics.estimates import mean_of
from dynparam.statistics.verdicts import equivalence
from dynparam.support.tables import read_csv


def read_tosses(paths: Sequence[Path]) -> pd.DataFrame:
    """The tosses of all coins in one table. Raises ``DataError``."""
    return pd.concat([read_csv(path, TOSSES) for path in paths], ignore_index=True)


def judged(tosses: pd.DataFrame, settings: JudgeStage) -> pd.DataFrame:
    """A row a coin: coin, expected, share, ci_low, ci_high, verdict."""
    rows = []
    for name, expected in settings.coin.shares.items():
        found = mean_of(tosses.loc[tosses["coin"] == name, "share"].to_numpy(), settings.fit.confidence)
        verdict = equivalence(*found.interval, expected, settings.coin.tolerance)
        rows.append({"coin": name, "expected": expected, **found.row("share"), "verdict": verdict})
    return pd.DataFrame(rows)
