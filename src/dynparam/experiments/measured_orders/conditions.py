"""Which parametrization meets which condition on which family of widths: theory beside measurement.

Rows are parametrizations along families of widths (``exponents`` in the configuration), columns the
conditions of Secs. 2.2-2.3. Theory says what holds as n grows (``conditions``), the measurement what
holds on its widths (``statistics.measured_conditions``).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pandas as pd

from dynparam.experiments.measured_orders.settings import ExponentsStage
from dynparam.presentation.numbers import signed
from dynparam.settings.widths import NarrowWidth, Network
from dynparam.statistics.estimates import Estimate
from dynparam.statistics.measured_conditions import MeasuredCondition, MeasuredCurve
from dynparam.statistics.verdicts import ClaimVerdict, Verdict, equivalence
from dynparam.support.errors import DataError
from dynparam.theory.conditions import (
    CONDITIONS,
    Entry,
    Outcome,
    check,
    quantity_exponents,
    violation,
)
from dynparam.theory.parametrization import HALF, layer_scales
from dynparam.theory.widths import bottleneck
from dynparam.trials.networks import family_exponents

COLUMNS = (
    "parametrization",
    "family",
    "condition",
    "theory",
    "measured",
    "worst_entry",
    "exact_exponent",
    "slope",
    "ci_low",
    "ci_high",
    "verdict",
    "note",
)
"""The columns of ``figures/conditions.csv``.

``theory`` and ``measured`` are verdicts on the condition; the worst entry is the one that decides what
was measured, or what theory says where only theory sees the condition fail, with its exact exponent,
its slope and the interval of the slope. ``verdict`` says whether theory and measurement agree on the
condition.
"""


CONTROL = "standard"
"""The parametrization that fails at any widths, which shows that verdicts can."""


def condition_matrix(
    settings: ExponentsStage, trials: Mapping[tuple[str, str], pd.DataFrame]
) -> pd.DataFrame:
    """One row per parametrization, family of widths and condition, in ``COLUMNS``.

    ``trials`` holds the measurement of each (parametrization, family) of ``settings.exponents``. Raises
    ``DataError`` if one is missing or is not what the configuration describes, ``NonFiniteError`` for
    values no logarithm fits.
    """
    rows = []
    for name in settings.exponents.parametrizations:
        for family, narrow in settings.exponents.families.items():
            if (name, family) not in trials:
                raise DataError(f"there are no trials of {name}_{family}; run its rule first")
            rows += _rows(settings, name, family, narrow, trials[name, family])
    return pd.DataFrame(rows, columns=list(COLUMNS))


def measured_curve(network: Network, name: str, trials: pd.DataFrame) -> MeasuredCurve:
    """The trials of one parametrization along one family, with the networks that n and n_min name.

    Raises ``DataError`` if the trials are of another parametrization or of other layers.
    """
    found = trials["parametrization"].unique().tolist()
    if found != [name]:
        raise DataError(f"the trials are of {', '.join(found)}, not of {name}; run their rule again")
    pairs = trials[["n", "n_min"]].drop_duplicates().itertuples(index=False)
    shapes = {int(n): bottleneck(int(n), int(n_min), hidden=network.hidden) for n, n_min in pairs}
    return MeasuredCurve(
        trials, {n: (widths, layer_scales(name, widths, HALF)) for n, widths in shapes.items()}
    )


def _rows(
    settings: ExponentsStage, name: str, family: str, narrow: NarrowWidth, trials: pd.DataFrame
) -> list[dict[str, object]]:
    curve = measured_curve(settings.network, name, trials)
    widths = family_exponents(settings.network, narrow)
    outcomes = check(name, widths)
    exponents = quantity_exponents(name, widths)
    rows = []
    for condition, outcome in zip(CONDITIONS, outcomes, strict=True):
        measured = curve.judge(
            condition,
            confidence=settings.fit.confidence,
            tolerance=settings.exponents.tolerance,
        )
        theory = ClaimVerdict.HOLDS if outcome.holds else ClaimVerdict.FAILS
        row: dict[str, object] = {
            "parametrization": name,
            "family": family,
            "condition": f"eq. {condition.equation}",
            "theory": theory,
            "measured": measured.verdict,
            "worst_entry": "",
            "verdict": _agreement(theory, measured.verdict),
            "note": "",
        }
        worst = _worst(settings, curve, outcome, measured)
        if worst is not None:
            entry, slope = worst
            exact = entry.exponent(exponents)
            row |= {
                "worst_entry": f"layer {entry.layer}: {entry.label}",
                "exact_exponent": float(exact),
                **slope.row("slope"),
                "note": _note(settings, curve, outcome, entry, exact, slope),
            }
        rows.append(row)
    return rows


def _worst(
    settings: ExponentsStage, curve: MeasuredCurve, outcome: Outcome, measured: MeasuredCondition
) -> tuple[Entry, Estimate] | None:
    """The entry to tell of: the measurement's, or theory's if it alone sees the condition fail."""
    if outcome.holds or measured.verdict is not ClaimVerdict.HOLDS:
        return measured.worst
    relation = outcome.condition.relation
    entry, _ = max(outcome.failing, key=lambda failing: violation(relation, failing[1]))
    return entry, curve.slope(entry, settings.fit.confidence)


def _agreement(theory: ClaimVerdict, measured: ClaimVerdict) -> Verdict:
    if measured is ClaimVerdict.UNDECIDED:
        return Verdict.UNDECIDED
    return Verdict.AGREES if theory is measured else Verdict.DISAGREES


def _note(
    settings: ExponentsStage,
    curve: MeasuredCurve,
    outcome: Outcome,
    entry: Entry,
    exact: Fraction,
    found: Estimate,
) -> str:
    """What theory says of the entry that decides, and whether its slope shows that on these widths."""
    parts = [outcome.sentence(entry, exact)] if (entry, exact) in outcome.failing else []
    tolerance = settings.exponents.tolerance
    shown = equivalence(*found.interval, float(exact), tolerance)
    if shown is Verdict.DISAGREES:
        difference = signed(found.value - float(exact), 2)
        reason = curve.beyond_leading_order() or _not_yet(entry, found, tolerance)
        parts.append(
            f"on n = {curve.n[0]} to {curve.n[-1]} the slope differs from the exponent by {difference}"
            + (f": {reason}" if reason else "")
        )
    elif shown is Verdict.UNDECIDED:
        parts.append(
            f"the interval is too wide to tell the slope from the exponent to within {tolerance:g}"
        )
    return "; ".join(parts)


def _not_yet(entry: Entry, found: Estimate, tolerance: float) -> str | None:
    """Why an overlap of gradients may not grow yet: only a small part of it does."""
    of_two_steps = any(quantity == "overlap" for quantity, _ in entry.powers)
    if not of_two_steps or found.ci_high > tolerance:
        return None
    return "what grows with n is still the smaller part of them"
