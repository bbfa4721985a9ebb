"""A small experiment on softmax that tests share: settings, images, and planted eigenvalues."""

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from dynparam.configuration.config import Config
from dynparam.data.images import Pair
from dynparam.experiments.softmax_fisher.judge import judged
from dynparam.experiments.softmax_fisher.measure import COLUMNS
from dynparam.experiments.softmax_fisher.settings import SoftmaxStage, SoftmaxTrials
from dynparam.experiments.softmax_fisher.tables import HE
from dynparam.settings.base import pick
from tests.thesis import CONFIG, with_block

SMALL: dict[str, Any] = {
    "trials": 3,
    "samples": 6,
    "ranks": 5,
    "gaussian": {"inputs": 20, "hidden": [15, 12], "outputs": 3},
    "images": {"widths": [8, 16], "narrow": {"coefficient": "1/4", "exponent": 1}, "outputs": 4},
}


def config(**changes: Any) -> Config:
    """The thesis's configuration with a small experiment."""
    return with_block("softmax_fisher", **{**SMALL, **changes})


def trials(**changes: Any) -> SoftmaxTrials:
    """What measuring depends on, at widths of some tens."""
    return pick(SoftmaxTrials, config(**changes))


def stage(**changes: Any) -> SoftmaxStage:
    """What judging depends on, of the thesis's configuration unless changed."""
    return pick(SoftmaxStage, with_block("softmax_fisher", **changes))


def images(count: int = 20) -> Pair:
    """A pair of classes whose images are noise."""
    noise = np.random.default_rng(0).integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    labels = (np.arange(count) % 2).astype(np.uint8)
    return Pair(noise, labels, noise, labels)


@cache
def planted(ratio: float = 1.0, spread: float = 4.0) -> pd.DataFrame:
    """Eigenvalues as theory has them, but for a factor, with a scatter of 1 %.

    Outliers of ntk and standard spread ``spread`` times as far as those of the squared loss, the others'
    as far.
    """
    own = CONFIG.softmax_fisher
    generator, rows = np.random.default_rng(1), []

    def add(part, n, scales, outputs, spreads):
        """All quantities of one kind of network."""
        theory = _spectrum(outputs - 1, own.ranks, spreads)
        squared = _spectrum(outputs, own.ranks, 1.001)
        for trial in range(own.trials):
            noise = 1 + 0.01 * generator.normal()
            quantities = {
                "softmax": ratio * noise * theory,
                "refined": theory,
                "squared": noise * squared,
                "squared_wide": squared,
                "simple": theory[: outputs - 1] / 1.1,
                "trace": [ratio * noise * 50],
                "trace_refined": [50],
                "output_rms": [0.5 if spreads > 2 else 0.01],
                "remainder": [0.1],
            }
            if part == "gaussian":
                quantities |= {"input": [ratio * noise], "input_wide": [1.0]}
            for quantity, values in quantities.items():
                rows.extend((part, n, scales, trial, quantity, r, v) for r, v in enumerate(values, 1))

    add("gaussian", 0, HE, own.gaussian.outputs, spread)
    for n in own.images.widths:
        for name in own.parametrizations:
            far = spread if name in ("ntk", "standard") else 1.02
            add("images", n, name, own.images.outputs, far)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def scattered_stage() -> SoftmaxStage:
    """What judging ``scattered`` depends on: two widths and three parametrizations."""
    return stage(
        trials=4,
        ranks=8,
        gaussian={"inputs": 20, "hidden": [15], "outputs": 5},
        images={"widths": [64, 256], "narrow": {"coefficient": "1/4", "exponent": 1}, "outputs": 4},
        parametrizations=["ntk", "mup", "dynamic"],
    )


@cache
def scattered() -> pd.DataFrame:
    """Falling eigenvalues of which no two are alike: in no trial, rank, quantity or network."""
    own = scattered_stage().softmax_fisher
    generator, rows = np.random.default_rng(0), []
    kinds = [("gaussian", 0, HE, own.gaussian.outputs)] + [
        ("images", n, name, own.images.outputs)
        for n, name in product(own.images.widths, own.parametrizations)
    ]
    for part, n, scales, outputs in kinds:
        counts = dict.fromkeys(("softmax", "refined", "squared", "squared_wide"), own.ranks)
        counts |= {"simple": outputs - 1} | dict.fromkeys(("trace", "trace_refined"), 1)
        counts |= dict.fromkeys(("output_rms", "remainder", "input", "input_wide"), 1)
        for trial, (quantity, count) in product(range(own.trials), counts.items()):
            if part == "gaussian" or not quantity.startswith("input"):
                values = np.sort(generator.lognormal(size=count))[::-1]
                rows += [(part, n, scales, trial, quantity, r, v) for r, v in enumerate(values, 1)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sample(frac=1, random_state=0)


@cache
def verdicts() -> pd.DataFrame:
    """``results/softmax_fisher/verdicts.csv``, from planted eigenvalues: all as theory has it."""
    return judged(planted(), stage())


def _spectrum(outliers: int, ranks: int, spread: float) -> np.ndarray:
    """``outliers`` of them spread evenly, a tenth of the least behind."""
    above = np.linspace(spread, 1.0, outliers)
    return np.concatenate([above, np.full(ranks - outliers, 0.1)])
