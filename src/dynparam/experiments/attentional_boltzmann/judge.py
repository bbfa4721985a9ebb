"""Verdicts: growth of small weights, steps until it ends, the excess loss and the partition function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from dynparam.experiments.attentional_boltzmann.settings import BoltzmannStage
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.judged import CLAIM, CONTROL, SHOWN, Row, equal, table, within_errors
from dynparam.statistics.slopes import log_slope, slope_of_log_means
from dynparam.support.arrays import FloatArray
from dynparam.theory.attentional_boltzmann import excess_loss, growth_factor, mean_factor

FACTOR = "growth of differences of weights in one step"
MEAN = "growth of the mean weight in one step"
STEPS = "steps until weights are no longer small, over theory"
EXPONENT = "exponent of the number of hidden units in these steps"
EXCESS = "loss on new data, less that of the truth"


@dataclass(frozen=True)
class Measured:
    """What was measured, by its columns; and the level of intervals."""

    table: pd.DataFrame
    confidence: float

    def values(
        self, part: str, kind: str, hidden: int, quantity: str, at: int | None = None
    ) -> FloatArray:
        """Of all trials, (trials,)."""
        here = self.table
        wanted = {"part": part, "kind": kind, "hidden": hidden, "quantity": quantity}
        for name, value in (wanted | ({} if at is None else {"at": at})).items():
            here = here[here[name] == value]
        return here.sort_values("trial")["value"].to_numpy(float)

    def mean(self, values: FloatArray) -> Estimate:
        """The mean over trials with Student's interval."""
        return mean_of(values, self.confidence)


def judged(measured: pd.DataFrame, settings: BoltzmannStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    found = Measured(measured, settings.fit.confidence)
    rows: list[Row] = []
    for part in (_partition, _growth, _escape, _mixture):
        rows += part(found, settings)
    return table(rows)


def machine(hidden: int) -> str:
    """What the table calls a machine."""
    return f"K = {hidden}"


def rates(kind: str) -> str:
    """What the table calls the learning rates of all numbers of hidden units."""
    return "learning rate fixed" if kind == "fixed" else "learning rate in proportion to K"


def sampled(kind: str, samples: int) -> str:
    """What the table calls a fit."""
    return f"Gaussians {'apart' if kind == 'apart' else 'that overlap'}, n = {samples}"


def _partition(found: Measured, settings: BoltzmannStage) -> Iterator[Row]:
    own, limits = settings.attentional_boltzmann.partition, settings.attentional_boltzmann.tolerances
    ratio = found.mean(found.values("partition", "normal", own.hidden, "ratio"))
    what, setting = "partition function over its formula", f"{machine(own.hidden)}, D = {own.dimensions}"
    yield equal("partition", what, setting, 1.0, ratio, limits.partition, "by importance sampling")


def _growth(found: Measured, settings: BoltzmannStage) -> Iterator[Row]:
    """Along every eigenvector; controls are data beside b, and a mode that decays said to stay."""
    own = settings.attentional_boltzmann
    block, tolerance = own.growth, own.tolerances.growth
    for hidden in block.hidden:
        expected = growth_factor(own.eigenvalues, block.rate, hidden)
        for place, (eigenvalue, factor) in enumerate(zip(own.eigenvalues, expected, strict=True), 1):
            setting = f"{machine(hidden)}, lambda = {eigenvalue:g}"
            measured = found.mean(found.values("growth", "centred", hidden, "factor", place))
            yield equal("growth", FACTOR, setting, float(factor), measured, tolerance)
            if place == len(expected):
                note = "lambda < 1, but said to stay"
                yield equal("growth", FACTOR, setting, 1.0, measured, tolerance, note, CONTROL)
        mean = found.mean(found.values("growth", "centred", hidden, "mean"))
        yield equal("growth", MEAN, machine(hidden), mean_factor(block.rate, hidden), mean, tolerance)
        beside = found.mean(found.values("growth", "shifted", hidden, "factor", 1))
        setting = f"{machine(hidden)}, lambda = {own.eigenvalues[0]:g}, data {block.shift:g} beside b"
        note = "said to be that of data around b"
        yield equal("growth", FACTOR, setting, float(expected[0]), beside, tolerance, note, CONTROL)


def _escape(found: Measured, settings: BoltzmannStage) -> Iterator[Row]:
    """Steps over those of the drawn start, and how they depend on the number of hidden units."""
    own, limits = settings.attentional_boltzmann.escape, settings.attentional_boltzmann.tolerances
    setting = f"K = {own.hidden[0]} to {own.hidden[-1]}"
    for kind in ("fixed", "proportional"):
        steps, expected = (
            [found.values("escape", kind, hidden, name) for hidden in own.hidden]
            for name in ("steps", "expected")
        )
        for hidden, taken, foreseen in zip(own.hidden, steps, expected, strict=True):
            where = f"{machine(hidden)}, {rates(kind)}"
            yield equal("escape", STEPS, where, 1.0, found.mean(taken / foreseen), limits.steps)
        slope = slope_of_log_means(
            own.hidden, [one[:, None] for one in steps], confidence=found.confidence
        )
        theory = float(log_slope(own.hidden, [one.mean() for one in expected]))
        where = f"{setting}, {rates(kind)}"
        yield equal("escape", EXPONENT, where, theory, slope, limits.slope)
        if kind == "fixed":
            note = "said not to depend on it"
            yield equal("escape", EXPONENT, where, 0.0, slope, limits.slope, note, CONTROL)


def _mixture(found: Measured, settings: BoltzmannStage) -> Iterator[Row]:
    """The excess loss of separated Gaussians; that of few samples of overlapping ones is the control."""
    own = settings.attentional_boltzmann.mixture
    errors = settings.attentional_boltzmann.tolerances.errors
    for kind in ("apart", "overlapping"):
        for samples in own.samples:
            expected = excess_loss(own.components, own.dimensions, samples)
            excess = found.mean(found.values("mixture", kind, own.components, "excess", samples))
            role, note = CLAIM, f"decided by {errors:g} standard errors"
            if kind == "overlapping":
                role, note = (
                    (CONTROL, "said to be that of Gaussians apart")
                    if samples == own.samples[0]
                    else (SHOWN, "expected: of Gaussians apart")
                )
            given = "" if role == SHOWN else within_errors(expected, excess, errors)
            setting = sampled(kind, samples)
            yield Row("mixture", EXCESS, setting, role, expected, excess, note=note, given=given)
        attention = found.mean(
            found.values("mixture", kind, own.components, "attention", own.samples[-1])
        )
        what = "largest of the probabilities that attention gives"
        bound = 1.0 if kind == "apart" else 1 / own.components
        note = "expected: of one Gaussian" if kind == "apart" else "expected: at least, of equal ones"
        yield Row("mixture", what, sampled(kind, own.samples[-1]), SHOWN, bound, attention, note=note)
