"""Verdicts: the scatter of random networks beside theory, and how far seeds lie apart in training."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.fluctuations.kinds import scales_of
from dynparam.experiments.fluctuations.settings import FluctuationSettings, FluctuationStage
from dynparam.statistics.estimates import UNKNOWN, Estimate
from dynparam.statistics.judged import (
    CLAIM,
    CONTROL,
    SHOWN,
    Row,
    beyond,
    equal,
    table,
)
from dynparam.statistics.scatter import (
    exponential,
    log_deviation,
    log_of_pooled,
    mean_estimate,
    median_of,
    share_of,
    slope_of,
    variation_of,
    weighted_slope,
)
from dynparam.statistics.slopes import log_slope
from dynparam.statistics.verdicts import Verdict
from dynparam.support.arrays import FloatArray
from dynparam.theory.fluctuations import (
    LINEAR,
    contribution_moment,
    contribution_variation,
    dead_share,
    inverse_sum,
    log_moments,
    median,
    moment,
    moment_error,
    narrowest_typical,
    variation,
)

SQUARE = "||h^{L-1}||^2"
VARIATION = f"coefficient of variation of {SQUARE}"
ALIKE = f"standard deviation of log {SQUARE} over theory, mean over n_min"
GROWS = f"exponent of sum 1/n_l in the standard deviation of log {SQUARE}"
DEAD = "share of dead networks"
MEDIAN = f"median of {SQUARE} over its mean"
TYPICAL = "n_min from which on the mean describes a typical network"
OWN = "coefficient of variation of the readout's own contribution C_L"
ALIGNMENT = "coefficient of variation of the alignment A_L"
LOSS = "exponent of sum 1/n_l in the seeds' spread of the training loss"
FALL = "exponent of sum 1/n_l in the seeds' spread of the fall of the training loss"

HEAVY = "a tail too heavy for these trials"
"""What the note says where theory foresees too large an error."""

SPREADS = {"loss": LOSS, "fall": FALL}
"""By the quantity of the table of seeds."""

WIDE_EXPONENT = 0.5
"""That of the coefficient of variation in wide layers."""


class Measured:
    """The trials by kind of network, and the level of intervals.

    Attributes:
        confidence: the level.
    """

    def __init__(self, trials: pd.DataFrame, confidence: float) -> None:
        """Answer from ``results/fluctuations/trials.csv``."""
        self.confidence = confidence
        self._kinds: dict[Any, pd.DataFrame] = dict(
            iter(trials.groupby(["parametrization", "bottlenecks", "n_min"], sort=False))
        )
        self._parametrizations = list(dict.fromkeys(trials["parametrization"]))

    def values(
        self, bottlenecks: int, n_min: int, parametrization: str = "", quantity: str = "square"
    ) -> FloatArray:
        """Of all networks of a kind, (trials,); under all parametrizations if none is named."""
        names = [parametrization] if parametrization else self._parametrizations
        parts = [self._kinds[name, bottlenecks, n_min][quantity].to_numpy(float) for name in names]
        return np.concatenate(parts)

    def log_deviation(self, bottlenecks: int, n_min: int, parametrization: str = "") -> Estimate:
        """The logarithm of the standard deviation of log R, dead networks left out."""
        values = self.values(bottlenecks, n_min, parametrization)
        return log_deviation(np.log(values[values > 0]), self.confidence)

    def variation(self, values: FloatArray) -> Estimate:
        """Their coefficient of variation."""
        return variation_of(values, self.confidence)


def judged(trials: pd.DataFrame, spread: pd.DataFrame, settings: FluctuationStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    own, found = settings.fluctuations, Measured(trials, settings.fit.confidence)
    rows: list[Row] = []
    for bottlenecks in own.bottlenecks:
        for part in (_variations, _alike, _grows, _dead, _medians):
            rows += part(found, own, bottlenecks)
        rows += _typical(own, bottlenecks)
    for parametrization in own.parametrizations:
        rows += _contributions(found, own, parametrization)
    rows += _seeds(spread, settings)
    return table(rows)


def network(bottlenecks: int, n_min: int) -> str:
    """What the table calls a network."""
    return f"{bottlenecks_of(bottlenecks)}, n_min = {n_min}"


def bottlenecks_of(count: int) -> str:
    """What the table calls networks of all n_min."""
    return f"{count} bottleneck{'s' * (count > 1)}"


def pooled_spreads(spread: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Of every network, the logarithm of the seeds' standard deviation over their mean, pooled.

    Draws of the images have means of their own, so that only the scatter within them counts. Columns:
    quantity, task, parametrization, n, n_min, inverse_sum, log (an ``Estimate``). Networks whose draws
    all have a single seed are left out.
    """
    keys = ["quantity", "task", "parametrization", "n", "n_min", "inverse_sum"]
    rows = []
    for key, draws in spread[spread["seeds"] > 1].groupby(keys, sort=False):
        relative = draws["variance"] / draws["mean"] ** 2
        freedoms = draws["seeds"].to_numpy(float) - 1
        log = log_of_pooled(relative.to_numpy(float), freedoms, confidence)
        rows.append(dict(zip(keys, key, strict=True)) | {"log": log})
    return pd.DataFrame(rows, columns=[*keys, "log"])


