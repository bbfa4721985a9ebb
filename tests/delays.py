"""A small experiment on delays that tests share: settings, and planted delays."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.delay_law.cases import Case, parts
from dynparam.experiments.delay_law.judge import judged
from dynparam.experiments.delay_law.settings import DelayLaw, DelayStage
from dynparam.theory.delay import aligned_delay

CONFIG = load(Config, [Path(__file__).parents[1] / "config" / "thesis.yaml"])

BLOCK: dict[str, Any] = CONFIG.delay_law.model_dump(mode="json")
"""The thesis's configuration of it."""

SMALL: dict[str, Any] = {
    "n_min": 12,
    "trials": 2,
    "series": [
        {"bottlenecks": 1, "ratios": [2, 4, 8, 16]},
        {"bottlenecks": 2, "ratios": [2, 3, 4, 6]},
    ],
    "variants": {"bottlenecks": [1], "ratios": [2, 4], "trials": 2},
    "narrow_layers": {"ratio": 4, "n_min": [10, 20], "trials": 2},
    "families": {
        "trials": 2,
        "families": {
            "constant_ratio": {"narrow": {"coefficient": "1/2", "exponent": 1}, "widths": [50, 100]}
        },
    },
}


def block(**changes: Any) -> DelayLaw:
    """The thesis's settings of the experiment, changed; keys of a part are merged."""
    values = dict(BLOCK)
    for key, value in changes.items():
        values[key] = BLOCK[key] | value if isinstance(value, dict) else value
    return DelayLaw.model_validate(values)


def stage(**changes: Any) -> DelayStage:
    """What judging depends on, of the thesis's configuration unless changed."""
    own = block(**changes)
    return DelayStage(delay_law=own, fit=CONFIG.fit, figures=CONFIG.figures.only())


FLAT_STEPS = 5.0
"""Steps of what does not wait."""


def planted(
    own: DelayLaw,
    scatter: float = 0.04,
    off: float = 1.0,
    law: dict[int, int] | None = None,
    **exponents: float,
) -> pd.DataFrame:
    """Delays as theory has them, times ``off``, with a scatter.

    ``law`` says how many bottlenecks a series behaves as if it had, at the scale of theory's smallest;
    ``exponents`` are those of n along families, by parametrization.
    """
    random = np.random.default_rng(0)
    rows = []
    for case in [case for cases in parts(own).values() for case in cases]:
        steps = off * _steps(own, case, law or {}, exponents)
        for trial in range(case.trials):
            rows.append(case.row(trial, steps * np.exp(scatter * random.normal())))
    return pd.DataFrame(rows)


def _steps(own: DelayLaw, case: Case, law: dict[int, int], exponents: dict[str, float]) -> float:
    if case.part == "families" and (case.parametrization in exponents or not _waits(case)):
        return FLAT_STEPS * case.n ** exponents.get(case.parametrization, 0.0)
    if case.part == "series" and case.bottlenecks in law:
        return 10 * aligned_delay(case.n / case.n_min, law[case.bottlenecks])
    return case.expected()


def _waits(case: Case) -> bool:
    return case.parametrization == "spectral"


@cache
def verdicts() -> pd.DataFrame:
    """``results/delay_law/verdicts.csv``, from planted delays: all as theory has it."""
    return judged(planted(block()), stage())
