"""A small experiment on lazy and rich training that tests share: settings, and planted tables."""

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.lazy_or_rich.indices import ENGINES, grid, trials
from dynparam.experiments.lazy_or_rich.judge import Tables, judged
from dynparam.experiments.lazy_or_rich.kernel_change import series
from dynparam.experiments.lazy_or_rich.settings import (
    LINEARIZED,
    LazinessStage,
    LazyOrRich,
    LinearizationStage,
    for_laziness,
)
from dynparam.theory.laziness import laziness_index
from dynparam.theory.parametrization import NAMES, layer_scales
from tests.networks import probe_stage
from tests.sweeps import grid as widths_block
from tests.thesis import CONFIG, figures_block


def lazy_block(**overrides: Any) -> dict[str, Any]:
    """The block of that name at widths of some tens; dotted keys override its entries."""
    block: dict[str, Any] = {
        "seed": 0,
        "inputs": 12,
        "families": {
            "constant_ratio": {"coefficient": "1/4", "exponent": 1},
            "sharpening": {"coefficient": 2, "exponent": "1/2"},
        },
        "linearization": {
            "pair": "airplane-automobile",
            "train_images": 8,
            "test_images": 6,
            "hidden_layers": 2,
            "widths": widths_block(16, 64, 2),
            "trials": 2,
            "step": 0.5,
            "steps": 20,
            "discrepancy_slope": -0.5,
            "kernel_slope": [-1.15, -0.7],
            "tolerance": 0.15,
        },
        "kernel_change": {
            "hidden": ["wide", "narrow", "wide"],
            "samples": 6,
            "widths": {
                "constant_ratio": widths_block(16, 64, 3),
                "sharpening": widths_block(16, 64, 2),
            },
            "r": [0, "1/2"],
            "trials": 2,
            "step": 0.25,
            "control_step": 0.5,
            "until": 0.1,
            "steps": 60,
            "tolerance": 0.25,
        },
        "index": {
            "hidden": ["wide", "narrow", "wide"],
            "widths": widths_block(64, 1024, 2),
            "trials": 3,
            "dense_widths": widths_block(16, 64, 2),
            "dense_trials": 2,
            "move": 1e-3,
            "slope_tolerance": 0.1,
            "value_tolerance": 0.25,
        },
        "identities": {
            "n": 20,
            "n_min": 6,
            "r": ["1/5"],
            "momenta": [0, 0.9],
            "steps": 10,
            "tolerance": 1e-12,
        },
        "figure": "companion_laziness",
    }
    for key, value in overrides.items():
        *parents, last = key.split("__")
        here = block
        for parent in parents:
            here = here[parent]
        here[last] = value
    return block


def lazy(**overrides: Any) -> LazyOrRich:
    """The block, checked; ``kernel_change__steps`` overrides ``kernel_change.steps``."""
    return LazyOrRich.model_validate(lazy_block(**overrides))


def linearization_stage(**overrides: Any) -> LinearizationStage:
    """Settings of training on images."""
    data = probe_stage().data.model_dump(mode="json")
    return LinearizationStage.model_validate({"data": data, "lazy_or_rich": lazy_block(**overrides)})


def laziness_stage(**overrides: Any) -> LazinessStage:
    """Settings of the judgement and the figure."""
    return LazinessStage.model_validate(
        {
            "lazy_or_rich": lazy_block(**overrides),
            "fit": {"seed": 0, "confidence": 0.95, "resamples": 999},
            "figures": figures_block(),
        }
    )


@cache
def verdicts() -> pd.DataFrame:
    """``results/lazy_or_rich/verdicts.csv`` of the thesis's settings, from trials that follow theory."""
    chosen = for_laziness(CONFIG)
    return judged(planted(chosen), chosen)


def planted(settings: LazinessStage, scatter: float = 0.01, seed: int = 0) -> Tables:
    """Tables of trials that follow theory, with lognormal scatter; controls come out as they should."""
    random = np.random.default_rng(seed)

    def near(value: float) -> float:
        """The value, scattered."""
        return float(value * np.exp(random.normal(0, scatter)))

    block = settings.lazy_or_rich
    return Tables(
        linearization=_linearization(block, near),
        kernel_change=_kernel_change(block, near),
        index=_index(block, near),
        identities=_identities(block),
    )


def _linearization(block: LazyOrRich, near: Any) -> pd.DataFrame:
    chosen = block.linearization
    powers = {"ntk": (-0.7, -0.9), "dynamic": (-0.2, 0.0)}
    return pd.DataFrame(
        {
            "parametrization": name,
            "n": n,
            "trial": trial,
            "discrepancy": near(n ** powers[name][0]),
            "discrepancy_limit": near(n ** powers[name][0]),
            "kernel_change": near(3 * n ** powers[name][1]),
            "loss": 1e-3,
            "rank": chosen.train_images,
        }
        for name, n, trial in product(LINEARIZED, chosen.widths.widths(), range(chosen.trials))
    )


def _kernel_change(block: LazyOrRich, near: Any) -> pd.DataFrame:
    chosen = block.kernel_change
    rows = []
    for family in block.families:
        for (name, r, step, n), trial in product(series(block, family), range(chosen.trials)):
            n_min = block.rule(family).n_min(n)
            power = 2 * r - 1 if name == "dynamic" else 0.0
            diverged = step == chosen.control_step and trial == 0
            rows.append(
                {
                    "family": family,
                    "parametrization": name,
                    "r": r,
                    "step": step,
                    "n": n,
                    "n_min": n_min,
                    "trial": trial,
                    "kernel_change": np.nan if diverged else near(9.0 * n_min**power),
                    "steps": 30,
                    "loss": np.nan if diverged else 0.09,
                    "outcome": "diverged" if diverged else "reached",
                    "rank": chosen.samples,
                }
            )
    return pd.DataFrame(rows)


def _index(block: LazyOrRich, near: Any) -> pd.DataFrame:
    rows = []
    for family, engine, name in product(block.families, ENGINES, NAMES):
        for n, trial in product(grid(block, engine).widths(), range(trials(block, engine))):
            widths = block.network(family, n, block.index.hidden)
            theory = laziness_index(widths, layer_scales(name, widths), float(block.inputs))
            rows += [
                {
                    "family": family,
                    "engine": engine,
                    "parametrization": name,
                    "n": n,
                    "n_min": widths.n_min,
                    "trial": trial,
                    "layer": layer + 1,
                    "index": near(theory[layer]),
                    "expected": theory[layer],
                }
                for layer in range(len(widths.hidden))
            ]
    return pd.DataFrame(rows)


def _identities(block: LazyOrRich) -> pd.DataFrame:
    chosen = block.identities
    rows = [("kernel", float(r), 0.0, 1e-15) for r in chosen.r]
    for r, momentum in product(chosen.r, chosen.momenta):
        rows += [("outputs", float(r), momentum, 2e-15), ("control", float(r), momentum, 1.5)]
    return pd.DataFrame(rows, columns=["identity", "r", "momentum", "difference"])
