"""The table of the curves of arms: a row for every run and epoch, with what its arm varies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynparam.support.errors import DataError
from dynparam.support.tables import ANY, NUMBER, TEXT, WHOLE, Form, read_csv
from dynparam.theory.parametrization import NAMES
from dynparam.training.archive import one_of_each
from dynparam.training.arms.settings import Arm, ArmsStage
from dynparam.training.summary import VALIDATED_METRICS
from dynparam.training.table_archive import Kind

VARIED = ("initialization", "parametrization", "learning_rate", "weight_decay", "r")
"""The columns that tell arms apart; ``parametrization`` is the one whose rates are taken."""

FORM = Form(
    {
        "task": TEXT,
        "run": WHOLE,
        "initialization": NAMES,
        "parametrization": NAMES,
        "learning_rate": NUMBER,
        "weight_decay": NUMBER,
        "r": NUMBER,
        "seed": WHOLE,
        "epoch": WHOLE,
        **dict.fromkeys(VALIDATED_METRICS, ANY),
    },
    key=(*VARIED, "seed", "epoch"),
)
"""``run`` numbers the runs of a table. One that diverged ends in the epoch it did so."""

COLUMNS = tuple(FORM.columns)

KIND = Kind(FORM, measured="train_arms", audited="audit_arms", run="run")

Part = tuple[pd.DataFrame, Sequence[Mapping[str, Any]]]
"""A table, and what made its runs: entries with ``seeds`` and ``diverged`` by the numbers of runs."""


def of_arm(table: pd.DataFrame, arm: Arm) -> pd.DataFrame:
    """The rows of an arm's runs."""
    return table[_is_of(table, arm)]


def without(table: pd.DataFrame, arms: Iterable[Arm], seeds: int) -> dict[Arm, list[int]]:
    """The seeds 0 ... ``seeds`` - 1 that a table lacks, by arm; arms that lack none are left out."""
    found = {arm: set(of_arm(table, arm)["seed"]) for arm in arms}
    lacking = {arm: [seed for seed in range(seeds) if seed not in found[arm]] for arm in found}
    return {arm: missing for arm, missing in lacking.items() if missing}


def lacking(path: Path, settings: ArmsStage) -> bool:
    """Whether an archived table lacks a run that is asked for, or is not there.

    Raises ``DataError`` if it is no table of arms.
    """
    if not path.exists():
        return True
    return bool(without(read_csv(path, FORM), settings.arms, settings.seeds))


def chosen(table: pd.DataFrame, arms: Sequence[Arm], seeds: int, path: Path) -> pd.DataFrame:
    """The runs of those arms and seeds alone. Raises ``DataError`` naming ``path`` if it lacks some."""
    lacks = without(table, arms, seeds)
    if lacks:
        arm, missing = next(iter(lacks.items()))
        raise DataError(
            f"{path}: it lacks seed {missing[0]} of {arm.sentence()}, and runs of {len(lacks)} arms "
            f"in all; run snakemake --cores all archive_arms, or set training.reuse to none"
        )
    parts = [of_arm(table, arm) for arm in arms]
    whole = pd.concat([part[part["seed"] < seeds] for part in parts], ignore_index=True)
    return whole[list(COLUMNS)]


def merged(parts: Sequence[Part]) -> Part:
    """All runs in one table, numbered anew. Raises ``DataError`` if a run is in two."""
    tables: list[pd.DataFrame] = []
    origins: list[Mapping[str, Any]] = []
    count = 0
    for table, made in parts:
        old = sorted(table["run"].unique().tolist())
        numbers = {run: count + place for place, run in enumerate(old)}
        count += len(numbers)
        tables.append(table.assign(run=table["run"].map(numbers)))
        origins += [_renumbered(origin, numbers) for origin in made]
    found = pd.concat(tables, ignore_index=True)
    twice = found[found.duplicated([*VARIED, "seed", "epoch"])]
    if len(twice):
        row = twice.iloc[0]
        raise DataError(
            f"seed {row['seed']} of {row['parametrization']}, eta = {row['learning_rate']:.4g}, is in "
            f"several tables; give each run once"
        )
    return found[list(COLUMNS)], one_of_each(origins)


def diverged_in(run: pd.DataFrame, epochs: int) -> int | None:
    """The epoch a run diverged in, ``None`` if it went on to the last."""
    last = int(run["epoch"].max())
    return last if last < epochs or not _finite(run) else None


def _finite(run: pd.DataFrame) -> bool:
    last = run.sort_values("epoch")[list(VALIDATED_METRICS)].to_numpy(float)[-1]
    return bool(np.isfinite(last).all())


def _is_of(table: pd.DataFrame, arm: Arm) -> pd.Series:
    """Which rows are of an arm."""
    found = pd.Series(True, index=table.index)
    for name, value in zip(VARIED, arm.key, strict=True):
        found &= table[name] == value
    return found


def _renumbered(origin: Mapping[str, Any], numbers: Mapping[int, int]) -> dict[str, Any]:
    kept = {
        name: {str(numbers[int(run)]): value for run, value in origin[name].items()}
        for name in ("seeds", "diverged")
    }
    return {**origin, **kept}
