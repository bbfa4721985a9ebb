"""A small experiment on tasks in a row that tests share: settings, images, and planted errors."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.data.images import Pair
from dynparam.data.settings import Data, Inputs
from dynparam.experiments.continual_learning.judge import judged
from dynparam.experiments.continual_learning.measure import ERRORS, expectation, gaussian_problems
from dynparam.experiments.continual_learning.settings import (
    ContinualLearning,
    ContinualStage,
    ContinualTrials,
    for_continual,
    for_continual_trials,
)
from dynparam.settings.base import Block
from dynparam.settings.shared import Figures, Fit
from dynparam.settings.widths import Network

CONFIG = load(Config, [Path(__file__).parents[1] / "config" / "thesis.yaml"])

SMALL: dict[str, Any] = {
    "seed": 0,
    "gaussian": {
        "modes": 100,
        "decay": 1.5,
        "trials": 3,
        "targets": 2,
        "curve": {"first": 20, "seconds": [5, 20], "other": 0.5},
        "similarity": {"first": 20, "second": 20, "values": [0, 0.5, 1]},
        "others": [{"first": 40, "second": 4, "noise": 0.05}],
        "smooth_decay": 2.5,
        "smooth": {"first": 6, "second": 60, "values": [0, 1]},
    },
    "images": {
        "pair": "airplane-automobile",
        "pool": 40,
        "n": 16,
        "narrow": {"coefficient": "1/4", "exponent": 1},
        "trials": 3,
        "targets": 2,
        "curve": {"first": 10, "seconds": [4, 10], "other": 0.5},
        "similarity": {"first": 10, "second": 10, "values": [0, 1]},
        "others": [{"first": 20, "second": 2, "noise": 0}],
        "parametrizations": ["ntk", "mup", "dynamic"],
        "r": "1/2",
    },
    "tolerances": {"error": 0.03, "similarity": 0.1},
    "figure": "companion_continual",
}


class Whole(Block):
    """The blocks of a configuration that the experiment depends on."""

    data: Data
    inputs: Inputs
    network: Network
    fit: Fit
    figures: Figures
    continual_learning: ContinualLearning


def config(changes: dict[str, Any] | None = None) -> Whole:
    """The thesis's blocks with a small experiment; ``changes`` by dotted key."""
    own: dict[str, Any] = {**SMALL, "gaussian": {**SMALL["gaussian"]}, "images": {**SMALL["images"]}}
    for key, value in (changes or {}).items():
        *path, last = key.split(".")
        here = own
        for part in path:
            here[part] = {**here[part]}
            here = here[part]
        here[last] = value
    blocks = CONFIG.model_dump(mode="json", include={"data", "inputs", "network", "fit", "figures"})
    return Whole.model_validate(blocks | {"continual_learning": own})


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
def planted(factor: float = 1.0, count: int = 40) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Errors as theory has them with a scatter of 1 %, those of the second task times a factor.

    Images have theory's errors of the modes: what a kernel they have is another test's.
    """
    own = config().continual_learning
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
            measured.append(known | {"trial": trial} | noise)
    return pd.DataFrame(measured), pd.DataFrame(expected)


@cache
def verdicts() -> pd.DataFrame:
    """``results/continual_learning/verdicts.csv``, from planted errors: all as theory has it."""
    return judged(*planted(), stage())
