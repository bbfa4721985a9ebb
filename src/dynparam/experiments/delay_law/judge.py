"""Verdicts: delays beside theory's, and whether they grow as log R or as a power of R.

Local exponents decide that, and increments of the delay a unit of log R, never the look of a line: over
a decade a logarithm and a small power are both straight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.delay_law.cases import USUAL, Case, parts
from dynparam.experiments.delay_law.settings import (
    FAMILIES,
    NARROW,
    SERIES,
    VARIANTS,
    DelayLaw,
    DelayStage,
    DelayTolerances,
    Family,
)
from dynparam.statistics.estimates import Estimate, mean_of, student
from dynparam.statistics.judged import (
    CLAIM,
    CONTROL,
    SHOWN,
    Row,
    below,
    beyond,
    equal,
    table,
)
from dynparam.statistics.slopes import least_squares, log_slope, slope_of_mean_logs
from dynparam.support.arrays import FloatArray
from dynparam.theory.delay import asymptotic_exponent, delay, logarithmic_increment

RATIO = "delay over theory's"
EXPONENT = "exponent of R in the sharper half"
LOCAL = "exponent of R between neighbours"
FALLS = "exponent of R in the sharper half less that in the other"
INCREMENTS = "increment of the delay a unit of log R, the sharper half over the other"
INCREMENT = "increment of the delay, times eta, a unit of log R in the sharper half"
VARIANT = "exponent of R"
GROWTH = "exponent of n"

POWER = 0.5
"""The smallest power that theory has, that of two bottlenecks."""

Measured = Mapping[tuple[Any, ...], FloatArray]
"""Steps (trials,) of every case, by what tells it from others."""

Delays = Mapping[int, FloatArray]
"""Steps (trials,) of every ratio R or width n, increasing."""


@dataclass(frozen=True)
class Halves:
    """The delays of a series at its smaller and at its larger ratios."""

    blunter: Delays
    sharper: Delays


def judged(measured: pd.DataFrame, settings: DelayStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    own, level, found = settings.delay_law, settings.fit.confidence, by_case(measured)
    parted = (_series, _variants, _narrow_layers, _families)
    return table(row for rows in parted for row in rows(found, own, level))


def by_case(measured: pd.DataFrame) -> Measured:
    """The steps of every case, in the order of its trials."""
    keys = ["part", "kind", "bottlenecks", "parametrization", "n", "n_min"]
    groups = measured.sort_values("trial").groupby(keys)["steps"]
    return {tuple(key): steps.to_numpy(float) for key, steps in groups}


def delays_of(measured: Measured, case: Case) -> FloatArray:
    """The steps of a case's trials, (trials,)."""
    return measured[case.point(0)[:-1]]


def series_cases(own: DelayLaw, bottlenecks: int) -> list[Case]:
    """The cases of a series, by increasing R."""
    return parts(own)[f"{SERIES}_{bottlenecks}"]


def halves(delays: Delays) -> Halves:
    """Both halves of a series; of an odd number of ratios the middle one goes to the sharper half."""
    ratios, middle = list(delays), len(delays) // 2
    return Halves(
        {ratio: delays[ratio] for ratio in ratios[:middle]},
        {ratio: delays[ratio] for ratio in ratios[middle:]},
    )


def exponent(delays: Delays, confidence: float) -> Estimate:
    """The slope of log(delay) on the logarithm of R or n: of means of logarithms over networks."""
    return slope_of_mean_logs(list(delays), list(delays.values()), confidence=confidence)


def difference(first: Estimate, second: Estimate, confidence: float) -> Estimate:
    """First less second, of independent estimates; Student's interval with the smaller freedom."""
    error = float(np.hypot(first.standard_error, second.standard_error))
    freedom = min(first.degrees_of_freedom, second.degrees_of_freedom)
    return student(first.value - second.value, error, freedom, confidence)


def increment(delays: Delays, confidence: float) -> Estimate:
    """The slope of the mean delay on log R, in steps."""
    weights = least_squares(np.log(list(delays)), np.eye(len(delays)))
    values = list(delays.values())
    slope = float(weights @ [one.mean() for one in values])
    error = float(np.sqrt(np.square(weights) @ [one.var(ddof=1) / len(one) for one in values]))
    return student(slope, error, sum(len(one) - 1 for one in values), confidence)


