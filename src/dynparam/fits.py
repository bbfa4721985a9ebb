"""Slopes of a measured curve, layer by layer."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from dynparam.blocks import Fit
from dynparam.errors import DataError
from dynparam.randomness import seed_sequence
from dynparam.statistics import fit_slope


def fit_curve(trials: pd.DataFrame, settings: Fit) -> pd.DataFrame:
    """Slopes of every layer of one curve's ``results/probe/{curve}.csv``, with bootstrap intervals.

    Columns: curve, parametrization, layer, slope, intercept, ci_low, ci_high. Raises ``DataError``
    if the trials are of several curves, ``NonFiniteError`` for values no logarithm fits.
    """
    names = trials["curve"].unique().tolist()
    if len(names) != 1:
        raise DataError(f"trials of {len(names)} curves in one table ({names}); fit them one by one")
    rows = []
    for layer in sorted(trials["layer"].unique().tolist()):
        mine = trials[trials["layer"] == layer]
        widths = sorted(mine["n"].unique().tolist())
        fit = fit_slope(
            widths,
            [mine.loc[mine["n"] == n, "alignment"].to_numpy(float) for n in widths],
            confidence=settings.confidence,
            resamples=settings.resamples,
            generator=np.random.default_rng(seed_sequence(settings.seed, "bootstrap", names[0], layer)),
        )
        rows.append(
            {
                "curve": names[0],
                "parametrization": mine["parametrization"].iloc[0],
                "layer": layer,
                **asdict(fit),
            }
        )
    return pd.DataFrame(rows)
