"""Verdicts: what inference makes of modes, and how near patterns come to concepts and stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.concept_retrieval.settings import ConceptRetrieval, ConceptTrials
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.judged import (
    CLAIM,
    CONTROL,
    SHOWN,
    Row,
    below,
    beyond,
    equal,
    known,
    table,
)
from dynparam.support.arrays import FloatArray
from dynparam.theory.concept_retrieval import Approach, approach

RATES = "largest error of what an inference multiplies a mode by"
MAP = "distance of the map from that of theory"
UNITS = "latent units in use"
TIME = "inferences until the least distance from the concept"
LEAST = "least distance from the concept over that at the start"
RISE = "distance at the end over the least, over theory"
SHARE = "share of the concepts' squares in the first k modes"
WORST = "the same of the autoencoder that approaches least"
NEAR = "least distance from the concept over that of clean patterns"
LEAVES = "logarithm of the distance at the end over the least"
PAIRED = "least distance over that at the start, less the same of one Gaussian's autoencoder"

KINDS = {"clusters": "trained on clusters", "gaussian": "trained on one Gaussian"}
"""What the table calls a nonlinear autoencoder."""

WHOLE_UNIT = 0.5
"""A mean of whole numbers is the expected one if it is nearer than this."""


@dataclass(frozen=True)
class Measured:
    """What was measured, by its columns; and the level of intervals."""

    table: pd.DataFrame
    confidence: float

    def grid(
        self, part: str, kind: str, latent: int, quantity: str, column: str = "value"
    ) -> FloatArray:
        """The values of a column, (trials, places)."""
        here = self._parts[part, kind, latent, quantity]
        return here.pivot(index="trial", columns="at", values=column).to_numpy(float)

    @cached_property
    def _parts(self) -> dict[Any, pd.DataFrame]:
        return dict(list(self.table.groupby(["part", "kind", "latent", "quantity"])))

    def approaches(
        self, part: str, kind: str, latent: int, quantity: str = "own", column: str = "value"
    ) -> list[Approach]:
        """How near the patterns of each trial come. Raises as ``approach`` does."""
        return [approach(row) for row in self.grid(part, kind, latent, quantity, column)]

    def mean(self, values: FloatArray) -> Estimate:
        """The mean over trials with Student's interval."""
        return mean_of(values, self.confidence)

    def beside(self, values: FloatArray, expected: FloatArray) -> Estimate:
        """The same of values whose expectation differs from trial to trial: only errors scatter."""
        return self.mean(values - expected).shifted(float(expected.mean()))


def judged(measured: pd.DataFrame, settings: ConceptTrials) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    found, own = Measured(measured, settings.fit.confidence), settings.concept_retrieval
    rows: list[Row] = []
    for latent in own.linear.latent:
        rows += _modes(found, own, latent)
        rows += _linear(found, own, latent)
    rows += _nonlinear(found, own)
    return table(rows)


def width(latent: int) -> str:
    """What the table calls an autoencoder."""
    return f"k = {latent}"


def _modes(found: Measured, own: ConceptRetrieval, latent: int) -> Iterator[Row]:
    """The map; the control is that of principal component analysis, which keeps its modes whole."""
    setting, limits = width(latent), own.tolerances
    place = ("linear", "clusters", latent)
    rates, expected = (found.grid(*place, "rate", column) for column in ("value", "expected"))
    worst = found.mean(np.abs(rates - expected).max(axis=1))
    yield equal("linear", RATES, setting, 0.0, worst, limits.rate)
    whole = np.arange(rates.shape[1]) < latent
    # Theory itself has to tell them apart: it hardly does where all eigenvalues are far above s^2.
    if np.abs(expected - whole).max(axis=1).min() > 2 * limits.rate:
        control = found.mean(np.abs(rates - whole).max(axis=1))
        note = "held against one, as of principal component analysis"
        yield equal("linear", RATES, setting, 0.0, control, limits.rate, note, CONTROL)
    apart = found.mean(found.grid(*place, "map")[:, 0])
    yield equal("linear", MAP, setting, 0.0, apart, limits.map, "spectral norm")
    units, used = (found.grid(*place, "active", column)[:, 0] for column in ("value", "expected"))
    note = "theory: modes with lambda > s^2, up to k"
    yield equal(
        "linear", UNITS, setting, float(used.mean()), found.beside(units, used), WHOLE_UNIT, note
    )
    share = found.mean(found.grid(*place, "concept")[:, 0])
    yield Row("linear", SHARE, setting, SHOWN, 1.0, share, note="expected: of a k that cuts no concept")


