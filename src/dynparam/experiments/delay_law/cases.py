"""The networks of every part of the experiment, and what theory expects of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dynparam.experiments.delay_law.settings import (
    FAMILIES,
    NARROW,
    SERIES,
    VARIANTS,
    DelayLaw,
    Engine,
    part_names,
)
from dynparam.theory.delay import delay
from dynparam.trials.kept import Row

USUAL = "usual"
"""The kind of the series: one image, no momentum."""


@dataclass(frozen=True)
class Case:
    """Networks of one kind.

    Attributes:
        part: the part of the experiment.
        kind: what tells it from others of the part: a way of training, or a family.
        bottlenecks: B.
        parametrization: its name.
        n: wide width.
        n_min: narrow width.
        learning_rate: eta.
        trials: how many networks.
        momentum: that of SGD.
        images: how many, all in every batch.
        engine: of the weights.
    """

    part: str
    kind: str
    bottlenecks: int
    parametrization: str
    n: int
    n_min: int
    learning_rate: float
    trials: int
    momentum: float = 0.0
    images: int = 1
    engine: Engine = "stored"

    def point(self, trial: int) -> tuple[str | int, ...]:
        """What tells a trial from all others."""
        kind = (self.part, self.kind, self.bottlenecks, self.parametrization)
        return (*kind, self.n, self.n_min, trial)

    def row(self, trial: int, steps: float) -> Row:
        """A trial's row of the table, in the columns of ``tables.DELAYS``."""
        return {
            "part": self.part,
            "kind": self.kind,
            "bottlenecks": self.bottlenecks,
            "parametrization": self.parametrization,
            "n": self.n,
            "n_min": self.n_min,
            "learning_rate": self.learning_rate,
            "trial": trial,
            "steps": steps,
        }

    def expected(self) -> float:
        """Steps that theory expects of spectral parametrization and one image (``theory.delay``)."""
        return delay(self.n / self.n_min, self.bottlenecks, self.learning_rate, self.momentum)


def parts(own: DelayLaw) -> dict[str, list[Case]]:
    """The cases of every job, by its name (``settings.part_names``)."""
    series = [_series(own, one.bottlenecks) for one in own.series]
    cases = [*series, _variants(own), _narrow_layers(own), _families(own)]
    return {name: list(some) for name, some in zip(part_names(own), cases, strict=True)}


def _series(own: DelayLaw, bottlenecks: int) -> Iterator[Case]:
    """Spectral networks of so many bottlenecks at the ratios of their series."""
    (series,) = (one for one in own.series if one.bottlenecks == bottlenecks)
    for ratio in series.ratios:
        yield _at(own, SERIES, USUAL, bottlenecks, ratio, own.n_min, own.trials)


def _variants(own: DelayLaw) -> Iterator[Case]:
    """The same trained in other ways."""
    for name, way in own.variants.cases.items():
        for bottlenecks in own.variants.bottlenecks:
            for ratio in own.variants.ratios:
                n, trials = own.n_min * ratio, own.variants.trials
                yield Case(
                    VARIANTS,
                    name,
                    bottlenecks,
                    "spectral",
                    n,
                    own.n_min,
                    way.learning_rate,
                    trials,
                    way.momentum,
                    way.images,
                    way.engine,
                )


def _narrow_layers(own: DelayLaw) -> Iterator[Case]:
    """One ratio at ever wider narrow layers."""
    part = own.narrow_layers
    for n_min in part.n_min:
        yield _at(own, NARROW, USUAL, part.bottlenecks, part.ratio, n_min, part.trials)


def _families(own: DelayLaw) -> Iterator[Case]:
    """The families of widths, under every parametrization."""
    part = own.families
    for kind, family in part.families.items():
        for name, rate in part.parametrizations.items():
            for n in family.widths:
                n_min, eta = family.narrow.rule().n_min(n), rate.at(n)
                yield Case(
                    FAMILIES, kind, part.bottlenecks, name, n, n_min, eta, part.trials, engine="law"
                )


def _at(
    own: DelayLaw, part: str, kind: str, bottlenecks: int, ratio: int, n_min: int, trials: int
) -> Case:
    """Spectral networks at a ratio R, trained as the series are."""
    n = n_min * ratio
    return Case(part, kind, bottlenecks, "spectral", n, n_min, own.learning_rate, trials)
