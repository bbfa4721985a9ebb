"""Trials of a size that grows with a planted exponent, in the columns of a measured curve."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from dynparam.configuration.loading import load
from dynparam.experiments.measured_orders.settings import ExponentsStage
from dynparam.experiments.measured_orders.table1_1 import measured_files
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import HALF
from dynparam.trials.networks import family_exponents, family_networks

ROOT = Path(__file__).parents[1]


def stage(*overlays: str) -> ExponentsStage:
    """The settings of the thesis, with JSON texts or files laid over them."""
    return load(ExponentsStage, [str(ROOT / "config" / "thesis.yaml"), *overlays])


def planted_trials(
    settings: ExponentsStage,
    name: str,
    family: str,
    *,
    wrong: Mapping[tuple[str, int], float] | None = None,
    scatter: float = 0.05,
    trials: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """Sizes n^a of exact exponent a, times gamma noise of mean 1 and standard deviation ``scatter``.

    ``wrong`` adds to the exponents of a (quantity, layer). Updates are a thousandth of preactivations
    at n = 10000.
    """
    rule = settings.exponents.families[family]
    exact = orders(name, family_exponents(settings.network, rule), HALF)
    grid = family_networks(settings.network, rule, settings.probe.rounding, settings.exponents.widths)
    generator = np.random.default_rng([seed, *f"{name}_{family}".encode()])
    shape = scatter**-2
    parts = []
    for n, widths in grid.items():
        for layer in range(1, widths.depth + 1):
            sizes = {}
            for quantity, scale in (
                ("preactivation", 1.0),
                ("update", 1e-3),
                ("own", 1e-3),
                ("cosine", 0.5),
            ):
                power = float(getattr(exact, quantity)[layer - 1])
                power += (wrong or {}).get((quantity, layer), 0.0)
                noise = generator.gamma(shape, 1 / shape, trials)
                sizes[f"{quantity}_rms"] = scale * (n / 10_000) ** power * noise
            cosine = sizes.pop("cosine_rms")
            sizes["gradient_norm"] = generator.gamma(shape, 1 / shape, trials)
            norms = sizes["gradient_norm"] * sizes["update_rms"] * widths.sizes[layer] ** 0.5
            sizes["alignment"] = cosine * norms
            parts.append(
                pd.DataFrame(
                    {
                        "curve": f"{name}_{family}",
                        "parametrization": name,
                        "ratio": "planted",
                        "n": n,
                        "n_min": widths.n_min,
                        "trial": range(trials),
                        "layer": layer,
                        "alignment": 1.0,
                        **sizes,
                        "gradient_norm": 1.0,
                        "relative_square": 1.0,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def all_planted(settings: ExponentsStage) -> dict[tuple[str, str], pd.DataFrame]:
    """Planted trials of every parametrization and family of Table 1.1."""
    return {key: planted_trials(settings, *key) for key in measured_files(settings, Path())}
