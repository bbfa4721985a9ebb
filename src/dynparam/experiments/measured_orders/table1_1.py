"""Table 1.1 of the thesis, measured: orders of |htilde_i| and |Delta htilde_i| in the hidden layers.

The thesis derives its second column for the part of the update that a layer's own weights make, and
demands that it is the larger one (eq. 2.27). So that part, and the angle between the whole update and
the gradient, stand beside the table's own quantities. Every entry stands beside what the table says
(``claimed_exponents``), what the parametrization's definition gives exactly (``orders``) and what it
gives on the measured window of widths (``theory.expected_sizes``). ``findings`` lists where the table
and the definitions disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from dynparam.experiments.measured_orders.settings import ExponentsStage
from dynparam.presentation.numbers import fraction, signed
from dynparam.settings.widths import NarrowWidth
from dynparam.statistics.estimates import Estimate
from dynparam.statistics.slopes import log_slope, slope_of_log_means
from dynparam.statistics.verdicts import CLAIM_OF_VERDICT, Verdict, equivalence
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError
from dynparam.theory.expected_sizes import Sizes, expected_sizes
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import HALF, layer_scales
from dynparam.theory.widths import Widths
from dynparam.trials.networks import family_exponents, family_networks, uncrossed

Quantity = Literal["preactivation", "update", "own", "cosine"]

QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
"""The columns of Table 1.1, the size of htilde_i and that of its change in one step; of this change the
layer's own part; and the cosine of the angle between the change and dL/dhtilde^l."""

OF_TABLE = QUANTITIES[:2]
"""Those with a column in Table 1.1."""

CLAIMED = ("ntk", "mup", "spectral", "dynamic")
"""The lines of Table 1.1 in its order. ``standard`` is not among them and claims nothing."""

COLUMNS = (
    "parametrization",
    "family",
    "layer",
    "quantity",
    "claimed",
    "exact",
    "expected",
    "slope",
    "ci_low",
    "ci_high",
    "verdict",
    "claim",
    "note",
)
"""The columns of ``results/table1_1/table1_1.csv``.

All numbers are exponents of n. ``claimed`` is Table 1.1 at the family's widths (its update for the own
part as well, and zero for the cosine: eq. 2.32 has updates along gradients), ``exact`` the definition's
exponent as n grows, ``expected`` the slope that theory gives on the measured widths. ``verdict``
compares the measured interval with ``exact``, ``claim`` with ``claimed``.
"""

NOTABLE_SHIFT = 0.05
"""Shifts of a slope from here on are told; where a slope misses its exponent, a fifth of it is enough.

Theory leaves out terms of 1/width and the trials' scatter, which shift slopes by less.
"""

LARGE_UPDATE = 0.25
"""Updates from this share of the preactivation on are no longer small: ReLU units change sign."""

LARGE_STEPS_CHANGE: tuple[Quantity, ...] = ("update", "cosine")
"""The others are known before the step."""

CARRIED_ON = "W carries the larger updates of a narrow layer to every unit of the wider one behind it"

ACROSS = "what W carries on from a narrow layer is spread over all directions of the wider one behind it"

SHRINKS = (
    "signal and gradient both shrink by sqrt(n_l/n_{l-1}) at each layer narrower than the one before "
    "(eqs. 3.3-3.4), and the updates with them"
)

REASONS: Mapping[tuple[str, Quantity], str] = {
    ("ntk", "update"): CARRIED_ON,
    ("dynamic", "update"): CARRIED_ON,
    ("mup", "update"): (
        "the thesis defines mup for equal widths only; taken layer by layer, what a wide layer "
        "contributes to the alignment falls on the few units of the narrow one behind it, and W carries "
        "their larger updates on"
    ),
    ("spectral", "preactivation"): (
        "each layer narrower than the one before multiplies the signal by sqrt(n_l/n_{l-1}) "
        "(eqs. 3.3-3.4), and no later layer makes up for it"
    ),
    ("spectral", "update"): SHRINKS,
    ("spectral", "own"): SHRINKS,
    ("mup", "own"): (
        "the thesis defines mup for equal widths only; taken layer by layer, a narrow layer's share in "
        "the decrease of the loss is n_l/n_{L-1}, and its own part shrinks with it"
    ),
    **{(name, "cosine"): ACROSS for name in CLAIMED},
}
"""Why definition and table part at unequal widths, in the thesis's networks."""


