"""Verdicts: whether decay merges the two parametrizations' curves, and what the exponent r changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
import pandas as pd

from dynparam.experiments.weight_decay.compared import Decays, Size, all_decays, all_sizes
from dynparam.experiments.weight_decay.settings import WeightDecaySettings, WeightDecayStage
from dynparam.statistics.compared import Asked, Compared, level_of
from dynparam.statistics.compared import judged as compared_table
from dynparam.statistics.judged import CLAIM, CONTROL, SHOWN, beyond, within
from dynparam.support.arrays import FloatArray
from dynparam.training.arms.quantities import QUANTITIES, SPEED, TEST_LOSS, Quantity

DECAY = "weight decay"
LEVEL = "loss with decay"
SIZES = "size of updates, each at its best rate"
SIZES_FIXED = "size of updates, at one rate"

HALF = Fraction(1, 2)

MERGED = Quantity("test loss, last epoch", "test_loss", "last", lower=True)
"""What is to be the same once the initial scale is forgotten."""


def judged(tables: Mapping[str, pd.DataFrame], settings: WeightDecayStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    own = settings.weight_decay
    rows = [
        *(row for decays in all_decays(own, tables) for row in _of_decays(decays, settings)),
        *_of_sizes(all_sizes(own, tables), own),
    ]
    return compared_table(rows, settings.fit.confidence)


def forgotten(share: float, steps: int) -> float:
    """How often the decay of a run would have shrunk a weight by 1/e: eta lambda T."""
    return share * steps


LEARNT = 0.9
"""A network has learned if its training loss has fallen to less than this share of that at its start."""


def _of_decays(decays: Decays, settings: WeightDecayStage) -> Iterator[Compared]:
    """Differences with every decay; of those that forget, that there is none in the test loss.

    Where decay is so strong that nothing is learned, two losses that are alike say nothing.
    """
    own = settings.weight_decay
    for place, share in enumerate(decays.shares):
        exponent = forgotten(share, settings.steps)
        setting = f"{decays.task}, eta lambda = {share:.3g}"
        for quantity in QUANTITIES:
            values, of = (
                found[place]
                for found in (decays.difference(quantity), decays.at(decays.first, quantity))
            )
            merged = quantity == MERGED and exponent >= 1 and _learned(decays, place)
            note = f"eta lambda T = {exponent:.3g}"
            asked = Asked(CLAIM, 0.0, within(0.0, own.loss_tolerance), note)
            yield _row(
                DECAY, quantity, setting, values, of, asked if merged else Asked(SHOWN, note=note)
            )
        for name, curves in zip(own.parametrizations, (decays.first, decays.second), strict=True):
            values = decays.at(curves, MERGED)[place]
            yield _row(LEVEL, MERGED, f"{setting}, {name}", values, values, Asked(SHOWN))
    speed = decays.difference(SPEED)[0]
    note = "said to be none, without decay"
    asked = Asked(CONTROL, 0.0, within(0.0, own.loss_tolerance), note)
    setting = f"{decays.task}, {note}"
    yield _row(DECAY, SPEED, setting, speed, decays.at(decays.first, SPEED)[0], asked)


def _learned(decays: Decays, place: int) -> bool:
    """Whether one of the two parametrizations still learns with the decay of that place."""
    losses = [curves.of_metric("train_loss")[place] for curves in (decays.first, decays.second)]
    return any(loss[:, -1].mean() < LEARNT * loss[:, 0].mean() for loss in losses)


def _of_sizes(sizes: list[Size], settings: WeightDecaySettings) -> Iterator[Compared]:
    """Each size less r = 1/2, at the best rate of each and at one rate."""
    halves = {size.task: size for size in sizes if size.r == HALF}
    for size in sizes:
        yield _control(size, settings)
        half = halves.get(size.task)
        if half is None or size.r == HALF:
            continue
        fixed = int(np.flatnonzero(np.isclose(size.rates, settings.learning_rate))[0])
        for part, places in ((SIZES, (half.best, size.best)), (SIZES_FIXED, (fixed, fixed))):
            rates = f"eta = {half.rates[places[0]]:.4g} and {size.rates[places[1]]:.4g}"
            setting = f"{size.task}, r = {size.r} less r = 1/2"
            for quantity in QUANTITIES:
                of = half.at(quantity, places[0])
                values = size.at(quantity, places[1]) - of
                claim = part == SIZES and quantity == TEST_LOSS and size.r < HALF
                note = f"{rates}; said to be above zero" if claim else rates
                asked = Asked(CLAIM, 0.0, beyond(0.0), note) if claim else Asked(SHOWN, note=note)
                yield _row(part, quantity, setting, values, of, asked)


def _control(size: Size, settings: WeightDecaySettings) -> Compared:
    """The smallest rate tried, or the one farthest from the best, said to do as well as the best."""
    whole = np.flatnonzero(size.curves.whole.all(axis=1))
    far = int(whole[np.abs(whole - size.best).argmax()])
    quantity = Quantity("validation loss, far from the best rate", "validation_loss", "best", lower=True)
    here = size.at(quantity, size.best)
    note = f"eta = {size.rates[far]:.4g} said to do as well as {size.rates[size.best]:.4g}"
    asked = Asked(CONTROL, 0.0, within(0.0, settings.loss_tolerance), note)
    setting = f"{size.task}, r = {size.r}"
    return _row(SIZES, quantity, setting, size.at(quantity, far) - here, here, asked)


def _row(
    part: str, quantity: Quantity, setting: str, values: FloatArray, of: FloatArray, asked: Asked
) -> Compared:
    """A mean to be judged; ``of`` is what it is a difference of."""
    kind = (part == LEVEL, quantity.metric, quantity.place)
    return Compared(part, quantity.wording, setting, values, level_of(of), kind, asked)
