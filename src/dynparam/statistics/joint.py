"""Slopes that share their trials, known with their covariance, and one test of all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from dynparam.statistics.estimates import Estimate, student
from dynparam.support.arrays import FloatArray

INDEPENDENT = 1e-10
"""Least eigenvalue of a correlation matrix from which on it can be inverted; rounding leaves 1e-15."""


@dataclass(frozen=True)
class JointSlopes:
    """Slopes whose trials are the same, so that their errors are correlated.

    Attributes:
        values: the slopes (slopes,).
        covariance: of their errors (slopes, slopes).
        effective_freedom: degrees of freedom of ``covariance`` as a whole (``effective_freedom``).
        degrees_of_freedom: trials less widths, for the interval of a single slope.
    """

    values: FloatArray
    covariance: FloatArray
    effective_freedom: float
    degrees_of_freedom: int

    def estimates(self, confidence: float) -> list[Estimate]:
        """Every slope by itself, with Student's interval."""
        errors = np.sqrt(self.covariance.diagonal())
        return [
            student(float(value), float(error), self.degrees_of_freedom, confidence)
            for value, error in zip(self.values, errors, strict=True)
        ]


@dataclass(frozen=True)
class JointTest:
    """Whether two sets of slopes are the same, all of them at once.

    Attributes:
        statistic: follows F with ``freedom`` if they are.
        freedom: degrees of freedom of its numerator, the number of slopes, and of its denominator.
        p_value: the chance of so large a statistic if they are; nan if too little was measured to say.
    """

    statistic: float
    freedom: tuple[int, float]
    p_value: float


def joint_test(first: JointSlopes, second: JointSlopes) -> JointTest:
    """Hotelling's test of equal slopes, for two independent sets with covariances of their own.

    T^2 = d' (S_1 + S_2)^-1 d of the differences d, with the degrees of freedom nu of Krishnamoorthy and
    Yu (2004) for S_1 + S_2. With p slopes (nu - p + 1) / (nu p) T^2 follows F(p, nu - p + 1), exactly so
    for normal errors of one covariance. nan where the covariance cannot be inverted or nu is below p.

    >>> sure = JointSlopes(np.zeros(2), np.zeros((2, 2)), 1e9, 10**9)
    >>> errors = JointSlopes(np.array([0.02, 0.0]), 1e-4 * np.eye(2), 100.0, 100)
    >>> found = joint_test(errors, sure)
    >>> round(found.statistic, 2), found.freedom, round(found.p_value, 3)
    (1.98, (2, 99.0), 0.143)
    """
    difference = first.values - second.values
    parts = [first.covariance, second.covariance]
    freedom = effective_freedom(parts, [first.effective_freedom, second.effective_freedom])
    count = len(difference)
    left = freedom - count + 1
    if np.isnan(freedom) or left <= 0:
        return JointTest(np.nan, (count, np.nan), np.nan)
    square = float(difference @ np.linalg.solve(np.sum(parts, axis=0), difference))
    statistic = square * left / (freedom * count)
    return JointTest(statistic, (count, left), float(fdtrc(count, left, statistic)))


def effective_freedom(parts: Sequence[FloatArray], freedom: Sequence[float]) -> float:
    """Degrees of freedom of a sum of independent estimates of covariances (p, p), each with its own.

    (p + p^2) / sum_i (tr((S_i S^-1)^2) + tr(S_i S^-1)^2) / nu_i with S the sum (Krishnamoorthy and Yu
    2004), for p = 1 Welch's and Satterthwaite's. nan if the sum cannot be inverted.

    >>> effective_freedom([np.eye(3), np.eye(3)], [10, 10])
    20.0
    """
    whole = np.sum(parts, axis=0)
    scale = np.sqrt(whole.diagonal())
    if not (scale > 0).all():
        return float("nan")
    if np.linalg.eigvalsh(whole / np.outer(scale, scale))[0] < INDEPENDENT:
        return float("nan")
    shares = [np.linalg.solve(whole, part) for part in parts]
    spread = sum(
        float(np.trace(share @ share) + np.trace(share) ** 2) / nu
        for share, nu in zip(shares, freedom, strict=True)
    )
    count = len(whole)
    return (count + count**2) / spread


def among(p_value: float, count: int) -> float:
    """The chance that the smallest of so many independent p-values is as small (Sidak 1967).

    >>> round(among(0.01, 4), 4)
    0.0394
    """
    return 1.0 if p_value >= 1 else float(-np.expm1(count * np.log1p(-p_value)))
