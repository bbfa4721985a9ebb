"""Variances of few values, moderated by those of comparable rows (Smyth, 2004).

Three values may agree by luck, and an interval from their own variance is then far too short. Rows lend
each other what they know: a row's variance is shrunk towards what its kind and its level let expect, by
as much as the variances of all rows show that they vary no more than chance alone would make them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from dynparam.statistics.slopes import least_squares
from dynparam.support.arrays import FloatArray

FEWEST_ROWS = 4
"""Rows of a kind below which its expected variance cannot be told from its own."""

MOST_FREEDOM = 1e6
"""Prior degrees of freedom that count as infinite."""


@dataclass(frozen=True)
class Spread:
    """The variance of a row's values.

    Attributes:
        kind: rows of one kind share what their level lets expect.
        level: the size of what varies, positive where it is known, in any unit common to the kind.
        variance: of the values.
        freedom: its degrees of freedom.
    """

    kind: Hashable
    level: float
    variance: float
    freedom: int

    @property
    def usable(self) -> bool:
        """Whether logarithms can be taken of it."""
        return self.variance > 0 and self.placed

    @property
    def placed(self) -> bool:
        """Whether its level tells what to expect."""
        return self.level > 0 and self.freedom > 0


@dataclass(frozen=True)
class Prior:
    """What rows tell of a variance before its own values are seen.

    sigma^2 = s^2 d / chi^2_d with log s^2 = intercept + trend log(level), both of the row's kind.

    Attributes:
        freedom: d, from 0 (nothing is known) to infinity (the level alone decides).
        lines: intercept and trend of each kind.
        pooled: degrees of freedom of all rows together: nobody knows more than that.
    """

    freedom: float
    lines: Mapping[Hashable, tuple[float, float]]
    pooled: int

    def moderate(self, row: Spread) -> tuple[float, float]:
        """A row's variance and its degrees of freedom once the prior is joined to its own values."""
        if row.kind not in self.lines or not row.placed:
            return row.variance, row.freedom
        intercept, trend = self.lines[row.kind]
        expected = float(np.exp(intercept + trend * np.log(row.level)))
        total = min(self.freedom + row.freedom, max(self.pooled, row.freedom))
        share = row.freedom / (self.freedom + row.freedom)
        return (1 - share) * expected + share * row.variance, total


def fit_prior(rows: Sequence[Spread]) -> Prior:
    """The prior of rows by the moments of their log variances (Smyth, 2004, Sec. 6.2), with a trend.

    Rows without a positive variance and level are passed over, and so are kinds of fewer than
    ``FEWEST_ROWS`` rows: they keep their own variances.
    """
    kinds: dict[Hashable, list[Spread]] = {}
    for row in rows:
        if row.usable:
            kinds.setdefault(row.kind, []).append(row)
    kinds = {kind: mine for kind, mine in kinds.items() if len(mine) >= FEWEST_ROWS}
    if not kinds:
        return Prior(0.0, {}, 0)
    fits = {kind: _line(mine) for kind, mine in kinds.items()}
    squares = sum(float(np.square(residual).sum()) for _, _, residual, _ in fits.values())
    left = sum(len(residual) - parameters for _, _, residual, parameters in fits.values())
    every = [row.freedom for mine in kinds.values() for row in mine]
    chance = float(np.mean(special.polygamma(1, np.array(every) / 2)))
    freedom = _freedom(squares / left - chance)
    shift = 0.0 if np.isinf(freedom) else float(special.digamma(freedom / 2) - np.log(freedom / 2))
    lines = {kind: (intercept + shift, trend) for kind, (intercept, trend, _, _) in fits.items()}
    return Prior(freedom, lines, sum(every))


def _line(rows: Sequence[Spread]) -> tuple[float, float, FloatArray, int]:
    """Intercept and trend of log variances, freed of the logarithm's bias; residuals, parameters."""
    x = np.log([row.level for row in rows])
    half = np.array([row.freedom for row in rows]) / 2
    y = np.log([row.variance for row in rows]) - special.digamma(half) + np.log(half)
    varies = bool(np.ptp(x) > 0)
    trend = float(least_squares(x, y)) if varies else 0.0
    intercept = float(y.mean() - trend * x.mean())
    return intercept, trend, y - intercept - trend * x, 2 if varies else 1


def _freedom(excess: float) -> float:
    """D with trigamma(d/2) = ``excess``, the variance that chance does not explain; else infinite."""
    if excess <= special.polygamma(1, MOST_FREEDOM / 2):
        return np.inf
    from scipy.optimize import brentq  # takes half a second to load

    def beyond(log_freedom: float) -> float:
        """How far the logarithm of trigamma lies above that of the excess."""
        return float(np.log(special.polygamma(1, np.exp(log_freedom) / 2)) - np.log(excess))

    return float(np.exp(brentq(beyond, np.log(1e-3), np.log(MOST_FREEDOM))))
