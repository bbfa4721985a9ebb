"""Whether sharpness is what theory says: slopes, ratios, normalizations, rates, and the controls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from dynparam.experiments.sharpness.settings import SharpnessVerdicts
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.judged import CLAIM, CONTROL, Row, beyond, equal, known, table
from dynparam.statistics.slopes import log_slope, slope_of_log_means
from dynparam.theory.orders import orders
from dynparam.trials.networks import family_exponents

SLOPE = "slope"
RATIO = "measured over theory"
RATE = "largest rate times sharpness"

WRONG = ("spectral", "ntk")
"""The control on widths: the slope of the first, held against the theory of the second."""


@dataclass(frozen=True)
class Measured:
    """The tables of ``measure``; none of them is empty."""

    widths: pd.DataFrame
    limits: pd.DataFrame
    normalization: pd.DataFrame
    rates: pd.DataFrame


def judged(found: Measured, settings: SharpnessVerdicts) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    return table(
        [
            *_slopes(found.widths, settings),
            *_ratios(found.widths, settings),
            *_of_thesis(thesis_slopes(found.limits, settings), settings),
            *_normalizations(found.normalization, settings),
            *_rates(found.rates, settings),
        ]
    )


def thesis_slopes(limits: pd.DataFrame, settings: SharpnessVerdicts) -> pd.DataFrame:
    """Slopes of the wide limit along the thesis's families, with its own n_0.

    Columns: family, parametrization, exponent (as n grows without end), last_decade, window (up to
    ``sharpness.thesis.window``).
    """
    part, rows = settings.sharpness.thesis, []
    whole = limits[limits["inputs"] == "whole"]
    for (family, name), limit in whole.groupby(["family", "parametrization"], sort=False):
        last = limit[10 * limit["n"] >= limit["n"].max()]
        first = limit[limit["n"] <= part.window]
        growth = family_exponents(settings.network, part.families[str(family)])
        rows.append(
            {
                "family": family,
                "parametrization": name,
                "exponent": float(max(orders(str(name), growth).contribution)),
                "last_decade": _known_slope(last["n"], last["sharpness"]),
                "window": _known_slope(first["n"], first["sharpness"]),
            }
        )
    return pd.DataFrame(rows)


def _slopes(widths: pd.DataFrame, settings: SharpnessVerdicts) -> Iterator[Row]:
    tolerance = settings.sharpness.tolerances.slope
    for family, rows in widths.groupby("family", sort=False):
        measured, expected = {}, {}
        for name, part in rows.groupby("parametrization", sort=False):
            measured[name] = _slope(part, "n", settings)
            n = np.unique(part["n"])
            expected[name] = _known_slope(n, part.groupby("n")["expected"].first().loc[n])
            yield equal("widths", SLOPE, f"{family}, {name}", expected[name], measured[name], tolerance)
        first, second = WRONG
        if first in measured and second in expected and _differ(expected, tolerance):
            yield equal(
                "widths",
                SLOPE,
                f"{family}, {first}",
                expected[second],
                measured[first],
                tolerance,
                f"the theory of {second}",
                CONTROL,
            )


def _differ(expected: dict[Any, float], tolerance: float) -> bool:
    """Whether the two theories of the control can be told apart: at a constant ratio they are one."""
    first, second = WRONG
    return abs(expected[first] - expected[second]) > 2 * tolerance


def _ratios(widths: pd.DataFrame, settings: SharpnessVerdicts) -> Iterator[Row]:
    part = settings.sharpness.tolerances
    large = widths[widths["n"] >= part.ratio_from]
    for (family, name, n), rows in large.groupby(["family", "parametrization", "n"], sort=False):
        ratios = (rows["sharpness"] / rows["expected"]).to_numpy()
        found = mean_of(ratios, settings.fit.confidence)
        yield equal("widths", RATIO, f"{family}, {name}, n = {n}", 1.0, found, part.ratio)


def _of_thesis(slopes: pd.DataFrame, settings: SharpnessVerdicts) -> Iterator[Row]:
    part = settings.sharpness
    for row in slopes.to_dict("records"):
        yield equal(
            "thesis",
            "slope of the wide limit over its last decade",
            f"{row['family']}, {row['parametrization']}",
            row["exponent"],
            known(row["last_decade"]),
            part.tolerances.slope,
            f"{row['window']:.2f} up to n = {part.thesis.window}",
        )


def _normalizations(measured: pd.DataFrame, settings: SharpnessVerdicts) -> Iterator[Row]:
    part = settings.sharpness.tolerances
    for (inputs, name), rows in measured.groupby(["inputs", "normalization"], sort=False):
        found = _slope(rows, "width", settings)
        setting = f"{inputs} inputs, {name}"
        if name == "none":
            yield equal("normalization", SLOPE, setting, 1.0, found, part.normalized_slope)
        elif name in ("mean", "batch"):
            fixed = inputs == "fixed"
            note, role = ("as many inputs at every width", CONTROL) if fixed else ("", CLAIM)
            yield equal("normalization", SLOPE, setting, 0.0, found, part.flat, note, role)
        elif inputs == "proportional":
            note, bound = "layer normalization leaves growth", part.growth
            yield Row("normalization", SLOPE, setting, CLAIM, bound, found, beyond(bound), note)
    # At M inputs of M units the wide kernel understates what the mean leaves: slopes alone are judged.
    quantitative = measured[measured["normalization"].isin(["none", "layer"])]
    for (inputs, name, width), rows in quantitative.groupby(
        ["inputs", "normalization", "width"], sort=False
    ):
        ratios = (rows["sharpness"] / rows["expected"]).to_numpy()
        ratio = mean_of(ratios, settings.fit.confidence)
        setting = f"{inputs} inputs, {name}, M = {width}"
        yield equal("normalization", RATIO, setting, 1.0, ratio, part.normalized_ratio)


def _rates(rates: pd.DataFrame, settings: SharpnessVerdicts) -> Iterator[Row]:
    tolerance = settings.sharpness.tolerances.rate
    for name, rows in rates.groupby("parametrization", sort=False):
        found = mean_of(rows["product"].to_numpy(), settings.fit.confidence)
        yield equal("rates", RATE, str(name), 2.0, found, tolerance)


def _known_slope(n: ArrayLike, values: ArrayLike) -> float:
    """The slope of what is known, less its rounding."""
    return round(float(log_slope(n, values)), 12) + 0.0


def _slope(rows: pd.DataFrame, width: str, settings: SharpnessVerdicts) -> Estimate:
    """The slope of log(mean sharpness) over log(width)."""
    widths = [int(n) for n in np.unique(rows[width])]
    values = [rows.loc[rows[width] == n, ["sharpness"]].to_numpy() for n in widths]
    return slope_of_log_means(widths, values, confidence=settings.fit.confidence)
