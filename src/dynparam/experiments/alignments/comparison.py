"""Measured slopes against expected ones, and whether the thesis's claims are visible (Sec. 3).

For every layer of every curve stand side by side: the asymptotic exponent (``orders``), the slope
expected on this window of widths to leading order (``mean_field``), the exact expectation on the same
window (thousands of trials on the law engine), and the measured slope, the scatter of the images' norms
taken out. The verdict compares measured with expected; the note says whether the claim shows in this
window. One test for a curve says whether all its layers together are told apart from what is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynparam.experiments.alignments.fits import joint_slopes
from dynparam.experiments.alignments.settings import ComparisonStage
from dynparam.presentation.numbers import signed
from dynparam.settings.shared import panels_of
from dynparam.settings.widths import Claim
from dynparam.statistics.joint import joint_test
from dynparam.statistics.slopes import log_slope
from dynparam.statistics.verdicts import equivalence
from dynparam.support.errors import DataError
from dynparam.theory.widths import INPUT_WIDTH
from dynparam.trials.claims import Showing, showing
from dynparam.trials.networks import asymptotic_exponents

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
    "expected_exact",
    "expected_exact_error",
    "deviation",
    "drawn_slope",
    "drawn_low",
    "drawn_high",
    "joint_statistic",
    "joint_layers",
    "joint_freedom",
    "joint_p",
)
"""The columns of ``results/comparison/slopes.csv``.

