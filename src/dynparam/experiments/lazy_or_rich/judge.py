"""The verdicts: measured exponents and values beside theory's, and controls that must not agree.

Where theory claims a side and no value, as of differences from the linearization, a row has a bound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dynparam.experiments.lazy_or_rich.settings import LINEARIZED, LazinessStage, LazyOrRich
from dynparam.presentation.numbers import fraction
from dynparam.settings.widths import WidthGrid
from dynparam.statistics.estimates import UNKNOWN, Estimate, mean_of
from dynparam.statistics.judged import (
    CLAIM,
    CONTROL,
    Accepted,
    Row,
    below,
    known,
    table,
    within,
)
from dynparam.statistics.slopes import log_slope, slope_of_log_means, slope_of_mean_logs
from dynparam.statistics.verdicts import ClaimVerdict, Verdict
from dynparam.support.arrays import FloatArray
from dynparam.theory.laziness import narrowest_layer
from dynparam.theory.parametrization import NAMES


@dataclass(frozen=True)
class Tables:
    """What was measured, in the forms of ``tables``."""

    linearization: pd.DataFrame
    kernel_change: pd.DataFrame
    index: pd.DataFrame
    identities: pd.DataFrame


def judged(tables: Tables, settings: LazinessStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    return table(
        [
            *_linearization_rows(tables.linearization, settings),
            *_kernel_rows(tables.kernel_change, settings),
            *_index_rows(tables.index, settings),
            *_identity_rows(tables.identities, settings),
        ]
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


def _linearization_rows(trials: pd.DataFrame, settings: LazinessStage) -> Iterator[Row]:
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
        mine = trials[trials["parametrization"] == name]
        for column, quantity in names.items():
            yield Row(
                "linearization",
                f"{quantity}, {name}",
                setting,
                CONTROL if name == rich else CLAIM,
                bound,
                _slope(mine, "n", column, level),
                below(bound),
                _joined(
                    "the bound of lazy training" if name == rich else "",
                    _ranks(mine, chosen.train_images),
                ),
            )
        low, high = chosen.kernel_slope if name == lazy else (-chosen.tolerance, chosen.tolerance)
        yield Row(
            "linearization",
            f"exponent of n in the kernel change, {name}",
            setting,
            CLAIM,
            -1.0 if name == lazy else 0.0,
            _slope(mine, "n", "kernel_change", level),
            Accepted(low, high),
        )


def _ranks(trials: pd.DataFrame, inputs: int) -> str:
    singular = int((trials["rank"] < inputs).sum())
    return f"{singular} of {len(trials)} kernels are singular" if singular else ""


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _kernel_rows(trials: pd.DataFrame, settings: LazinessStage) -> Iterator[Row]:
    lazy = settings.lazy_or_rich
    chosen = lazy.kernel_change
    for family, mine in trials.groupby("family", sort=False):
        rule = lazy.rule(str(family))
        setting = f"n_min = {rule}, n = {_range(chosen.widths[str(family)])}"
        for (name, power), rows in mine.groupby(["parametrization", "r"], sort=False):
            r = float(str(power))
            if name == "spectral":
                yield from _spectral_rows(rows, str(rule), settings)
                continue
            expected = 2 * r - 1 if name == "dynamic" else 0.0
            label = f"dynamic, r = {fraction(r)}" if name == "dynamic" else name
            row = Row(
                "kernel change",
                f"exponent of n_min, {label}",
                setting,
                CLAIM,
                expected,
                _slope(rows, "n_min", "kernel_change", settings.fit.confidence),
                within(expected, chosen.tolerance),
                _outcomes(rows),
            )
            yield row
            if name == "mup":
                yield replace(
                    row,
                    role=CONTROL,
                    expected=-1.0,
                    accepted=within(-1.0, chosen.tolerance),
                    note=_joined("the exponent of lazy training", row.note),
                )


def _spectral_rows(trials: pd.DataFrame, rule: str, settings: LazinessStage) -> Iterator[Row]:
    """Spectral at each learning rate and width: its kernel changes by less than itself, if lazy."""
    for (step, n), rows in trials.groupby(["step", "n"], sort=False):
        values = rows["kernel_change"].dropna().to_numpy(float)
        diverged = bool((rows["outcome"] == "diverged").any())
        found = mean_log(values, settings.fit.confidence) if len(values) > 1 else UNKNOWN
        yield Row(
            "kernel change",
            f"kernel change, spectral at c = {step:g}",
            f"n_min = {rule}, n = {n}",
            CONTROL,
            1.0,
            found,
            below(1.0),
            _joined("the bound of lazy training", _outcomes(rows)),
            # Too few descents are left for an interval, because the others ran away.
            given=str(ClaimVerdict.FAILS) if diverged and found is UNKNOWN else "",
        )


def _outcomes(rows: pd.DataFrame) -> str:
    """What happened to descents that did not reach the loss asked for."""
    counts = rows["outcome"].value_counts()
    words = {"diverged": "diverged", "stopped": "did not reach the loss"}
    told = [f"{counts[one]} {said}" for one, said in words.items() if counts.get(one, 0)]
    return f"of {len(rows)} descents {' and '.join(told)}" if told else ""


def _index_rows(trials: pd.DataFrame, settings: LazinessStage) -> Iterator[Row]:
    lazy = settings.lazy_or_rich
    chosen, level = lazy.index, settings.fit.confidence
    narrow = at_narrowest(trials, lazy)
    for (family, engine), mine in narrow.groupby(["family", "engine"], sort=False):
        grid = chosen.widths if engine == "law" else chosen.dense_widths
        setting = f"n_min = {lazy.rule(str(family))}, n = {_range(grid)}, {_engine(str(engine))}"
        for name in NAMES:
            rows = mine[mine["parametrization"] == name]
            widths, values = by_width(rows, "n", "index")
            theory = [float(rows.loc[rows["n"] == n, "expected"].iloc[0]) for n in widths]
            slope = float(log_slope(widths, theory))
            yield Row(
                "laziness index",
                f"exponent of n in the narrowest layer, {name}",
                setting,
                CLAIM,
                slope,
                slope_of_mean_logs(widths, values, confidence=level),
                within(slope, chosen.slope_tolerance),
            )
    for (family, engine), mine in trials.groupby(["family", "engine"], sort=False):
        for name in NAMES:
            rows = mine[mine["parametrization"] == name]
            yield _worst_value(rows, str(family), str(engine), name, settings)


def _worst_value(
    rows: pd.DataFrame, family: str, engine: str, name: str, settings: LazinessStage
) -> Row:
    """Measured over expected at the place that decides: the farthest off of those with the verdict."""
    lazy = settings.lazy_or_rich
    accepted = within(1.0, lazy.index.value_tolerance)
    found = {
        place: mean_log((one["index"] / one["expected"]).to_numpy(float), settings.fit.confidence)
        for place, one in rows.groupby(["n", "layer"])
    }
    verdicts = {place: accepted.verdict(one) for place, one in found.items()}
    verdict = _of_all(verdicts.values())
    decisive = {place: one for place, one in found.items() if verdicts[place] == verdict}
    (n, layer), worst = max(decisive.items(), key=lambda item: abs(np.log(item[1].value)))
    return Row(
        "laziness index",
        f"measured over expected, {name}",
        f"n_min = {lazy.rule(family)}, all widths and layers, {_engine(engine)}",
        CLAIM,
        1.0,
        worst,
        accepted,
        f"farthest at n = {n}, layer {layer}",
    )


def _of_all(verdicts: Collection[str]) -> str:
    """That of a statement about all of them."""
    worst_first = (Verdict.DISAGREES, Verdict.UNDECIDED, Verdict.AGREES)
    return str(next(one for one in worst_first if one in verdicts))


def _identity_rows(trials: pd.DataFrame, settings: LazinessStage) -> Iterator[Row]:
    chosen = settings.lazy_or_rich.identities
    words: Mapping[str, str] = {
        "kernel": "kernels of dynamic and ntk",
        "outputs": f"outputs of dynamic and alpha ntk over {chosen.steps} steps",
        "control": "the same at ntk's own learning rate",
    }
    for row in trials.to_dict("records"):
        control = row["identity"] == "control"
        setting = f"r = {fraction(row['r'])}"
        if row["identity"] != "kernel":
            setting += f", momentum {row['momentum']:g}"
        yield Row(
            "identity",
            f"relative difference, {words[row['identity']]}",
            setting,
            CONTROL if control else CLAIM,
            0.0,
            known(float(row["difference"])),
            within(0.0, chosen.tolerance),
            "the identity, at the wrong learning rate" if control else "",
        )


def _range(grid: WidthGrid) -> str:
    return f"{grid.smallest} to {grid.largest}"


def _engine(name: str) -> str:
    return "in law" if name == "law" else "dense weights"
