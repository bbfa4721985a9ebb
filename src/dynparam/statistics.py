"""Statistics of slopes and of paired differences: intervals, and the verdicts they allow.

Slopes are fitted on log-log axes and tested for equivalence with an expected one; paired differences are
tested for their sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from dynparam.errors import DataError, NonFiniteError

FloatArray = NDArray[np.float64]
Better = Literal["lower", "higher"]

BOOTSTRAP_PAIRS = 50
"""Fewest pairs for the bootstrap; docs/statistics.md has the coverage of both intervals."""


class Verdict(StrEnum):
    """The outcome of comparing a measured interval with an expected value."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNDECIDED = "undecided"


class ClaimVerdict(StrEnum):
    """Whether a difference known to an interval has the sign a claim says."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class PairedDifference:
    """The mean of second - first over pairs, with its interval.

    Attributes:
        mean: mean difference, in units of the values.
        ci_low: lower end of the interval of the mean.
        ci_high: upper end of the same.
        effect_size: mean over standard deviation of the differences (d_z), free of small-sample bias.
        count: number of pairs.
        interval: how the interval was found.
    """

    mean: float
    ci_low: float
    ci_high: float
    effect_size: float
    count: int
    interval: Literal["bootstrap", "student"]


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

    def line(self, n: FloatArray) -> FloatArray:
        """The fitted means at widths n."""
        return np.exp(self.intercept + self.slope * np.log(n))


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
    log_n = np.log(np.asarray(n, dtype=np.float64))
    weights = (log_n - log_n.mean()) / np.square(log_n - log_n.mean()).sum()
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
    log_n = np.log(np.asarray(n, dtype=np.float64))
    line = stats.linregress(log_n, np.log([values.mean() for values in trials]))
    low, high = _interval(log_n, trials, confidence, resamples, generator, float(line.slope))
    return SlopeFit(float(line.slope), float(line.intercept), low, high)


def _require_positive(width: int, values: FloatArray) -> None:
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise NonFiniteError(
            f"the trials at n = {width} hold a value that is not finite and positive; a slope on "
            f"log axes needs both, so look at the trials of that width"
        )


def equivalence(ci_low: float, ci_high: float, expected: float, tolerance: float) -> Verdict:
    """Whether a quantity known to an interval equals ``expected`` up to ``tolerance``.

    Two one-sided tests, read off the interval: it lies inside expected +- tolerance (agrees), outside
    of it altogether (disagrees), or neither (undecided). With a 95 % interval each of the two
    definite verdicts is wrong with probability at most 2.5 %.
    """
    if expected - tolerance <= ci_low and ci_high <= expected + tolerance:
        return Verdict.AGREES
    if ci_high < expected - tolerance or expected + tolerance < ci_low:
        return Verdict.DISAGREES
    return Verdict.UNDECIDED


def paired_difference(
    first: FloatArray,
    second: FloatArray,
    *,
    confidence: float,
    resamples: int,
    generator: np.random.Generator,
) -> PairedDifference:
    """The mean of ``second - first``, both (pairs,) and in the same units, with its interval.

    From ``BOOTSTRAP_PAIRS`` pairs on, the interval is the bias-corrected and accelerated bootstrap over
    pairs (Efron, 1987); below, it is Student's t interval on the differences, because resampling a few
    values covers far less than its level. The generator is used by the bootstrap only. If all
    differences are equal up to rounding, the interval is a point.

    The effect size d_z = mean / sd carries the correction of Hedges (1981), for n - 1 degrees of
    freedom. It is infinite, with the sign of the mean, if all differences are equal, and nan if they are
    zero. It is nan for two pairs that differ, too: their mean / sd has no expectation to correct.

    Raises ``DataError`` for fewer than two pairs or unequal numbers of values, ``NonFiniteError`` for
    values that are not finite.
    """
    if len(first) != len(second) or len(first) < 2:
        raise DataError(
            f"a paired difference needs two or more pairs, but there are {len(first)} first and "
            f"{len(second)} second values; run more seeds under both"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise NonFiniteError(
            "a value of a paired difference is not finite; leave out the pairs whose runs diverged"
        )
    differences = second - first
    mean, count = float(differences.mean()), len(differences)
    interval: Literal["bootstrap", "student"] = "bootstrap" if count >= BOOTSTRAP_PAIRS else "student"
    # Equal differences between unequal values are equal to a few units in their last place only.
    rounding = 8 * np.finfo(np.float64).eps * max(np.abs(first).max(), np.abs(second).max())
    if np.ptp(differences) <= rounding:
        size = np.copysign(np.inf, mean) if abs(mean) > rounding else np.nan
        return PairedDifference(mean, mean, mean, float(size), count, interval)
    if interval == "bootstrap":
        low, high = _bootstrap_interval(differences, confidence, resamples, generator)
    else:
        low, high = stats.t.interval(confidence, count - 1, loc=mean, scale=stats.sem(differences))
    return PairedDifference(mean, float(low), float(high), _effect_size(differences), count, interval)


def claim_verdict(ci_low: float, ci_high: float, *, better: Better) -> ClaimVerdict:
    """Whether the difference second - first, known to an interval, is on the ``better`` side of zero.

    It holds if the whole interval is, fails if the whole interval is on the other side, and is undecided
    otherwise, as for an interval that touches zero or is nan. With a 95 % interval each of the two
    definite verdicts is wrong with probability at most 2.5 %, as far as the interval keeps its level.
    """
    if ci_low <= 0 <= ci_high or np.isnan([ci_low, ci_high]).any():
        return ClaimVerdict.UNDECIDED
    return ClaimVerdict.HOLDS if (ci_high < 0) == (better == "lower") else ClaimVerdict.FAILS


def _bootstrap_interval(
    differences: FloatArray, confidence: float, resamples: int, generator: np.random.Generator
) -> tuple[float, float]:
    found = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="BCa",
        rng=generator,
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _effect_size(differences: FloatArray) -> float:
    """Hedges' d_z: the gamma functions are the exact bias of mean / sd of normal differences."""
    freedom = len(differences) - 1
    if freedom == 1:
        return float("nan")
    bias = special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)
    correction = np.exp(bias) / np.sqrt(freedom / 2)
    return float(correction * differences.mean() / differences.std(ddof=1))


def _interval(
    log_n: FloatArray,
    trials: Sequence[FloatArray],
    confidence: float,
    resamples: int,
    generator: np.random.Generator,
    slope: float,
) -> tuple[float, float]:
    """BCa interval of the slope; a point where all trials of every width are equal."""
    if all(np.ptp(values) == 0 for values in trials):
        return slope, slope
    weights = (log_n - log_n.mean()) / np.square(log_n - log_n.mean()).sum()

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