``slope`` and its interval are those judged, the scatter of the images' norms taken out; ``drawn_slope``
and its interval are those of the figures. ``expected_exact`` has the standard error beside it; it is
empty where the law engine is what measured. ``deviation`` is the measured slope less the exact one, in
standard errors of both. The last four belong to the whole curve: F with ``joint_layers`` and
``joint_freedom`` degrees of freedom of the test that its measured slopes are the exact ones
(``statistics.joint.joint_test``).
"""

NOTABLE_SHIFT = 0.05
"""Differences of slopes from here on are told: they would show in a legend of two decimals."""


@dataclass(frozen=True)
class CurveResults:
    """What is known of one curve on one window of widths.

    Attributes:
        fits: measured slopes (``fits.fit_curve``).
        expected: mean-field values at the window's widths (``expected.expected_values``).
        exact: slopes of many trials on the law engine on the same window, if that did not measure.
    """

    fits: pd.DataFrame
    expected: pd.DataFrame
    exact: pd.DataFrame | None = None


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
    window: Mapping[str, CurveResults],
    wide: Mapping[str, CurveResults],
) -> pd.DataFrame:
    """One row per figure, curve and layer, in ``COLUMNS``.

    Raises ``DataError`` for a measured layer that the network, or what is expected, does not have.

    ``window`` are the curves of the panels at the thesis's widths; ``wide`` the same curves on the law
    engine, from ``law.slopes_from`` on, for the figures of ``law.figures``.
    """
    drawn = [
        (figure, curve, window[curve]) for figure in settings.panels for curve in settings.panels[figure]
    ]
    for figure, continued in settings.law.figures.items():
        for curve in panels_of(settings.panels, continued):
            known = wide[curve]
            reached = known.expected[known.expected["n"] >= settings.law.slopes_from]
            drawn.append((figure, curve, CurveResults(known.fits, reached)))
    for _, curve, results in drawn:
        _require_layers(len(settings.network.hidden) + 1, curve, results)
    rows = [
        _row(settings, figure, curve, layer, results) | whole
        for figure, curve, results in drawn
        for whole in (_whole_curve(results),)
        for layer in results.fits["layer"].tolist()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _whole_curve(results: CurveResults) -> dict[str, object]:
    """The test of all layers together; empty where no exact slope is known.

    The closed form is of leading order in eta and 1/width, which a sharp test finds sooner or later.
    """
    if results.exact is None:
        return {}
    found = joint_test(joint_slopes(results.fits), joint_slopes(results.exact))
    return {
        "joint_statistic": found.statistic,
        "joint_layers": found.freedom[0],
        "joint_freedom": found.freedom[1],
        "joint_p": found.p_value,
    }


def _row(
    settings: ComparisonStage, figure: str, name: str, layer: int, results: CurveResults
) -> dict[str, object]:
    curve = settings.probe.curve(name)
    fit = _of_layer(results.fits, layer)
    values = results.expected[results.expected["layer"] == layer]
    slopes = ExpectedSlopes(
        asymptotic=float(asymptotic_exponents(settings.network, curve)[layer - 1]),
        on_window=float(log_slope(values["n"], values["alignment"])),
        uncrossed=float(log_slope(values["n"], values["alignment_uncrossed"])),
    )
    interval = (fit["judged_low"], fit["judged_high"])
    exact, error = np.nan, np.nan
    if results.exact is not None:
        many = _of_layer(results.exact, layer)
        exact, error = many["judged_slope"], many["judged_error"]
    tolerance = settings.comparison.tolerance
    best = slopes.on_window if np.isnan(exact) else exact
    return {
        "figure": figure,
        "curve": name,
        "parametrization": curve.parametrization,
        "layer": layer,
        "asymptotic": slopes.asymptotic,
        "expected": slopes.on_window,
        "slope": fit["judged_slope"],
        "ci_low": interval[0],
        "ci_high": interval[1],
        "verdict": equivalence(*interval, best, tolerance),
        "note": claim_note(curve.claim, interval, slopes, tolerance, int(values["n"].max())),
        "expected_exact": exact,
        "expected_exact_error": error,
        "deviation": (fit["judged_slope"] - exact) / np.hypot(fit["judged_error"], error),
        "drawn_slope": fit["slope"],
        "drawn_low": fit["ci_low"],
        "drawn_high": fit["ci_high"],
    }


def _require_layers(depth: int, name: str, results: CurveResults) -> None:
    """Raise ``DataError`` unless all measured layers are known to the network and to theory."""
    beside = [table for table in (results.expected, results.exact) if table is not None]
    known = set(range(1, depth + 1)).intersection(*(table["layer"] for table in beside))
    for layer in results.fits["layer"]:
        if layer not in known:
            raise DataError(
                f"layer {layer} of {name} has a measured slope, and no expected one in this network of "
                f"{depth} layers; run the rules of both again"
            )


def _of_layer(fits: pd.DataFrame, layer: int) -> dict[str, float]:
    columns = ["slope", "ci_low", "ci_high", "judged_slope", "judged_low", "judged_high", "judged_error"]
    return {name: float(fits.loc[fits["layer"] == layer, name].iloc[0]) for name in columns}


def claim_note(
    claim: Claim,
    interval: tuple[float, float],
    slopes: ExpectedSlopes,
    tolerance: float,
    largest: int,
) -> str:
    """Whether the thesis's claim shows in the measured interval of a slope, and what theory adds.

    ``largest`` is the largest n of the window.
    """
    wording = f"constant in n to within {tolerance:g}" if claim == "flat" else "decreasing in n"
    reasons = []
    crossing = slopes.on_window - slopes.uncrossed
    if abs(crossing) >= NOTABLE_SHIFT:
        where = "passes" if largest > INPUT_WIDTH else "stays below"
        reasons.append(
            f"n {where} n_0 = {INPUT_WIDTH} in this window (eq. 3.4), which shifts the expected slope "
            f"by {signed(crossing, 2)}"
        )
    finite_width = slopes.uncrossed - slopes.asymptotic
    if abs(finite_width) >= NOTABLE_SHIFT:
        reasons.append(f"finite-width terms shift the expected slope by {signed(finite_width, 2)}")
    if showing(claim, *interval, tolerance) is Showing.YES:
        return "; ".join([f"claim ({wording}) visible", *reasons])
    because = " and ".join(reasons) or "the measured interval is too wide or lies elsewhere"
    return f"claim ({wording}) not visible in this window, because {because}"
