"""Verdicts: the identity of the largest eigenvalue, its growth with depth, and what bottlenecks do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynparam.experiments.isometry.bottlenecks import bottleneck_widths
from dynparam.experiments.isometry.network import RESOLUTION
from dynparam.experiments.isometry.settings import IsometryStage
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.judged import CLAIM, CONTROL, Row, equal, known, table, within_errors
from dynparam.statistics.slopes import slope_of_log_means
from dynparam.support.arrays import FloatArray
from dynparam.theory.isometry import Isometry, ThreeLayers, isometry
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.relu_kernels import single_input_ntk


@dataclass(frozen=True)
class Measured:
    """What was measured, by part, depth, kind and quantity; and the level of intervals."""

    table: pd.DataFrame
    confidence: float

    def values(self, part: str, depth: int, quantity: str, kind: str = "orthogonal") -> FloatArray:
        """Of all trials, (trials,)."""
        here = self.table
        for name, value in (("part", part), ("depth", depth), ("kind", kind), ("quantity", quantity)):
            here = here[here[name] == value]
        return here.sort_values("trial")["value"].to_numpy(float)

    def mean(self, values: FloatArray) -> Estimate:
        """The mean over trials with Student's interval."""
        return mean_of(values, self.confidence)

    def slope(self, depths: tuple[int, ...], values: list[FloatArray]) -> Estimate:
        """The exponent of depth in the mean of values, one array (trials,) for each depth."""
        columns = [one[:, None] for one in values]
        return slope_of_log_means(depths, columns, confidence=self.confidence)


def judged(measured: pd.DataFrame, settings: IsometryStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    found = Measured(measured, settings.fit.confidence)
    rows: list[Row] = []
    for part in (_depths, _growth, _three_layers, _controls, _descent, _bottlenecks):
        rows += part(found, settings)
    return table(rows)


def theory_of(settings: IsometryStage, depth: int) -> Isometry:
    """The wide limit at one depth."""
    return isometry(depth, settings.isometry.clipped)


def expected_kernel(settings: IsometryStage, name: str, depth: int) -> float:
    """Theta(x, x) of |x|^2 = n_0 in the mean over networks, of a parametrization."""
    own = settings.isometry.bottlenecks
    widths = bottleneck_widths(own, depth)
    return own.inputs * single_input_ntk(widths, layer_scales(name, widths, own.r))


def _depths(found: Measured, settings: IsometryStage) -> Iterator[Row]:
    """The largest eigenvalue of every depth: exactly, and in the wide limit; and its mass."""
    own, limits = settings.isometry, settings.isometry.tolerances
    for depth in own.depths:
        theory = theory_of(settings, depth)
        largest, exact, often, unclipped, top, mean = (
            found.values("spectrum", depth, name)
            for name in ("largest", "exact", "multiplicity", "unclipped", "top", "mean")
        )
        setting = f"L = {depth}, M = {own.units}"
        for what, expected, measured, tolerance in (
            (
                "largest eigenvalue over the identity, less 1",
                0.0,
                _worst(np.abs(largest / exact - 1)),
                limits.exact,
            ),
            ("multiplicity less unclipped units", 0.0, _worst(np.abs(often - unclipped)), 0.5),
            (
                "largest eigenvalue over the wide limit",
                1.0,
                found.mean(largest / theory.largest_eigenvalue),
                limits.ratio,
            ),
            ("share of eigenvalues at the top", theory.top_mass, found.mean(top), limits.mass),
            (
                "mean eigenvalue over the wide limit",
                1.0,
                found.mean(mean / theory.mean_eigenvalue),
                limits.ratio,
            ),
        ):
            yield equal("isometry", what, setting, expected, measured, tolerance)


def _growth(found: Measured, settings: IsometryStage) -> Iterator[Row]:
    """The exponent of depth in the largest eigenvalue over qhat."""
    own = settings.isometry
    values = [
        found.values("spectrum", depth, "largest") / theory_of(settings, depth).square
        for depth in own.depths
    ]
    slope = found.slope(own.depths, values)
    what = "exponent of L in the largest eigenvalue over qhat"
    yield equal("isometry", what, _range(own.depths), 1.0, slope, own.tolerances.slope)


def _three_layers(found: Measured, settings: IsometryStage) -> Iterator[Row]:
    """Both atoms of three layers, and the mean of what lies between them."""
    own = settings.isometry.three_layers
    limits = settings.isometry.tolerances
    low, _, high = ThreeLayers(isometry(3, own.clipped)).masses
    setting = f"L = 3, M = {own.units}, c = {own.clipped:g}"
    for what, expected, quantity in (
        ("share of eigenvalues at the lowest", low, "lowest"),
        ("share of eigenvalues at the top", high, "top"),
    ):
        measured = found.mean(found.values("three", 3, quantity))
        yield equal("isometry", what, setting, expected, measured, limits.mass)


def _controls(found: Measured, settings: IsometryStage) -> Iterator[Row]:
    """Gaussian weights are no isometry: neither the largest eigenvalue nor its mass is right."""
    own, limits = settings.isometry, settings.isometry.tolerances
    depth = own.control_depth
    theory = theory_of(settings, depth)
    setting, note = f"L = {depth}, M = {own.units}, Gaussian weights", "weights are not orthogonal"
    largest, near = (found.values("control", depth, name, "gaussian") for name in ("largest", "near"))
    for what, expected, values, tolerance in (
        (
            "largest eigenvalue over the wide limit",
            1.0,
            largest / theory.largest_eigenvalue,
            limits.ratio,
        ),
        ("share of eigenvalues near the top", theory.top_mass, near, limits.mass),
    ):
        yield equal("isometry", what, setting, expected, found.mean(values), tolerance, note, CONTROL)


def _descent(found: Measured, settings: IsometryStage) -> Iterator[Row]:
    """Stable learning rates: 2/lambda_max of each network, and so 1/L."""
    own = settings.isometry.descent
    tolerance = settings.isometry.tolerances.slope
    rates = []
    for depth in own.depths:
        rate, largest = (found.values("descent", depth, name) for name in ("rate", "largest"))
        setting = f"L = {depth}, M = {own.units}"
        what = "largest stable learning rate times M lambda_max"
        note = f"found to {RESOLUTION:.1g} of itself"
        yield equal("isometry", what, setting, 2.0, found.mean(rate), 2 * tolerance, note)
        rates.append(rate / largest * theory_of(settings, depth).square)
    what = "exponent of L in the stable learning rate times qhat"
    yield equal("isometry", what, _range(own.depths), -1.0, found.slope(own.depths, rates), tolerance)


def _bottlenecks(found: Measured, settings: IsometryStage) -> Iterator[Row]:
    """Theta(x, x) at every depth, whose expectation is exact."""
    own = settings.isometry.bottlenecks
    errors = settings.isometry.tolerances.errors
    for name in own.parametrizations:
        for depth in own.depths:
            expected = expected_kernel(settings, name, depth)
            measured = found.mean(found.values("bottleneck", depth, "kernel", name))
            setting = f"{name}, L = {depth}, widths {own.n} and {own.n_min}"
            yield Row(
                "bottleneck",
                "Theta(x, x)",
                setting,
                CLAIM,
                expected,
                measured,
                note=f"decided by {errors:g} standard errors",
                given=within_errors(expected, measured, errors),
            )


def _worst(apart: FloatArray) -> Estimate:
    """The largest distance over trials, as a number known exactly."""
    return known(float(apart.max()))


def _range(depths: tuple[int, ...]) -> str:
    return f"L = {depths[0]} to {depths[-1]}"
