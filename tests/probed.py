"""A small experiment on networks looked at while they train, that tests share."""

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from dynparam.configuration.config import Config
from dynparam.data.images import Pair
from dynparam.experiments.through_training.judge import judged
from dynparam.experiments.through_training.measure import Subject
from dynparam.experiments.through_training.settings import ThroughRun, ThroughStage, for_through
from dynparam.experiments.through_training.tables import PROBES
from tests.thesis import CONFIG
from tests.training_runs import TASK, invented_pair, run_values

LOOKS = {"seed": 0, "images": 8, "every_epochs": 2}


def run_settings(probes: dict[str, Any] | None = None, **changes: Any) -> ThroughRun:
    """Settings of a run at widths of some tens; takes the arguments of ``run_values``."""
    through = {"probes": LOOKS | (probes or {})}
    return ThroughRun.model_validate(run_values(**changes) | {"through_training": through})


def subject(name: Any = "dynamic", pair: Pair | None = None, **changes: Any) -> Subject:
    """Its networks, on invented images."""
    return Subject(run_settings(**changes), TASK, name, pair or invented_pair())


def nobody(amount: float, note: str = "") -> None:
    """Progress that nobody is told of."""


CONFIG_STEPS = (0, 1, 2, 4, 8, 16, 32, 64, 320, 640)
"""Looks of the planted tables."""

PLANTED = {
    "dynamic": {
        "movement": 0.02,
        "cosine": 0.8,
        "participation": 12.0,
        "class_ratio": 0.2,
        "trace": 16.0,
    },
    "spectral": {
        "movement": 0.16,
        "cosine": 0.5,
        "participation": 2.0,
        "class_ratio": 2.0,
        "trace": 48.0,
    },
}
"""What the networks are like at the last look."""

START = {"dynamic": 2.0, "spectral": 0.005}
"""Their traces at the first."""


def through_stage(**changes: Any) -> ThroughStage:
    """What judging depends on, of the thesis's configuration unless changed."""
    values = CONFIG.model_dump(mode="json")
    values["through_training"] |= changes
    return for_through(Config.model_validate(values))


def planted(
    settings: ThroughStage | None = None, scatter: float = 0.01, **changes: dict[str, float]
) -> dict[tuple[str, str, str], pd.DataFrame]:
    """Tables of networks that end as ``PLANTED`` has it, but for ``changes`` by parametrization.

    Values scatter from seed to seed by ``scatter``, relative; traces go from ``START`` to their end on a
    line, in logarithms of step + 1.
    """
    settings = settings or through_stage()
    through, tables = settings.through_training, {}
    for task, network, name in product(through.tasks, through.networks, through.parametrizations):
        ends = PLANTED.get(name, PLANTED["dynamic"]) | changes.get(name, {})
        generator = np.random.default_rng([network.n, len(name), len(task)])
        rows = []
        for seed in range(network.seeds):
            noise = float(np.exp(scatter * generator.normal()))
            rows += [
                _planted_row(name, seed, step, layer, ends, noise, len(settings.network.hidden))
                for step, layer in product(CONFIG_STEPS, range(len(settings.network.hidden) + 2))
            ]
        tables[task, network.name, name] = pd.DataFrame(rows, columns=list(PROBES.columns))
    return tables


def _planted_row(
    name: str, seed: int, step: int, layer: int, ends: dict[str, float], noise: float, hidden: int
) -> tuple[Any, ...]:
    """A row of one layer at one step; layers move the more the later they are."""
    done = float(np.log1p(step) / np.log1p(CONFIG_STEPS[-1]))
    start, features = START.get(name, 2.0), 1 <= layer <= hidden
    return (
        name,
        seed,
        step,
        layer,
        0.5 - 0.4 * done,
        start * (ends["trace"] / start) ** done * noise,
        1 - (1 - ends["cosine"]) * done * noise,
        1 - (1.1 - ends["cosine"]) * done * noise,
        0.1 * noise,
        ends["movement"] * (1 + layer) * done * noise,
        20 * (ends["participation"] / 20) ** done * noise if features else np.nan,
        0.1 * (ends["class_ratio"] / 0.1) ** done * noise if features else np.nan,
    )


@cache
def verdicts() -> pd.DataFrame:
    """``results/through_training/verdicts.csv``, from planted tables: dynamic is the lazier network."""
    return judged(planted(), through_stage())
