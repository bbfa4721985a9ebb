"""The thesis's claims on training curves (Sec. 3.3, Figs. 3.4 and 3.5), judged pair by pair.

Runs of the same seed under two parametrizations share initial normals and batch order, so that their
difference is free of what both share. A claim always speaks for the second parametrization.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from dynparam.experiments.training_curves.settings import ClaimsStage
from dynparam.presentation.numbers import percent, signed
from dynparam.presentation.sentences import figure_title
from dynparam.statistics.differences import PairedDifference, paired_difference
from dynparam.statistics.estimates import UNKNOWN
from dynparam.statistics.verdicts import Better, claim_verdict
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.support.randomness import seed_sequence

COLUMNS = ("claim", "source", "metric", "value", "ci_low", "ci_high", "verdict", "note")
"""The columns of the table of claims."""


Epoch = int | Literal["area"]


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
        first: values of the first parametrization (pairs, quantities, epochs); nan after a run's end.
        second: the same of the second.
        unpaired: how many seeds only the first table has, and how many only the second.
    """

    task: str
    first: FloatArray
    second: FloatArray
    unpaired: tuple[int, int]

    @property
    def last(self) -> int:
        """The last epoch."""
        return int(self.first.shape[2]) - 1

    def values(self, metric: str, epoch: Epoch) -> tuple[FloatArray, FloatArray]:
        """Both sides (pairs,) of the pairs of which neither run has diverged by then.

        The area under a curve is the trapezoid mean over epochs 0 to the last, in units of the quantity.
        """
        until = self.last if epoch == "area" else epoch
        both = np.concatenate([self.first, self.second], axis=1)[:, :, : until + 1]
        kept = np.isfinite(both).all(axis=(1, 2))
        column = list(QUANTITIES).index(metric)
        first, second = self.first[kept, column], self.second[kept, column]
        if epoch == "area":
            return np.trapezoid(first) / self.last, np.trapezoid(second) / self.last
        return first[:, epoch], second[:, epoch]


def judge_curves(
    settings: ClaimsStage, source: str, first: pd.DataFrame, second: pd.DataFrame
) -> pd.DataFrame:
    """The claims on one task's curves, in ``COLUMNS``: each quantity at each epoch, and its area.

    ``first`` and ``second`` are curves of ``settings.training.parametrizations`` in this order, with
    columns task, parametrization, seed, epoch, the losses and the accuracies; ``source`` names the
    figure they are shown in. Epochs that the curves do not reach are left out; the area is over all of
    theirs.
    ``value`` is second - first in units of the quantity. A pair counts until one of its runs diverges; a
    comparison left with fewer than two pairs is undecided, its numbers nan.

    Raises ``DataError`` if the tables are not curves of the same task under those parametrizations,
    share fewer than two seeds, or hold a run that is incomplete though it did not diverge.
    """
    pairs = pair_curves(first, second, settings.training.parametrizations)
    network = (settings.protocol.n, settings.protocol.n_min)
    rows = []
    for metric, quantity in QUANTITIES.items():
        for epoch in _epochs(settings, pairs.last):
            found = _compare(settings, pairs, network, metric, epoch)
            rows.append(
                {
                    "claim": f"{pairs.task}: {settings.training.parametrizations[1]} has the "
                    f"{quantity.better} {quantity.wording}",
                    "source": source,
                    "metric": f"{metric} area" if epoch == "area" else f"{metric} epoch {epoch}",
                    **_outcome(found, metric),
                    "note": _note(settings, pairs, found),
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def judge_all(settings: ClaimsStage, curves: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """The claims on the curves of all figures, in ``COLUMNS``; keys are (figure, parametrization).

    Raises as ``judge_curves`` does.
    """
    first, second = settings.training.parametrizations
    parts = [
        judge_curves(settings, figure_title(figure), curves[figure, first], curves[figure, second])
        for figure in settings.figures.training
    ]
    return pd.concat(parts, ignore_index=True)


def pair_curves(
    first: pd.DataFrame,
    second: pd.DataFrame,
    parametrizations: Sequence[str],
    last: int | None = None,
) -> PairedCurves:
    """Pair the runs of two tables by seed, over epochs 0 to ``last`` (``None``: all they have).

    Raises ``DataError`` as ``judge_curves``.
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
    return PairedCurves(tasks[0], blocks[0], blocks[1], unpaired)


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


def _epochs(settings: ClaimsStage, last: int) -> list[Epoch]:
    return [*(epoch for epoch in settings.claims.epochs if epoch <= last), "area"]


def _compare(
    settings: ClaimsStage,
    pairs: PairedCurves,
    network: tuple[int, int],
    metric: str,
    epoch: Epoch,
) -> PairedDifference:
    first, second = pairs.values(metric, epoch)
    seed = seed_sequence(settings.fit.seed, "claims", pairs.task, *network, metric, epoch)
    if len(first) < 2:
        return PairedDifference(UNKNOWN, np.nan, len(first), "student")
    return paired_difference(
        first,
        second,
        confidence=settings.fit.confidence,
        resamples=settings.fit.resamples,
        generator=np.random.default_rng(seed),
    )


def _outcome(found: PairedDifference, metric: str) -> dict[str, object]:
    return {
        **found.mean.row("value"),
        "verdict": claim_verdict(*found.mean.interval, better=QUANTITIES[metric].better),
    }


def _note(settings: ClaimsStage, pairs: PairedCurves, found: PairedDifference) -> str:
    """What a reader needs to know of a comparison besides its numbers."""
    total = len(pairs.first)
    parts = [f"{found.count} pairs" if found.count != 1 else "1 pair"]
    if found.count >= 2:
        known = not np.isnan(found.effect_size)
        parts.append(
            f"effect size d_z = {signed(found.effect_size, 2)}" if known else "effect size undefined"
        )
        kind = {"bootstrap": "BCa bootstrap", "student": "Student's t"}[found.interval]
        parts.append(f"{percent(settings.fit.confidence)} interval: {kind}")
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
