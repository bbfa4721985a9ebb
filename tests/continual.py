"""A small experiment on tasks in a row that tests share: settings, images, and planted errors."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from dynparam.configuration.config import Config
from dynparam.data.images import Pair
from dynparam.experiments.continual_learning.judge import judged
from dynparam.experiments.continual_learning.measure import ERRORS, expectation, gaussian_problems
from dynparam.experiments.continual_learning.settings import (
    ContinualStage,
    ContinualTrials,
    for_continual,
    for_continual_trials,
)
from tests.thesis import CONFIG

SMALL: dict[str, Any] = {
    "gaussian": {
        "modes": 100,
        "trials": 3,
        "targets": 2,
        "curve": {"first": 20, "seconds": [5, 20]},
        "similarity": {"first": 20, "second": 20, "values": [0, 0.5, 1]},
        "others": [{"first": 40, "second": 4, "noise": 0.05}],
        "smooth": {"first": 6, "second": 60, "values": [0, 1]},
    },
    "images": {
        "pool": 40,
        "n": 16,
        "trials": 3,
        "targets": 2,
        "curve": {"first": 10, "seconds": [4, 10]},
        "similarity": {"first": 10, "second": 10, "values": [0, 1]},
        "others": [{"first": 20, "second": 2, "noise": 0}],
        "parametrizations": ["ntk", "mup", "dynamic"],
    },
}
"""Over the thesis's settings."""


def config(changes: dict[str, Any] | None = None) -> Config:
    """The thesis's configuration with a small experiment; ``changes`` by dotted key."""
    values = CONFIG.model_dump(mode="json")
    own = values["continual_learning"]
    for part, overlay in SMALL.items():
        for key, value in overlay.items():
            own[part][key] = own[part][key] | value if isinstance(value, dict) else value
    for key, value in (changes or {}).items():
        *path, last = key.split(".")
        here = own
        for part in path:
            here = here[part]
        here[last] = value
    return Config.model_validate(values)


def trials(changes: dict[str, Any] | None = None) -> ContinualTrials:
    """What measuring depends on."""
    return for_continual_trials(config(changes))


def stage(changes: dict[str, Any] | None = None) -> ContinualStage:
    """What judging depends on."""
    return for_continual(config(changes))


def images(count: int = 60) -> Pair:
    """A pair of classes whose images are noise."""
    noise = np.random.default_rng(0).integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    labels = (np.arange(count) % 2).astype(np.uint8)
    return Pair(noise, labels, noise, labels)


@cache
def planted(
    factor: float = 1.0, count: int = 40, *, whole: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Errors as theory has them with a scatter of 1 %, those of the second task times a factor.

    Of the small experiment, or of the thesis's.

    Images have theory's errors of the modes: what a kernel they have is another test's. In the thesis's
    a pool adds a fifth of N/P to errors of the second task alone.
    """
    own = (CONFIG if whole else config()).continual_learning
    generator, measured, expected = np.random.default_rng(1), [], []
    for problem in gaussian_problems(own):
        for rows in problem.rows:
            expected += expectation(problem, rows)
    modes = next(gaussian_problems(own))
    for name in own.images.parametrizations:
        for rows in own.images.rows(name):
            key = {"part": "images", "scales": name, "laziness": 0.1}
            expected += [row | key for row in expectation(modes, rows)]
    for row in expected:
        known = {name: value for name, value in row.items() if name not in ("critical", "laziness")}
        for trial in range(count):
            noise = {name: row[name] * (1 + 0.01 * generator.normal()) for name in ERRORS}
            noise["error_second"] *= factor
            if whole and row["part"] == "images":
                noise["error_alone"] *= 1 + row["second"] / own.images.pool / 5
            measured.append(known | {"trial": trial} | noise)
    return pd.DataFrame(measured), pd.DataFrame(expected)


@cache
def verdicts() -> pd.DataFrame:
    """``results/continual_learning/verdicts.csv``, from planted errors: all as theory has it."""
    return judged(*planted(), stage())


@cache
def whole_verdicts() -> pd.DataFrame:
    """The same of the thesis's settings."""
    return judged(*planted(whole=True), for_continual(CONFIG))