@dataclass(frozen=True)
class Disagreement:
    """Layers in which Table 1.1 and a parametrization's own definition disagree.

    Attributes:
        parametrization: its name.
        family: the family of widths, as in exponents.families.
        layers: the layers of equal claim and exponent, in order.
        quantity: one of ``QUANTITIES``.
        claimed: the table's exponent of n.
        exact: the definition's.
        measured: the smallest and the largest measured slope of these layers.
        reason: why they disagree, as a clause.
    """

    parametrization: str
    family: str
    layers: tuple[int, ...]
    quantity: Quantity
    claimed: Fraction
    exact: Fraction
    measured: tuple[float, float]
    reason: str


def claimed_exponents(name: str, hidden: Sequence[Fraction]) -> dict[Quantity, tuple[Fraction, ...]]:
    """What Table 1.1 says for hidden widths n_1 ... n_{L-1} that grow as n to ``hidden``.

    Of the own part it says what it says of the update (eq. 2.27), of the angle that it is constant, as
    eq. 2.32 takes updates for parallel to gradients. Raises ``ConfigError`` for a parametrization that
    is not in the table.
    """
    if name not in CLAIMED:
        raise ConfigError(f"Table 1.1 has no line for {name!r}; choose one of {', '.join(CLAIMED)}")
    constant = (Fraction(0),) * len(hidden)
    update = constant
    if name == "ntk":
        update = tuple(-a / 2 for a in hidden)
    elif name == "dynamic":
        update = tuple((min(hidden) - a) / 2 for a in hidden)
    return {"preactivation": constant, "update": update, "own": update, "cosine": constant}


def measured_files(settings: ExponentsStage, results: Path) -> dict[tuple[str, str], Path]:
    """The trials the table needs, by (parametrization, family): those with a line in Table 1.1.

    Raises ``ConfigError`` if no configured parametrization has one, or if there is no family.
    """
    measured = settings.exponents
    names = [name for name in measured.parametrizations if name in CLAIMED]
    if not names or not measured.families:
        raise ConfigError(
            f"Table 1.1 needs one of {', '.join(CLAIMED)} in exponents.parametrizations, and an entry "
            f"in exponents.families; add what is missing"
        )
    return {
        (name, family): results / "exponents" / f"{name}_{family}.csv"
        for name in names
        for family in measured.families
    }


