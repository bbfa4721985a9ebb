"""Paired differences between two kinds of runs, with intervals and effect sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special, stats

from dynparam.statistics.estimates import Estimate, mean_of, student
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError, NonFiniteError

BOOTSTRAP_PAIRS = 50
"""Fewest pairs for the bootstrap; docs/statistics.md has the coverage of both intervals."""


@dataclass(frozen=True)
class PairedDifference:
    """The mean of second - first over pairs.

    Attributes:
        mean: mean difference, in units of the values.
        effect_size: mean over standard deviation of the differences (d_z), free of small-sample bias.
        count: number of pairs.
        interval: how the interval of the mean was found.
    """

    mean: Estimate
    effect_size: float
    count: int
    interval: Literal["bootstrap", "student"]


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
    mean, count = mean_of(differences, confidence), len(differences)
    interval: Literal["bootstrap", "student"] = "bootstrap" if count >= BOOTSTRAP_PAIRS else "student"
    # Equal differences between unequal values are equal to a few units in their last place only.
    rounding = 8 * np.finfo(np.float64).eps * max(np.abs(first).max(), np.abs(second).max())
    if np.ptp(differences) <= rounding:
        size = np.copysign(np.inf, mean.value) if abs(mean.value) > rounding else np.nan
        exact = student(mean.value, 0.0, count - 1, confidence)
        return PairedDifference(exact, float(size), count, interval)
    if interval == "bootstrap":
        low, high = _bootstrap_interval(differences, confidence, resamples, generator)
        mean = replace(mean, ci_low=low, ci_high=high)
    return PairedDifference(mean, _effect_size(differences), count, interval)


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
