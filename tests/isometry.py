"""A small experiment on depth that tests share: settings, and planted measurements."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from dynparam.configuration.config import Config
from dynparam.experiments.isometry.judge import expected_kernel, judged, theory_of
from dynparam.experiments.isometry.measure import COLUMNS
from dynparam.experiments.isometry.settings import IsometrySettings, IsometryStage
from dynparam.settings.base import pick
from dynparam.theory.isometry import ThreeLayers, isometry
from tests.thesis import CONFIG, with_block

SMALL: dict[str, Any] = {
    "trials": 2,
    "units": 40,
    "depths": [4, 6],
    "control_depth": 6,
    "three_layers": {"units": 40, "clipped": 0.75},
    "descent": {"units": 20, "depths": [4, 6], "trials": 2, "steps": 30, "noise": 1e-4},
    "bottlenecks": {
        "inputs": 10,
        "n": 12,
        "n_min": 4,
        "depths": [2, 4],
        "trials": 3,
        "parametrizations": ["ntk", "mup", "spectral", "dynamic", "standard"],
        "r": "1/2",
    },
}


def config(**changes: Any) -> Config:
    """The thesis's configuration with a small experiment."""
    return with_block("isometry", **{**SMALL, **changes})


def settings(**changes: Any) -> IsometrySettings:
    """Networks of some tens of units."""
    return config(**changes).isometry


def stage() -> IsometryStage:
    """What judging depends on, of the thesis's configuration."""
    return pick(IsometryStage, CONFIG)


@cache
def planted(ratio: float = 1.0, control: float = 12.0, rate: float = 2.0) -> pd.DataFrame:
    """What theory expects, with a scatter of 1 %: the largest eigenvalue but for a factor."""
    own, judging = CONFIG.isometry, stage()
    generator, rows = np.random.default_rng(0), []

    def add(part: str, depth: int, kind: str, trial: int, **quantities: float) -> None:
        """One network."""
        rows.extend((part, depth, kind, trial, name, 1, value) for name, value in quantities.items())

    def noise() -> float:
        """About one."""
        return 1 + 0.01 * generator.normal()

    for depth in own.depths:
        theory = theory_of(judging, depth)
        for trial in range(own.trials):
            largest = ratio * noise() * theory.largest_eigenvalue
            add(
                "spectrum", depth, "orthogonal", trial,
                largest=largest, exact=largest * (1 + 1e-14), multiplicity=200, unclipped=200,
                top=theory.top_mass * noise(), mean=theory.mean_eigenvalue * noise(),
            )  # fmt: skip
        rows += _spectrum("spectrum", depth, theory.largest_eigenvalue)
    three = ThreeLayers(isometry(3, own.three_layers.clipped))
    for trial in range(own.trials):
        low, _, high = (mass * noise() for mass in three.masses)
        add("three", 3, "orthogonal", trial, lowest=low, top=high)
        limit = theory_of(judging, own.control_depth).largest_eigenvalue
        largest = control * noise() * limit
        add("control", own.control_depth, "gaussian", trial, near=0.005 * noise(), largest=largest)
    rows += _spectrum("three", 3, three.network.largest_eigenvalue)
    for depth in own.descent.depths:
        for trial in range(own.descent.trials):
            largest = theory_of(judging, depth).largest_eigenvalue * noise()
            add("descent", depth, "orthogonal", trial, rate=rate * noise(), largest=largest)
    for name in own.bottlenecks.parametrizations:
        for depth in own.bottlenecks.depths:
            expected = expected_kernel(judging, name, depth)
            values = np.linspace(0.9, 1.1, own.bottlenecks.trials) * expected
            for trial, value in enumerate(values):
                add("bottleneck", depth, name, trial, kernel=value)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def scattered_stage() -> IsometryStage:
    """What judging ``scattered`` depends on: all that may differ differs from one part to the next."""
    return pick(
        IsometryStage,
        config(
            trials=4,
            control_depth=5,
            three_layers={"units": 50, "clipped": 0.6},
            descent={**SMALL["descent"], "depths": [2, 7], "trials": 4},
            bottlenecks={**SMALL["bottlenecks"], "trials": 4},
        ),
    )


@cache
def scattered() -> pd.DataFrame:
    """Numbers of which no two are alike: in no trial, quantity or network."""
    own = scattered_stage().isometry
    generator, rows = np.random.default_rng(0), []
    spectrum = ("largest", "exact", "multiplicity", "unclipped", "top", "near", "mean", "lowest")
    networks = [("spectrum", depth, "orthogonal", spectrum) for depth in own.depths]
    networks += [("three", 3, "orthogonal", spectrum), ("control", 5, "gaussian", spectrum[:-1])]
    networks += [("descent", depth, "orthogonal", ("rate", "largest")) for depth in own.descent.depths]
    networks += [
        ("bottleneck", depth, name, ("kernel",))
        for name in own.bottlenecks.parametrizations
        for depth in own.bottlenecks.depths
    ]
    for part, depth, kind, quantities in networks:
        for name in quantities:
            values = generator.lognormal(mean=1, sigma=0.3, size=4)
            rows += [(part, depth, kind, trial, name, 1, value) for trial, value in enumerate(values)]
        if part in ("spectrum", "three"):
            values = np.sort(generator.lognormal(size=9))[::-1]
            rows += [(part, depth, kind, 0, "eigenvalue", r, v) for r, v in enumerate(values, 1)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sample(frac=1, random_state=0)


@cache
def verdicts() -> pd.DataFrame:
    """``results/isometry/verdicts.csv``, from planted measurements: all as theory has it."""
    return judged(planted(), stage())


def _spectrum(part: str, depth: int, largest: float) -> list[tuple[Any, ...]]:
    """Ten eigenvalues of a first trial."""
    values = largest * np.linspace(1.0, 0.2, 10)
    return [
        (part, depth, "orthogonal", 0, "eigenvalue", rank, one) for rank, one in enumerate(values, 1)
    ]
