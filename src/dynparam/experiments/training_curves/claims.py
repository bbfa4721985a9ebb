"""The thesis's claims on training curves (Sec. 3.3, Figs. 3.4 and 3.5), judged pair by pair.

Runs of the same seed under two parametrizations share initial normals and batch order, so that their
difference is free of what both share. A claim always speaks for the second parametrization.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dynparam.experiments.training_curves.settings import Claims, ClaimsStage
from dynparam.presentation.numbers import percent, signed
from dynparam.presentation.sentences import figure_title
from dynparam.statistics.differences import (
    UNPAIRED,
    PairedDifference,
    independent_means,
    paired_difference,
)
from dynparam.statistics.moderation import Spread, fit_prior
from dynparam.statistics.multiplicity import holm
from dynparam.statistics.verdicts import Better, ClaimVerdict, claim_verdict
from dynparam.support.arrays import FloatArray
from dynparam.support.randomness import seed_sequence
from dynparam.training.paired_curves import QUANTITIES, PairedCurves, epoch_of, pair_curves
from dynparam.training.settings import ACCURACIES

COLUMNS = (
    "claim",
    "source",
    "metric",
    "role",
    "value",
    "ci_low",
    "ci_high",
    "p_value",
    "p_holm",
    "verdict",
    "note",
)
"""The columns of the table of claims."""


@dataclass(frozen=True)
class Comparison:
    """One quantity of the pairs at one place of their curves.

    Attributes:
        column: which, a column of the curves.
        place: where: ``epoch 5``, ``area``, ``best`` or ``jumps``.
        first: values of the first parametrization (pairs,).
        second: the same of the second.
        draws: the draw of the images of each pair (pairs,).
    """

    column: str
    place: str
    first: FloatArray
    second: FloatArray
    draws: NDArray[np.int64]

    @property
    def metric(self) -> str:
        """Both as the tables write them."""
        return f"{self.column} {self.place}"

    @property
    def better(self) -> Better:
        """Which side of zero speaks for the second parametrization."""
        return QUANTITIES[self.column].better

    def spread(self) -> Spread:
        """How its independent values scatter; what they scatter about is a loss or a share of errors."""
        values = independent_means(self.first, self.second, self.draws)
        mean = float(np.mean([self.first, self.second]))
        level = 1 - mean if self.column in ACCURACIES and self.place != "jumps" else mean
        kind = (self.column, self.place == "jumps", len(np.unique(self.draws)) > 1)
        return Spread(kind, level, float(values.var(ddof=1)), len(values) - 1)


def comparisons(pairs: PairedCurves, claims: Claims) -> list[Comparison]:
    """All comparisons at places that the curves reach."""
    return [
        compare(pairs, column, place, claims.jump)
        for column in QUANTITIES
        for place in claims.places(column)
        if (epoch_of(place) or 0) <= pairs.last
    ]


def compare(pairs: PairedCurves, column: str, place: str, jump: float) -> Comparison:
    """The pairs of which neither run has diverged by then, as ``PairedCurves.values`` has them."""
    values = pairs.values(column, place, jump)
    kept = np.isfinite(values).all(axis=0)
    return Comparison(column, place, values[0, kept], values[1, kept], pairs.draws[kept])


@dataclass(frozen=True)
class Judged:
    """A comparison with what it came to."""

    comparison: Comparison
    found: PairedDifference

    def row(self) -> dict[str, object]:
        """Its numbers, and the verdict of its own interval."""
        better = self.comparison.better
        return {
            **self.found.mean.row("value"),
            "p_value": self.found.p_value,
            "verdict": claim_verdict(*self.found.mean.interval, better=better),
        }


def judge_curves(
    settings: ClaimsStage, source: str, first: pd.DataFrame, second: pd.DataFrame
) -> pd.DataFrame:
    """The claims on one task's curves, in ``COLUMNS``, as ``judge_all`` has them."""
    pairs = pair_curves(first, second, settings.training.parametrizations)
    return _claims_table(settings, [(source, pairs)])


