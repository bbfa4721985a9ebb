"""Verdicts: which kernels are the same, and whether windows or correlated weights make robust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from dynparam.experiments.receptive_fields.settings import FieldStage
from dynparam.experiments.receptive_fields.tables import (
    ACCURACY,
    APART,
    BLURRED,
    CLEAN,
    CORRELATED,
    DENSE,
    DISPLACEMENT,
    DRAWN,
    LOCAL,
    NOISE,
    PERMUTED,
    SQUARE,
    WEIGHTED,
)
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.judged import CLAIM, CONTROL, SHOWN, Row, below, equal, known, table
from dynparam.support.arrays import FloatArray

SAME = "largest distance of two kernels, relative"

RATIO = "kernel of a drawn network over theory, mean entry"

ACCURATE = "accuracy on clean images, less that of a dense network"

DISPLACED = {SQUARE: "displacement by a square, change", NOISE: "displacement by noise, change"}

BY_A_BLUR = "displacement by noise, correlated weights over blurred images"

NAMES = {
    DENSE: "dense",
    LOCAL: "windows",
    PERMUTED: "windows on permuted pixels",
    WEIGHTED: "dense, pixels weighted as by windows",
    CORRELATED: "correlated weights",
    BLURRED: "dense, blurred images",
}
"""What settings call each kind."""


@dataclass(frozen=True)
class Measured:
    """What was measured on a pair, (trials,) for each kind, radius or length, and quantity.

    Attributes:
        pair: its name.
        table: the rows, in the columns of ``tables.MEASURED``.
        confidence: of intervals.
    """

    pair: str
    table: pd.DataFrame
    confidence: float

    def values(self, kind: str, at: float, quantity: str) -> FloatArray:
        """By trial."""
        rows = self.table
        chosen = (rows["kind"] == kind) & (rows["at"] == at) & (rows["quantity"] == quantity)
        found: FloatArray = rows[chosen].sort_values("trial")["value"].to_numpy(float)
        return found

    def mean(self, values: FloatArray) -> Estimate:
        """Over trials, with its interval."""
        return mean_of(values, self.confidence)

    def change(self, kind: str, at: float, disturbance: str, base: str = DENSE) -> Estimate:
        """The displacement of a kind over that of another, less one: below zero it is more robust.

        The other has the same radius, unless it is dense.
        """
        name = DISPLACEMENT[disturbance]
        own = self.values(kind, at, name)
        return self.mean(own / self.values(base, 0.0 if base == DENSE else at, name) - 1)

    def accuracy(self, kind: str, at: float) -> Estimate:
        """Of clean images, less that of a dense network."""
        dense, own = (self.values(*one, ACCURACY[CLEAN]) for one in ((DENSE, 0.0), (kind, at)))
        return self.mean(own - dense)


def judged(measured: Mapping[str, pd.DataFrame], settings: FieldStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``) from measurements by pair.

    Raises ``DataError`` if a control agrees.
    """
    rows: list[Row] = []
    for pair, found in measured.items():
        of_pair = Measured(pair, found, settings.fit.confidence)
        rows += _kernels(of_pair, settings)
        rows += _noise(of_pair, settings)
        rows += _square(of_pair, settings)
        rows += _accuracies(of_pair, settings)
    return table(rows)


def at_radius(radius: float) -> str:
    """How settings name a radius."""
    return f"r = {radius:g}"


def at_length(length: float) -> str:
    """How settings name the length over which weights are correlated."""
    return f"l = {length:g}"


