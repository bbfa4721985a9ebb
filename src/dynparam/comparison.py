"""Measured slopes against expected ones, and whether the thesis's claims are visible (Sec. 3).

Three slopes stand side by side for every layer of every curve: the asymptotic exponent
(``orders``), the slope expected on this window of widths (``mean_field``), and the measured one. The
verdict compares measured with expected; the note says whether the claim shows in this window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction

import numpy as np
import pandas as pd

from dynparam.config import Claim, Comparison, ComparisonStage, Curve, Probe, ProbeStage
from dynparam.curves import curve_widths, wide_widths
from dynparam.mean_field import FloatArray, log_slope, mean_field
from dynparam.orders import orders
from dynparam.parametrization import layer_scales
from dynparam.randomness import seed_sequence
from dynparam.statistics import SlopeFit, Verdict, equivalence, fit_slope
from dynparam.widths import INPUT_WIDTH, Widths

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


def expected_values(settings: ProbeStage, name: str, input_square_norms: FloatArray) -> pd.DataFrame:
    """Mean-field alignments of a curve at its widths, averaged over images of the given ||x||^2.

    Columns: curve, parametrization, layer, n, n_min, alignment, and alignment_uncrossed: the same if
    n_0 were the smallest n of the window, so that no width passes it. The two differ where the order
    of n_0 and n_1 matters to the parametrization (eq. 3.4).
    """
    curve = settings.probe.curve(name)
    smallest = settings.probe.widths.smallest
    parts = []
    for n in wide_widths(settings.probe):
        widths = curve_widths(settings.probe, curve, n)
        uncrossed = Widths((min(smallest, widths.sizes[0]), *widths.sizes[1:]))
        alignment, alignment_uncrossed = (
            mean_field(
                shape,
                layer_scales(curve.parametrization, shape, curve.r),
                settings.probe.learning_rate,
                input_square_norms,
            ).alignment
            for shape in (widths, uncrossed)
        )
        parts.append(
            pd.DataFrame(
                {
                    "curve": name,
                    "parametrization": curve.parametrization,
                    "layer": range(1, widths.depth + 1),
                    "n": n,
                    "n_min": widths.n_min,
                    "alignment": alignment,
                    "alignment_uncrossed": alignment_uncrossed,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def fit_curve(trials: pd.DataFrame, settings: Comparison) -> pd.DataFrame:
    """Slopes of every layer of one curve's ``results/probe/{curve}.csv``, with bootstrap intervals.

    Columns: curve, parametrization, layer, slope, intercept, ci_low, ci_high.
    """
    rows = []
    for name in trials["curve"].unique():
        for layer in trials["layer"].unique():
            mine = trials[(trials["curve"] == name) & (trials["layer"] == layer)]
            generator = np.random.default_rng(
                seed_sequence(settings.seed, "bootstrap", name, int(layer))
            )
            fit = _fit_layer(mine, settings, generator)
            parametrization = mine["parametrization"].iloc[0]
            rows.append(
                {"curve": name, "parametrization": parametrization, "layer": layer, **asdict(fit)}
            )
    return pd.DataFrame(rows)


def compare(
    settings: ComparisonStage,
    fits: Mapping[str, pd.DataFrame],
    expected: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """One row per figure, curve and layer, in ``COLUMNS``; the verdict is measured against expected."""
    rows = [
        _row(settings, figure, curve, layer, fits[curve], expected[curve])
        for figure, spec in settings.figures.probe.items()
        for curve in spec.panels
        for layer in fits[curve]["layer"].tolist()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def asymptotic_exponents(probe: Probe, curve: Curve) -> tuple[Fraction, ...]:
    """Exponents of the alignments of layers 1 ... L as n grows and n_0, n_L stay (``orders``)."""
    share = {"wide": Fraction(1), "narrow": curve.narrow.exponent}
    exponents = [Fraction(0), *(share[s] for s in probe.hidden), Fraction(0)]
    return orders(curve.parametrization, exponents, curve.r).alignment


def _fit_layer(trials: pd.DataFrame, settings: Comparison, generator: np.random.Generator) -> SlopeFit:
    widths = np.unique(trials["n"].to_numpy()).tolist()
    return fit_slope(
        widths,
        [trials.loc[trials["n"] == n, "alignment"].to_numpy(float) for n in widths],
        confidence=settings.confidence,
        resamples=settings.resamples,
        generator=generator,
    )


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
    on_window = float(log_slope(values["n"], values["alignment"]))
    uncrossed = float(log_slope(values["n"], values["alignment_uncrossed"]))
    asymptotic = float(asymptotic_exponents(settings.probe, curve)[layer - 1])
    interval = (float(fit["ci_low"]), float(fit["ci_high"]))
    tolerance = settings.comparison.tolerance
    return {
        "figure": figure,
        "curve": name,
        "parametrization": curve.parametrization,
        "layer": layer,
        "asymptotic": asymptotic,
        "expected": on_window,
        "slope": float(fit["slope"]),
        "ci_low": interval[0],
        "ci_high": interval[1],
        "verdict": equivalence(*interval, on_window, tolerance),
        "note": claim_note(curve.claim, interval, asymptotic, on_window, uncrossed, tolerance),
    }


def claim_note(
    claim: Claim,
    interval: tuple[float, float],
    asymptotic: float,
    expected: float,
    uncrossed: float,
    tolerance: float,
) -> str:
    """Whether the thesis's claim shows in the measured interval of a slope, and what theory adds.

    "flat" shows if the interval lies within the tolerance of zero, "decreasing" if it lies below
    zero. ``uncrossed`` is the expected slope if no width passed n_0 inside the window.
    """
    if claim == "flat":
        wording = "constant in n"
        visible = equivalence(*interval, 0.0, tolerance) is Verdict.AGREES
    else:
        wording = "decreasing in n"
        visible = interval[1] < 0
    reasons = []
    if abs(expected - uncrossed) >= NOTABLE_SHIFT:
        reasons.append(
            f"n passes n_0 = {INPUT_WIDTH} inside the window (eq. 3.4), which shifts the expected "
            f"slope by {expected - uncrossed:+.2f}"
        )
    if abs(uncrossed - asymptotic) >= NOTABLE_SHIFT:
        reasons.append(f"finite-width terms shift the expected slope by {uncrossed - asymptotic:+.2f}")
    if visible:
        return "; ".join([f"claim ({wording}) visible", *reasons])
    because = " and ".join(reasons) or "the measured interval is too wide or lies elsewhere"
    return f"claim ({wording}) not visible in this window, because {because}"
