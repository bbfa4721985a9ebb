"""Slopes of a measured curve, layer by layer: as the figures draw them, and as verdicts take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from dynparam.settings.shared import Errors, Fit
from dynparam.statistics.joint import JointSlopes
from dynparam.statistics.slopes import (
    fit_slope,
    log_intercept,
    slope_of_log_means,
    slopes_per_square,
)
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.support.randomness import seed_sequence

JOINT = "covariance_"
"""What the columns of the covariances with each layer begin with."""


def fit_curve(
    trials: pd.DataFrame, settings: Fit, *, smallest: int = 1, errors: Errors = "bootstrap"
) -> pd.DataFrame:
    """Slopes of every layer of one curve's trials (``results/probe/{curve}.csv``), with intervals.

    Only widths from ``smallest`` on count. ``errors`` says how the intervals of the slopes as drawn are
    found: by bootstrap over trials, or linearized, which is quick and good from some hundred trials on.

    Columns: curve, parametrization, layer; slope, intercept, ci_low, ci_high, standard_error (always
    linearized), of the means as they are drawn; judged_slope, judged_low, judged_high, judged_error, the
    same with the scatter of the images' norms taken out (``statistics.slopes.slope_per_square``);
    freedom, of its error; joint_freedom and covariance_1, ..., with the judged slope of each layer
    (``statistics.joint``). Raises ``DataError`` if the trials are of several curves or of fewer than two
    widths, or do not say ||x||^2, ``NonFiniteError`` for values no logarithm fits.
    """
    names = trials["curve"].unique().tolist()
    if len(names) != 1:
        raise DataError(f"trials of {len(names)} curves in one table ({names}); fit them one by one")
    require_squares(trials)
    trials = trials[trials["n"] >= smallest]
    layers = sorted(trials["layer"].unique().tolist())
    rows = [_drawn(trials[trials["layer"] == layer], settings, errors) for layer in layers]
    return pd.DataFrame(rows).join(pd.DataFrame(_judged(trials, layers, settings.confidence)))


def require_squares(trials: pd.DataFrame) -> None:
    """Raise ``DataError`` unless a curve's trials say ||x||^2 of their images."""
    if "relative_square" not in trials:
        raise DataError(
            f"the trials of {trials['curve'].iloc[0]} have no column 'relative_square', the images' "
            f"||x||^2; measure them again"
        )


def joint_slopes(fits: pd.DataFrame) -> JointSlopes:
    """The judged slopes of a table of ``fit_curve``, with their covariance."""
    columns = [f"{JOINT}{layer}" for layer in fits["layer"]]
    return JointSlopes(
        values=fits["judged_slope"].to_numpy(float),
        covariance=fits[columns].to_numpy(float),
        effective_freedom=float(fits["joint_freedom"].iloc[0]),
        degrees_of_freedom=int(fits["freedom"].iloc[0]),
    )


def by_width(
    trials: pd.DataFrame, columns: Sequence[str] = ("alignment",)
) -> tuple[list[int], list[FloatArray]]:
    """The widths of one layer's trials in order, and their values at each, (trials, columns)."""
    widths = sorted(trials["n"].unique().tolist())
    return widths, [trials.loc[trials["n"] == n, list(columns)].to_numpy(float) for n in widths]


def _drawn(trials: pd.DataFrame, settings: Fit, errors: Errors) -> dict[str, object]:
    """A layer's slope as the thesis has it, on the means over trials."""
    first = trials.iloc[0]
    widths, values = by_width(trials)
    if errors == "bootstrap":
        key = seed_sequence(settings.seed, "bootstrap", first["curve"], int(first["layer"]))
        fit = fit_slope(
            widths,
            [column[:, 0] for column in values],
            confidence=settings.confidence,
            resamples=settings.resamples,
            generator=np.random.default_rng(key),
        )
    else:
        fit = slope_of_log_means(widths, values, confidence=settings.confidence)
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


def _judged(
    trials: pd.DataFrame, layers: Sequence[int], confidence: float
) -> Iterator[dict[str, object]]:
    """Every layer's slope as it is judged, and its covariances with all."""
    wide = trials.pivot(index=["n", "trial"], columns="layer", values="alignment")
    square = trials.groupby(["n", "trial"])["relative_square"].first()
    table = wide.assign(square=square)
    widths = sorted(trials["n"].unique().tolist())
    joint = slopes_per_square(widths, [table.loc[n].to_numpy(float) for n in widths])
    for place, fit in enumerate(joint.estimates(confidence)):
        yield {
            "judged_slope": fit.value,
            "judged_low": fit.ci_low,
            "judged_high": fit.ci_high,
            "judged_error": fit.standard_error,
            "freedom": joint.degrees_of_freedom,
            "joint_freedom": joint.effective_freedom,
            **{
                f"{JOINT}{layer}": value
                for layer, value in zip(layers, joint.covariance[place].tolist(), strict=True)
            },
        }
