"""Whether sharpness is what theory says: slopes, ratios, normalizations, rates, and the controls.

A control is a statement that is wrong. Its row says that it is wanted to disagree; if it agrees, the
measurement could not have told, and there is no table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from dynparam.experiments.sharpness.settings import SharpnessVerdicts
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.slopes import log_slope, slope_of_log_means
from dynparam.statistics.verdicts import Verdict, equivalence
from dynparam.support.errors import DataError
from dynparam.theory.orders import orders
from dynparam.trials.networks import family_exponents

Rows = Iterator[dict[str, Any]]

SLOPE = "slope"
RATIO = "measured over theory"
RATE = "largest rate times sharpness"
KERNELS = "difference of kernels, dynamic and ntk"
OUTPUTS = "difference of outputs in training, dynamic and ntk times its factor"

WRONG = ("spectral", "ntk")
"""The control on widths: the slope of the first, held against the theory of the second."""


@dataclass(frozen=True)
class Measured:
    """The tables of ``measure`` and ``output_scale``; none of them is empty."""

    widths: pd.DataFrame
    limits: pd.DataFrame
    normalization: pd.DataFrame
    rates: pd.DataFrame
    output_scale: pd.DataFrame


def judged(found: Measured, settings: SharpnessVerdicts) -> pd.DataFrame:
    """A row for each statement.

    Columns: experiment, quantity, setting, expected, measured, ci_low, ci_high, verdict, wanted, note.
    Raises ``DataError`` if a control agrees.
    """
    rows = [*_slopes(found.widths, settings), *_ratios(found.widths, settings)]
    rows += _of_thesis(thesis_slopes(found.limits, settings), settings)
    rows += [*_normalizations(found.normalization, settings), *_rates(found.rates, settings)]
    rows += _output_scale(found.output_scale, settings)
    table = pd.DataFrame(rows)
    require_controls(table)
    return table


def unexpected(table: pd.DataFrame) -> pd.DataFrame:
    """The rows whose verdict is the opposite of the wanted one; undecided ones are none of them."""
    decided = table["verdict"] != Verdict.UNDECIDED
    return table[decided & (table["verdict"] != table["wanted"])]


def require_controls(table: pd.DataFrame) -> None:
    """Raise ``DataError`` naming a row that is wanted to disagree and agrees: nothing could be told."""
    wrong = table[(table["wanted"] == Verdict.DISAGREES) & (table["verdict"] == Verdict.AGREES)]
    if len(wrong):
        first = wrong.iloc[0]
        raise DataError(
            f"{first['quantity']} of {first['setting']} ({first['note']}) agrees with what is wrong, so "
            f"that the other rows say nothing; measure more widths or trials"
        )


def thesis_slopes(limits: pd.DataFrame, settings: SharpnessVerdicts) -> pd.DataFrame:
    """Slopes of the wide limit along the thesis's families, with its own n_0.

    Columns: family, parametrization, exponent (as n grows without end), last_decade, window (up to
    ``sharpness.thesis.window``).
    """
    part, rows = settings.sharpness.thesis, []
    whole = limits[limits["inputs"] == "whole"]
    for (family, name), table in whole.groupby(["family", "parametrization"], sort=False):
        last = table[10 * table["n"] >= table["n"].max()]
        first = table[table["n"] <= part.window]
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


def _slopes(widths: pd.DataFrame, settings: SharpnessVerdicts) -> Rows:
    tolerance = settings.sharpness.tolerances.slope
    for family, rows in widths.groupby("family", sort=False):
        measured, expected = {}, {}
        for name, part in rows.groupby("parametrization", sort=False):
            measured[name] = _slope(part, "n", settings)
            n = np.unique(part["n"])
            expected[name] = _known_slope(n, part.groupby("n")["expected"].first().loc[n])
            yield _row("widths", SLOPE, f"{family}, {name}", expected[name], measured[name], tolerance)
        first, second = WRONG
        if first in measured and second in expected and _differ(expected, tolerance):
            yield _row(
                "widths",
                SLOPE,
                f"{family}, {first}",
                expected[second],
                measured[first],
                tolerance,
                wanted=Verdict.DISAGREES,
                note=f"control: the theory of {second}",
            )


def _differ(expected: dict[Any, float], tolerance: float) -> bool:
    """Whether the two theories of the control can be told apart: at a constant ratio they are one."""
    first, second = WRONG
    return abs(expected[first] - expected[second]) > 2 * tolerance


def _ratios(widths: pd.DataFrame, settings: SharpnessVerdicts) -> Rows:
    part = settings.sharpness.tolerances
    large = widths[widths["n"] >= part.ratio_from]
    for (family, name, n), rows in large.groupby(["family", "parametrization", "n"], sort=False):
        ratios = (rows["sharpness"] / rows["expected"]).to_numpy()
        found = mean_of(ratios, settings.fit.confidence)
        yield _row("widths", RATIO, f"{family}, {name}, n = {n}", 1.0, found, part.ratio)


def _of_thesis(slopes: pd.DataFrame, settings: SharpnessVerdicts) -> Rows:
    part = settings.sharpness
    for row in slopes.to_dict("records"):
        yield _row(
            "thesis",
            "slope of the wide limit over its last decade",
            f"{row['family']}, {row['parametrization']}",
            row["exponent"],
            _known(row["last_decade"]),
            part.tolerances.slope,
            note=f"{row['window']:.2f} up to n = {part.thesis.window}",
        )


def _normalizations(table: pd.DataFrame, settings: SharpnessVerdicts) -> Rows:
    part = settings.sharpness.tolerances
    for (inputs, name), rows in table.groupby(["inputs", "normalization"], sort=False):
        found = _slope(rows, "width", settings)
        row = ("normalization", SLOPE, f"{inputs} inputs, {name}")
        if name == "none":
            yield _row(*row, 1.0, found, part.normalized_slope)
        elif name in ("mean", "batch"):
            control = inputs == "fixed"
            wanted = Verdict.DISAGREES if control else Verdict.AGREES
            note = "control: as many inputs at every width" if control else ""
            yield _row(*row, 0.0, found, part.flat, wanted=wanted, note=note)
        elif inputs == "proportional":
            note = "layer normalization does not take the growth away"
            yield _row(*row, 0.0, found, part.growth, wanted=Verdict.DISAGREES, note=note)
    # At M inputs of M units the wide kernel understates what the mean leaves: slopes alone are judged.
    quantitative = table[table["normalization"].isin(["none", "layer"])]
    for (inputs, name, width), rows in quantitative.groupby(
        ["inputs", "normalization", "width"], sort=False
    ):
        ratios = (rows["sharpness"] / rows["expected"]).to_numpy()
        ratio = mean_of(ratios, settings.fit.confidence)
        setting = f"{inputs} inputs, {name}, M = {width}"
        yield _row("normalization", RATIO, setting, 1.0, ratio, part.normalized_ratio)


def _rates(rates: pd.DataFrame, settings: SharpnessVerdicts) -> Rows:
    tolerance = settings.sharpness.tolerances.rate
    for name, rows in rates.groupby("parametrization", sort=False):
        found = mean_of(rows["product"].to_numpy(), settings.fit.confidence)
        yield _row("rates", RATE, str(name), 2.0, found, tolerance)


def _output_scale(table: pd.DataFrame, settings: SharpnessVerdicts) -> Rows:
    tolerance = settings.sharpness.tolerances.identity
    for family, rows in table.groupby("family", sort=False):
        for quantity, column in ((KERNELS, "kernels"), (OUTPUTS, "outputs")):
            found = _known(rows[column].max())
            yield _row("output scale", quantity, str(family), 0.0, found, tolerance)
        yield _row(
            "output scale",
            OUTPUTS,
            str(family),
            0.0,
            _known(rows["same_rate"].min()),
            tolerance,
            wanted=Verdict.DISAGREES,
            note="control: at the same learning rate",
        )


def _known_slope(n: ArrayLike, values: ArrayLike) -> float:
    """The slope of what is known, less its rounding."""
    return round(float(log_slope(n, values)), 12) + 0.0


def _known(value: float) -> Estimate:
    """What no scatter enters."""
    return Estimate(value, value, value, 0.0, 0)


def _slope(rows: pd.DataFrame, width: str, settings: SharpnessVerdicts) -> Estimate:
    """The slope of log(mean sharpness) over log(width)."""
    widths = [int(n) for n in np.unique(rows[width])]
    values = [rows.loc[rows[width] == n, ["sharpness"]].to_numpy() for n in widths]
    return slope_of_log_means(widths, values, confidence=settings.fit.confidence)


def _row(
    experiment: str,
    quantity: str,
    setting: str,
    expected: float,
    found: Estimate,
    tolerance: float,
    *,
    wanted: Verdict = Verdict.AGREES,
    note: str = "",
) -> dict[str, Any]:
    return {
        "experiment": experiment,
        "quantity": quantity,
        "setting": setting,
        "expected": expected,
        **found.row("measured"),
        "verdict": equivalence(*found.interval, expected, tolerance),
        "wanted": wanted,
        "note": note,
    }
