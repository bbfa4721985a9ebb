"""The entries of conditions as a measurement shows them: slopes over n, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynparam.statistics.estimates import Estimate
from dynparam.statistics.slopes import log_slope, slope_of_log_means
from dynparam.statistics.verdicts import CLAIM_OF_VERDICT, ClaimVerdict, equivalence
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.theory.conditions import Condition, Entry, Key, Quantity, Relation, violation
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths

COLUMNS: dict[Quantity, str] = {
    "preactivation": "preactivation_rms",
    "update": "update_rms",
    "own": "own_rms",
    "gradient": "gradient_norm",
    "alignment": "alignment",
    "overlap": "gradient_overlap",
}
"""The column of each measured quantity in a table of trials."""

LARGE_STEP = 1.0
"""Hidden updates over preactivations from which on terms of higher order in the step are the larger."""


@dataclass(frozen=True)
class MeasuredCondition:
    """A condition judged on measured slopes.

    Attributes:
        verdict: holds if every entry does, fails if one does, undecided otherwise.
        worst: the entry farthest from holding, with its slope; None if the condition has no entry.
    """

    verdict: ClaimVerdict
    worst: tuple[Entry, Estimate] | None


class MeasuredCurve:
    """The trials of one parametrization along growing widths, ready for slopes of any entry."""

    def __init__(self, trials: pd.DataFrame, networks: Mapping[int, tuple[Widths, LayerScales]]) -> None:
        """``trials`` has columns n, trial, layer and ``COLUMNS``; ``networks`` what was measured at n.

        Raises ``DataError`` if a column, or a layer of a trial, is missing.
        """
        missing = {"n", "trial", "layer", *COLUMNS.values()} - set(trials.columns)
        if missing:
            raise DataError(f"the trials have no column {min(missing)!r}; measure them again")
        self.n = sorted(networks)
        self._networks = [networks[n] for n in self.n]
        wide = trials.pivot(index=["n", "trial"], columns="layer", values=list(COLUMNS.values()))
        layers = list(range(1, self.depth + 1))
        complete = sorted(trials["layer"].unique()) == layers and not wide.isna().to_numpy().any()
        if not complete or sorted(trials["n"].unique()) != self.n:
            raise DataError(
                f"the trials do not hold layers 1 to {self.depth} at n = "
                f"{', '.join(map(str, self.n))}, as their configuration does; measure them again"
            )
        self._values = [wide.loc[n] for n in self.n]

    @property
    def depth(self) -> int:
        """The number L of layers."""
        return self._networks[0][0].depth

    def slope(self, entry: Entry, confidence: float) -> Estimate:
        """The entry's slope d log(entry) / d log(n) with Student's interval on linearized errors.

        Quantities are averaged over trials, and what is common to an entry's quantities in a trial
        counts once. Widths and multipliers are known, so that they shift the slope and add no error.
        Raises ``NonFiniteError`` for a value that is not finite and positive, ``DataError`` for fewer
        than two widths or two trials.
        """
        measured = {key: power for key, power in entry.powers.items() if key[0] in COLUMNS}
        values = [
            np.column_stack([table[COLUMNS[quantity], layer] for quantity, layer in measured])
            for table in self._values
        ]
        powers = [float(power) for power in measured.values()]
        # Gradients of two steps may have nothing in common; nothing else recorded may be zero.
        zeros = any(quantity == "overlap" for quantity, _ in measured)
        fit = slope_of_log_means(self.n, values, powers, confidence=confidence, zeros=zeros)
        shift = sum(
            float(power) * float(log_slope(self.n, self._known(key)))
            for key, power in entry.powers.items()
            if key not in measured
        )
        return fit.shifted(shift)

    def judge(self, condition: Condition, *, confidence: float, tolerance: float) -> MeasuredCondition:
        """Whether the condition holds on these widths, each entry by ``relation_verdict``.

        With 95 % intervals an entry is wrongly failed with probability at most 2.5 %, so that a
        condition of m entries is with at most m times that. Raises as ``slope`` does.
        """
        slopes = [(entry, self.slope(entry, confidence)) for entry in condition.entries(self.depth)]
        if not slopes:
            return MeasuredCondition(ClaimVerdict.HOLDS, None)
        relation = condition.relation
        verdicts = [relation_verdict(relation, *slope.interval, tolerance) for _, slope in slopes]
        # The most telling of the entries that decide the verdict.
        verdict = next(v for v in SEVERITY if v in verdicts)
        deciding = [pair for pair, found in zip(slopes, verdicts, strict=True) if found is verdict]
        return MeasuredCondition(
            verdict, max(deciding, key=lambda pair: violation(relation, pair[1].value))
        )

    def beyond_leading_order(self) -> str | None:
        """A sentence part if steps are too large for exponents of leading order in the learning rate."""
        ratios = [
            float(table[COLUMNS["update"], k].mean() / table[COLUMNS["preactivation"], k].mean())
            for table in self._values
            for k in range(1, self.depth)
        ]
        if max(ratios) < LARGE_STEP:
            return None
        return (
            f"hidden updates reach {max(ratios):.2g} times the preactivations, too much for the leading "
            f"order in the learning rate, on which exponents rest"
        )

    def _known(self, key: Key) -> FloatArray:
        quantity, layer = key
        known: dict[Quantity, Callable[[Widths, LayerScales], float]] = {
            "width": lambda widths, scales: widths.sizes[layer],
            "multiplier": lambda widths, scales: scales.multiplier[layer - 1],
            "deviation": lambda widths, scales: scales.init_std[layer - 1],
        }
        return np.array([known[quantity](*network) for network in self._networks], dtype=np.float64)


SEVERITY: Sequence[ClaimVerdict] = (ClaimVerdict.FAILS, ClaimVerdict.UNDECIDED, ClaimVerdict.HOLDS)
"""A condition fares as the worst of its entries."""


def relation_verdict(
    relation: Relation, ci_low: float, ci_high: float, tolerance: float
) -> ClaimVerdict:
    """Whether a slope known to an interval meets a relation up to the tolerance.

    It holds if the whole interval is where the relation, widened by the tolerance, wants it, fails if
    the whole interval is elsewhere, and is undecided otherwise. With a 95 % interval each of the two
    definite verdicts is wrong with probability at most 2.5 %.
    """
    if relation == "zero":
        return CLAIM_OF_VERDICT[equivalence(ci_low, ci_high, 0.0, tolerance)]
    ends = (violation(relation, ci_low), violation(relation, ci_high))
    if max(ends) <= tolerance:
        return ClaimVerdict.HOLDS
    return ClaimVerdict.FAILS if min(ends) > tolerance else ClaimVerdict.UNDECIDED
