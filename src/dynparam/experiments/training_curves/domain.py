"""The claims on training curves at other widths: the domain study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from dynparam.experiments.training_curves.claims import Comparison, Judged, comparisons, judge
from dynparam.experiments.training_curves.settings import ClaimsStage
from dynparam.support.errors import DataError
from dynparam.training.paired_curves import join_draws, pair_curves
from dynparam.training.settings import network_name

DOMAIN_COLUMNS = (
    "task",
    "n",
    "n_min",
    "metric",
    "epoch",
    "first",
    "value",
    "ci_low",
    "ci_high",
    "p_value",
    "effect_size",
    "seeds",
    "draws",
    "verdict",
)
"""The columns of the table of the domain study."""

Network = tuple[str, int, int]
"""A task with n and n_min of a network."""

Both = tuple[Path, Path]
"""The tables of curves of both parametrizations."""


def domain_files(settings: ClaimsStage, training: Path) -> dict[Network, list[Both]]:
    """Both tables of curves below ``training`` of every network of the domain study, a pair a draw.

    The thesis's own network is one of them, on those of its tasks that the study has too.
    """
    first, second = settings.training.parametrizations
    found = {}
    for task in settings.domain.tasks:
        if task in settings.figures.training.values():
            key = (task, settings.protocol.n, settings.protocol.n_min)
            found[key] = [(training / task / f"{first}.csv", training / task / f"{second}.csv")]
        for size in settings.domain.networks:
            places = [
                training / task / network_name(size.n, size.n_min, draw) for draw in range(size.draws)
            ]
            found[task, size.n, size.n_min] = [
                (place / f"{first}.csv", place / f"{second}.csv") for place in places
            ]
    return found


def domain_table(
    settings: ClaimsStage,
    curves: Mapping[Network, Sequence[tuple[pd.DataFrame, pd.DataFrame]]],
) -> pd.DataFrame:
    """The same comparisons on other networks, in ``DOMAIN_COLUMNS``.

    ``curves`` maps (task, n, n_min) to the curves of both parametrizations, a pair for each draw of the
    images. All are cut to ``settings.domain.epochs``, so that networks trained longer are compared over
    the same epochs. ``epoch`` is a number, "area", "best" or "jumps"; ``first`` is the mean of the first
    parametrization and ``value`` second - first, both in units of the quantity; ``seeds`` counts the
    pairs compared and ``draws`` the draws of their images. Raises ``DataError`` as ``judge_all``, and
    for a run that ends before ``settings.domain.epochs`` though it did not diverge.
    """
    compared = [
        (*key, one) for key, draws in curves.items() for one in _comparisons(settings, key, draws)
    ]
    judged = judge(settings, compared)
    rows = [_row(*key[:3], result) for key, result in zip(compared, judged, strict=True)]
    return pd.DataFrame(rows, columns=list(DOMAIN_COLUMNS))


def _comparisons(
    settings: ClaimsStage, key: Network, draws: Sequence[tuple[pd.DataFrame, pd.DataFrame]]
) -> list[Comparison]:
    names, last = settings.training.parametrizations, settings.domain.epochs
    pairs = join_draws(
        [pair_curves(first, second, names, last, draw) for draw, (first, second) in enumerate(draws)]
    )
    if pairs.task != key[0]:
        raise DataError(f"the curves of {pairs.task} stand for {key[0]}; pass those of {key[0]}")
    return comparisons(pairs, settings.claims)


def _row(task: str, n: int, n_min: int, judged: Judged) -> dict[str, object]:
    one = judged.comparison
    return {
        "task": task,
        "n": n,
        "n_min": n_min,
        "metric": one.column,
        "epoch": one.place.removeprefix("epoch "),
        "first": float(one.first.mean()) if len(one.first) else float("nan"),
        **judged.row(),
        "effect_size": judged.found.effect_size,
        "seeds": judged.found.count,
        "draws": len(set(one.draws.tolist())),
    }
