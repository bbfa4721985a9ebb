"""Trials one after another, each kept as soon as it is done, so that an interruption costs one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from dynparam.support.progress import progress
from dynparam.trials.log import TrialLog

Point = tuple[str | int | float, ...]
"""What tells a trial from all others."""

Row = dict[str, Any]


def measured(
    log: TrialLog, label: str, work: Mapping[Point, float], measure: Callable[[Point], Sequence[Row]]
) -> pd.DataFrame:
    """The rows of all trials in one table, in the order of ``work``, which says what each costs.

    Trials that the log has are not measured again. Raises ``DataError`` for a damaged log, and what
    ``measure`` raises.
    """
    with log.held():
        done = log.read(lambda entry: _entry(entry, work))
        left = [point for point in work if point not in done]
        with progress(label, sum(work[point] for point in left)) as advance:
            for point in left:
                done[point] = list(measure(point))
                log.append([[list(point), done[point]]])
                advance(work[point])
    return pd.DataFrame([row for point in work for row in done[point]])


def _entry(entry: Any, known: Mapping[Point, float]) -> tuple[Point, list[Row]]:
    """A line's trial and its rows. Raises ``ValueError`` or ``TypeError`` for what is neither."""
    key, rows = entry
    point = tuple(key)
    if point not in known:
        raise ValueError("it is of no trial of this measurement")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it does not hold the rows of a trial")
    return point, rows
