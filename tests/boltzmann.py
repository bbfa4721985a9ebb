"""A small experiment on attentional Boltzmann machines that tests share, and planted measurements."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.attentional_boltzmann.judge import judged
from dynparam.experiments.attentional_boltzmann.measure import COLUMNS, KINDS
from dynparam.experiments.attentional_boltzmann.settings import (
    AttentionalBoltzmannSettings,
    BoltzmannStage,
)
from dynparam.settings.base import pick
from dynparam.theory.attentional_boltzmann import excess_loss, growth_factor, mean_factor

CONFIG = load(Config, [Path(__file__).parents[1] / "config" / "thesis.yaml"])

WHOLE: dict[str, Any] = CONFIG.attentional_boltzmann.model_dump(mode="json")

SMALL: dict[str, Any] = {
    "growth": WHOLE["growth"] | {"samples": 100, "steps": 5, "trials": 2},
    "escape": WHOLE["escape"] | {"hidden": [2, 4], "rate": 0.2, "samples": 100, "trials": 2},
    "mixture": WHOLE["mixture"] | {"samples": [50, 100], "test_samples": 200, "trials": 3},
    "partition": WHOLE["partition"] | {"draws": 500, "trials": 2},
}


def settings(**changes: Any) -> AttentionalBoltzmannSettings:
    """Some tens of vectors."""
    return AttentionalBoltzmannSettings.model_validate(WHOLE | SMALL | changes)


def stage() -> BoltzmannStage:
    """What judging depends on, of the whole experiment."""
    return pick(BoltzmannStage, CONFIG)


@cache
def planted(
    factor: float = 1.0, slower: float = 1.0, excess: float = 1.0, beside: float = 1.1
) -> pd.DataFrame:
    """What theory expects, with a scatter, but for these factors."""
    own, generator = stage().attentional_boltzmann, np.random.default_rng(0)
    rows: list[tuple[Any, ...]] = []

    def add(part: str, kind: str, hidden: int, trial: int, **quantities: float) -> None:
        """One machine, one number of each."""
        rows.extend((part, kind, hidden, trial, name, 1, value) for name, value in quantities.items())

    def near(scatter: float) -> float:
        """About one."""
        return 1 + scatter * generator.standard_normal()

    for trial in range(own.partition.trials):
        add("partition", "normal", own.partition.hidden, trial, ratio=near(0.01))
    for hidden in own.growth.hidden:
        growth = growth_factor(own.eigenvalues, own.growth.rate, hidden)
        for trial in range(own.growth.trials):
            for place, value in enumerate(growth, start=1):
                for kind, times in (("centred", factor), ("shifted", beside)):
                    planted = value * times * near(1e-6)
                    rows.append(("growth", kind, hidden, trial, "factor", place, planted))
            mean = mean_factor(own.growth.rate, hidden)
            add("growth", "centred", hidden, trial, mean=mean * near(1e-6))
    for hidden in own.escape.hidden:
        for trial in range(own.escape.trials):
            for kind in KINDS:
                expected = 8.5 * hidden if kind == "fixed" else 34.0
                steps = expected * slower * near(0.02)
                add("escape", kind, hidden, trial, steps=steps, expected=expected)
    for samples in own.mixture.samples:
        expected = excess_loss(own.mixture.components, own.mixture.dimensions, samples)
        scatter = np.linspace(-0.3, 0.3, own.mixture.trials)
        for kind, times, share in (("apart", excess, 1.0), ("overlapping", 1.5, 0.6)):
            for trial, apart in enumerate(expected * (times + scatter)):
                for quantity, value in (("excess", apart), ("attention", share)):
                    rows.append(("mixture", kind, 3, trial, quantity, samples, value))
    return pd.DataFrame(rows, columns=list(COLUMNS))


@cache
def verdicts() -> pd.DataFrame:
    """``results/attentional_boltzmann/verdicts.csv``, all as theory has it."""
    return judged(planted(), stage())
