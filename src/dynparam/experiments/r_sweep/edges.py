"""What the r-sweep shows: exponents of the drift and of the growth of gradients, and their edges.

Every exponent is the mean over trials of a trial's own least-squares slope on log-log axes. A trial
sees the same images at all widths, so that its slope is free of their differences; trials are
independent, and intervals are Student's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from dynparam.experiments.r_sweep.settings import EdgesStage
from dynparam.experiments.r_sweep.tables import TRIALS
from dynparam.presentation.numbers import fixed, with_interval
from dynparam.statistics.estimates import UNKNOWN, Estimate, mean_of
from dynparam.statistics.slopes import least_squares
from dynparam.statistics.verdicts import equivalence
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.support.tables import REMEDY, read_csv
from dynparam.theory.update_bound import Reference, drift_exponents, expected_edge, reference_exponent
from dynparam.trials.networks import hidden_exponents

SUMMARY = (
    "statistic",
    "reference",
    "edge_expected",
    "edge",
    "ci_low",
    "ci_high",
    "update_exponent",
    "update_expected",
    "verdict",
    "note",
)
"""The columns of ``results/sweep/edges.csv``.

``edge`` is the r beyond which the statistic grows with n, with its interval; ``update_exponent`` the
same as the exponent of n in ||Delta htilde||, beside that of sqrt(n_min).
"""


def read_trials(paths: Sequence[Path]) -> pd.DataFrame:
    """The trials of all references in one table (``measure.measure_sweep``), by files of their names.

    Raises ``DataError`` for what is no such table, or lacks one of the two experiments.
    """
    tables = [read_csv(path, TRIALS, reference=path.stem) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if table["experiment"].nunique() < 2:
            raise DataError(f"{path}: trials of {table['experiment'].iloc[0]} alone; {REMEDY}")
    return pd.concat(tables, ignore_index=True)


def summary(trials: pd.DataFrame, settings: EdgesStage) -> pd.DataFrame:
    """The measured edges of every reference beside r with m^r = Theta(sqrt(n_min)), in ``SUMMARY``.

    Statistic "drift": where the exponent of the drift in the narrowest layers crosses zero at the second
    step. Statistic "growth": the r at which m^r follows the size of updates at which gradients start to
    grow. That size is found from all references together, because a network depends on m^r alone, so its
    rows restate one estimate. A verdict is ``statistics.verdicts.equivalence`` with ``sweep.tolerance``.
    """
    hidden = hidden_exponents(settings.network, settings.sweep.narrow)
    onset = onset_exponent(trials, settings)
    rows = []
    for reference in settings.sweep.references:
        power = reference_exponent(reference, hidden)
        edge = drift_edge(trials[trials["reference"] == reference], settings)
        rows.append(_row("drift", reference, edge, power, hidden, settings))
        rows.append(_row("growth", reference, onset.over(float(power)), power, hidden, settings))
    table = pd.DataFrame(rows, columns=list(SUMMARY))
    return table.sort_values("statistic", kind="stable", ignore_index=True)


def exponents(trials: pd.DataFrame, settings: EdgesStage) -> pd.DataFrame:
    """Exponents of n at every r: of the drift in every hidden layer, of the growth of gradients.

    Columns: statistic, reference, r, layer, expected, exponent, ci_low, ci_high, trials, left_out
    (trials that diverged, or died out, at some width: they have no slope), verdict. The drift is that of
    the second step, beside rho - a_l / 2 (``update_bound.drift_exponents``). Growth is that of the first
    layer (``growths``), expected to have exponent 0 up to the edge; beyond, none is stated.
    """
    rows = [*_drift_rows(trials, settings), *_growth_rows(trials, settings)]
    return pd.DataFrame(rows)


def drift_slopes(trials: pd.DataFrame) -> pd.DataFrame:
    """Slopes of log drift at the second step on log n: columns reference, r, layer, trial, slope.

    A slope is nan if the trial lacks a positive, finite drift at some width.
    """
    shown = trials[
        (trials["experiment"] == "second_step")
        & (trials["step"] == 2)
        & (trials["layer"] < trials["layer"].max())
    ]
    return _slopes(shown, ["reference", "r", "layer", "trial"], "drift")


def narrow_exponents(trials: pd.DataFrame, settings: EdgesStage) -> pd.DataFrame:
    """Exponents of the drift averaged over the narrowest layers: what ``drift_edge`` interpolates.

    Columns: reference, r, expected, exponent, ci_low, ci_high, trials, left_out, verdict.
    """
    hidden = hidden_exponents(settings.network, settings.sweep.narrow)
    by_trial = _narrow_slopes(trials, settings)
    rows = []
    for reference, r in product(settings.sweep.references, settings.sweep.r):
        # The narrowest layer has the largest exponent.
        expected = max(drift_exponents(r * reference_exponent(reference, hidden), hidden))
        here = (by_trial["reference"] == reference) & (by_trial["r"] == float(r))
        found = _exponent(by_trial.loc[here, "slope"], float(expected), settings)
        rows.append({"reference": reference, "r": float(r), **found})
    return pd.DataFrame(rows)


def drift_edge(trials: pd.DataFrame, settings: EdgesStage) -> Estimate:
    """The r at which the drift's exponent, averaged over the narrowest layers, crosses zero.

    ``trials`` are of one reference. The interval is linearized: an error of the exponent at the crossing
    moves the crossing by that over the slope in r.
    """
    slopes = _narrow_slopes(trials, settings)
    by_trial = slopes.pivot_table(index="trial", columns="r", values="slope", dropna=False)
    whole = by_trial.dropna(axis="columns")
    return crossing(whole.columns.to_numpy(float), whole.to_numpy(float), settings.fit.confidence)


def crossing(r: FloatArray, slopes: FloatArray, confidence: float) -> Estimate:
    """Where the mean over trials of ``slopes`` (trials, r) first turns positive, interpolated in r."""
    mean = slopes.mean(axis=0)
    turns = np.flatnonzero((mean[:-1] < 0) & (mean[1:] >= 0))
    if not len(turns):
        return UNKNOWN
    left = int(turns[0])
    share = -mean[left] / (mean[left + 1] - mean[left])
    gap = r[left + 1] - r[left]
    here = (1 - share) * slopes[:, left] + share * slopes[:, left + 1]
    # The mean of the slopes here is zero: dividing by the rise turns their scatter into one of r.
    return mean_of(r[left] + (share + here / (mean[left + 1] - mean[left])) * gap, confidence)


def growths(trials: pd.DataFrame) -> pd.DataFrame:
    """How far gradients grow: reference, r, n, n_min, update_norm, trial, growth, diverged.

    The largest over all steps of ||dL/dhtilde^1|| / ||dL/dhtilde^L||, relative to the first step: what
    the way back through all layers multiplies a gradient by, whatever the loss is. Infinite if the
    trial diverged.
    """
    shown = trials[trials["experiment"] == "training"]
    keys = ["reference", "r", "n", "n_min", "update_norm", "trial"]
    ends = shown[shown["layer"].isin([1, shown["layer"].max()])]
    wide = ends.pivot_table(index=[*keys, "step"], columns="layer", values="gradient_norm")
    gain = (wide.iloc[:, 0] / wide.iloc[:, -1]).groupby(level=keys)
    diverged = shown.groupby(keys)["diverged_at"].max().notna()
    table = pd.DataFrame({"growth": gain.max() / gain.first(), "diverged": diverged})
    table.loc[table["diverged"], "growth"] = np.inf
    return table.reset_index()


def onset_exponent(trials: pd.DataFrame, settings: EdgesStage) -> Estimate:
    """The exponent of n in the size of updates from which on gradients grow ``sweep.onset``-fold.

    Of every trial, all references together: the smallest size of updates with that growth at each
    width, interpolated in both logarithms, and its slope over widths.
    """
    table = growths(trials)
    sizes = pd.DataFrame(
        [
            (n, trial, onset(rows["update_norm"], rows["growth"], settings.sweep.onset))
            for (n, trial), rows in table.groupby(["n", "trial"])
        ],
        columns=["n", "trial", "onset"],
    )
    slopes = _slopes(sizes, ["trial"], "onset")["slope"].to_numpy(float)
    return mean_of(slopes[np.isfinite(slopes)], settings.fit.confidence)


def onset(update_norm: pd.Series[float], growth: pd.Series[float], threshold: float) -> float:
    """The smallest size of updates at which ``growth`` reaches ``threshold``; nan if it never does.

    Between two sizes growth is a power of the size; if it is infinite at the larger one, that one is
    taken.
    """
    order = np.argsort(update_norm.to_numpy(float), kind="stable")
    u = np.log(update_norm.to_numpy(float)[order])
    g = np.log(growth.to_numpy(float)[order] / threshold)
    above = np.flatnonzero(g >= 0)
    if not len(above) or above[0] == 0:
        return float("nan")
    right = int(above[0])
    if not np.isfinite(g[right]):
        return float(update_norm.iloc[order[right]])
    share = -g[right - 1] / (g[right] - g[right - 1])
    return float(np.exp(u[right - 1] + share * (u[right] - u[right - 1])))


def _narrow_slopes(trials: pd.DataFrame, settings: EdgesStage) -> pd.DataFrame:
    """Slopes of the drift (reference, r, trial, slope), the mean of those in the narrowest layers."""
    hidden = hidden_exponents(settings.network, settings.sweep.narrow)
    narrowest = [layer for layer, exponent in enumerate(hidden, 1) if exponent == min(hidden)]
    slopes = drift_slopes(trials)
    chosen = slopes[slopes["layer"].isin(narrowest)].groupby(["reference", "r", "trial"])["slope"]
    return chosen.mean().reset_index()


def _row(
    statistic: str,
    reference: Reference,
    edge: Estimate,
    power: Fraction,
    hidden: Sequence[Fraction],
    settings: EdgesStage,
) -> dict[str, object]:
    expected = float(expected_edge(reference, hidden))
    verdict = equivalence(*edge.interval, expected, settings.sweep.tolerance)
    return {
        "statistic": statistic,
        "reference": reference,
        "edge_expected": expected,
        **edge.row("edge"),
        "update_exponent": edge.value * float(power),
        "update_expected": float(min(hidden) / 2),
        "verdict": verdict,
        "note": _note(edge, power, hidden),
    }


def _note(edge: Estimate, power: Fraction, hidden: Sequence[Fraction]) -> str:
    if np.isnan(edge.value):
        return "no edge in the range of r"
    size = edge.over(1 / float(power))
    told = f"updates at the edge follow n^{with_interval(size.value, size.ci_low, size.ci_high, fixed)}"
    widths: dict[str, Reference] = {
        "n_min": "n_min",
        "the geometric mean": "geometric_mean",
        "n_max": "n_max",
    }
    roots = {name: float(reference_exponent(width, hidden)) / 2 for name, width in widths.items()}
    known = ", ".join(f"n^{exponent:g} of {name}" for name, exponent in roots.items())
    return f"{told}; the roots are {known}"


def _drift_rows(trials: pd.DataFrame, settings: EdgesStage) -> Iterator[dict[str, object]]:
    hidden = hidden_exponents(settings.network, settings.sweep.narrow)
    slopes = drift_slopes(trials)
    for reference, r, layer in _grid(settings, range(1, len(hidden) + 1)):
        here = (
            (slopes["reference"] == reference) & (slopes["r"] == float(r)) & (slopes["layer"] == layer)
        )
        expected = drift_exponents(r * reference_exponent(reference, hidden), hidden)[layer - 1]
        yield {
            "statistic": "drift",
            "reference": reference,
            "r": float(r),
            "layer": layer,
            **_exponent(slopes.loc[here, "slope"], float(expected), settings),
        }


def _growth_rows(trials: pd.DataFrame, settings: EdgesStage) -> Iterator[dict[str, object]]:
    hidden = hidden_exponents(settings.network, settings.sweep.narrow)
    slopes = _slopes(growths(trials), ["reference", "r", "trial"], "growth")
    for reference, r, layer in _grid(settings, [1]):
        here = (slopes["reference"] == reference) & (slopes["r"] == float(r))
        expected = 0.0 if r <= expected_edge(reference, hidden) else np.nan
        yield {
            "statistic": "growth",
            "reference": reference,
            "r": float(r),
            "layer": layer,
            **_exponent(slopes.loc[here, "slope"], expected, settings),
        }


def _grid(settings: EdgesStage, layers: Sequence[int]) -> Iterator[tuple[Reference, Fraction, int]]:
    return product(settings.sweep.references, settings.sweep.r, layers)


def _exponent(slopes: pd.Series[float], expected: float, settings: EdgesStage) -> dict[str, object]:
    values = np.asarray(slopes, dtype=np.float64)
    finite = values[np.isfinite(values)]
    found = mean_of(finite, settings.fit.confidence)
    verdict = equivalence(*found.interval, expected, settings.sweep.tolerance)
    return {
        "expected": expected,
        **found.row("exponent"),
        "trials": len(finite),
        "left_out": len(values) - len(finite),
        "verdict": "" if np.isnan(expected) else str(verdict),
    }


def _slopes(table: pd.DataFrame, keys: list[str], quantity: str) -> pd.DataFrame:
    """Least-squares slopes of the logarithm on log n, for every combination of ``keys``; or nan."""
    wide = table.pivot_table(index=keys, columns="n", values=quantity)
    if wide.empty:
        return pd.DataFrame(columns=[*keys, "slope"])
    values = wide.to_numpy(float)
    log_n = np.log(np.asarray(wide.columns, dtype=np.float64))
    usable = (np.isfinite(values) & (values > 0)).all(axis=1)
    slopes = np.full(len(values), np.nan)
    slopes[usable] = least_squares(log_n, np.log(values[usable]).T)
    return wide.index.to_frame(index=False).assign(slope=slopes)
