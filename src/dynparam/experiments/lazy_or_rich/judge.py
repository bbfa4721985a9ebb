"""The verdicts: measured exponents and values beside theory's, and controls that must not agree.

A row's interval lies inside the accepted range, outside of it, or across its border. Rows of the form
"at most", where theory claims a side and no value, hold or fail. A control is something of which theory
says the opposite: if its verdict were the good one, the measurement could not tell one from the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.lazy_or_rich.settings import LINEARIZED, LazinessStage, LazyOrRich
from dynparam.presentation.numbers import fraction
from dynparam.settings.widths import WidthGrid
from dynparam.statistics.estimates import UNKNOWN, Estimate, mean_of
from dynparam.statistics.slopes import log_slope, slope_of_log_means, slope_of_mean_logs
from dynparam.statistics.verdicts import (
    ClaimVerdict,
    Verdict,
    claim_verdict,
    equivalence,
)
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.theory.laziness import narrowest_layer
from dynparam.theory.parametrization import NAMES

COLUMNS = (
    "experiment",
    "quantity",
    "setting",
    "expected",
    "measured",
    "ci_low",
    "ci_high",
    "accepted_low",
    "accepted_high",
    "verdict",
    "control",
    "note",
)
"""The columns of ``results/lazy_or_rich/verdicts.csv``.

``expected`` is theory's number. The verdict is whether the interval lies between ``accepted_low`` and
``accepted_high``; an end that is missing is open. ``control`` is empty, or the verdict that a row must
not have the opposite of.
"""

GOOD = (Verdict.AGREES, ClaimVerdict.HOLDS)
"""What a control may not come out as."""


@dataclass(frozen=True)
class Tables:
    """What was measured, in the forms of ``tables``."""

    linearization: pd.DataFrame
    kernel_change: pd.DataFrame
    index: pd.DataFrame
    identities: pd.DataFrame


@dataclass(frozen=True)
class Row:
    """A row of ``COLUMNS``, before its verdict."""

    experiment: str
    quantity: str
    setting: str
    expected: float
    found: Estimate
    low: float
    high: float
    control: bool = False
    note: str = ""

    def judged(self, verdict: Verdict | ClaimVerdict | None = None) -> dict[str, Any]:
        """The row with its verdict, which is that of its interval unless it is given."""
        verdict = self.verdict() if verdict is None else verdict
        wanted = Verdict.DISAGREES if isinstance(verdict, Verdict) else ClaimVerdict.FAILS
        return {
            "experiment": self.experiment,
            "quantity": self.quantity,
            "setting": self.setting,
            "expected": self.expected,
            **self.found.row("measured"),
            "accepted_low": self.low if np.isfinite(self.low) else np.nan,
            "accepted_high": self.high if np.isfinite(self.high) else np.nan,
            "verdict": str(verdict),
            "control": str(wanted) if self.control else "",
            "note": self.note,
        }

    def verdict(self) -> Verdict | ClaimVerdict:
        """That of the interval: of a claim where the accepted range is open, else of a value."""
        if np.isfinite(self.low):
            middle = (self.low + self.high) / 2
            return equivalence(*self.found.interval, middle, (self.high - self.low) / 2)
        beyond = self.found.shifted(-self.high)
        return claim_verdict(*beyond.interval, better="lower")


def judged(tables: Tables, settings: LazinessStage) -> pd.DataFrame:
    """Every verdict, in ``COLUMNS``.

    Raises ``DataError`` if a control comes out as what it must not be.
    """
    rows = [
        *_linearization_rows(tables.linearization, settings),
        *_kernel_rows(tables.kernel_change, settings),
        *_index_rows(tables.index, settings),
        *_identity_rows(tables.identities, settings),
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    require_controls(table)
    return table


def require_controls(table: pd.DataFrame) -> None:
    """Raise ``DataError`` naming the first control that agrees, or holds."""
    wrong = table[(table["control"] != "") & table["verdict"].isin([str(one) for one in GOOD])]
    if len(wrong):
        row = wrong.iloc[0]
        raise DataError(
            f"the negative control {row['quantity']} ({row['setting']}) {row['verdict']}, so that these "
            f"trials cannot tell lazy from rich; measure more trials, or at wider networks"
        )


def by_width(table: pd.DataFrame, width: str, value: str) -> tuple[list[int], list[FloatArray]]:
    """Widths, increasing, and the values of all trials at each; those that are missing left out."""
    groups = [(int(str(n)), rows[value].dropna().to_numpy(float)) for n, rows in table.groupby(width)]
    return [n for n, _ in groups], [values for _, values in groups]


def mean_log(values: FloatArray, confidence: float) -> Estimate:
    """The geometric mean with its interval, Student's on the logarithms."""
    found = mean_of(np.log(values), confidence)
    return replace(
        found,
        value=float(np.exp(found.value)),
        ci_low=float(np.exp(found.ci_low)),
        ci_high=float(np.exp(found.ci_high)),
    )


