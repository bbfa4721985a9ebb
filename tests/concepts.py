"""A small experiment on repeated inference that tests share, and planted measurements."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.concept_retrieval.judge import judged
from dynparam.experiments.concept_retrieval.measure import COLUMNS
from dynparam.experiments.concept_retrieval.settings import (
    ConceptRetrieval,
    ConceptStage,
    ConceptTrials,
)
from dynparam.settings.base import pick
from dynparam.theory.concept_retrieval import retained
from tests.thesis import CONFIG, with_block

WHOLE: dict[str, Any] = CONFIG.concept_retrieval.model_dump(mode="json")

SMALL: dict[str, Any] = {
    "clusters": WHOLE["clusters"]
    | {"dimensions": 8, "clusters": 3, "samples": 120, "centre_dimensions": 3, "within_dimensions": 4},
    "linear": {"latent": [1, 4], "steps": 800, "rate": 0.05, "trials": 2},
    "nonlinear": WHOLE["nonlinear"]
    | {"latent": 4, "hidden": 16, "steps": 200, "batch": 40, "trials": 2},
    "inference": {"patterns": 30, "noise": 1, "steps": 6},
}

BIG = [20.0, 12.0, 8.0, 6.0, 4.0, 2.5, 2.0]
"""Planted eigenvalues between clusters; then come 12 of them within, and 31 of noise."""

EIGENVALUES = np.array([*BIG, *np.linspace(1.3, 0.9, 12), *np.linspace(0.12, 0.08, 31)])


def settings(**changes: Any) -> ConceptRetrieval:
    """Some hundred patterns of eight numbers."""
    return ConceptRetrieval.model_validate(WHOLE | SMALL | changes)


def stage(**changes: Any) -> ConceptStage:
    """What drawing depends on, of the whole experiment."""
    return pick(ConceptStage, with_block("concept_retrieval", **changes))


def trials(**changes: Any) -> ConceptTrials:
    """What measuring and judging depend on, likewise."""
    return pick(ConceptTrials, stage(**changes))


def dip(start: float, least: float, end: float, time: int) -> np.ndarray:
    """Distances at 0 to 40 that fall to the least one at ``time``, and rise to the last one."""
    return np.interp(np.arange(41), [0, time, 40], [start, least, end])


@cache
def planted() -> pd.DataFrame:
    """As theory has it, with a scatter: t* = 3, least 0.3 of the start, at the end twice the least."""
    own, generator = trials().concept_retrieval, np.random.default_rng(0)
    rows: list[tuple[Any, ...]] = []
    for latent in own.linear.latent:
        kept = retained(EIGENVALUES, own.variance, latent)
        for trial in range(own.linear.trials):
            place = ("linear", "clusters", latent, trial)
            rates = kept + 1e-3 * generator.standard_normal(len(kept))
            for at, numbers in enumerate(zip(EIGENVALUES, rates, kept, strict=True), start=1):
                rows.append((*place, "eigenvalue", at, numbers[0], np.nan))
                rows.append((*place, "rate", at, *numbers[1:]))
            used = float(min(latent, 19))
            rows.append((*place, "map", 0, 0.005 + 1e-4 * trial, 0.0))
            rows.append((*place, "active", 0, used, used))
            rows.append((*place, "concept", 0, 0.9 if latent == 4 else 1.0, np.nan))
            size = 8 + 0.1 * trial
            for name, theory in (
                ("own", size * dip(1, 0.3, 0.6, 3)),
                ("wrong", 2 * size * dip(1, 0.7, 0.5, 20)),
            ):
                for at, expected in enumerate(theory):
                    value = expected * (1 + 1e-4 * generator.standard_normal())
                    rows.append((*place, name, at, value, expected))
    for trial in range(own.nonlinear.trials):
        for kind, least, end, time in (("clusters", 0.25, 2.5, 4), ("gaussian", 0.4, 0.8, 2)):
            place = ("nonlinear", kind, 16, trial)
            rows.append((*place, "radius", 0, 4.0, np.nan))
            shape = dip(1, least + 0.002 * trial, end * (1 + 0.1 * trial), time + trial % 2)
            for name, values in (("own", 8 * shape), ("wrong", 12 * dip(1, 0.8, 3, 6))):
                rows += [(*place, name, at, value, np.nan) for at, value in enumerate(values)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@cache
def verdicts() -> pd.DataFrame:
    """``results/concept_retrieval/verdicts.csv``, all as theory has it."""
    return judged(planted(), trials())
