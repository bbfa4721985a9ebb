"""The curves that a choice is trained to: those of both parametrizations in one table."""

from __future__ import annotations

import pandas as pd

from dynparam.training.paired_curves import QUANTITIES

ARMS = ("first", "second")

COLUMNS = ("arm", "task", "parametrization", "seed", "epoch", *QUANTITIES)
"""The columns of ``results/open_choices/curves/*.csv``; arm is "first" or "second"."""


def arms(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The curves of both parametrizations in one table, in ``COLUMNS``."""
    parts = [table.assign(arm=arm) for arm, table in zip(ARMS, (first, second), strict=True)]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]
