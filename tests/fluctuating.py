"""A small experiment on fluctuations that tests share, and planted measurements."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.fluctuations.judge import judged
from dynparam.experiments.fluctuations.kinds import kinds, scales_of
from dynparam.experiments.fluctuations.measure import COLUMNS
from dynparam.experiments.fluctuations.settings import FluctuationSettings, FluctuationStage
from dynparam.experiments.fluctuations.spread import COLUMNS as SPREAD_COLUMNS
from dynparam.settings.base import pick
from dynparam.support.arrays import FloatArray
from dynparam.theory.fluctuations import inverse_sum
from dynparam.theory.mean_field import mean_field
from tests.thesis import CONFIG

WHOLE: dict[str, Any] = CONFIG.fluctuations.model_dump(mode="json")

SMALL: dict[str, Any] = {
    "inputs": 16,
    "n": 40,
    "n_min": [4, 20],
    "bottlenecks": [1, 2],
    "main": 2,
    "trials": 60,
}

NETWORKS = ((1000, 10), (1000, 50), (5000, 250))
"""n and n_min of planted trainings, four draws of five seeds each."""


def settings(**changes: Any) -> FluctuationSettings:
    """Networks of some tens of units."""
    return FluctuationSettings.model_validate(WHOLE | SMALL | changes)


def stage(**changes: Any) -> FluctuationStage:
    """What judging depends on, of the whole experiment but for these changes."""
    whole = pick(FluctuationStage, CONFIG)
    own = FluctuationSettings.model_validate(WHOLE | changes)
    return whole.model_copy(update={"fluctuations": own})


def squares(hidden: tuple[int, ...], count: int, generator: np.random.Generator) -> FloatArray:
    """``||h||^2`` over its expectation, (count,), from numbers of active units: no network."""
    found = np.ones(count)
    for n in hidden:
        active = generator.binomial(n, 0.5, count)
        drawn = generator.chisquare(np.maximum(active, 1))
        found *= np.where(active > 0, drawn, 0.0) * 2 / n
    return found


@cache
def planted(own: FluctuationSettings | None = None, seed: int = 0) -> pd.DataFrame:
    """Trials that have the exact law: of ||h||^2, and of f given it."""
    own, generator = own or stage().fluctuations, np.random.default_rng(seed)
    parts = []
    for kind in kinds(own):
        widths = own.network(kind.bottlenecks, kind.n_min)
        scales = scales_of(own, kind.parametrization, widths)
        square = squares(widths.hidden, own.trials, generator)
        expected = float(mean_field(widths, scales, 1.0, float(own.inputs)).forward[-1])
        spread = scales.signal[-1] * np.sqrt(square * expected)
        outputs = spread[:, None] * generator.standard_normal((own.trials, own.outputs))
        outputs[:, 0] -= 1.0
        contribution = square * np.square(outputs).sum(axis=1)
        values = {**kind._asdict(), "trial": range(own.trials), "square": square}
        parts.append(pd.DataFrame({**values, "own": contribution, "alignment": 2 * contribution}))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


@cache
def planted_spread(exponent: float = 0.5, seeds: int = 5) -> pd.DataFrame:
    """Seeds whose spread has this exponent of sum 1/n_l under dynamic, the opposite under spectral.

    Their fall has 1/2 under both.
    """
    generator, rows = np.random.default_rng(0), []
    for task in ("airplane-automobile", "bird-cat"):
        for name, sign in (("dynamic", 1), ("spectral", -1)):
            for n, n_min in NETWORKS:
                total = inverse_sum((n, n_min, n, n_min, n))
                for draw in range(4):
                    for quantity, power in (("loss", sign * exponent), ("fall", 0.5)):
                        spread = 0.3 * total**power / 0.1**power
                        values = 0.4 * (1 + spread * generator.standard_normal(seeds))
                        found = values.mean(), values.var(ddof=1)
                        rows.append((task, name, n, n_min, draw, quantity, total, seeds, *found))
    return pd.DataFrame(rows, columns=list(SPREAD_COLUMNS))


@cache
def verdicts() -> pd.DataFrame:
    """``results/fluctuations/verdicts.csv``, all as theory has it but for seeds under spectral."""
    return judged(planted(), planted_spread(0.25), stage())
