"""How much values scatter: coefficients of variation, logarithms, medians, shares, pooled variances."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats
from scipy.special import polygamma, psi

from dynparam.statistics.estimates import UNKNOWN, Estimate, student
from dynparam.statistics.slopes import least_squares
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError


def variation_of(values: FloatArray, confidence: float) -> Estimate:
    """The coefficient of variation of independent values (trials,): standard deviation over mean.

    The interval is that of log(E v^2 / (E v)^2), linearized. It keeps its level where E v^2 is known to
    a few percent; with heavier tails, whose largest values are not among so few trials, it lies too low.
    ``UNKNOWN`` for fewer than two values. Raises ``DataError`` if their mean is not positive.

    Examples:
        >>> found = variation_of(np.array([1.0, 2.0, 3.0]), 0.95)
        >>> round(found.value, 4)  # sqrt(14/3) / 2, less one in the square
        0.4082
    """
    if len(values) < 2:
        return UNKNOWN
    mean, square = float(values.mean()), float(np.square(values).mean())
    if not mean > 0:
        raise DataError("values whose mean is not positive have no coefficient of variation")
    # What a value adds to the logarithm, to first order.
    share = np.square(values) / square - 2 * values / mean
    error = float(share.std(ddof=1)) / math.sqrt(len(values))
    log = student(math.log(square / mean**2), error, len(values) - 1, confidence)
    value, low, high = (math.sqrt(max(0.0, math.expm1(end))) for end in (log.value, *log.interval))
    slope = math.exp(log.value) / (2 * value) if value > 0 else math.nan
    return Estimate(value, low, high, slope * error, log.degrees_of_freedom)


def log_deviation(values: FloatArray, confidence: float) -> Estimate:
    """The logarithm of the standard deviation of independent values (trials,), linearized interval.

    ``UNKNOWN`` for fewer than three values. Raises ``DataError`` if all are equal.

    Examples:
        >>> values = np.exp(np.random.default_rng(0).standard_normal(10_000) / 10)
        >>> found = log_deviation(np.log(values), 0.95)
        >>> bool(found.ci_low < np.log(0.1) < found.ci_high)
        True
    """
    if len(values) < 3:
        return UNKNOWN
    variance = float(values.var(ddof=1))
    if not variance > 0:
        raise DataError("equal values have no standard deviation on a logarithmic scale")
    share = np.square(values - values.mean()) / variance
    error = float(share.std(ddof=1)) / math.sqrt(len(values)) / 2
    return student(math.log(variance) / 2, error, len(values) - 1, confidence)


def exponential(log: Estimate) -> Estimate:
    """The estimate of a value, from that of its logarithm.

    Examples:
        >>> found = exponential(student(0.0, 0.1, 90, 0.95))
        >>> found.value, round(found.ci_high, 3)
        (1.0, 1.22)
    """
    value, low, high = (math.exp(end) for end in (log.value, *log.interval))
    return Estimate(value, low, high, value * log.standard_error, log.degrees_of_freedom)


def median_of(values: FloatArray, confidence: float) -> Estimate:
    """The median of independent values (trials,), between two of them whatever their distribution.

    Both ends are unknown for too few values. Its standard error is that of a normal interval as wide.

    Examples:
        >>> median_of(np.arange(1.0, 102.0), 0.95).interval
        (41.0, 61.0)
    """
    ordered, count = np.sort(values), len(values)
    rank = int(stats.binom.ppf((1 - confidence) / 2, count, 0.5))
    if rank < 1:
        return Estimate(float(np.median(ordered)), math.nan, math.nan, math.nan, count - 1)
    low, high = float(ordered[rank - 1]), float(ordered[count - rank])
    error = (high - low) / 2 / float(stats.norm.ppf((1 + confidence) / 2))
    return Estimate(float(np.median(ordered)), low, high, error, count - 1)


def share_of(count: int, trials: int, confidence: float) -> Estimate:
    """A share of trials, with Clopper and Pearson's interval. Raises ``ValueError`` for no trials.

    Examples:
        >>> found = share_of(0, 100, 0.95)
        >>> found.value, round(found.ci_high, 3)
        (0.0, 0.036)
    """
    test = stats.binomtest(count, trials)
    interval = test.proportion_ci(confidence_level=confidence, method="exact")
    share = count / trials
    error = math.sqrt(share * (1 - share) / trials)
    return Estimate(share, float(interval.low), float(interval.high), error, trials - 1)


def mean_estimate(parts: Sequence[Estimate], confidence: float) -> Estimate:
    """The mean of independent estimates, with the least of their degrees of freedom.

    Examples:
        >>> one = student(1.0, 0.3, 50, 0.95)
        >>> round(mean_estimate([one] * 9, 0.95).standard_error, 3)
        0.1
    """
    return combined(np.full(len(parts), 1 / len(parts)), parts, confidence)


def combined(weights: FloatArray, parts: Sequence[Estimate], confidence: float) -> Estimate:
    """The sum of independent estimates with these weights, and the least of their degrees of freedom."""
    value = float(weights @ np.array([part.value for part in parts]))
    error = math.sqrt(float(np.square(weights) @ np.square([part.standard_error for part in parts])))
    return student(value, error, min(part.degrees_of_freedom for part in parts), confidence)


def slope_of(x: FloatArray, parts: Sequence[Estimate], confidence: float) -> Estimate:
    """The slope of least squares of independent estimates on x (parts,).

    Raises ``DataError`` for fewer than two different places.

    Examples:
        >>> ends = [student(0.0, 0.1, 90, 0.95), student(2.0, 0.1, 90, 0.95)]
        >>> found = slope_of(np.array([0.0, 4.0]), ends, 0.95)
        >>> found.value, round(found.standard_error, 4)
        (0.5, 0.0354)
    """
    if len(set(x.tolist())) < 2:
        raise DataError("a slope needs at least two different places")
    return combined(least_squares(x, np.eye(len(x))), parts, confidence)


def log_of_pooled(variances: FloatArray, freedoms: FloatArray, confidence: float) -> Estimate:
    """The logarithm of a standard deviation, from variances of groups of normal values, pooled.

    Groups (groups,) have one variance and means of their own; ``freedoms`` are the degrees of freedom of
    each. The logarithm of a chi-squared number has a known mean, which is taken off, and a known
    variance, so that the interval is that of a normal number: good from some four degrees of freedom on.
    ``UNKNOWN`` without any. Raises ``DataError`` if no value scatters.

    Examples:
        >>> found = log_of_pooled(np.array([0.04, 0.04]), np.array([40.0, 60.0]), 0.95)
        >>> round(float(np.exp(found.value)), 3), round(found.standard_error, 3)  # 1 / sqrt(2 * 100)
        (0.201, 0.071)
    """
    freedom = float(freedoms.sum())
    if not freedom:
        return UNKNOWN
    pooled = float(variances @ freedoms) / freedom
    if not pooled > 0:
        raise DataError("equal values have no standard deviation on a logarithmic scale")
    bias = float(psi(freedom / 2)) + math.log(2 / freedom)
    error = math.sqrt(float(polygamma(1, freedom / 2))) / 2
    return student((math.log(pooled) - bias) / 2, error, math.inf, confidence)


def weighted_slope(x: FloatArray, parts: Sequence[Estimate], confidence: float) -> Estimate:
    """The slope of independent estimates on x (parts,), each weighted by what is known of it.

    Raises ``DataError`` for fewer than two different places.

    Examples:
        >>> places = np.array([0.0, 1.0, 2.0])
        >>> poor, good = student(5.0, 100.0, 9, 0.95), student(1.0, 0.1, 9, 0.95)
        >>> round(weighted_slope(places, [student(0.0, 0.1, 9, 0.95), good, poor], 0.95).value, 3)
        1.0
    """
    if len(set(x.tolist())) < 2:
        raise DataError("a slope needs at least two different places")
    precision = np.array([part.standard_error for part in parts], dtype=np.float64) ** -2
    centred = x - float(precision @ x) / float(precision.sum())
    weights = precision * centred / float(precision @ np.square(centred))
    return combined(weights, parts, confidence)
