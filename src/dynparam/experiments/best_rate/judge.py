"""Verdicts: each scheme at its best rate, at the thesis's, and whose merit a difference is.

At given widths a parametrization is initial scales and layerwise rates. With those of two crossed, the
part of the initial scales in a difference is the mean over rates of what they change, and the part of
the rates the mean over initial scales; the two add up to the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from dynparam.experiments.best_rate.settings import BestRateSettings, BestRateStage
from dynparam.experiments.best_rate.tried import Group, Tried, groups
from dynparam.statistics.compared import Asked, Compared, level_of
from dynparam.statistics.compared import judged as compared_table
from dynparam.statistics.judged import (
    CLAIM,
    CONTROL,
    SHOWN,
    below,
    beyond,
    within,
)
from dynparam.support.arrays import FloatArray
from dynparam.training.arms.quantities import QUANTITIES, SPEED, TEST_LOSS, Quantity

OWN_BEST = "each at its own best rate"
FIXED = "both at one rate"
PART_INITIAL = "part of the initial scales"
PART_RATES = "part of the layerwise rates"
MORE = "part of the initial scales less that of the rates"
OTHERS = "another scheme at its best rate"
FAR = "far from the best rate"


def judged(tables: Mapping[str, pd.DataFrame], settings: BestRateStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    own = settings.best_rate
    rows = (one for group in groups(own, tables) for one in _of_group(group, own))
    return compared_table(rows, settings.fit.confidence)


def best_table(tables: Mapping[str, pd.DataFrame], settings: BestRateStage) -> pd.DataFrame:
    """What every scheme comes to at its best rate, in the columns of ``tables.BEST``."""
    own = settings.best_rate
    return pd.DataFrame(
        [_best_row(tried, own) for group in groups(own, tables) for tried in group.tried.values()]
    )


def nearly_best(tried: Tried, share: float) -> FloatArray:
    """The rates at which a scheme comes within a share of the validation score of its best."""
    scores = tried.curves.scores()
    return np.asarray(tried.rates[scores <= (1 + share) * scores[tried.best]])


def crossed(group: Group, settings: BestRateSettings) -> dict[tuple[str, str], Tried] | None:
    """The four schemes of the two compared, by initial scales and rates; ``None`` if one is missing."""
    found = {
        (settings.schemes[name].initialization, settings.schemes[name].rates): tried
        for name, tried in group.tried.items()
    }
    first, second = (settings.schemes[name] for name in settings.compared)
    wanted = [
        (initial.initialization, rates.rates) for initial in (first, second) for rates in (first, second)
    ]
    return {key: found[key] for key in wanted} if set(wanted) <= set(found) else None


def _of_group(group: Group, settings: BestRateSettings) -> Iterator[Compared]:
    first, second = settings.compared
    if {first, second} <= set(group.tried):
        pair = group.tried[first], group.tried[second]
        yield from _pair(group, pair, settings)
        for name, tried in group.tried.items():
            if name not in (first, second):
                yield from _others(group, pair[0], tried)
    four = crossed(group, settings)
    if four is not None:
        yield from _parts(group, four, settings)
    for tried in group.tried.values():
        yield _control(group, tried, settings)


def _pair(group: Group, pair: tuple[Tried, Tried], settings: BestRateSettings) -> Iterator[Compared]:
    """The second of two schemes less the first: at the best rate of each, and at one rate."""
    fixed = [tried.place_of(settings.learning_rate) for tried in pair]
    for part, places in ((OWN_BEST, [tried.best for tried in pair]), (FIXED, fixed)):
        known = [place for place in places if place is not None]
        if len(known) == len(pair):
            chosen = list(zip(pair, known, strict=True))
            rates = dict.fromkeys(f"{tried.rates[place]:.4g}" for tried, place in chosen)
            for quantity in QUANTITIES:
                one, two = (tried.at(quantity, place) for tried, place in chosen)
                accepted = below(0.0) if quantity.lower else beyond(0.0)
                asked = Asked(CLAIM, 0.0, accepted, f"eta = {' and '.join(rates)}")
                yield _compared(part, quantity, group.setting, two - one, one, asked)


def _others(group: Group, first: Tried, other: Tried) -> Iterator[Compared]:
    for quantity in QUANTITIES:
        one, two = (tried.at(quantity, tried.best) for tried in (first, other))
        setting = f"{group.setting}, {other.scheme} less {first.scheme}"
        yield _compared(OTHERS, quantity, setting, two - one, one, Asked(SHOWN))


def _parts(
    group: Group, four: Mapping[tuple[str, str], Tried], settings: BestRateSettings
) -> Iterator[Compared]:
    """Whose merit the difference is, at the best rate of each of the four."""
    first, second = (settings.schemes[name].rates for name in settings.compared)
    for quantity in QUANTITIES:
        at = {key: tried.at(quantity, tried.best) for key, tried in four.items()}
        initial = (at[second, second] - at[first, second] + at[second, first] - at[first, first]) / 2
        rates = (at[second, second] - at[second, first] + at[first, second] - at[first, first]) / 2
        for part, values, asked in (
            (PART_INITIAL, initial, _asked_of_scales(quantity, second)),
            (PART_RATES, rates, Asked(SHOWN)),
            (MORE, initial - rates, _asked_of_both(quantity)),
        ):
            yield _compared(part, quantity, group.setting, values, at[first, first], asked)


def _asked_of_scales(quantity: Quantity, second: str) -> Asked:
    """Of the test loss, that the second's initial scales cost some."""
    if quantity != TEST_LOSS:
        return Asked(SHOWN)
    note = f"said to be above zero: the initial scales of {second} cost test loss"
    return Asked(CLAIM, 0.0, beyond(0.0), note)


