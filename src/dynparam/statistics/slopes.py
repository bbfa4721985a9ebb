"""Slopes of least squares on log-log axes, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from dynparam.statistics.estimates import Estimate, student
from dynparam.statistics.joint import JointSlopes, effective_freedom
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError, NonFiniteError

PER_SQUARE = (1.0, -1.0)
"""Powers of a value and of ||x||^2 over its expectation that leave the images' norms out."""


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
    n: Sequence[int],
    trials: Sequence[FloatArray],
    powers: Sequence[float] = (1.0,),
    *,
    confidence: float,
    zeros: bool = False,
) -> Estimate:
    """The slope of sum_q powers[q] log(mean of quantity q), where quantities share their trials.

    ``trials[i]`` is (trials, quantities) at width ``n[i]``. With powers (1, -1) it is the difference of
    two slopes, whose common scatter cancels. The error is that of the linearized means, which for the
    alignments' scatter is good from 20 trials on, with trials less widths for its degrees of freedom;
    the interval is Student's. Raises ``NonFiniteError`` if a value is not finite and positive (with
    ``zeros``: not finite, negative, or zero in all trials), ``DataError`` for fewer than two widths or
    two trials.
    """
    return slopes_of_log_means(n, trials, [powers], zeros=zeros).estimates(confidence)[0]


def slope_per_square(n: Sequence[int], trials: Sequence[FloatArray], *, confidence: float) -> Estimate:
    """The slope of log(mean value), the scatter of the images' norms taken out (a control variate).

    ``trials[i]`` is (trials, 2) at width ``n[i]``: a value, and ||x||^2 of the trial's image over its
    expectation. The mean value is divided by the mean of the latter, which is 1 but for its scatter: the
    expectation stays what it is, and most of the error goes. Raises as ``slope_of_log_means``.
    """
    return slope_of_log_means(n, trials, PER_SQUARE, confidence=confidence)


def slopes_per_square(n: Sequence[int], trials: Sequence[FloatArray]) -> JointSlopes:
    """The slopes of ``slope_per_square`` of several values that share their trials, all together.

    ``trials[i]`` is (trials, values + 1) at width ``n[i]``: the values, and ||x||^2 of the image over
    its expectation. Raises as ``slope_of_log_means``.
    """
    value, square = PER_SQUARE
    count = trials[0].shape[1] - 1
    powers = np.column_stack([value * np.eye(count), np.full(count, square)])
    return slopes_of_log_means(n, trials, powers)


def slopes_of_log_means(
    n: Sequence[int], trials: Sequence[FloatArray], powers: ArrayLike, *, zeros: bool = False
) -> JointSlopes:
    """``slope_of_log_means`` for every row of ``powers`` (slopes, quantities), with their covariance.

    Raises as that does.
    """
    if len(n) < 2 or any(len(values) < 2 for values in trials):
        raise DataError("a slope with an error needs at least two widths and two trials at each")
    for width, values in zip(n, trials, strict=True):
        _require_positive(width, values, zeros)
    weights, powers = _weights(n), np.asarray(powers, dtype=np.float64)
    means = np.array([values.mean(axis=0) for values in trials])
    parts = [
        weight**2 * np.atleast_2d(np.cov((values / mean - 1) @ powers.T, rowvar=False)) / len(values)
        for weight, values, mean in zip(weights, trials, means, strict=True)
    ]
    counts = [len(values) - 1 for values in trials]
    return JointSlopes(
        values=weights @ np.log(means) @ powers.T,
        covariance=np.sum(parts, axis=0),
        effective_freedom=effective_freedom(parts, counts),
        degrees_of_freedom=sum(counts),
    )


def slope_of_mean_logs(n: Sequence[int], trials: Sequence[FloatArray], *, confidence: float) -> Estimate:
    """The slope of the mean of log(value), for values with a heavy tail, whose means scatter more.

    ``trials[i]`` is (trials,) at width ``n[i]``. The error takes every width's own scatter, with trials
    less widths for its degrees of freedom; the interval is Student's. Raises ``NonFiniteError`` if a
    value is not finite and positive, ``DataError`` for fewer than two widths or two trials.
    """
    if len(n) < 2 or any(len(values) < 2 for values in trials):
        raise DataError("a slope with an error needs at least two widths and two trials at each")
    for width, values in zip(n, trials, strict=True):
        _require_positive(width, values, zeros=False)
    weights, logs = _weights(n), [np.log(values) for values in trials]
    slope = float(weights @ [one.mean() for one in logs])
    variances = [one.var(ddof=1) / len(one) for one in logs]
    error = float(np.sqrt(np.square(weights) @ variances))
    return student(slope, error, sum(len(one) - 1 for one in logs), confidence)


def fit_slope(
    n: Sequence[int],
    trials: Sequence[FloatArray],
    *,
    confidence: float,
    resamples: int,
    generator: np.random.Generator,
) -> Estimate:
    """The slope of log(mean) of ``trials[i]`` (trials,) at widths ``n[i]``, as in Figs. 3.2 and 3.3.

    The interval is the bias-corrected and accelerated bootstrap over trials, resampled within each
    width; its one-sided error at either end is (1 - confidence) / 2, to first order in 1/trials. The
    standard error is linearized, and the errors raised are those of ``slope_of_log_means``.
    """
    columns = [values[:, None] for values in trials]
    linearized = slope_of_log_means(n, columns, confidence=confidence)
    low, high = _bootstrap(_weights(n), trials, confidence, resamples, generator, linearized.value)
    return replace(linearized, ci_low=low, ci_high=high)


def _weights(n: Sequence[int]) -> FloatArray:
    """What the logarithm at each width adds to the slope: the slopes of the unit vectors."""
    return least_squares(np.log(np.asarray(n, dtype=np.float64)), np.eye(len(n)))


def _require_positive(width: int, values: FloatArray, zeros: bool) -> None:
    positive = (values >= 0).all() and values.any(axis=0).all() if zeros else (values > 0).all()
    if not (np.isfinite(values).all() and positive):
        raise NonFiniteError(
            f"the trials at n = {width} hold a value that is not finite and positive; a slope on "
            f"log axes needs both, so look at the trials of that width"
        )


def _bootstrap(
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

    from scipy import stats  # takes a second to load, and most tables need no bootstrap

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
