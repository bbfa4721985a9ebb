"""Statistics of slopes: fits on log-log axes, bootstrap intervals, and verdicts of equivalence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from dynparam.errors import NonFiniteError

FloatArray = NDArray[np.float64]


class Verdict(StrEnum):
    """The outcome of comparing a measured interval with an expected value."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNDECIDED = "undecided"


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
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise NonFiniteError(
                f"the trials at n = {width} hold a value that is not finite and positive; a slope on "
                f"log axes needs both, so look at the trials of that width"
            )
    log_n = np.log(np.asarray(n, dtype=np.float64))
    line = stats.linregress(log_n, np.log([values.mean() for values in trials]))
    low, high = _interval(log_n, trials, confidence, resamples, generator, float(line.slope))
    return SlopeFit(float(line.slope), float(line.intercept), low, high)


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
