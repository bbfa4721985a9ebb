"""The claims on training curves at other widths: the domain study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from dynparam.experiments.training_curves.claims import (
    QUANTITIES,
    _compare,
    _epochs,
    _outcome,
    pair_curves,
)
from dynparam.experiments.training_curves.settings import ClaimsStage
from dynparam.support.errors import DataError
from dynparam.training.settings import network_name

DOMAIN_COLUMNS = (
    "task",
    "n",
    "n_min",
    "metric",
    "epoch",
    "value",
    "ci_low",
    "ci_high",
    "effect_size",
    "seeds",
    "verdict",
)
"""The columns of the table of the domain study."""


def domain_files(settings: ClaimsStage, training: Path) -> dict[tuple[str, int, int], tuple[Path, Path]]:
    """Both tables of curves below ``training`` for every (task, n, n_min) of the domain study.

    The thesis's own network is one of them, on those of its tasks that the study has too.
    """
    first, second = settings.training.parametrizations
    found = {}
    for task in settings.domain.tasks:
        if task in settings.figures.training.values():
            key = (task, settings.protocol.n, settings.protocol.n_min)
            found[key] = (training / task / f"{first}.csv", training / task / f"{second}.csv")
        for size in settings.domain.networks:
            place = training / task / network_name(size.n, size.n_min)
            found[task, size.n, size.n_min] = (place / f"{first}.csv", place / f"{second}.csv")
    return found


def domain_table(
    settings: ClaimsStage,
    curves: Mapping[tuple[str, int, int], tuple[pd.DataFrame, pd.DataFrame]],
) -> pd.DataFrame:
    """The same comparisons on other networks, in ``DOMAIN_COLUMNS``.

    ``curves`` maps (task, n, n_min) to the curves of both parametrizations. All are cut to
    ``settings.domain.epochs``, so that networks trained longer are compared over the same epochs.
    ``epoch`` is a number or "area"; ``value`` is second - first in units of the quantity; ``seeds``
    counts the pairs compared. Raises ``DataError`` as ``judge_curves``, and for a run that ends before
    ``settings.domain.epochs`` though it did not diverge.
    """
    rows = []
    for (task, n, n_min), (first, second) in curves.items():
        last = settings.domain.epochs
        pairs = pair_curves(first, second, settings.training.parametrizations, last)
        if pairs.task != task:
            raise DataError(f"the curves of {pairs.task} stand for {task}; pass those of {task}")
        for metric in QUANTITIES:
            for epoch in _epochs(settings, last):
                found = _compare(settings, pairs, (n, n_min), metric, epoch)
                rows.append(
                    {
                        "task": task,
                        "n": n,
                        "n_min": n_min,
                        "metric": metric,
                        "epoch": epoch,
                        **_outcome(found, metric),
                        "effect_size": found.effect_size,
                        "seeds": found.count,
                    }
                )
    return pd.DataFrame(rows, columns=list(DOMAIN_COLUMNS))
