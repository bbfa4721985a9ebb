"""Statistics of slopes and of paired differences: intervals, and the verdicts they allow.

Slopes are fitted on log-log axes and tested for equivalence with an expected one; paired differences are
tested for their sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError, NonFiniteError


@dataclass(frozen=True)
class SlopeFit:
    """A least-squares line through log(mean over trials) on log(n), with its bootstrap interval.

    Attributes:
        slope: d log(mean) / d log(n).
        intercept: log(mean) at log(n) = 0.
        ci_low: lower end of the bootstrap interval of the slope.
        ci_high: upper end of the same.
    """

    slope: float
    intercept: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class LogSlope:
    """A least-squares slope on log-log axes, with the standard error that its trials' scatter gives it.

    Attributes:
        slope: d log(quantity) / d log(n).
        standard_error: of the slope, to first order in the scatter.
        degrees_of_freedom: trials less widths, for Student's t.
    """

    slope: float
    standard_error: float
    degrees_of_freedom: int

    def interval(self, confidence: float) -> tuple[float, float]:
        """Student's interval of the slope."""
        reach = float(stats.t.ppf((1 + confidence) / 2, self.degrees_of_freedom)) * self.standard_error
        return self.slope - reach, self.slope + reach


def least_squares(x: FloatArray, y: FloatArray) -> FloatArray:
    """The slopes of least squares of y (len(x), ...) on x, shape (...)."""
    centred = x - x.mean()
    slopes: FloatArray = np.tensordot(centred, y, axes=(0, 0)) / np.square(centred).sum()
    return slopes


def log_slope(n: ArrayLike, values: ArrayLike) -> FloatArray:
    """Least-squares slopes of log(values) on log(n): values (len(n), ...) to slopes (...).

    Raises ``ConfigError`` for fewer than two widths or a value that is not positive and finite.
    """
    x = np.log(np.asarray(n, dtype=np.float64))
    y = np.asarray(values, dtype=np.float64)
    if len(x) < 2 or not (np.isfinite(y).all() and (y > 0).all()):
        raise ConfigError("a slope needs at least two widths and positive, finite values")
    return least_squares(x, np.log(y))


def log_intercept(n: ArrayLike, values: ArrayLike, slope: float) -> float:
    """log(value) at log(n) = 0 on the least-squares line of that slope, for values (len(n),)."""
    return float(np.mean(np.log(values)) - slope * np.mean(np.log(n)))


def log_line(n: ArrayLike, slope: ArrayLike, intercept: ArrayLike) -> FloatArray:
    """The values at widths n of a line on log-log axes."""
    line: FloatArray = np.exp(np.asarray(intercept) + np.asarray(slope) * np.log(n))
    return line


def slope_of_log_means(
    n: Sequence[int], trials: Sequence[FloatArray], powers: Sequence[float] = (1.0,)
) -> LogSlope:
    """The slope of sum_q powers[q] log(mean of quantity q), where quantities share their trials.

    ``trials[i]`` is (trials, quantities) at width ``n[i]``. With powers (1, -1) it is the difference of
    two slopes, whose common scatter cancels. The error is that of the linearized means, which for the
    alignments' scatter is good from 20 trials on. Raises ``NonFiniteError`` if a value is not finite and
    positive, ``DataError`` for fewer than two widths or two trials.
    """
    if len(n) < 2 or any(len(values) < 2 for values in trials):
        raise DataError("a slope with an error needs at least two widths and two trials at each")
    for width, values in zip(n, trials, strict=True):
        _require_positive(width, values)
    weights = _weights(n)
    means = np.array([values.mean(axis=0) for values in trials])
    influence = [
        (values / mean - 1) @ np.asarray(powers) for values, mean in zip(trials, means, strict=True)
    ]
    variance = np.array([part.var(ddof=1) / len(part) for part in influence])
    return LogSlope(
        slope=float(weights @ np.log(means) @ np.asarray(powers)),
        standard_error=float(np.sqrt(np.square(weights) @ variance)),
        degrees_of_freedom=sum(map(len, trials)) - len(trials),
    )


def fit_slope(
    n: Sequence[int],
    trials: Sequence[FloatArray],
    *,
    confidence: float,
    resamples: int,
    generator: np.random.Generator,
) -> SlopeFit:
    """Fit the means of ``trials[i]`` (trials,) at widths ``n[i]``, as in Figs. 3.2 and 3.3.

    The interval is the bias-corrected and accelerated bootstrap over trials, resampled within each
    width; its one-sided error at either end is (1 - confidence) / 2, to first order in 1/trials.
    Raises ``NonFiniteError`` if a value is not finite and positive.
    """
    for width, values in zip(n, trials, strict=True):
        _require_positive(width, values)
    weights, means = _weights(n), np.array([values.mean() for values in trials])
    slope = float(weights @ np.log(means))
    low, high = _interval(weights, trials, confidence, resamples, generator, slope)
    return SlopeFit(slope, log_intercept(n, means, slope), low, high)


def _weights(n: Sequence[int]) -> FloatArray:
    """What the logarithm at each width adds to the slope: the slopes of the unit vectors."""
    return least_squares(np.log(np.asarray(n, dtype=np.float64)), np.eye(len(n)))


def _require_positive(width: int, values: FloatArray) -> None:
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise NonFiniteError(
            f"the trials at n = {width} hold a value that is not finite and positive; a slope on "
            f"log axes needs both, so look at the trials of that width"
        )


def _interval(
    weights: FloatArray,
    trials: Sequence[FloatArray],
    confidence: float,
    resamples: int,
    generator: np.random.Generator,
    slope: float,
) -> tuple[float, float]:
    """BCa interval of the slope; a point where all trials of every width are equal."""
    if all(np.ptp(values) == 0 for values in trials):
        return slope, slope

    def slope_of(*samples: FloatArray, axis: int = -1) -> FloatArray:
        """Slopes of resampled trials, one array per width, averaged over ``axis``."""
        log_means = np.stack([np.log(sample.mean(axis=axis)) for sample in samples], axis=-1)
        return np.asarray(log_means @ weights)

    found = stats.bootstrap(
        trials,
        slope_of,
        n_resamples=resamples,
        batch=1000,
        confidence_level=confidence,
        method="BCa",
        rng=generator,
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
