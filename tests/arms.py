"""Curves of arms that tests share: planted ones, and the verdicts on those of the thesis's settings."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd

from dynparam.configuration.arms import all_arms
from dynparam.experiments.best_rate import judge as rates
from dynparam.experiments.best_rate.settings import for_best_rates
from dynparam.experiments.weight_decay import judge as decay
from dynparam.experiments.weight_decay.settings import for_decay
from dynparam.training.arms.settings import Arm, ArmsStage
from dynparam.training.arms.table import COLUMNS
from tests.thesis import CONFIG, with_block

RATES = with_block("best_rate", networks=CONFIG.model_dump(mode="json")["best_rate"]["networks"][:1])
"""The configuration with best rates of one network."""

SPREAD = 1e-3
"""Relative standard deviation of losses over seeds."""

OPTIMUM = {"spectral": 0.05, "mup": 0.05, "dynamic": 0.4}
"""The best rate, by initial scales."""

SPEED = {"spectral": 0.4, "mup": 0.4, "dynamic": 0.8}
"""Of the fall of the loss, by initial scales."""

FLOOR = {"spectral": 0.118, "mup": 0.12, "dynamic": 0.13}
"""Of the loss on images not trained on, by initial scales."""

Losses = Callable[[Arm, int], tuple[float, float]]
"""Training loss and that on other images, of an arm after an epoch."""


def losses(arm: Arm, epoch: int) -> tuple[float, float]:
    """Initial scales decide all but a little; decay leaves no difference; r below 1/2 costs."""
    name = arm.initialization
    octaves = abs(np.log2(arm.learning_rate / OPTIMUM[name]))
    speed = SPEED[name] * (1.1 if arm.parametrization == "dynamic" else 1.0) * 2.0**-octaves
    share = arm.weight_decay * arm.learning_rate
    floor = FLOOR[name] if share < 1e-3 else 0.125
    cost = 0.02 * max(0.5 - float(arm.r), 0.0)
    fall = float(np.exp(-speed * epoch))
    return 0.5 * fall + 1e-3, floor + cost + 0.4 * fall + 0.01 * octaves


def planted(stage: ArmsStage, of: Losses = losses, diverges: float = np.inf) -> pd.DataFrame:
    """The table of an arms' stage; runs at rates from ``diverges`` on end in epoch 2."""
    return pd.DataFrame(list(_rows(stage, of, diverges)), columns=list(COLUMNS))


def _rows(stage: ArmsStage, of: Losses, diverges: float) -> Iterator[tuple[object, ...]]:
    runs = ((arm, seed) for arm in stage.arms for seed in range(stage.seeds))
    for number, (arm, seed) in enumerate(runs):
        noise = 1 + SPREAD * np.random.default_rng(seed).normal(size=3)
        for epoch in range(stage.protocol.epochs + 1):
            train, other = of(arm, epoch)
            row = (train * noise[0], other * noise[1], other * noise[2], 1 - train, 1 - other, 1 - other)
            if arm.learning_rate >= diverges and epoch == 2:
                yield (stage.task, number, *arm.key, seed, epoch, *(np.nan,) * 6)
                break
            yield (stage.task, number, *arm.key, seed, epoch, *row)


@cache
def tables(experiment: str) -> dict[str, pd.DataFrame]:
    """The planted tables of an experiment, by place."""
    stages = all_arms(RATES)
    return {
        place: planted(stage) for place, stage in stages.items() if place.startswith(f"{experiment}/")
    }


@cache
def rate_verdicts() -> pd.DataFrame:
    """``results/best_rate/verdicts.csv``."""
    return rates.judged(tables("best_rate"), for_best_rates(RATES))


@cache
def best_rates() -> pd.DataFrame:
    """``results/best_rate/best.csv``."""
    return rates.best_table(tables("best_rate"), for_best_rates(RATES))


@cache
def decay_verdicts() -> pd.DataFrame:
    """``results/weight_decay/verdicts.csv``."""
    return decay.judged(tables("weight_decay"), for_decay(CONFIG))