def _asked_of_both(quantity: Quantity) -> Asked:
    """Of speed, that more of it is due to initial scales than to rates."""
    if quantity != SPEED:
        return Asked(SHOWN)
    note = "said to be below zero: speed is the initial scales' merit more than the rates'"
    return Asked(CLAIM, 0.0, below(0.0), note)


def _control(group: Group, tried: Tried, settings: BestRateSettings) -> Compared:
    """The rate some octaves below the best one, said to do as well; or the farthest that was tried."""
    best, metric = tried.best, settings.chosen_by
    whole = np.flatnonzero(tried.curves.whole.all(axis=1))
    down = best - settings.control_octaves
    far = down if down in whole else int(whole[np.abs(whole - best).argmax()])
    lower = metric.endswith("loss")
    quantity = Quantity(metric.replace("_", " "), metric, "best", lower)
    there, here = tried.at(quantity, far), tried.at(quantity, best)
    tolerance = settings.loss_tolerance if lower else settings.accuracy_tolerance
    note = f"eta = {tried.rates[far]:.4g} said to do as well as {tried.rates[best]:.4g}"
    asked = Asked(CONTROL, 0.0, within(0.0, tolerance), note)
    return _compared(FAR, quantity, f"{group.setting}, {tried.scheme}", there - here, here, asked)


def _compared(
    part: str, quantity: Quantity, setting: str, values: FloatArray, of: FloatArray, asked: Asked
) -> Compared:
    """A mean to be judged; ``of`` is what it is a difference of."""
    # Differences of two runs vary alike, whatever they are of, and parts as halves of two of them.
    kind = (part in (PART_INITIAL, PART_RATES), quantity.metric, quantity.place)
    return Compared(part, quantity.wording, setting, values, level_of(of), kind, asked)


def _best_row(tried: Tried, settings: BestRateSettings) -> dict[str, object]:
    curves, best = tried.curves, tried.best
    scheme, scores = settings.schemes[tried.scheme], curves.scores()
    near = nearly_best(tried, settings.nearly)
    edge = {0: "smallest", len(tried.rates) - 1: "largest"}.get(best, "")
    learning = tried.rates[curves.learns]
    return {
        "task": tried.task,
        "n": tried.network.n,
        "n_min": tried.network.n_min,
        "seeds": tried.network.seeds,
        "scheme": tried.scheme,
        "initialization": scheme.initialization,
        "rates": scheme.rates,
        "best_rate": float(tried.rates[best]),
        "edge": edge,
        "score": float(scores[best]),
        "near_low": float(near.min()),
        "near_high": float(near.max()),
        "largest_learning": float(learning.max()) if len(learning) else np.nan,
        **{
            f"{quantity.metric}_{quantity.place}": float(np.nanmean(tried.at(quantity, best)))
            for quantity in QUANTITIES
        },
    }
