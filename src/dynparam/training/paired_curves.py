"""Runs of one seed under two parametrizations as pairs, and what their curves come to at one place.

Such runs share initial normals and batch order, so that their difference is free of what both share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dynparam.statistics.verdicts import Better
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.training.settings import LOSSES

JUMPS_PER = 50
"""Epochs for which jumps are counted."""


@dataclass(frozen=True)
class Quantity:
    """A column of a curve: its name in a sentence, and which side of zero is better."""

    wording: str
    better: Better


QUANTITIES = {
    "train_loss": Quantity("training loss", "lower"),
    "test_loss": Quantity("test loss", "lower"),
    "train_accuracy": Quantity("training accuracy", "higher"),
    "test_accuracy": Quantity("test accuracy", "higher"),
}
"""What is compared, by column of the curves."""

NEEDED = ("task", "parametrization", "seed", "epoch", *QUANTITIES)


@dataclass(frozen=True)
class PairedCurves:
    """Both runs of every seed that two tables of curves share, in the order of seeds.

    Attributes:
        task: the pair of classes.
        seeds: the seed of each pair (pairs,).
        first: values of the first parametrization (pairs, quantities, epochs); nan after a run's end.
        second: the same of the second.
        unpaired: how many seeds only the first table has, and how many only the second.
        draws: the draw of the images of each pair (pairs,).
    """

    task: str
    seeds: NDArray[np.int64]
    first: FloatArray
    second: FloatArray
    unpaired: tuple[int, int]
    draws: NDArray[np.int64]

    @property
    def last(self) -> int:
        """The last epoch."""
        return int(self.first.shape[2]) - 1

    def values(self, column: str, place: str, jump: float = 0.0) -> FloatArray:
        """A column of the curves at a place, of both runs of every pair (2, pairs).

        They are nan where one of the two runs has diverged by then.

        Args:
            column: one of ``QUANTITIES``.
            place: ``epoch 5``; ``area``, the trapezoid mean over epochs 0 to the last, in units of the
                quantity; ``last``, the last epoch; ``best``, each run's own best epoch; or ``jumps``,
                the epochs whose value exceeds that before by more than a share, for every ``JUMPS_PER``.
            jump: that share.
        """
        until = epoch_of(place)
        both = np.stack([self.first, self.second])[..., : (self.last if until is None else until) + 1]
        kept = np.isfinite(both).all(axis=(0, 2, 3))
        curves = both[:, kept, list(QUANTITIES).index(column)]
        if place == "area":
            found = np.asarray(np.trapezoid(curves)) / self.last
        elif place == "best":
            found = curves.min(axis=-1) if column in LOSSES else curves.max(axis=-1)
        elif place == "jumps":
            rises = curves[..., 1:] > (1 + jump) * curves[..., :-1]
            found = rises.sum(axis=-1) * JUMPS_PER / self.last
        else:
            found = curves[..., -1]
        values = np.full(both.shape[:2], np.nan)
        values[:, kept] = found
        return values


def pair_curves(
    first: pd.DataFrame,
    second: pd.DataFrame,
    parametrizations: Sequence[str],
    last: int | None = None,
    draw: int = 0,
) -> PairedCurves:
    """Pair the runs of two tables by seed, over epochs 0 to ``last`` (``None``: all they have).

    ``draw`` is that of their images.

    Raises ``DataError`` if the tables are not curves of the same task under those parametrizations,
    share fewer than two seeds, or hold a run that is incomplete though it did not diverge.
    """
    tables = (first, second)
    tasks = [_checked_task(*given) for given in zip(tables, parametrizations, strict=True)]
    if tasks[0] != tasks[1]:
        raise DataError(f"curves of {tasks[0]} and {tasks[1]} do not pair; compare one task at a time")
    end = max(int(table["epoch"].max()) for table in tables) if last is None else last
    if end < 1:
        raise DataError(f"the curves of {tasks[0]} end at initialization; train at least one epoch")
    seeds = [set(table["seed"]) for table in tables]
    common = sorted(seeds[0] & seeds[1])
    if len(common) < 2:
        raise DataError(
            f"the curves of {tasks[0]} under {' and '.join(parametrizations)} share fewer than two "
            f"seeds ({len(common)}); train two or more under both"
        )
    blocks = [_block(table, common, end) for table in tables]
    unpaired = (len(seeds[0] - seeds[1]), len(seeds[1] - seeds[0]))
    draws = np.full(len(common), draw)
    return PairedCurves(tasks[0], np.array(common), blocks[0], blocks[1], unpaired, draws)


def join_draws(draws: Sequence[PairedCurves]) -> PairedCurves:
    """The pairs of all draws of the images of a task. Raises ``DataError`` if the tasks differ."""
    tasks = list(dict.fromkeys(one.task for one in draws))
    if len(tasks) > 1:
        raise DataError(f"curves of {' and '.join(tasks)} are no draws of one task; pass those of one")
    unpaired = np.sum([one.unpaired for one in draws], axis=0)
    return PairedCurves(
        tasks[0],
        np.concatenate([one.seeds for one in draws]),
        np.concatenate([one.first for one in draws]),
        np.concatenate([one.second for one in draws]),
        (int(unpaired[0]), int(unpaired[1])),
        np.concatenate([one.draws for one in draws]),
    )


def _checked_task(table: pd.DataFrame, parametrization: str) -> str:
    """The one task of a table of curves that is what it should be."""
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise DataError(f"a table of curves lacks {', '.join(missing)}; make it again")
    tasks, found = table["task"].unique().tolist(), table["parametrization"].unique().tolist()
    if len(tasks) != 1 or found != [parametrization]:
        raise DataError(
            f"a table holds curves of {tasks} under {found} where one task under {parametrization} is "
            f"compared; pass its curves alone"
        )
    return str(tasks[0])


def _block(table: pd.DataFrame, seeds: Sequence[int], last: int) -> FloatArray:
    """Values of the seeds' runs (seeds, quantities, epochs 0 to last), nan where a run has no row."""
    block = np.full((len(seeds), len(QUANTITIES), last + 1), np.nan)
    runs = dict(iter(table[table["epoch"] <= last].sort_values("epoch").groupby("seed")))
    for k, seed in enumerate(seeds):
        run = runs.get(seed, table.iloc[:0])
        values = run[list(QUANTITIES)].to_numpy(dtype=float)
        ended = len(run) == last + 1 or not np.isfinite(values).all()
        if run["epoch"].tolist() != list(range(len(run))) or not ended:
            raise DataError(
                f"the curve of seed {seed} under {table['parametrization'].iloc[0]} on "
                f"{table['task'].iloc[0]} is not one row for each epoch from 0 to {last}, nor did it "
                f"diverge; train that run to its end"
            )
        block[k, :, : len(run)] = values.T
    return block


def epoch_of(place: str) -> int | None:
    """The epoch of a place that is a single one."""
    kind, _, number = place.partition(" ")
    return int(number) if kind == "epoch" else None