def _variations(found: Measured, own: FluctuationSettings, bottlenecks: int) -> Iterator[Row]:
    """Every n_min beside theory, and the middle one beside what is wrong."""
    limits = own.tolerances
    for n_min in own.n_min:
        hidden, values = own.hidden(bottlenecks, n_min), found.values(bottlenecks, n_min)
        row = partial(
            _relative,
            "networks",
            VARIATION,
            network(bottlenecks, n_min),
            measured=found.variation(values),
            tolerance=limits.variation,
            foreseen=moment_error(moment(hidden, 2), moment(hidden, 4), len(values)),
            tail=limits.tail,
        )
        yield row(variation(hidden))
        if n_min == own.n_min[len(own.n_min) // 2]:
            for expected, wrong in _wrong(own, bottlenecks, n_min):
                yield row(expected, note=wrong, role=CONTROL)


def _wrong(own: FluctuationSettings, bottlenecks: int, n_min: int) -> Iterator[tuple[float, str]]:
    """Expectations that are wrong, and why; each under a setting of its own."""
    hidden = own.hidden(bottlenecks, n_min)
    yield variation(hidden, LINEAR), "2 instead of 5: that of a linear network"
    yield variation((*hidden, own.outputs)), "the readout's width counted too"
    if bottlenecks > 1:
        yield variation((n_min,)), "the narrowest layer alone"


def _relative(
    experiment: str,
    quantity: str,
    setting: str,
    expected: float,
    *,
    measured: Estimate,
    tolerance: float,
    foreseen: float,
    tail: float,
    note: str = "",
    role: str = CLAIM,
) -> Row:
    """A row with a relative tolerance; undecided where theory foresees too large an error.

    A control's setting says what is wrong, since a row is known by its setting.
    """
    where = f"{setting}: {note}" if role == CONTROL else setting
    found = equal(experiment, quantity, where, expected, measured, tolerance * expected, note, role)
    if foreseen <= tail:
        return found
    told = f"{HEAVY}: the mean square is known to {foreseen:.0%}"
    note = f"{note}; {told}" if note else told
    return Row(
        experiment, quantity, where, role, expected, measured, found.accepted, note,
        given=str(Verdict.UNDECIDED),
    )  # fmt: skip


def _alike(found: Measured, own: FluctuationSettings, bottlenecks: int) -> Iterator[Row]:
    """Every parametrization beside the same theory."""
    for parametrization in own.parametrizations:
        ratios = [
            found.log_deviation(bottlenecks, n_min, parametrization).shifted(-log)
            for n_min, log in zip(own.n_min, _log_deviations(own, bottlenecks), strict=True)
        ]
        mean = exponential(mean_estimate(ratios, found.confidence))
        setting = f"{bottlenecks_of(bottlenecks)}, {parametrization}"
        yield equal("networks", ALIKE, setting, 1.0, mean, own.tolerances.logarithm)


def _grows(found: Measured, own: FluctuationSettings, bottlenecks: int) -> Iterator[Row]:
    """The exponent over all n_min, whose claim is that it is above zero; and beside theory."""
    sums = [inverse_sum(own.hidden(bottlenecks, n_min)) for n_min in own.n_min]
    logs = [found.log_deviation(bottlenecks, n_min) for n_min in own.n_min]
    slope = slope_of(np.log(sums), logs, found.confidence)
    expected = float(log_slope(sums, np.exp(_log_deviations(own, bottlenecks))))
    setting = bottlenecks_of(bottlenecks)
    yield equal("networks", GROWS, setting, expected, slope, own.tolerances.slope)


def _log_deviations(own: FluctuationSettings, bottlenecks: int) -> list[float]:
    """Theory's logarithms of the standard deviation of log R, by n_min."""
    found = (log_moments(own.hidden(bottlenecks, n_min)).variance for n_min in own.n_min)
    return [float(np.log(variance)) / 2 for variance in found]


def _dead(found: Measured, own: FluctuationSettings, bottlenecks: int) -> Iterator[Row]:
    """Where at least one dead network is expected."""
    for n_min in own.n_min:
        values = found.values(bottlenecks, n_min)
        expected = dead_share(own.hidden(bottlenecks, n_min))
        if expected * len(values) >= 1:
            share = share_of(int((values == 0).sum()), len(values), found.confidence)
            setting = network(bottlenecks, n_min)
            yield equal("networks", DEAD, setting, expected, share, own.tolerances.dead)


def _medians(found: Measured, own: FluctuationSettings, bottlenecks: int) -> Iterator[Row]:
    for n_min in own.n_min:
        expected = median(own.hidden(bottlenecks, n_min))
        measured = median_of(found.values(bottlenecks, n_min), found.confidence)
        setting = network(bottlenecks, n_min)
        yield equal("networks", MEDIAN, setting, expected, measured, own.tolerances.median)


def _typical(own: FluctuationSettings, bottlenecks: int) -> Iterator[Row]:
    """Where the exact median comes near the mean; medians themselves are judged."""
    expected = narrowest_typical(partial(own.hidden, bottlenecks), own.typical, own.n)
    value = np.nan if expected is None else float(expected)
    note = f"theory alone: the median is within {own.typical:.0%} of the mean"
    yield Row("networks", TYPICAL, bottlenecks_of(bottlenecks), SHOWN, value, UNKNOWN, note=note)


def _contributions(found: Measured, own: FluctuationSettings, parametrization: str) -> Iterator[Row]:
    """C_L at every n_min beside theory; A_L, which has none, beside the scatter of ||h^{L-1}||^2.

    Where outputs count beside the target, C_L must not be taken for ||h^{L-1}||^2.
    """
    limits = own.tolerances
    for n_min in own.n_min:
        widths = own.network(own.main, n_min)
        scales, setting = scales_of(own, parametrization, widths), network(own.main, n_min)
        setting = f"{parametrization}, {setting}"
        square, fourth = (
            contribution_moment(widths, scales, float(own.inputs), order) for order in (2, 4)
        )
        expected = contribution_variation(widths, scales, float(own.inputs))
        layers = variation(widths.hidden)
        row = partial(
            _relative,
            "contributions",
            OWN,
            setting,
            measured=found.variation(found.values(own.main, n_min, parametrization, "own")),
            tolerance=limits.contribution,
            foreseen=moment_error(square, fourth, own.trials),
            tail=limits.tail,
        )
        yield row(expected)
        if n_min == own.n_min[-1] and expected > (1 + 2 * limits.contribution) * layers:
            # What is wrong lies below, and a tail that is missed takes nothing from that.
            yield row(layers, note=f"said to vary as {SQUARE}", role=CONTROL, foreseen=0.0)
        whole = found.variation(found.values(own.main, n_min, parametrization, "alignment"))
        note = f"expected: of {SQUARE}"
        yield Row("contributions", ALIGNMENT, setting, SHOWN, layers, whole, note=note)


def _seeds(spread: pd.DataFrame, settings: FluctuationStage) -> Iterator[Row]:
    """Exponents of the seeds' spread, of every task and parametrization trained at two widths."""
    level = settings.fit.confidence
    networks = pooled_spreads(spread, level)
    for quantity, name in SPREADS.items():
        here = networks[networks["quantity"] == quantity]
        for (task, parametrization), rows in here.groupby(["task", "parametrization"], sort=False):
            if rows["inverse_sum"].nunique() > 1:
                sums = np.log(rows["inverse_sum"].to_numpy(float))
                slope = weighted_slope(sums, list(rows["log"]), level)
                yield _seeds_row(quantity, name, f"{task}, {parametrization}", slope)


def _seeds_row(quantity: str, name: str, setting: str, slope: Estimate) -> Row:
    """The loss, chosen beforehand, is judged; its fall, looked at when that was known, is shown."""
    how = (
        "deviation over mean, within draws of the images; the interval is of the scatter of seeds alone"
    )
    if quantity == "loss":
        return Row("seeds", name, setting, CLAIM, 0.0, slope, beyond(0.0), how)
    note = f"{how}; expected: of wide layers; chosen when the loss had been seen"
    return Row("seeds", name, setting, SHOWN, WIDE_EXPONENT, slope, note=note)