def quotient(first: Estimate, second: Estimate, confidence: float) -> Estimate:
    """First over second, of independent positive estimates, its error linearized."""
    value = first.value / second.value
    relative = np.hypot(first.standard_error / first.value, second.standard_error / second.value)
    freedom = min(first.degrees_of_freedom, second.degrees_of_freedom)
    return student(value, abs(value) * float(relative), freedom, confidence)


def _over_theory(
    case: Case, delays: FloatArray, level: float, tolerance: float, role: str = CLAIM
) -> Row:
    """The delay over that of theory."""
    measured = mean_of(delays / case.expected(), level)
    setting = f"{_kind(case)}{_bottlenecks(case)}, R = {case.n / case.n_min:.4g}, n_min = {case.n_min}"
    if role == SHOWN:
        return Row(_part(case), RATIO, setting, SHOWN, 1.0, measured)
    return equal(_part(case), RATIO, setting, 1.0, measured, tolerance)


def _part(case: Case) -> str:
    return case.part.replace("_", " ")


def _kind(case: Case) -> str:
    """What tells the case from the series, in words."""
    return "" if case.kind == USUAL else f"{case.kind.replace('_', ' ')}, "


def _bottlenecks(case: Case) -> str:
    return f"B = {case.bottlenecks}"


def _series(measured: Measured, own: DelayLaw, level: float) -> Iterator[Row]:
    """Of every number of bottlenecks: delays beside theory's, and the law of their growth."""
    for series in own.series:
        cases = series_cases(own, series.bottlenecks)
        found = [delays_of(measured, case) for case in cases]
        for case, values in zip(cases, found, strict=True):
            yield _over_theory(case, values, level, own.tolerances.delay)
        delays = dict(zip(series.ratios, found, strict=True))
        expected = {ratio: case.expected() for ratio, case in zip(series.ratios, cases, strict=True)}
        yield from _local(series.bottlenecks, delays, expected, level)
        yield from _law(series.bottlenecks, delays, own, level)


def _local(
    bottlenecks: int, delays: Delays, expected: Mapping[int, float], level: float
) -> Iterator[Row]:
    """Exponents between neighbouring ratios, beside theory's; shown."""
    ratios = list(delays)
    for pair in pairwise(ratios):
        theory = float(log_slope(pair, [expected[ratio] for ratio in pair]))
        found = exponent({ratio: delays[ratio] for ratio in pair}, level)
        setting = f"B = {bottlenecks}, R = {pair[0]} to {pair[1]}"
        yield Row(SERIES, LOCAL, setting, SHOWN, theory, found)


def _law(bottlenecks: int, delays: Delays, own: DelayLaw, level: float) -> Iterator[Row]:
    """Whether the delay grows as log R (one bottleneck) or as R^((B-1)/2), with both as controls."""
    parted, tolerances = halves(delays), own.tolerances
    setting = f"B = {bottlenecks}, R = {min(parted.sharper)} to {max(parted.sharper)}"
    sharp, blunt = (exponent(one, level) for one in (parted.sharper, parted.blunter))
    steeper, earlier = (increment(one, level) for one in (parted.sharper, parted.blunter))
    increments = quotient(steeper, earlier, level)
    limit = asymptotic_exponent(bottlenecks)
    if bottlenecks == 1:
        bound = POWER / 2
        note = "below half of the smallest power"
        yield Row(SERIES, EXPONENT, setting, CLAIM, bound, sharp, below(bound), note)
        falls = difference(sharp, blunt, level)
        yield Row(SERIES, FALLS, setting, CLAIM, 0.0, falls, below(0.0))
        yield equal(SERIES, INCREMENTS, setting, 1.0, increments, tolerances.increment)
        theory = logarithmic_increment(own.learning_rate)
        reach = tolerances.delay * theory
        each = _times(steeper, own.learning_rate)
        yield equal(SERIES, INCREMENT, setting, theory, each, reach)
        wrong = "as if it were a power of R, that of two bottlenecks"
        yield equal(SERIES, EXPONENT, setting, POWER, sharp, tolerances.exponent, wrong, CONTROL)
        return
    yield equal(SERIES, EXPONENT, setting, limit, sharp, tolerances.exponent)
    wrong = "as if it were log R, whose increments are equal"
    yield equal(SERIES, INCREMENTS, setting, 1.0, increments, tolerances.increment, wrong, CONTROL)
    wrong = "as if there were one bottleneck less"
    fewer = limit - POWER
    yield equal(SERIES, EXPONENT, setting, fewer, sharp, tolerances.exponent, wrong, CONTROL)


