"""Measured slopes against expected ones, and whether the thesis's claims are visible (Sec. 3).

Three slopes stand side by side for every layer of every curve: the asymptotic exponent
(``orders``), the slope expected on this window of widths (``mean_field``), and the measured one. The
verdict compares measured with expected; the note says whether the claim shows in this window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dynparam.blocks import Claim
from dynparam.config import ComparisonStage
from dynparam.expectation import asymptotic_exponents
from dynparam.mean_field import log_slope
from dynparam.statistics import Verdict, equivalence
from dynparam.widths import INPUT_WIDTH

COLUMNS = (
    "figure",
    "curve",
    "parametrization",
    "layer",
    "asymptotic",
    "expected",
    "slope",
    "ci_low",
    "ci_high",
    "verdict",
    "note",
)
"""The columns of ``results/comparison/slopes.csv``."""

NOTABLE_SHIFT = 0.05
"""Differences of slopes from here on are told: they would show in a legend of two decimals."""


@dataclass(frozen=True)
class ExpectedSlopes:
    """What theory says of one layer's slope.

    Attributes:
        asymptotic: the exact exponent as n grows.
        on_window: the mean-field slope at the widths of the experiment.
        uncrossed: the same if n_0 lay at the lower end of the window, so that no width passed it.
    """

    asymptotic: float
    on_window: float
    uncrossed: float


def compare(
    settings: ComparisonStage,
    fits: Mapping[str, pd.DataFrame],
    expected: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """One row per figure, curve and layer, in ``COLUMNS``; the verdict is measured against expected."""
    rows = [
        _row(settings, figure, curve, layer, fits[curve], expected[curve])
        for figure, curves in settings.panels.items()
        for curve in curves
        for layer in fits[curve]["layer"].tolist()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    settings: ComparisonStage,
    figure: str,
    name: str,
    layer: int,
    fits: pd.DataFrame,
    expected: pd.DataFrame,
) -> dict[str, object]:
    curve = settings.probe.curve(name)
    fit = fits.set_index("layer")[["slope", "ci_low", "ci_high"]].to_dict("index")[layer]
    values = expected[expected["layer"] == layer]
    slopes = ExpectedSlopes(
        asymptotic=float(asymptotic_exponents(settings.network, curve)[layer - 1]),
        on_window=float(log_slope(values["n"], values["alignment"])),
        uncrossed=float(log_slope(values["n"], values["alignment_uncrossed"])),
    )
    interval = (float(fit["ci_low"]), float(fit["ci_high"]))
    tolerance = settings.comparison.tolerance
    return {
        "figure": figure,
        "curve": name,
        "parametrization": curve.parametrization,
        "layer": layer,
        "asymptotic": slopes.asymptotic,
        "expected": slopes.on_window,
        "slope": float(fit["slope"]),
        "ci_low": interval[0],
        "ci_high": interval[1],
        "verdict": equivalence(*interval, slopes.on_window, tolerance),
        "note": claim_note(curve.claim, interval, slopes, tolerance, settings.probe.widths.largest),
    }


def claim_note(
    claim: Claim,
    interval: tuple[float, float],
    slopes: ExpectedSlopes,
    tolerance: float,
    largest: int,
) -> str:
    """Whether the thesis's claim shows in the measured interval of a slope, and what theory adds.

    "flat" shows if the interval lies within the tolerance of zero, "decreasing" if it lies below
    zero. ``largest`` is the largest n of the window.
    """
    if claim == "flat":
        wording = f"constant in n to within {tolerance:g}"
        visible = equivalence(*interval, 0.0, tolerance) is Verdict.AGREES
    else:
        wording = "decreasing in n"
        visible = interval[1] < 0
    reasons = []
    crossing = slopes.on_window - slopes.uncrossed
    if abs(crossing) >= NOTABLE_SHIFT:
        where = "passes" if largest > INPUT_WIDTH else "stays below"
        reasons.append(
            f"n {where} n_0 = {INPUT_WIDTH} in this window (eq. 3.4), which shifts the expected slope "
            f"by {crossing:+.2f}"
        )
    finite_width = slopes.uncrossed - slopes.asymptotic
    if abs(finite_width) >= NOTABLE_SHIFT:
        reasons.append(f"finite-width terms shift the expected slope by {finite_width:+.2f}")
    if visible:
        return "; ".join([f"claim ({wording}) visible", *reasons])
    because = " and ".join(reasons) or "the measured interval is too wide or lies elsewhere"
    return f"claim ({wording}) not visible in this window, because {because}"
