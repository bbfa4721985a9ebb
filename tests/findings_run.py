"""A finished run for the findings: invented tables, tracked figures' data, archived curves.

With the thesis's settings every sentence holds on it.
"""

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.training_curves.claims import judge_all
from dynparam.experiments.training_curves.settings import for_claims
from dynparam.support.tables import read_csv

ROOT = Path(__file__).parents[1]
CONFIG = load(Config, [ROOT / "config" / "thesis.yaml"])
LAYERS = range(1, 7)
SLOPES = {
    "fig3_2_constant_ratio": (0.3, 0.0),
    "fig3_2_dynamic_ratio": (-0.7, -1.0),
    "fig3_3_spectral": (-1.3, -1.6),
    "fig3_3_dynamic": (0.01, 0.0),
}
"""The slope of each curve on the thesis's widths, and its exponent."""


def configured(changes: dict[str, Any] | None = None) -> Config:
    """The thesis's configuration with other values at dotted keys."""
    values = CONFIG.model_dump(mode="json")
    for key, value in (changes or {}).items():
        *parents, last = key.split(".")
        block = values
        for parent in parents:
            block = block[parent]
        assert block[last] != value, f"{key} is {value} already"
        block[last] = value
    return Config.model_validate(values)


def slopes() -> pd.DataFrame:
    """``results/comparison/slopes.csv``."""
    figures = {**CONFIG.panels, **{w: CONFIG.panels[shown] for w, shown in CONFIG.law.figures.items()}}
    return pd.DataFrame(
        row for figure, curves in figures.items() for curve in curves for row in _slopes(figure, curve)
    )


def _slopes(figure: str, curve: str) -> Iterator[dict[str, Any]]:
    on_window, exponent = SLOPES[curve]
    wide = figure in CONFIG.law.figures
    slope = exponent if wide else on_window
    for layer in LAYERS:
        yield {
            "figure": figure,
            "curve": curve,
            "layer": layer,
            "asymptotic": exponent,
            "slope": slope + layer / 100,
            "ci_low": slope - 0.1,
            "ci_high": slope + 0.1,
            "verdict": "agrees",
            "note": "claim (x) visible" if layer > 1 else "claim (x) not visible in this window",
            "expected_exact": np.nan if wide else slope,
            "expected_exact_error": np.nan if wide else 0.005,
            "deviation": np.nan if wide else layer / 4,
        }


def edges() -> pd.DataFrame:
    """``results/sweep/edges.csv``: the drift's edges as expected, gradients that grow from n^0.26 on."""
    expected = {"n_min": 0.5, "geometric_mean": 0.3125, "n_max": 0.25}
    return pd.DataFrame(
        {
            "statistic": statistic,
            "reference": reference,
            "edge_expected": edge,
            "edge": edge * scale,
            "ci_low": edge * (scale - 0.08),
            "ci_high": edge * (scale + 0.08),
            "update_exponent": 0.25 * scale,
            "update_expected": 0.25,
            "verdict": "agrees",
        }
        for statistic, scale in (("drift", 0.98), ("growth", 1.04))
        for reference, edge in expected.items()
    )


def exponents() -> pd.DataFrame:
    """``results/sweep/exponents.csv``: at three r of n_min, in a narrow layer and of the gradients."""
    columns = ("statistic", "reference", "r", "expected", "exponent", "ci_high", "trials", "verdict")
    rows = [
        ("drift", "n_min", 0.5, 0.0, 0.01, 0.02, 20, "agrees"),
        ("drift", "n_min", 1.0, 0.25, 0.1, 0.12, 20, "disagrees"),
        ("growth", "n_min", 0.5, 0.0, 0.01, 0.02, 16, "agrees"),
        ("growth", "n_min", 0.625, np.nan, 0.03, 0.05, 16, ""),
        ("growth", "n_min", 1.0, np.nan, np.nan, np.nan, 0, ""),
    ]
    return pd.DataFrame(rows, columns=list(columns))


def curve(figure: str, parametrization: str) -> Path:
    """An archived table of curves."""
    task, size = CONFIG.figures.training[figure], CONFIG.protocol
    return ROOT / "results" / "archive" / task / f"{size.n}-{size.n_min}" / f"{parametrization}.csv"


@cache
def claims() -> pd.DataFrame:
    """``results/comparison/claims.csv``, from the archived curves."""
    settings = for_claims(CONFIG)
    names = CONFIG.training.parametrizations
    return judge_all(
        settings,
        {
            (figure, name): read_csv(curve(figure, name))
            for figure in CONFIG.figures.training
            for name in names
        },
    )


def make(root: Path) -> None:
    """Write everything the findings quote below ``root``."""
    tables = {
        "comparison/slopes": slopes(),
        "comparison/claims": claims(),
        "sweep/edges": edges(),
        "sweep/exponents": exponents(),
    }
    for place, table in tables.items():
        path = root / "results" / f"{place}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False)
    copies = {
        "results/table1_1/table1_1.csv": ROOT / "figures" / "table1_1.csv",
        "results/open_choices/changes.csv": ROOT / "figures" / "open_choices.csv",
    }
    for name in ("conditions", "claim_domain", *CONFIG.law.figures):
        copies[f"figures/{name}.csv"] = ROOT / "figures" / f"{name}.csv"
    for figure, task in CONFIG.figures.training.items():
        for name in CONFIG.training.parametrizations:
            copies[f"results/training/{task}/{name}.csv"] = curve(figure, name)
    for place, source in copies.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / place)
