"""A small experiment on natural gradients that tests share: settings, images, and planted residuals."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.data.images import Pair
from dynparam.experiments.natural_gradient.controls import CONTROLS
from dynparam.experiments.natural_gradient.judge import judged
from dynparam.experiments.natural_gradient.measure import COLUMNS
from dynparam.experiments.natural_gradient.settings import (
    NaturalGradientSettings,
    NaturalGradientStage,
    NaturalGradientTrials,
)

CONFIG = load(Config, [Path(__file__).parents[1] / "config" / "thesis.yaml"])

BLOCK: dict[str, Any] = CONFIG.natural_gradient.model_dump(mode="json")
"""The thesis's configuration of it."""

SMALL: dict[str, Any] = {
    "trials": 2,
    "steps": 3,
    "gaussian": {"inputs": 12, "samples": 6, "widths": [30, 60]},
    "images": {"samples": 6, "widths": [30, 40]},
    "one_step": {"inputs": 8, "samples": 4, "widths": [40, 80], "trials": 2},
}


def block(**changes: Any) -> NaturalGradientSettings:
    """The thesis's settings of the experiment, changed; keys of a part are merged."""
    values = dict(BLOCK)
    for key, value in changes.items():
        values[key] = BLOCK[key] | value if isinstance(value, dict) else value
    return NaturalGradientSettings.model_validate(values)


def trials(**changes: Any) -> NaturalGradientTrials:
    """What measuring depends on, at widths of some tens."""
    own = block(**(SMALL | changes))
    data = CONFIG.data.of_pair(own.images.pair)
    return NaturalGradientTrials(data=data, inputs=CONFIG.inputs, natural_gradient=own)


def stage(**changes: Any) -> NaturalGradientStage:
    """What judging depends on, of the thesis's configuration unless changed."""
    own = block(**changes)
    return NaturalGradientStage(natural_gradient=own, fit=CONFIG.fit, figures=CONFIG.figures.only())


def images(count: int = 20) -> Pair:
    """A pair of classes whose images are noise."""
    noise = np.random.default_rng(0).integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    labels = (np.arange(count) % 2).astype(np.uint8)
    return Pair(noise, labels, noise, labels)


EXPONENTS = {"ntk": -0.3, "standard": -0.3, "dynamic": -0.05, "mup": 0.0, "spectral": 0.4}


def planted(
    off: float = 1.0, descent: float = 0.9, unscaled: float = 1e-6, **exponents: float
) -> pd.DataFrame:
    """Residuals as theory has them, but for a factor in the widest network, with a scatter of 0.2 %.

    Narrower ones are off by a tenth more. ``descent`` and ``unscaled`` are what the controls leave, and
    ``exponents`` those of n of one full step, by parametrization.
    """
    own = block()
    generator, rows = np.random.default_rng(1), []
    for part, layers in (("gaussian", own.gaussian), ("images", own.images)):
        for n in layers.widths:
            factor = off if n == layers.widths[-1] else off + 0.1
            for method in (*layers.tolerances, *CONTROLS):
                for trial in range(own.trials):
                    noise = 1 + 0.002 * generator.normal()
                    for step in range(1, own.steps + 1):
                        left = (1 - own.step) ** step * (factor if step == own.steps else 1.0)
                        if method in CONTROLS:
                            last = descent if method == "gradient" else unscaled
                            left = last ** (step / own.steps)
                        rows.append((part, n, "ntk", method, trial, step, left * noise))
    for n in own.one_step.widths:
        for method in own.one_step.approximations:
            for trial in range(own.one_step.trials):
                noise = np.exp(0.1 * generator.normal())
                for name in own.one_step.parametrizations:
                    power = (EXPONENTS | exponents)[name]
                    other = 1.01 if (name, method) == ("standard", "exact") else 1.0
                    left = other * noise * n**power
                    rows.append(("one_step", n, name, method, trial, 1, left))
    return pd.DataFrame(rows, columns=list(COLUMNS))


@cache
def verdicts() -> pd.DataFrame:
    """``results/natural_gradient/verdicts.csv``, from planted residuals: all as theory has it."""
    return judged(planted(), stage())