def at_narrowest(index: pd.DataFrame, lazy: LazyOrRich) -> pd.DataFrame:
    """The rows of the last of the narrowest layers."""
    family = next(iter(lazy.families))
    n = lazy.index.widths.largest
    return index[index["layer"] == narrowest_layer(lazy.network(family, n, lazy.index.hidden))]


def _slope(table: pd.DataFrame, width: str, value: str, confidence: float) -> Estimate:
    """The exponent of the mean; nothing where fewer than two trials are left at some width."""
    widths, trials = by_width(table, width, value)
    if len(widths) < 2 or min(map(len, trials)) < 2:
        return UNKNOWN
    columns = [values[:, None] for values in trials]
    return slope_of_log_means(widths, columns, confidence=confidence)


def _linearization_rows(table: pd.DataFrame, settings: LazinessStage) -> Iterator[dict[str, Any]]:
    chosen = settings.lazy_or_rich.linearization
    level = settings.fit.confidence
    setting = f"n = {_range(chosen.widths)}"
    bound = chosen.discrepancy_slope
    names = {
        "discrepancy": "exponent of n in |f - f_lin|",
        "discrepancy_limit": "exponent of n in |f - eq. 1.8|",
    }
    lazy, rich = LINEARIZED
    for name in LINEARIZED:
        mine = table[table["parametrization"] == name]
        for column, quantity in names.items():
            found = _slope(mine, "n", column, level)
            row = Row(
                "linearization",
                f"{quantity}, {name}",
                setting,
                bound,
                found,
                -np.inf,
                bound,
                control=name == rich,
                note=_ranks(mine, chosen.train_images),
            )
            yield row.judged()
        low, high = chosen.kernel_slope if name == lazy else (-chosen.tolerance, chosen.tolerance)
        yield Row(
            "linearization",
            f"exponent of n in the kernel change, {name}",
            setting,
            -1.0 if name == lazy else 0.0,
            _slope(mine, "n", "kernel_change", level),
            low,
            high,
        ).judged()


def _ranks(table: pd.DataFrame, inputs: int) -> str:
    singular = int((table["rank"] < inputs).sum())
    return f"{singular} of {len(table)} kernels are singular" if singular else ""


def _kernel_rows(table: pd.DataFrame, settings: LazinessStage) -> Iterator[dict[str, Any]]:
    lazy = settings.lazy_or_rich
    chosen = lazy.kernel_change
    for family, mine in table.groupby("family", sort=False):
        rule = lazy.rule(str(family))
        setting = f"n_min = {rule}, n = {_range(chosen.widths[str(family)])}"
        for (name, power), rows in mine.groupby(["parametrization", "r"], sort=False):
            r = float(str(power))
            if name == "spectral":
                yield from _spectral_rows(rows, str(rule), settings)
                continue
            expected = 2 * r - 1 if name == "dynamic" else 0.0
            found = _slope(rows, "n_min", "kernel_change", settings.fit.confidence)
            label = f"dynamic, r = {fraction(r)}" if name == "dynamic" else name
            row = Row(
                "kernel change",
                f"exponent of n_min, {label}",
                setting,
                expected,
                found,
                expected - chosen.tolerance,
                expected + chosen.tolerance,
                note=_outcomes(rows),
            )
            yield row.judged()
            if name == "mup":
                yield replace(
                    row,
                    quantity=f"exponent of n_min, {label} as if it were lazy",
                    expected=-1.0,
                    low=-1.0 - chosen.tolerance,
                    high=-1.0 + chosen.tolerance,
                    control=True,
                ).judged()


def _spectral_rows(table: pd.DataFrame, rule: str, settings: LazinessStage) -> Iterator[dict[str, Any]]:
    """Spectral at each learning rate and width: its kernel changes by less than itself, if lazy."""
    for (step, n), rows in table.groupby(["step", "n"], sort=False):
        values = rows["kernel_change"].dropna().to_numpy(float)
        diverged = bool((rows["outcome"] == "diverged").any())
        found = mean_log(values, settings.fit.confidence) if len(values) > 1 else UNKNOWN
        row = Row(
            "kernel change",
            f"kernel change below 1, spectral at c = {step:g}",
            f"n_min = {rule}, n = {n}",
            1.0,
            found,
            -np.inf,
            1.0,
            control=True,
            note=_outcomes(rows),
        )
        # Too few descents are left for an interval, because the others ran away.
        yield row.judged(ClaimVerdict.FAILS if diverged and found is UNKNOWN else None)


