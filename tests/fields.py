"""A small experiment on receptive fields that tests share: settings, images, and planted values."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynparam.data.images import Pair
from dynparam.experiments.receptive_fields.judge import judged
from dynparam.experiments.receptive_fields.settings import (
    FieldStage,
    FieldTrials,
    for_field_trials,
    for_fields,
)
from dynparam.experiments.receptive_fields.tables import (
    BLURRED,
    CORRELATED,
    DENSE,
    LOCAL,
    MEASURED,
    PERMUTED,
    WEIGHTED,
)
from tests.thesis import CONFIG

PAIR = "airplane-automobile"

ROOT = Path("results")

WHOLE: dict[str, Any] = CONFIG.receptive_fields.model_dump(mode="json")
"""The thesis's settings."""

SMALL: dict[str, Any] = {
    "pairs": [PAIR],
    "samples": 12,
    "test_samples": 16,
    "trials": 2,
    "grid": 3,
    "radii": [0.15, 0.3],
    "drawn": {"grid": 2, "units": 8, "images": 4},
}
"""Over these."""


class Whole(FieldTrials, FieldStage):
    """All blocks that the experiment depends on."""


def whole(changes: dict[str, Any] | None = None, *, small: bool = True) -> Whole:
    """The small experiment, or the thesis's; ``changes`` by dotted key."""
    own: dict[str, Any] = WHOLE | (SMALL if small else {})
    for key, value in (changes or {}).items():
        first, _, last = key.partition(".")
        own = own | {first: own[first] | {last: value} if last else value}
    blocks = CONFIG.model_dump(mode="json", include={"data", "inputs", "fit", "figures"})
    return Whole.model_validate(blocks | {"receptive_fields": own})


def trials(changes: dict[str, Any] | None = None) -> FieldTrials:
    """What measuring depends on."""
    return for_field_trials(whole(changes), PAIR)


def stage(changes: dict[str, Any] | None = None, *, small: bool = False) -> FieldStage:
    """What judging depends on, by default of the thesis's experiment."""
    return for_fields(whole(changes, small=small))


@cache
def images(count: int = 40) -> Pair:
    """Two classes of smooth images, one brighter below and one above; training and test ones differ."""
    random = np.random.default_rng(0)
    coarse = random.normal(size=(2 * count, 3, 4, 4))
    labels = (np.arange(2 * count) % 2).astype(np.uint8)
    coarse[:, :, :2] += np.where(labels, 1.0, -1.0)[:, None, None, None]
    smooth = np.kron(coarse, np.ones((8, 8))) + 0.3 * random.normal(size=(2 * count, 3, 32, 32))
    made = np.clip(128 + 40 * smooth, 0, 255).astype(np.uint8)
    return Pair(made[:count], labels[:count], made[count:], labels[count:])


PLANTED: dict[tuple[str, str], float] = {
    (DENSE, "displacement_square"): 0.8,
    (DENSE, "displacement_noise"): 0.25,
    (LOCAL, "displacement_square"): 0.76,
    (LOCAL, "displacement_noise"): 0.3,
    (WEIGHTED, "displacement_square"): 0.82,
    (WEIGHTED, "displacement_noise"): 0.26,
    (PERMUTED, "displacement_square"): 0.79,
    (PERMUTED, "displacement_noise"): 0.255,
    (CORRELATED, "displacement_square"): 0.9,
    (CORRELATED, "displacement_noise"): 0.15,
    (BLURRED, "displacement_square"): 0.9,
    (BLURRED, "displacement_noise"): 0.15,
}
"""Displacements: windows help against a square by 5 %, correlated weights against noise by 40 %."""

APART = {
    (DENSE, "apart_from_permuted"): 1e-8,
    (LOCAL, "apart_from_permuted"): 0.2,
    (CORRELATED, "apart_from_blurred"): 2e-8,
    (CORRELATED, "apart_from_dense"): 0.3,
    (LOCAL, "drawn_over_local"): 1.02,
    (LOCAL, "drawn_over_dense"): 1.12,
}


def planted(
    changes: dict[tuple[str, str], float] | None = None,
    settings: FieldStage | None = None,
    scatter: float = 0.005,
) -> dict[str, pd.DataFrame]:
    """By pair, values with a common factor in every trial and a scatter of each kind's own.

    What depends on the radius falls by 1 % from each to the next. Correlated weights and blurred images
    have no scatter beside each other.
    """
    own = (settings or stage()).receptive_fields
    random, values = np.random.default_rng(5), PLANTED | APART | (changes or {})
    found = {}
    for pair in own.pairs:
        rows: list[tuple[Any, ...]] = []
        for trial in range(own.trials):
            common = {name: 1 + 0.1 * random.normal() for name in ("square", "noise")}
            own_scatter = {kind: 1 + scatter * random.normal() for kind in (DENSE, LOCAL, WEIGHTED)}
            own_scatter[PERMUTED] = 1 + scatter * random.normal()
            own_scatter[CORRELATED] = own_scatter[BLURRED] = 1 + scatter * random.normal()
            for (kind, name), value in values.items():
                once = name.startswith(("apart", "drawn"))
                for place, at in enumerate(places(own, kind)[: 1 if once else None]):
                    factor = own_scatter[kind]
                    factor *= 1.0 if once else common[name.removeprefix("displacement_")]
                    rows.append((kind, at, trial, name, value * factor * 0.99**place))
            for kind in (DENSE, LOCAL, WEIGHTED, PERMUTED, CORRELATED, BLURRED):
                for at in places(own, kind):
                    level = {LOCAL: 0.82, CORRELATED: 0.79}.get(kind, 0.8) + 0.01 * random.normal()
                    rows += [
                        (kind, at, trial, f"accuracy_{name}", level)
                        for name in ("clean", "square", "noise")
                    ]
        found[pair] = pd.DataFrame(rows, columns=list(MEASURED.columns))
    return found


def places(own: Any, kind: str) -> tuple[float, ...]:
    """The radii or lengths of a kind."""
    if kind == DENSE:
        return (0.0,)
    if kind in (CORRELATED, BLURRED):
        return (own.correlation,)
    return own.radii[:1] if kind == PERMUTED else own.radii


@cache
def verdicts() -> pd.DataFrame:
    """``results/receptive_fields/verdicts.csv`` of the thesis's settings, from planted values."""
    return judged(planted(), stage())
