"""Verdicts: residuals beside (1 - c)^t, their errors as layers widen, and what one full step leaves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dynparam.experiments.natural_gradient.controls import CONTROLS
from dynparam.experiments.natural_gradient.settings import (
    EqualLayers,
    NaturalGradientStage,
    OneStep,
)
from dynparam.statistics.differences import paired_difference
from dynparam.statistics.estimates import mean_of
from dynparam.statistics.judged import (
    CLAIM,
    CONTROL,
    SHOWN,
    Row,
    below,
    beyond,
    equal,
    known,
    table,
)
from dynparam.statistics.slopes import log_slope, slope_of_mean_logs
from dynparam.support.arrays import FloatArray
from dynparam.theory.laziness import laziness_index, narrowest_layer
from dynparam.theory.parametrization import layer_scales

METHODS = {
    "exact": "exact",
    "block_diagonal": "block diagonal",
    "block_tridiagonal": "block tridiagonal",
    "kfac": "K-FAC",
    "gradient": "gradient descent",
    "unscaled": "block diagonal at eta = c",
}
"""What tables call them."""

WRONG = {
    "gradient": "no inverse of the Fisher information, but said to train as with one",
    "unscaled": "as if each of the layers did not lower the whole residual",
}
"""What is wrong about the controls of several steps."""

RATIO = "residual over (1 - c)^t"
FALLS = "error at the largest M less that at the smallest"
EXPONENT = "exponent of n of what one full step leaves"
SAME = "largest relative difference of residuals, ntk and standard"

MULTIPLIERS_ALONE = ("ntk", "standard")
"""Two parametrizations of one function at initialization."""


def judged(trials: pd.DataFrame, settings: NaturalGradientStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    own = settings.natural_gradient
    return table(
        [
            *_several(trials[trials["part"] == "gaussian"], own.gaussian, settings),
            *_several(trials[trials["part"] == "images"], own.images, settings),
            *_one_step(trials[trials["part"] == "one_step"], settings),
            *_identities(trials[trials["part"] == "one_step"], own.one_step),
        ]
    )


def ratios(rows: pd.DataFrame, settings: NaturalGradientStage) -> FloatArray:
    """The residual after the last step over (1 - c)^t, by trial."""
    own = settings.natural_gradient
    last = rows[rows["step"] == own.steps].sort_values("trial")
    found: FloatArray = last["residual"].to_numpy(float) / (1 - own.step) ** own.steps
    return found


def index_exponent(name: str, part: OneStep) -> float:
    """The exponent of n of theory's laziness index in the narrowest layer, at the widths measured."""
    values = []
    for n in part.widths:
        widths = part.network(n)
        scales = layer_scales(name, widths, part.r)
        index = laziness_index(widths, scales, float(part.inputs))
        values.append(index[narrowest_layer(widths) - 1])
    return float(log_slope(part.widths, values))


def _several(trials: pd.DataFrame, layers: EqualLayers, settings: NaturalGradientStage) -> Iterator[Row]:
    own, level = settings.natural_gradient, settings.fit.confidence
    part = str(trials["part"].iloc[0])
    quantity = f"{RATIO} after {own.steps} steps"
    for method, tolerance in layers.tolerances.items():
        rows = trials[trials["method"] == method]
        found = {n: ratios(rows[rows["n"] == n], settings) for n in layers.widths}
        for n, values in found.items():
            setting = f"{METHODS[method]}, M = {n}"
            measured = mean_of(values, level)
            if n == layers.widths[-1]:
                yield equal(part, quantity, setting, 1.0, measured, tolerance)
            else:
                yield Row(part, quantity, setting, SHOWN, 1.0, measured)
        yield _falls(part, method, found, settings)
    widest = trials[trials["n"] == layers.widths[-1]]
    tolerance = max(layers.tolerances.values())
    for control in CONTROLS:
        measured = mean_of(ratios(widest[widest["method"] == control], settings), level)
        setting = f"{METHODS[control]}, M = {layers.widths[-1]}"
        yield equal(part, quantity, setting, 1.0, measured, tolerance, WRONG[control], CONTROL)


def _falls(part: str, method: str, found: dict[int, FloatArray], settings: NaturalGradientStage) -> Row:
    """By how much the distance from theory is smaller in the widest network, trial by trial.

    A claim of K-FAC alone: that of other approximations is of some thousandths at any such width.
    """
    first, last = min(found), max(found)
    errors = [np.abs(found[n] - 1) for n in (first, last)]
    difference = paired_difference(
        *errors,
        confidence=settings.fit.confidence,
        resamples=settings.fit.resamples,
        generator=np.random.default_rng(settings.fit.seed),
    )
    setting = f"{METHODS[method]}, M = {first} and {last}"
    note = "the same inputs at both"
    if method != "kfac":
        return Row(part, FALLS, setting, SHOWN, 0.0, difference.mean, note=note)
    return Row(part, FALLS, setting, CLAIM, 0.0, difference.mean, below(0.0), note)


def _one_step(trials: pd.DataFrame, settings: NaturalGradientStage) -> Iterator[Row]:
    own, level = settings.natural_gradient.one_step, settings.fit.confidence
    for (method, name), rows in trials.groupby(["method", "scales"], sort=False):
        values = [rows.loc[rows["n"] == n, "residual"].to_numpy(float) for n in own.widths]
        measured = slope_of_mean_logs(own.widths, values, confidence=level)
        theory = index_exponent(str(name), own)
        lazy = theory <= -own.fall
        note = f"theory's laziness index has the exponent {theory:.2f}"
        setting = f"{METHODS[str(method)]}, {name}"
        bound = -own.fall
        if lazy:
            yield Row("one step", EXPONENT, setting, CLAIM, bound, measured, below(bound), note)
        elif theory > bound / 2:
            wrong = f"not lazy, but said to fall as if it were; {note}"
            yield Row("one step", EXPONENT, setting, CONTROL, bound, measured, below(bound), wrong)
        else:
            yield Row("one step", EXPONENT, setting, SHOWN, theory, measured, note=note)
        if name == "spectral" and theory > own.fall:
            yield Row("one step", f"{EXPONENT}: grows", setting, CLAIM, 0.0, measured, beyond(0.0), note)


def _identities(trials: pd.DataFrame, part: OneStep) -> Iterator[Row]:
    """Of ntk and standard, one function with other multipliers, which the exact gradient alone sees."""
    if not set(MULTIPLIERS_ALONE) <= set(part.parametrizations):
        return
    for method, rows in trials.groupby("method", sort=False):
        found = rows.pivot(index=["n", "trial"], columns="scales", values="residual")
        first, second = (found[name].to_numpy(float) for name in MULTIPLIERS_ALONE)
        measured = known(float(np.abs(second / first - 1).max()))
        exact = method == "exact"
        note = "layers share by their multipliers, but said not to" if exact else "draw by draw"
        setting, role = METHODS[str(method)], CONTROL if exact else CLAIM
        accepted = below(part.identity)
        yield Row("one step", SAME, setting, role, part.identity, measured, accepted, note)
