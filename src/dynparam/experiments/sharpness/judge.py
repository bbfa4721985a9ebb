"""Whether sharpness is what theory says: slopes, ratios, normalizations, rates, and the controls.

A control is a statement that is wrong. Its row says that it is wanted to disagree; if it does not, the
measurement could not have told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.sharpness.settings import SharpnessVerdicts
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.slopes import log_slope, slope_of_log_means
from dynparam.statistics.verdicts import Verdict, equivalence
from dynparam.support.errors import DataError

Rows = Iterator[dict[str, Any]]

RATIO = "measured over theory"

WRONG = ("spectral", "ntk")
"""The control on widths: the slope of the first, held against the theory of the second."""


def judged(
    widths: pd.DataFrame, normalization: pd.DataFrame, rates: pd.DataFrame, settings: SharpnessVerdicts
) -> pd.DataFrame:
    """A row for each statement; the tables are those of ``measure``.

    Columns: experiment, quantity, setting, expected, measured, ci_low, ci_high, verdict, wanted, note.
    Raises ``DataError`` for an empty table.
    """
    tables = {"widths": widths, "normalization": normalization, "rates": rates}
    for name, table in tables.items():
        if table.empty:
            raise DataError(f"the table of {name} is empty; measure it again")
    rows = [*_slopes(widths, settings), *_ratios(widths, settings)]
    rows += [*_normalizations(normalization, settings), *_rates(rates, settings)]
    return pd.DataFrame(rows)


def unexpected(table: pd.DataFrame) -> pd.DataFrame:
    """The rows whose verdict is the opposite of the wanted one; undecided ones are none of them."""
    decided = table["verdict"] != Verdict.UNDECIDED
    return table[decided & (table["verdict"] != table["wanted"])]


def controls_that_agree(table: pd.DataFrame) -> pd.DataFrame:
    """The controls that did not disagree: what was measured could not tell right from wrong there."""
    wanted = table["wanted"] == Verdict.DISAGREES
    return table[wanted & (table["verdict"] != Verdict.DISAGREES)]


def _slopes(widths: pd.DataFrame, settings: SharpnessVerdicts) -> Rows:
    tolerance = settings.sharpness.widths.slope_tolerance
    for family, rows in widths.groupby("family", sort=False):
        measured, expected = {}, {}
        for name, part in rows.groupby("parametrization", sort=False):
            measured[name] = _slope(part, "n", settings)
            n = np.unique(part["n"])
            expected[name] = float(log_slope(n, part.groupby("n")["expected"].first().loc[n]))
            yield _row("widths", "slope", f"{family}, {name}", expected[name], measured[name], tolerance)
        first, second = WRONG
        if first in measured and second in expected and _differ(expected, tolerance):
            yield _row(
                "widths",
                "slope",
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
    part = settings.sharpness.widths
    large = widths[widths["n"] >= part.ratio_from]
    for (family, name, n), rows in large.groupby(["family", "parametrization", "n"], sort=False):
        ratios = (rows["sharpness"] / rows["expected"]).to_numpy()
        found = mean_of(ratios, settings.fit.confidence)
        setting = f"{family}, {name}, n = {n}"
        yield _row("widths", RATIO, setting, 1.0, found, part.ratio_tolerance)


def _normalizations(table: pd.DataFrame, settings: SharpnessVerdicts) -> Rows:
    part = settings.sharpness.normalization
    for (inputs, name), rows in table.groupby(["inputs", "normalization"], sort=False):
        found = _slope(rows, "width", settings)
        setting = f"{inputs} inputs, {name}"
        if name == "none":
            yield _row("normalization", "slope", setting, 1.0, found, part.slope_tolerance)
        elif name in ("mean", "batch"):
            control = inputs == "fixed"
            yield _row(
                "normalization",
                "slope",
                setting,
                0.0,
                found,
                part.flat_tolerance,
                wanted=Verdict.DISAGREES if control else Verdict.AGREES,
                note="control: as many inputs at every width" if control else "",
            )
        elif inputs == "proportional":
            # Not flat: that is what tells it from the other two.
            yield _row(
                "normalization",
                "slope",
                setting,
                0.0,
                found,
                part.flat_tolerance,
                wanted=Verdict.DISAGREES,
                note="layer normalization does not take the growth away",
            )
    # At M inputs of M units the wide kernel understates what the mean leaves: slopes alone are judged.
    quantitative = table[table["normalization"].isin(["none", "layer"])]
    for (inputs, name, width), rows in quantitative.groupby(
        ["inputs", "normalization", "width"], sort=False
    ):
        found = mean_of((rows["sharpness"] / rows["expected"]).to_numpy(), settings.fit.confidence)
        setting = f"{inputs} inputs, {name}, M = {width}"
        yield _row("normalization", RATIO, setting, 1.0, found, part.ratio_tolerance)


def _rates(rates: pd.DataFrame, settings: SharpnessVerdicts) -> Rows:
    tolerance = settings.sharpness.rates.tolerance
    for name, rows in rates.groupby("parametrization", sort=False):
        found = mean_of(rows["product"].to_numpy(), settings.fit.confidence)
        yield _row("rates", "largest rate times sharpness", str(name), 2.0, found, tolerance)


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