def _times(estimate: Estimate, factor: float) -> Estimate:
    return estimate.over(1 / factor)


def _variants(measured: Measured, own: DelayLaw, level: float) -> Iterator[Row]:
    """Other ways of training: delays of one image beside theory's, and the exponents of all."""
    cases = parts(own)[VARIANTS]
    for case in cases:
        if case.images == 1:
            yield _over_theory(case, delays_of(measured, case), level, own.tolerances.delay)
        else:
            yield _over_theory(case, delays_of(measured, case), level, own.tolerances.delay, SHOWN)
    for name in own.variants.cases:
        for bottlenecks in own.variants.bottlenecks:
            some = [case for case in cases if (case.kind, case.bottlenecks) == (name, bottlenecks)]
            ratios = [case.n // case.n_min for case in some]
            found = dict(zip(ratios, (delays_of(measured, case) for case in some), strict=True))
            theory = float(log_slope(ratios, [case.expected() for case in some]))
            setting = f"{_kind(some[0])}{_bottlenecks(some[0])}, R = {ratios[0]} to {ratios[-1]}"
            measured_exponent = exponent(found, level)
            note = "theory's is of one image" if some[0].images > 1 else ""
            tolerance = own.tolerances.exponent
            yield equal(VARIANTS, VARIANT, setting, theory, measured_exponent, tolerance, note)


def _narrow_layers(measured: Measured, own: DelayLaw, level: float) -> Iterator[Row]:
    """What fluctuations do: the delay over theory's at ever wider narrow layers; the last is judged."""
    cases = parts(own)[NARROW]
    for case in cases:
        role = CLAIM if case is cases[-1] else SHOWN
        yield _over_theory(case, delays_of(measured, case), level, own.tolerances.delay, role)


def _families(measured: Measured, own: DelayLaw, level: float) -> Iterator[Row]:
    """The thesis's families: growth as theory has it under spectral, none under the others."""
    cases = parts(own)[FAMILIES]
    for kind, family in own.families.families.items():
        waiting = spectral_exponent(own, family)
        for name in own.families.parametrizations:
            some = [case for case in cases if (case.kind, case.parametrization) == (kind, name)]
            found = {case.n: delays_of(measured, case) for case in some}
            setting, growth = f"{name}, {kind.replace('_', ' ')}", exponent(found, level)
            if name == "spectral":
                yield from _waits(setting, waiting, growth, own.tolerances)
                for case in some:
                    yield _over_theory(case, found[case.n], level, own.tolerances.delay)
            else:
                yield from _goes_on(name, setting, waiting, growth, own.tolerances)


def spectral_exponent(own: DelayLaw, family: Family) -> float:
    """Theory's exponent of n of a family's delays under spectral parametrization, at its widths."""
    rule = family.narrow.rule()
    expected = [
        delay(n / rule.n_min(n), own.families.bottlenecks, own.learning_rate) for n in family.widths
    ]
    return float(log_slope(family.widths, expected))


def _waits(setting: str, waiting: float, growth: Estimate, tolerances: DelayTolerances) -> Iterator[Row]:
    """Under spectral parametrization: how the delay grows, and that it does where theory says so."""
    flat = waiting <= tolerances.flat
    reach = tolerances.flat if flat else tolerances.exponent
    yield equal(FAMILIES, GROWTH, setting, waiting, growth, reach)
    if not flat:
        note = f"theory: {waiting:.2f}"
        yield Row(FAMILIES, f"{GROWTH}: grows", setting, CLAIM, 0.0, growth, beyond(0.0), note)


def _goes_on(
    name: str, setting: str, waiting: float, growth: Estimate, tolerances: DelayTolerances
) -> Iterator[Row]:
    """Under the others: no growth; and dynamic set beside spectral as a control."""
    bound = tolerances.flat
    note = "a delay may fall"
    yield Row(FAMILIES, GROWTH, setting, CLAIM, bound, growth, below(bound), note)
    if name == "dynamic" and waiting > tolerances.flat:
        wrong = "as if it waited as spectral does"
        yield equal(FAMILIES, GROWTH, setting, waiting, growth, tolerances.exponent, wrong, CONTROL)