def judge_all(settings: ClaimsStage, curves: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """The claims on the curves of all figures, in ``COLUMNS``; keys are (figure, parametrization).

    The curves are those of ``settings.training.parametrizations``, with columns task, parametrization,
    seed, epoch, the losses and the accuracies. Each quantity is compared at the places of
    ``settings.claims`` that the curves reach. ``value`` is second - first in units of the quantity. A
    pair counts until one of its runs diverges; a comparison left with fewer than two pairs is undecided,
    its numbers nan. Variances are moderated over all rows. A primary row's verdict rests on its p-value
    corrected for the number of primary rows, ``p_holm``; any other row's on its own interval.

    Raises ``DataError`` if the tables are not curves of the same task under those parametrizations,
    share fewer than two seeds, or hold a run that is incomplete though it did not diverge.
    """
    names = settings.training.parametrizations
    paired = [
        (figure_title(figure), pair_curves(curves[figure, names[0]], curves[figure, names[1]], names))
        for figure in settings.figures.training
    ]
    return _claims_table(settings, paired)


def _claims_table(settings: ClaimsStage, paired: Sequence[tuple[str, PairedCurves]]) -> pd.DataFrame:
    network = (settings.protocol.n, settings.protocol.n_min)
    compared = [
        (source, pairs, one) for source, pairs in paired for one in comparisons(pairs, settings.claims)
    ]
    judged = judge(settings, [(pairs.task, *network, one) for _, pairs, one in compared])
    rows = [
        {
            "claim": f"{pairs.task}: {_claim(settings.training.parametrizations[1], one)}",
            "source": source,
            "metric": one.metric,
            "role": "primary" if one.metric in settings.claims.endpoints else "secondary",
            **result.row(),
            "note": _note(settings, pairs, result.found),
        }
        for (source, pairs, one), result in zip(compared, judged, strict=True)
    ]
    return _corrected(pd.DataFrame(rows), settings.fit.confidence)[list(COLUMNS)]


def _claim(parametrization: str, one: Comparison) -> str:
    if one.place == "jumps":
        return f"{parametrization}'s {QUANTITIES[one.column].wording} jumps less often"
    return f"{parametrization} has the {one.better} {QUANTITIES[one.column].wording}"


def _corrected(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The table with ``p_holm`` of the primary rows, and their verdicts by it."""
    primary = table["role"] == "primary"
    table = table.assign(p_holm=np.nan)
    table.loc[primary, "p_holm"] = holm(table.loc[primary, "p_value"].tolist())
    unsure = primary & ~(table["p_holm"] <= 1 - confidence)
    table.loc[unsure, "verdict"] = ClaimVerdict.UNDECIDED
    return table


def judge(settings: ClaimsStage, compared: Iterable[tuple[str, int, int, Comparison]]) -> list[Judged]:
    """Comparisons of (task, n, n_min), in order, with their variances moderated by each other."""
    compared = list(compared)
    known = [one for *_, one in compared if len(one.first) >= 2]
    prior = fit_prior([one.spread() for one in known if _independent(one) >= 2])
    found = []
    for task, n, n_min, one in compared:
        if len(one.first) < 2 or _independent(one) < 2:
            found.append(Judged(one, replace(UNPAIRED, count=len(one.first))))
            continue
        seed = seed_sequence(settings.fit.seed, "claims", task, n, n_min, one.column, one.place)
        difference = paired_difference(
            one.first,
            one.second,
            confidence=settings.fit.confidence,
            resamples=settings.fit.resamples,
            generator=np.random.default_rng(seed),
            draws=one.draws,
            moderated=prior.moderate(one.spread()),
        )
        found.append(Judged(one, difference))
    return found


def _independent(one: Comparison) -> int:
    return len(independent_means(one.first, one.second, one.draws))


def _note(settings: ClaimsStage, pairs: PairedCurves, found: PairedDifference) -> str:
    """What a reader needs to know of a comparison besides its numbers."""
    total = len(pairs.first)
    parts = [f"{found.count} pairs" if found.count != 1 else "1 pair"]
    if found.count >= 2:
        known = not np.isnan(found.effect_size)
        parts.append(
            f"effect size d_z = {signed(found.effect_size, 2)}" if known else "effect size undefined"
        )
        parts.append(f"{percent(settings.fit.confidence)} interval: {_interval(found)}")
    else:
        parts.append("too few for an interval")
    if found.count < total:
        parts.append(f"{total - found.count} of {total} pairs left out: diverged")
    if any(pairs.unpaired):
        names = settings.training.parametrizations
        only = " and ".join(
            f"{count} only under {name}"
            for count, name in zip(pairs.unpaired, names, strict=True)
            if count
        )
        parts.append(f"seeds differ: {total} in common, {only}")
    return "; ".join(parts)


def _interval(found: PairedDifference) -> str:
    """How an interval was found."""
    if found.interval == "moderated":
        return f"Student's t, moderated, {found.mean.degrees_of_freedom:.3g} degrees of freedom"
    return {"bootstrap": "BCa bootstrap", "student": "Student's t"}[found.interval]