def _linear(found: Measured, own: ConceptRetrieval, latent: int) -> Iterator[Row]:
    """Distances; the control is a wrong concept, from which they do not rise."""
    setting, limits = width(latent), own.tolerances
    place = ("linear", "clusters", latent)
    times, leasts, rises = _columns(found.approaches(*place))
    expected = _columns(found.approaches(*place, column="expected"))
    for quantity, values, theory, tolerance in (
        (TIME, times, expected[0], WHOLE_UNIT),
        (LEAST, leasts, expected[1], limits.least),
    ):
        estimate = found.beside(values, theory)
        yield equal("linear", quantity, setting, float(theory.mean()), estimate, tolerance)
    note = f"theory {expected[2].mean():.3g}"
    yield equal("linear", RISE, setting, 1.0, found.mean(rises / expected[2]), limits.rise, note)
    wrong = _columns(found.approaches(*place, "wrong"))[2]
    foreseen = _columns(found.approaches(*place, "wrong", "expected"))[2]
    where, note = f"{setting}, wrong concept", f"theory {foreseen.mean():.3g}"
    yield equal("linear", RISE, where, 1.0, found.mean(wrong / foreseen), limits.rise, note)
    if np.abs(foreseen / expected[2] - 1).min() > 2 * limits.rise:
        note = "a wrong concept, held against the own one's theory"
        held = found.mean(wrong / expected[2])
        yield equal("linear", RISE, setting, 1.0, held, limits.rise, note, CONTROL)


def _nonlinear(found: Measured, own: ConceptRetrieval) -> Iterator[Row]:
    """Whether patterns approach, come nearer than clean ones, leave, and need clusters for it."""
    latent, limit = own.nonlinear.latent, own.tolerances.approach
    shown = {kind: found.approaches("nonlinear", kind, latent) for kind in KINDS}
    times, least, rises = _columns(shown["clusters"])
    setting, note = KINDS["clusters"], f"after {int(times.min())} to {int(times.max())} inferences"
    yield Row("nonlinear", LEAST, setting, CLAIM, limit, found.mean(least), below(limit), note)
    worst = known(float(least.max()))
    yield Row("nonlinear", WORST, setting, CLAIM, limit, worst, below(limit), f"of {len(least)}")
    yield from _nearer(found, latent)
    note = f"distances: {rises.min():.4g} to {rises.max():.4g} times the least"
    leaves = found.mean(np.log(rises))
    yield Row("nonlinear", LEAVES, setting, CLAIM, 0.0, leaves, beyond(0.0), note)
    gaussian = _columns(shown["gaussian"])
    paired = found.mean(least - gaussian[1])
    yield Row("nonlinear", PAIRED, setting, CLAIM, 0.0, paired, below(0.0), "of the same patterns")
    setting = KINDS["gaussian"]
    note = "a contraction without clusters"
    yield Row("nonlinear", LEAST, setting, SHOWN, limit, found.mean(gaussian[1]), note=note)
    yield Row("nonlinear", LEAVES, setting, SHOWN, 0.0, found.mean(np.log(gaussian[2])))


def _nearer(found: Measured, latent: int) -> Iterator[Row]:
    """Than clean patterns of the cluster are; the control is the distance from wrong concepts."""
    place = ("nonlinear", "clusters", latent)
    radius = found.grid(*place, "radius")[:, 0]
    own, wrong = (found.grid(*place, name).min(axis=1) / radius for name in ("own", "wrong"))
    setting = KINDS["clusters"]
    yield Row("nonlinear", NEAR, setting, CLAIM, 1.0, found.mean(own), below(1.0))
    note = "a wrong concept, said to be approached likewise"
    yield Row("nonlinear", NEAR, setting, CONTROL, 1.0, found.mean(wrong), below(1.0), note)
    gaussian = found.grid("nonlinear", "gaussian", latent, "own").min(axis=1) / radius
    yield Row("nonlinear", NEAR, KINDS["gaussian"], SHOWN, 1.0, found.mean(gaussian))


def _columns(approaches: list[Approach]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Times, least distances and rises, (trials,) each."""
    times, leasts, rises = np.array(approaches, dtype=float).T
    return times, leasts, rises
