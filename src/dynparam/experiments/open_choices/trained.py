"""What the alternatives to the choices change in training: dynamic less spectral, and its change.

Under every alternative both parametrizations are trained on the seeds of the default. A seed's standard
normals and batches are the same under both parametrizations and, while nothing drawn differs, under all
alternatives: the difference of a seed is paired, and so is its change from the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import numpy as np
import pandas as pd

from dynparam.experiments.open_choices.arms import ARMS
from dynparam.experiments.open_choices.entries import DEFAULT, OpenChoices
from dynparam.experiments.open_choices.settings import ChoiceCurvesStage
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.verdicts import Better, ClaimVerdict, Verdict, claim_verdict, equivalence
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.training.paired_curves import QUANTITIES, PairedCurves, pair_curves

COLUMNS = (
    "alternative",
    "role",
    "endpoint",
    "pairs",
    "first",
    "default",
    "default_low",
    "default_high",
    "difference",
    "ci_low",
    "ci_high",
    "change",
    "change_low",
    "change_high",
    "stands_by_default",
    "stands",
    "size",
    "conclusion",
)
"""The columns of ``results/open_choices/training.csv``, all numbers in units of the endpoint.

``first`` is the mean of the first parametrization under the alternative, ``default`` and ``difference``
second less first by default and under the alternative, ``change`` the latter less the former over
``pairs`` seeds. ``stands_by_default`` and ``stands`` say whether the second is the better one, ``size``
whether the change is less than the tolerance, ``conclusion`` what follows (``conclusion``).
"""

PLACES = {"area": "mean over epochs", "last": "last epoch", "best": "best epoch"}


class Standing(StrEnum):
    """Whether a difference known to an interval speaks for the second parametrization."""

    HOLDS = "holds"
    FAILS = "fails"
    NONE = "no difference"
    UNDECIDED = "undecided"


class Conclusion(StrEnum):
    """Whether an alternative changes what is concluded from a difference."""

    SAME = "same"
    CHANGED = "changed"
    UNDECIDED = "undecided"


def title(endpoint: str) -> str:
    """``test loss, last epoch`` for ``test_loss last``."""
    column, place = endpoint.split()
    return f"{QUANTITIES[column].wording}, {PLACES[place]}"


def standing(estimate: Estimate, better: Better, tolerance: float) -> Standing:
    """Where a difference stands: on one side of zero, within the tolerance of it, or undecided.

    The side comes first: a difference that is less than the tolerance and has a sign has that sign.
    """
    side = claim_verdict(*estimate.interval, better=better)
    if side is not ClaimVerdict.UNDECIDED:
        return Standing(str(side))
    none = equivalence(*estimate.interval, 0.0, tolerance) is Verdict.AGREES
    return Standing.NONE if none else Standing.UNDECIDED


def conclusion(
    by_default: Estimate, chosen: Estimate, size: Verdict, better: Better, tolerance: float
) -> Conclusion:
    """Whether the conclusion is the same under the default and a choice.

    It has changed if the difference has gone to the other side of zero; or if it has a side under one of
    the two, lies nowhere beyond the tolerance on that side under the other, and changes by more than the
    tolerance. It is the same if the difference stands where it stood, or its change is less than the
    tolerance. Anything else is undecided: too few seeds.
    """
    stands = [standing(one, better, tolerance) for one in (by_default, chosen)]
    sides = [one for one in stands if one in (Standing.HOLDS, Standing.FAILS)]
    if len(set(sides)) == 2:
        return Conclusion.CHANGED
    if size is Verdict.AGREES or (stands[0] == stands[1] and stands[0] is not Standing.UNDECIDED):
        return Conclusion.SAME
    if size is Verdict.DISAGREES and len(sides) == 1:
        other = chosen if stands[0] in sides else by_default
        if not _reaches(other, sides[0], better, tolerance):
            return Conclusion.CHANGED
    return Conclusion.UNDECIDED


def _reaches(estimate: Estimate, side: Standing, better: Better, tolerance: float) -> bool:
    """Whether an interval goes beyond the tolerance on the side of ``side``, or nobody knows."""
    low, high = estimate.interval
    below = (side is Standing.HOLDS) == (better == "lower")
    return not (low >= -tolerance if below else high <= tolerance)


def all_trained(
    settings: ChoiceCurvesStage, open_choices: OpenChoices, curves: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """A row in ``COLUMNS`` for every trained alternative and control, and every endpoint.

    ``curves`` maps the choices of ``open_choices.needed_curves`` to tables in ``arms.COLUMNS``. Seeds of
    which a run diverged by the last epoch are left out; fewer than two leave an endpoint undecided.

    Raises ``DataError`` if the curves of a choice are not those of the seeds and epochs of the settings,
    or by default not of its parametrizations.
    """
    names = settings.training.parametrizations
    paired = {name: _paired(settings, name, table) for name, table in curves.items()}
    if _names(curves[DEFAULT]) != list(names):
        raise DataError(
            f"the curves by default are of {' and '.join(_names(curves[DEFAULT]))}, not of "
            f"{' and '.join(names)} as training.parametrizations asks; run train_choice again"
        )
    controls = {one.name for one in open_choices.controls}
    rows = [
        (name, "control" if name in controls else "choice", *row)
        for name in open_choices.trained()
        for row in _rows(settings, paired[DEFAULT], paired[name])
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(
    settings: ChoiceCurvesStage, by_default: PairedCurves, chosen: PairedCurves
) -> Iterator[tuple[object, ...]]:
    """The rows of one alternative."""
    confidence = settings.fit.confidence
    for endpoint in settings.open_choices.training.endpoints:
        column, place = endpoint.split()
        before, after = (np.diff(one.values(column, place), axis=0)[0] for one in (by_default, chosen))
        found = [_mean(values, confidence) for values in (before, after, after - before)]
        tolerance = settings.open_choices.training.tolerance(endpoint)
        better = QUANTITIES[column].better
        stands = [standing(one, better, tolerance) for one in found[:2]]
        size = _size(found[2], tolerance)
        yield (
            endpoint,
            int(np.isfinite(after - before).sum()),
            _known_mean(chosen.values(column, place)[0]),
            *(value for one in found for value in (one.value, *one.interval)),
            *map(str, stands),
            str(size),
            str(conclusion(found[0], found[1], size, better, tolerance)),
        )


def _mean(values: FloatArray, confidence: float) -> Estimate:
    """The mean over the seeds that did not diverge; nan for fewer than two."""
    return mean_of(values[np.isfinite(values)], confidence)


def _known_mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _size(change: Estimate, tolerance: float) -> Verdict:
    """Whether a change is none to within the tolerance; undecided if nothing is known of it."""
    if np.isnan(change.interval).any():
        return Verdict.UNDECIDED
    return equivalence(*change.interval, 0.0, tolerance)


def _names(table: pd.DataFrame) -> list[str]:
    """The parametrization of each arm."""
    return [
        str(name)
        for arm in ARMS
        for name in table.loc[table["arm"] == arm, "parametrization"].unique().tolist()
    ]


def _paired(settings: ChoiceCurvesStage, name: str, table: pd.DataFrame) -> PairedCurves:
    """The runs of both arms, pair by pair. Raises ``DataError`` as ``all_trained``."""
    curves = settings.open_choices.training
    arms_of: Sequence[pd.DataFrame] = [table[table["arm"] == arm] for arm in ARMS]
    try:
        if len(_names(table)) != len(ARMS):
            raise DataError(f"its arms are of {', '.join(_names(table)) or 'nothing'}")
        pairs = pair_curves(arms_of[0], arms_of[1], _names(table), curves.epochs)
    except DataError as error:
        raise DataError(f"the curves under {name} do not pair: {error}") from None
    found = (pairs.task, pairs.seeds.tolist(), any(pairs.unpaired), int(table["epoch"].max()))
    if found != (curves.task, list(range(curves.seeds)), False, curves.epochs):
        raise DataError(
            f"the curves under {name} are not of seeds 0 to {curves.seeds - 1} on {curves.task} over "
            f"{curves.epochs} epochs, as open_choices.training asks; run train_choice again"
        )
    return pairs
