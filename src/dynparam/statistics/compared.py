"""Verdicts on means of few values: rows of one kind lend each other their variances (``moderation``)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynparam.statistics.estimates import UNKNOWN, Estimate, student
from dynparam.statistics.judged import OPEN, Accepted, Row, table
from dynparam.statistics.moderation import Spread, fit_prior
from dynparam.support.arrays import FloatArray


@dataclass(frozen=True)
class Asked:
    """A row's role, and what is accepted; by default nothing is, of a row that is only shown."""

    role: str
    expected: float = float("nan")
    accepted: Accepted = OPEN
    note: str = ""


@dataclass(frozen=True)
class Compared:
    """A mean over independent values that becomes a row of a table of verdicts.

    Attributes:
        part: of the experiment.
        quantity: what is compared, in words.
        setting: on what.
        values: the values (seeds,); those that are not finite, of runs that diverged, are left out.
        level: the size of what is compared, which its variance goes with.
        kind: rows of one kind vary alike.
        asked: the row's role, and what is accepted.
    """

    part: str
    quantity: str
    setting: str
    values: FloatArray
    level: float
    kind: Hashable
    asked: Asked

    @property
    def kept(self) -> FloatArray:
        """The values that are finite."""
        found: FloatArray = self.values[np.isfinite(self.values)]
        return found

    @property
    def spread(self) -> Spread:
        """The variance of the values; none of fewer than two."""
        kept = self.kept
        if len(kept) < 2:
            return Spread(self.kind, 0.0, 0.0, 0)
        return Spread(self.kind, self.level, float(kept.var(ddof=1)), len(kept) - 1)

    def row(self, variance: float, freedom: float, confidence: float) -> Row:
        """The row, with Student's interval from a variance and its degrees of freedom."""
        kept, asked = self.kept, self.asked
        mean: Estimate = UNKNOWN
        if len(kept) >= 2:
            error = float(np.sqrt(variance / len(kept)))
            mean = student(float(kept.mean()), error, freedom, confidence)
        return Row(
            self.part,
            self.quantity,
            self.setting,
            asked.role,
            asked.expected,
            mean,
            asked.accepted,
            asked.note,
        )


def level_of(values: FloatArray) -> float:
    """The mean of what is compared, over the runs that did not diverge; nan if all did."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def judged(rows: Iterable[Compared], confidence: float) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    compared = list(rows)
    spreads = [one.spread for one in compared]
    prior = fit_prior(spreads)
    found = zip(compared, spreads, strict=True)
    return table(one.row(*prior.moderate(spread), confidence) for one, spread in found)
