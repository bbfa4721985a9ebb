"""Values known to an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from dynparam.support.arrays import FloatArray


@dataclass(frozen=True)
class Estimate:
    """A value known to an interval; all numbers are in its units, and nan where nothing is known.

    Attributes:
        value: the estimate.
        ci_low: lower end of the interval.
        ci_high: upper end of the same.
        standard_error: of the value.
        degrees_of_freedom: those of the standard error.
    """

    value: float
    ci_low: float
    ci_high: float
    standard_error: float
    degrees_of_freedom: float

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends."""
        return self.ci_low, self.ci_high

    def row(self, name: str) -> dict[str, float]:
        """Columns of a table: the value under its ``name``, ``ci_low`` and ``ci_high``."""
        return {name: self.value, "ci_low": self.ci_low, "ci_high": self.ci_high}

    def over(self, divisor: float) -> Estimate:
        """The same in units of ``divisor``, which is positive."""
        return Estimate(
            self.value / divisor,
            self.ci_low / divisor,
            self.ci_high / divisor,
            self.standard_error / divisor,
            self.degrees_of_freedom,
        )

    def shifted(self, known: float) -> Estimate:
        """The estimate of the sum with a known number."""
        return Estimate(
            self.value + known,
            self.ci_low + known,
            self.ci_high + known,
            self.standard_error,
            self.degrees_of_freedom,
        )


UNKNOWN = Estimate(np.nan, np.nan, np.nan, np.nan, 0)
"""No estimate: too little was measured."""


def student(
    value: float, standard_error: float, degrees_of_freedom: float, confidence: float
) -> Estimate:
    """A value with Student's interval.

    >>> low, high = student(1.0, 0.1, 29, confidence=0.95).interval
    >>> round(low, 3), round(high, 3)
    (0.795, 1.205)
    """
    reach = float(stdtrit(degrees_of_freedom, (1 + confidence) / 2)) * standard_error
    return Estimate(value, value - reach, value + reach, standard_error, degrees_of_freedom)


def mean_of(values: FloatArray, confidence: float) -> Estimate:
    """The mean of independent values with Student's interval; ``UNKNOWN`` for fewer than two."""
    if len(values) < 2:
        return UNKNOWN
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return student(float(values.mean()), error, len(values) - 1, confidence)