def table1_1(settings: ExponentsStage, trials: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """One row per parametrization, family, quantity and hidden layer, in ``COLUMNS``.

    ``trials`` maps (parametrization, family) to a table of ``trials.one_step.measure_curve``. Raises
    ``DataError`` if a table is of another parametrization or other widths, ``NonFiniteError`` for sizes
    that no logarithm fits.
    """
    rows = [
        row for (name, family), table in trials.items() for row in _rows(settings, name, family, table)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def findings(table: pd.DataFrame) -> list[Disagreement]:
    """Where the table of the thesis and its own definitions disagree; neighbours in one entry."""
    apart = table[~np.isclose(table["claimed"], table["exact"])]
    keys = ["parametrization", "family", "quantity", "claimed", "exact"]
    return [_disagreement(rows) for _, rows in apart.groupby(keys, sort=False)]


def _disagreement(rows: pd.DataFrame) -> Disagreement:
    first = rows.iloc[0]
    return Disagreement(
        parametrization=str(first["parametrization"]),
        family=str(first["family"]),
        layers=tuple(rows["layer"].tolist()),
        quantity=first["quantity"],
        claimed=fraction(first["claimed"]),
        exact=fraction(first["exact"]),
        measured=(float(rows["slope"].min()), float(rows["slope"].max())),
        reason=reason(first["parametrization"], first["quantity"]),
    )


def reason(name: str, quantity: Quantity) -> str:
    """Why a parametrization's definition and Table 1.1 disagree on a quantity, as a clause."""
    return REASONS.get((name, quantity), "the definition gives another exponent at these widths")


@dataclass(frozen=True)
class _Measured:
    """One entry's slope and what it is judged by; shifts are parts of slope - exact."""

    slope: Estimate
    expected: float
    uncrossed: float
    exact: Fraction
    claimed: Fraction
    largest_update: float


def _rows(
    settings: ExponentsStage, name: str, family: str, trials: pd.DataFrame
) -> list[dict[str, object]]:
    rule = settings.exponents.families[family]
    grid = _checked_widths(settings, name, family, trials)
    growth = family_exponents(settings.network, rule)
    exact = orders(name, growth, HALF)
    claimed = claimed_exponents(name, growth[1:-1])
    expected, below = _expected_slopes(settings, name, grid, trials)
    measured = _quantities(grid, trials)
    layers = range(1, len(growth) - 1)
    of_layers = {layer: measured[measured["layer"] == layer] for layer in layers}
    sizes = {layer: [_of_width(part, n) for n in grid] for layer, part in of_layers.items()}
    rows = []
    for quantity in QUANTITIES:
        for layer in layers:
            of_quantity = [of_width[quantity].to_numpy(float)[:, None] for of_width in sizes[layer]]
            found = _Measured(
                slope=slope_of_log_means(list(grid), of_quantity, confidence=settings.fit.confidence),
                expected=float(getattr(expected, quantity)[layer - 1]),
                uncrossed=float(getattr(below, quantity)[layer - 1]),
                exact=getattr(exact, quantity)[layer - 1],
                claimed=claimed[quantity][layer - 1],
                largest_update=_largest_update(of_layers[layer])
                if quantity in LARGE_STEPS_CHANGE
                else 0.0,
            )
            of_row = {"parametrization": name, "family": family, "layer": layer, "quantity": quantity}
            rows.append({**of_row, **_judged(settings, name, rule, quantity, found)})
    return rows


def _checked_widths(
    settings: ExponentsStage, name: str, family: str, trials: pd.DataFrame
) -> dict[int, Widths]:
    """All widths by n. Raises ``DataError`` if the trials were not measured on them."""
    rule = settings.exponents.families[family]
    grid = family_networks(settings.network, rule, settings.probe.rounding, settings.exponents.widths)
    measured = set(zip(trials["n"].tolist(), trials["n_min"].tolist(), strict=True))
    named = set(trials["parametrization"]) == {name}
    if not named or measured != {(n, widths.n_min) for n, widths in grid.items()}:
        raise DataError(
            f"the trials given for {name}, {family} are of another parametrization or other widths than "
            f"the configuration's; measure them again"
        )
    return grid


def _quantities(grid: Mapping[int, Widths], trials: pd.DataFrame) -> pd.DataFrame:
    """N, layer, and a column for each of ``QUANTITIES``. Raises ``DataError`` if one is missing."""
    needed = {"preactivation_rms", "update_rms", "own_rms", "alignment", "gradient_norm"}
    missing = needed - set(trials.columns)
    if missing:
        raise DataError(f"the trials have no column {min(missing)!r}; measure them again")
    places = zip(trials["n"], trials["layer"], strict=True)
    root = np.sqrt([grid[n].sizes[layer] for n, layer in places])
    return pd.DataFrame(
        {
            "n": trials["n"],
            "layer": trials["layer"],
            "preactivation": trials["preactivation_rms"],
            "update": trials["update_rms"],
            "own": trials["own_rms"],
            "cosine": trials["alignment"] / (trials["gradient_norm"] * trials["update_rms"] * root),
        }
    )


def _of_width(trials: pd.DataFrame, n: int) -> pd.DataFrame:
    return trials[trials["n"] == n]


def _expected_slopes(
    settings: ExponentsStage, name: str, grid: Mapping[int, Widths], trials: pd.DataFrame
) -> tuple[Sizes, Sizes]:
    """Theory's slopes on the measured widths, and the same if no width passed n_0 (eq. 3.4).

    ||x||^2 is taken from the first layer: its preactivations have the mean square s_1^2 ||x||^2.
    """
    scales = partial(layer_scales, name, r=HALF, first_layer=settings.probe.first_layer)
    first = trials[trials["layer"] == 1]
    squares = [
        float(np.square(_of_width(first, n)["preactivation_rms"]).mean()) / scales(widths).signal[0] ** 2
        for n, widths in grid.items()
    ]
    smallest = min(grid)
    passed = list(grid.values())
    below = [uncrossed(one, smallest) for one in passed]
    rate, norm = settings.probe.learning_rate, float(np.mean(squares))

    def slopes(shapes: Sequence[Widths]) -> Sizes:
        """Slopes of the expected sizes over networks of these widths."""
        sizes = [expected_sizes(one, scales(one), rate, norm) for one in shapes]
        columns: list[FloatArray] = [np.stack([getattr(one, q) for one in sizes]) for q in QUANTITIES]
        return Sizes(*(log_slope(list(grid), column) for column in columns))

    return slopes(passed), slopes(below)


def _largest_update(of_layer: pd.DataFrame) -> float:
    """The largest mean update in units of the mean preactivation, over the widths."""
    means = of_layer.groupby("n")[["update", "preactivation"]].mean()
    return float((means["update"] / means["preactivation"]).max())


def _judged(
    settings: ExponentsStage, name: str, rule: NarrowWidth, quantity: Quantity, found: _Measured
) -> dict[str, object]:
    tolerance = settings.exponents.tolerance
    verdict = equivalence(*found.slope.interval, float(found.exact), tolerance)
    claim = CLAIM_OF_VERDICT[equivalence(*found.slope.interval, float(found.claimed), tolerance)]
    parts = []
    if found.claimed != found.exact:
        said = "eq. 2.32" if quantity == "cosine" else "table"
        parts.append(f"{said} {found.claimed}, definition {found.exact}: {reason(name, quantity)}")
    elif name == "mup" and not (rule.coefficient == rule.exponent == 1):
        parts.append("the thesis defines mup for equal widths only; here it is taken layer by layer")
    parts += _shifts(found, notable=NOTABLE_SHIFT / (1 if verdict is Verdict.AGREES else 5))
    return {
        "claimed": float(found.claimed),
        "exact": float(found.exact),
        "expected": found.expected,
        **found.slope.row("slope"),
        "verdict": verdict,
        "claim": claim,
        "note": "; ".join(parts),
    }


def _shifts(found: _Measured, notable: float) -> list[str]:
    """What takes the slope on this window away from the exact exponent, part by part."""
    parts = []
    crossing = found.expected - found.uncrossed
    if abs(crossing) >= notable:
        parts.append(
            f"n passes n_0 in this window (eq. 3.4), which shifts the slope by {signed(crossing, 2)}"
        )
    finite = found.uncrossed - float(found.exact)
    if abs(finite) >= notable:
        parts.append(f"finite widths shift the slope by {signed(finite, 2)} on this window")
    rest = found.slope.value - found.expected
    inside = found.slope.ci_low <= found.expected <= found.slope.ci_high
    if inside or abs(rest) < NOTABLE_SHIFT:
        return parts
    if found.largest_update >= LARGE_UPDATE:
        parts.append(
            f"updates reach {found.largest_update:.2g} times the preactivation, too large for the "
            f"leading order in the learning rate that exponents rest on: another {signed(rest, 2)}"
        )
    else:
        parts.append(f"the slope is {signed(rest, 2)} from theory's on this window, unexplained")
    return parts
