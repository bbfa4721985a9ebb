"""Slopes of a measured curve, layer by layer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dynparam.settings.shared import Errors, Fit
from dynparam.statistics.slopes import fit_slope, log_intercept, slope_of_log_means
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.support.randomness import seed_sequence


def fit_curve(
    trials: pd.DataFrame, settings: Fit, *, smallest: int = 1, errors: Errors = "bootstrap"
) -> pd.DataFrame:
    """Slopes of every layer of one curve's trials (``results/probe/{curve}.csv``), with intervals.

    Only widths from ``smallest`` on count. ``errors`` says how intervals are found: by bootstrap over
    trials, or linearized, which is quick and good from some hundred trials on.

    Columns: curve, parametrization, layer, slope, intercept, ci_low, ci_high, standard_error (always
    linearized). Raises ``DataError`` if the trials are of several curves or of fewer than two widths,
    ``NonFiniteError`` for values no logarithm fits.
    """
    names = trials["curve"].unique().tolist()
    if len(names) != 1:
        raise DataError(f"trials of {len(names)} curves in one table ({names}); fit them one by one")
    trials = trials[trials["n"] >= smallest]
    layers = sorted(trials["layer"].unique().tolist())
    rows = [_row(trials[trials["layer"] == layer], settings, errors) for layer in layers]
    return pd.DataFrame(rows)


def by_width(trials: pd.DataFrame) -> tuple[list[int], list[FloatArray]]:
    """The widths of one layer's trials in order, and the alignments at each, (trials,)."""
    widths = sorted(trials["n"].unique().tolist())
    return widths, [trials.loc[trials["n"] == n, "alignment"].to_numpy(float) for n in widths]


def _row(trials: pd.DataFrame, settings: Fit, errors: Errors) -> dict[str, object]:
    first = trials.iloc[0]
    widths, values = by_width(trials)
    if errors == "bootstrap":
        key = seed_sequence(settings.seed, "bootstrap", first["curve"], int(first["layer"]))
        fit = fit_slope(
            widths,
            values,
            confidence=settings.confidence,
            resamples=settings.resamples,
            generator=np.random.default_rng(key),
        )
    else:
        columns = [column[:, None] for column in values]
        fit = slope_of_log_means(widths, columns, confidence=settings.confidence)
    return {
        "curve": first["curve"],
        "parametrization": first["parametrization"],
        "layer": int(first["layer"]),
        "slope": fit.value,
        "intercept": log_intercept(widths, [column.mean() for column in values], fit.value),
        "ci_low": fit.ci_low,
        "ci_high": fit.ci_high,
        "standard_error": fit.standard_error,
    }
