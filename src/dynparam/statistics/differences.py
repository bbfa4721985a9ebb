"""Paired differences between two kinds of runs, with intervals and effect sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from dynparam.statistics.estimates import UNKNOWN, Estimate, student
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError, NonFiniteError

BOOTSTRAP_PAIRS = 50
"""Fewest pairs for the bootstrap; docs/statistics/claims.md has the coverage of both intervals."""


Interval = Literal["bootstrap", "student", "moderated"]


@dataclass(frozen=True)
class PairedDifference:
    """The mean of second - first over pairs.

    Attributes:
        mean: mean difference, in units of the values.
        effect_size: mean over standard deviation of the differences (d_z), free of small-sample bias.
        count: number of pairs.
        interval: how the interval of the mean was found.
        p_value: two-sided, of no difference, by Student's t; nan where nothing is known.
    """

    mean: Estimate
    effect_size: float
    count: int
    interval: Interval
    p_value: float


UNPAIRED = PairedDifference(UNKNOWN, np.nan, 0, "student", np.nan)
"""No difference: fewer than two pairs are left."""


def independent_means(
    first: FloatArray, second: FloatArray, draws: NDArray[np.integer[Any]]
) -> FloatArray:
    """The independent values of second - first: the pairs' own, or the means of those of one draw.

    All are (pairs,). Pairs of one draw of the images share these, so that only draws are independent
    of each other where there are several.
    """
    differences = second - first
    places = np.unique(draws)
    if len(places) == 1:
        return differences
    return np.array([differences[draws == place].mean() for place in places])


def paired_difference(
    first: FloatArray,
    second: FloatArray,
    *,
    confidence: float,
    resamples: int,
    generator: np.random.Generator,
    draws: NDArray[np.integer[Any]] | None = None,
    moderated: tuple[float, float] | None = None,
) -> PairedDifference:
    """The mean of ``second - first``, both (pairs,) and in the same units, with its interval.

    ``draws`` says which pairs share their images; if there are several draws, mean and interval are
    those of the draws' means, so that the interval includes the choice of images. ``moderated`` is the
    variance of the independent values and its degrees of freedom, if other rows lent them theirs
    (``moderation``).

    From ``BOOTSTRAP_PAIRS`` independent values on, the interval is the bias-corrected and accelerated
    bootstrap over them (Efron, 1987); below, it is Student's t interval, because resampling a few
    values covers far less than its level. The generator is used by the bootstrap only. If all values
    are equal up to rounding and no other row says that they vary, the interval is a point.

    The effect size d_z = mean / sd of the pairs carries the correction of Hedges (1981), for n - 1
    degrees of freedom. It is infinite, with the sign of the mean, if all differences are equal, and nan
    if they are zero. It is nan for two pairs that differ, too: their mean / sd has no expectation to
    correct.

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
    values = independent_means(first, second, np.zeros(len(first), int) if draws is None else draws)
    # Equal differences between unequal values are equal to a few units in their last place only.
    rounding = 8 * np.finfo(np.float64).eps * max(np.abs(first).max(), np.abs(second).max())
    many = len(values) >= BOOTSTRAP_PAIRS
    own = float(values.var(ddof=1)) if np.ptp(values) > rounding else 0.0, len(values) - 1
    variance, freedom = own if many or moderated is None else moderated
    error = float(np.sqrt(variance / len(values)))
    mean = student(float(values.mean()), error, freedom, confidence)
    interval: Interval = "student" if (variance, freedom) == own else "moderated"
    if many and own[0] > 0:
        low, high = _bootstrap_interval(values, confidence, resamples, generator)
        mean, interval = replace(mean, ci_low=low, ci_high=high), "bootstrap"
    size = _effect_size(second - first, rounding)
    return PairedDifference(mean, size, len(first), interval, _p_value(mean, rounding))


def _p_value(mean: Estimate, rounding: float) -> float:
    if mean.standard_error == 0:
        return 0.0 if abs(mean.value) > rounding else 1.0
    return float(2 * special.stdtr(mean.degrees_of_freedom, -abs(mean.value) / mean.standard_error))


def _bootstrap_interval(
    differences: FloatArray, confidence: float, resamples: int, generator: np.random.Generator
) -> tuple[float, float]:
    from scipy import stats  # takes a second to load, and most tables need no bootstrap

    found = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="BCa",
        rng=generator,
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _effect_size(differences: FloatArray, rounding: float) -> float:
    """Hedges' d_z: the gamma functions are the exact bias of mean / sd of normal differences."""
    mean, freedom = float(differences.mean()), len(differences) - 1
    if np.ptp(differences) <= rounding:
        return float(np.copysign(np.inf, mean)) if abs(mean) > rounding else float("nan")
    if freedom == 1:
        return float("nan")
    bias = special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)
    correction = np.exp(bias) / np.sqrt(freedom / 2)
    return float(correction * mean / differences.std(ddof=1))
