"""Verdicts: the eigenvalues that stand out beside the wide limit, and how far they are dispersed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd

from dynparam.experiments.softmax_fisher.settings import SoftmaxStage
from dynparam.experiments.softmax_fisher.tables import HE
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.judged import CLAIM, CONTROL, SHOWN, Row, below, beyond, equal, table
from dynparam.support.arrays import FloatArray

NOT_ONE = "no softmax, Q = I/C, but said to spread as softmax does"


@dataclass(frozen=True)
class Network:
    """The trials of one kind of network.

    Attributes:
        part: "gaussian" or "images".
        n: its wide width; zero on Gaussian inputs.
        scales: its parametrization.
        outputs: C.
        values: by quantity, (trials, ranks).
        confidence: of intervals.
    """

    part: str
    n: int
    scales: str
    outputs: int
    values: dict[str, FloatArray]
    confidence: float

    @property
    def setting(self) -> str:
        """What the table calls it."""
        return "He's initialization" if self.scales == HE else f"{self.scales}, n = {self.n}"

    def mean(self, values: FloatArray) -> Estimate:
        """The mean over trials, (trials,)."""
        return mean_of(values, self.confidence)

    def outlier_ratio(self) -> Estimate:
        """The mean over the C - 1 largest eigenvalues of measured over refined."""
        count = self.outputs - 1
        ratios = self.values["softmax"][:, :count] / self.values["refined"][:, :count]
        return self.mean(ratios.mean(axis=1))

    def ratio(self, measured: str, expected: str) -> Estimate:
        """The largest of one quantity over that of another."""
        return self.mean(self.values[measured][:, 0] / self.values[expected][:, 0])

    def spread(self, quantity: str, count: int) -> Estimate:
        """e_1 over e_count."""
        return self.mean(self._spread(quantity, count))

    def dispersion(self) -> Estimate:
        """The spread of C - 1 outliers over that of the squared loss's C."""
        own = self._spread("softmax", self.outputs - 1)
        return self.mean(own / self._spread("squared", self.outputs))

    def outlier_count(self, quantity: str) -> Estimate:
        """Eigenvalues before the widest gap, among the largest: that many stand out."""
        logs = np.log(self.values[quantity])
        return self.mean(1.0 + np.argmax(logs[:, :-1] - logs[:, 1:], axis=1))

    def gap(self, quantity: str, count: int) -> Estimate:
        """e_{count + 1} over e_count: small if ``count`` of them stand out."""
        found = self.values[quantity]
        return self.mean(found[:, count] / found[:, count - 1])

    def _spread(self, quantity: str, count: int) -> FloatArray:
        found = self.values[quantity]
        spread: FloatArray = found[:, 0] / found[:, count - 1]
        return spread


def networks(trials: pd.DataFrame, settings: SoftmaxStage) -> list[Network]:
    """The trials by network, in the table's order."""
    own = settings.softmax_fisher
    outputs = {"gaussian": own.gaussian.outputs, "images": own.images.outputs}
    found = []
    for (part, n, scales), rows in trials.groupby(["part", "n", "scales"], sort=False):
        values = {
            str(quantity): group.pivot(index="trial", columns="rank", values="value").to_numpy(float)
            for quantity, group in rows.groupby("quantity", sort=False)
        }
        kind = outputs[str(part)]
        found.append(Network(str(part), int(str(n)), str(scales), kind, values, settings.fit.confidence))
    return found


def outputs_stay(parametrization: str, r: Fraction) -> bool:
    """Whether outputs are of order one at any width (f_rms = Theta(1)); those of others vanish."""
    return parametrization in ("ntk", "standard") or (parametrization == "dynamic" and r == 0)


def judged(trials: pd.DataFrame, settings: SoftmaxStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    rows: list[Row] = []
    for network in networks(trials, settings):
        rows += _ratios(network, settings)
        if network.part == "gaussian":
            rows += _counts(network, settings)
        else:
            rows += _dispersion(network, settings)
    return table(rows)


def _ratios(network: Network, settings: SoftmaxStage) -> Iterator[Row]:
    """Measured eigenvalues over those of the wide limit."""
    limits = settings.softmax_fisher.tolerances
    row = partial(_equal, network, 1.0)
    yield row("mean over the C - 1 outliers of e / refined", network.outlier_ratio(), limits.outliers)
    yield row("sum of eigenvalues over theory", network.ratio("trace", "trace_refined"), limits.trace)
    if network.part == "gaussian":
        yield row("e_1 / refined", network.ratio("softmax", "refined"), limits.largest)
        yield row(
            "largest eigenvalue of the input metric over theory",
            network.ratio("input", "input_wide"),
            limits.largest,
        )
    remainder = network.values["remainder"][:, 0].mean()
    note = f"good where K1/(T K2) is small; here {remainder:.2g}"
    yield _shown(network, "e_1 / simple form", 1.0, network.ratio("softmax", "simple"), note)


def _counts(network: Network, settings: SoftmaxStage) -> Iterator[Row]:
    """How many eigenvalues stand out: C of the squared loss, C - 1 of softmax."""
    outputs = network.outputs
    squared = network.outlier_count("squared")
    what = "outliers of the squared loss"
    yield _equal(network, float(outputs), what, squared, 0.5, "eigenvalues before the widest gap")
    yield _equal(network, outputs - 1.0, what, squared, 0.5, "C - 1 of them, as of softmax", CONTROL)
    yield _shown(network, "e_{C+1} / e_C, squared loss", np.nan, network.gap("squared", outputs))
    note = "a gap is not always visible: some p_t are extreme"
    yield _shown(network, "e_C / e_{C-1}, softmax", np.nan, network.gap("softmax", outputs - 1), note)


def _dispersion(network: Network, settings: SoftmaxStage) -> Iterator[Row]:
    """How far outliers are spread, under softmax and without it."""
    limits = settings.softmax_fisher.tolerances
    outputs, found = network.outputs, network.dispersion()
    expected = network.spread("refined", outputs - 1)
    spread = network.spread("softmax", outputs - 1)
    what = "spread e_1 / e_{C-1} over that of the squared loss"
    size = f"f_rms = {network.values['output_rms'][:, 0].mean():.2g}"
    dispersed = outputs_stay(network.scales, settings.softmax_fisher.r)
    bound = limits.dispersed if dispersed else limits.alike
    accepted = beyond(bound) if dispersed else below(bound)
    yield Row("images", what, network.setting, CLAIM, bound, found, accepted, size)
    yield _shown(network, "spread e_1 / e_{C-1}, softmax", expected.value, spread, "expected: refined")
    yield _shown(network, "spread e_1 / e_C, squared loss", 1.0, network.spread("squared", outputs))
    if dispersed and network.n == max(settings.softmax_fisher.images.widths):
        plain = network.spread("squared", outputs - 1)
        name = "spread e_1 / e_{C-1} without softmax"
        tolerance = limits.outliers * expected.value
        yield _equal(network, expected.value, name, plain, tolerance, NOT_ONE, CONTROL)


def _equal(
    network: Network,
    expected: float,
    quantity: str,
    measured: Estimate,
    tolerance: float,
    note: str = "",
    role: str = CLAIM,
) -> Row:
    return equal(network.part, quantity, network.setting, expected, measured, tolerance, note, role)


def _shown(network: Network, quantity: str, expected: float, measured: Estimate, note: str = "") -> Row:
    return Row(network.part, quantity, network.setting, SHOWN, expected, measured, note=note)