def _kernels(found: Measured, settings: FieldStage) -> Iterator[Row]:
    """Identities, exact but for rounding, each with a control; and drawn networks."""
    own = settings.receptive_fields
    length, radius = own.correlation, own.radii[0]
    for kind, at, other, role, where, note in (
        (
            CORRELATED,
            length,
            BLURRED,
            CLAIM,
            f"correlated weights, blurred images, {at_length(length)}",
            "",
        ),
        (
            CORRELATED,
            length,
            DENSE,
            CONTROL,
            f"correlated weights, sharp images, {at_length(length)}",
            "as if correlation did nothing",
        ),
        (DENSE, 0.0, PERMUTED, CLAIM, "dense, permuted pixels", ""),
        (
            LOCAL,
            radius,
            PERMUTED,
            CONTROL,
            f"windows, permuted pixels, {at_radius(radius)}",
            "as if windows did not see where pixels are",
        ),
    ):
        values = found.values(kind, at, f"{APART}{other}")
        # Of what should be the same the farthest draw, of what must not be the nearest.
        measured = known(float(values.max() if role == CLAIM else values.min()))
        yield equal(found.pair, SAME, where, 0.0, measured, own.tolerances.exact, note, role)
    ratios = {
        theory: found.mean(found.values(LOCAL, radius, f"{DRAWN}{theory}")) for theory in (LOCAL, DENSE)
    }
    where = f"windows, {at_radius(radius)}"
    yield equal(found.pair, RATIO, where, 1.0, ratios[LOCAL], own.tolerances.ratio)
    note = "theory without windows"
    yield Row(found.pair, RATIO, f"{where}, over dense", SHOWN, 1.0, ratios[DENSE], note=note)


def _noise(found: Measured, settings: FieldStage) -> Iterator[Row]:
    """Whether correlated weights and windows lower the displacement by noise, and whether by a blur."""
    own = settings.receptive_fields
    yield _lower(found, CORRELATED, own.correlation, NOISE)
    ratio = found.change(CORRELATED, own.correlation, NOISE, BLURRED)
    farthest = known(max(abs(ratio.ci_low), abs(ratio.ci_high)))
    where, limit = at_length(own.correlation), own.tolerances.exact
    yield equal(found.pair, BY_A_BLUR, where, 0.0, farthest, limit, "ratio less one")
    yield _lower(found, LOCAL, own.radii[0], NOISE)
    yield from _shown(found, settings, NOISE)


def _square(found: Measured, settings: FieldStage) -> Iterator[Row]:
    """Whether windows lower the displacement by a square, and whether because they are local."""
    radius = settings.receptive_fields.radii[0]
    yield _lower(found, LOCAL, radius, SQUARE)
    for base in (WEIGHTED, PERMUTED):
        yield _lower(found, LOCAL, radius, SQUARE, base)
    length = settings.receptive_fields.correlation
    yield _row(found, CORRELATED, length, SQUARE)
    yield from _shown(found, settings, SQUARE)


def _shown(found: Measured, settings: FieldStage, disturbance: str) -> Iterator[Row]:
    """The controls of windows, and wider ones, without a verdict."""
    own = settings.receptive_fields
    yield _row(found, PERMUTED, own.radii[0], disturbance)
    for radius in own.radii:
        yield _row(found, WEIGHTED, radius, disturbance)
    for radius in own.radii[1:]:
        yield _row(found, LOCAL, radius, disturbance)


def _accuracies(found: Measured, settings: FieldStage) -> Iterator[Row]:
    """What windows and correlated weights cost or gain on clean images."""
    own = settings.receptive_fields
    for kind, at in ((LOCAL, own.radii[0]), (CORRELATED, own.correlation)):
        yield Row(found.pair, ACCURATE, setting(kind, at), SHOWN, 0.0, found.accuracy(kind, at))


def setting(kind: str, at: float, base: str = DENSE) -> str:
    """What the table calls a kind beside another."""
    where = at_length(at) if kind in (CORRELATED, BLURRED) else at_radius(at)
    beside = "" if base == DENSE else f", beside {NAMES[base]}"
    return f"{NAMES[kind]}, {where}{beside}"


def _lower(found: Measured, kind: str, at: float, disturbance: str, base: str = DENSE) -> Row:
    return _row(found, kind, at, disturbance, base, CLAIM)


def _row(
    found: Measured, kind: str, at: float, disturbance: str, base: str = DENSE, role: str = SHOWN
) -> Row:
    change = found.change(kind, at, disturbance, base)
    row = Row(found.pair, DISPLACED[disturbance], setting(kind, at, base), role, 0.0, change)
    return row if role == SHOWN else replace(row, accepted=below(0.0))