def _outcomes(rows: pd.DataFrame) -> str:
    """What happened to descents that did not reach the loss asked for."""
    counts = rows["outcome"].value_counts()
    words = {"diverged": "diverged", "stopped": "did not reach the loss"}
    told = [f"{counts[one]} {said}" for one, said in words.items() if counts.get(one, 0)]
    return f"of {len(rows)} descents {' and '.join(told)}" if told else ""


def _index_rows(table: pd.DataFrame, settings: LazinessStage) -> Iterator[dict[str, Any]]:
    lazy = settings.lazy_or_rich
    chosen, level = lazy.index, settings.fit.confidence
    narrow = at_narrowest(table, lazy)
    for (family, engine), mine in narrow.groupby(["family", "engine"], sort=False):
        grid = chosen.widths if engine == "law" else chosen.dense_widths
        setting = f"n_min = {lazy.rule(str(family))}, n = {_range(grid)}, {_engine(str(engine))}"
        for name in NAMES:
            rows = mine[mine["parametrization"] == name]
            widths, trials = by_width(rows, "n", "index")
            theory = [float(rows.loc[rows["n"] == n, "expected"].iloc[0]) for n in widths]
            slope = float(log_slope(widths, theory))
            yield Row(
                "laziness index",
                f"exponent of n in the narrowest layer, {name}",
                setting,
                slope,
                slope_of_mean_logs(widths, trials, confidence=level),
                slope - chosen.slope_tolerance,
                slope + chosen.slope_tolerance,
            ).judged()
    for (family, engine), mine in table.groupby(["family", "engine"], sort=False):
        for name in NAMES:
            rows = mine[mine["parametrization"] == name]
            yield _worst_value(rows, str(family), str(engine), name, settings)


def _worst_value(
    rows: pd.DataFrame, family: str, engine: str, name: str, settings: LazinessStage
) -> dict[str, Any]:
    """Measured over expected: the verdict of all places, and the one farthest off that has it."""
    lazy = settings.lazy_or_rich
    tolerance = lazy.index.value_tolerance
    found = {
        place: mean_log((one["index"] / one["expected"]).to_numpy(float), settings.fit.confidence)
        for place, one in rows.groupby(["n", "layer"])
    }
    verdicts = {place: equivalence(*one.interval, 1.0, tolerance) for place, one in found.items()}
    verdict = _of_all(verdicts.values())
    decisive = {place: one for place, one in found.items() if verdicts[place] is verdict}
    (n, layer), worst = max(decisive.items(), key=lambda item: abs(np.log(item[1].value)))
    return Row(
        "laziness index",
        f"measured over expected, {name}",
        f"n_min = {lazy.rule(family)}, all widths and layers, {_engine(engine)}",
        1.0,
        worst,
        1 - tolerance,
        1 + tolerance,
        note=f"farthest at n = {n}, layer {layer}",
    ).judged(verdict)


def _of_all(verdicts: Collection[Verdict]) -> Verdict:
    if Verdict.DISAGREES in verdicts:
        return Verdict.DISAGREES
    return Verdict.AGREES if set(verdicts) == {Verdict.AGREES} else Verdict.UNDECIDED


def _identity_rows(table: pd.DataFrame, settings: LazinessStage) -> Iterator[dict[str, Any]]:
    tolerance = settings.lazy_or_rich.identities.tolerance
    steps = settings.lazy_or_rich.identities.steps
    words: Mapping[str, str] = {
        "kernel": "kernels of dynamic and ntk",
        "outputs": f"outputs of dynamic and alpha ntk over {steps} steps",
        "control": "the same at ntk's own learning rate",
    }
    for row in table.to_dict("records"):
        difference = float(row["difference"])
        exact = Estimate(difference, difference, difference, 0.0, 0)
        setting = f"r = {fraction(row['r'])}"
        if row["identity"] != "kernel":
            setting += f", momentum {row['momentum']:g}"
        yield Row(
            "identity",
            f"relative difference, {words[row['identity']]}",
            setting,
            0.0,
            exact,
            -tolerance,
            tolerance,
            control=row["identity"] == "control",
        ).judged()


def _range(grid: WidthGrid) -> str:
    return f"{grid.smallest} to {grid.largest}"


def _engine(name: str) -> str:
    return "in law" if name == "law" else "dense weights"
