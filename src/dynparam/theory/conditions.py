"""The thesis's stability conditions as exact predicates on exponents (Secs. 2.2-2.3).

Each condition says of some products of powers that they are Theta(1), O(1) or Omega(1). Such a product
is an ``Entry``: powers of sizes that the one-step probe records, of widths and of multipliers. Its
logarithm is linear in theirs, so one definition gives the exact exponent (``orders``) and the slope that
a measurement shows (``statistics.measured_conditions``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Literal, TypeVar

from dynparam.support.errors import ConfigError
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import HALF
from dynparam.theory.update_bound import overlap_exponents

Quantity = Literal[
    "preactivation",
    "update",
    "own",
    "gradient",
    "alignment",
    "overlap",
    "width",
    "multiplier",
    "deviation",
]
"""Root mean squares of htilde^l, of Delta htilde^l and of the layer's own part of it, the norm of
dL/dhtilde^l, the alignment |<dL/dhtilde^l, Delta htilde^l>|, the overlap |<delta_1, delta_2>| of
dL/dhtilde^l before and after the step, n_l, g_l and sigma_l; layers count 1 ... L, widths 0 ... L."""

Relation = Literal["zero", "at_most_zero", "at_least_zero"]
"""What the exponents must be for Theta(1), O(1) and Omega(1)."""

Key = tuple[Quantity, int]


Number = TypeVar("Number", Fraction, float)

Powers = Mapping[Key, Fraction]


ONE, TWO = Fraction(1), Fraction(2)


@dataclass(frozen=True)
class Entry:
    """One product of powers, in layer ``layer``.

    Attributes:
        layer: the layer the condition speaks of.
        label: what the product is, as a plural noun.
        powers: the power of each quantity of each layer.
    """

    layer: int
    label: str
    powers: Powers

    def exponent(self, exponents: Mapping[Key, Fraction]) -> Fraction:
        """The product's exponent, from those of its quantities."""
        return sum((power * exponents[key] for key, power in self.powers.items()), Fraction(0))


@dataclass(frozen=True)
class Condition:
    """A condition of the thesis on every layer it speaks of.

    Attributes:
        equation: its number in the thesis.
        statement: what it demands, in words.
        relation: what the exponents of its entries must be.
        entries: the products it speaks of, for a network of L layers; none if there are too few layers.
    """

    equation: str
    statement: str
    relation: Relation
    entries: Callable[[int], tuple[Entry, ...]]


@dataclass(frozen=True)
class Outcome:
    """A condition at exact exponents.

    Attributes:
        condition: the condition.
        exponents: each entry with its exponent of n.
    """

    condition: Condition
    exponents: tuple[tuple[Entry, Fraction], ...]

    @property
    def failing(self) -> tuple[tuple[Entry, Fraction], ...]:
        """The entries whose exponents are not what the condition demands."""
        relation = self.condition.relation
        return tuple((entry, a) for entry, a in self.exponents if violation(relation, a) > 0)

    @property
    def holds(self) -> bool:
        """Whether every entry's exponent is what the condition demands; true if there is none."""
        return not self.failing

    def sentences(self) -> list[str]:
        """One for each failing entry."""
        return [self.sentence(entry, exponent) for entry, exponent in self.failing]

    def sentence(self, entry: Entry, exponent: Fraction) -> str:
        """What a failing entry does."""
        verb = "grow" if exponent > 0 else "shrink"
        where = f"{self.condition.equation} fails at layer {entry.layer}"
        return f"{where}: {entry.label} {verb} as {power_of_n(exponent)}"


def check(
    name: str, width_exponents: Sequence[Fraction | int], r: Fraction | float = HALF
) -> tuple[Outcome, ...]:
    """All ``CONDITIONS`` of a parametrization on widths n_0 ... n_L that grow as n to the exponents.

    ``r`` matters to ``dynamic`` alone. Raises ``ConfigError`` as ``theory.orders.orders`` does.

    Examples:
        >>> widths = (0, 1, Fraction(1, 2), 1, 0)  # hidden widths n, sqrt(n), n
        >>> [outcome.condition.equation for outcome in check("spectral", widths) if not outcome.holds]
        ['2.18', '2.27', '2.31', '2.32', '2.40', '2.41', '2.45']
        >>> print(check("spectral", widths)[0].sentences()[0])
        2.18 fails at layer 2: the preactivations over those of layer 1 shrink as n^(-1/4)
    """
    exponents = quantity_exponents(name, width_exponents, r)
    depth = len(width_exponents) - 1
    return tuple(
        Outcome(
            condition, tuple((entry, entry.exponent(exponents)) for entry in _entries(condition, depth))
        )
        for condition in CONDITIONS
    )


@cache
def _entries(condition: Condition, depth: int) -> tuple[Entry, ...]:
    """A condition's entries: they know nothing of the widths, which callers try by the hundred."""
    return condition.entries(depth)


def quantity_exponents(
    name: str, width_exponents: Sequence[Fraction | int], r: Fraction | float = HALF
) -> dict[Key, Fraction]:
    """The exponent of every quantity of every layer. Raises ``ConfigError`` as ``orders.orders``.

    Examples:
        >>> found = quantity_exponents("ntk", (0, 1, 1, 0))
        >>> found["update", 2], found["width", 2]  # |Delta htilde^2_i| shrinks as n^(-1/2)
        (Fraction(-1, 2), Fraction(1, 1))
    """
    found = orders(name, width_exponents, r)
    by_quantity: dict[Quantity, Sequence[Fraction]] = {
        "preactivation": found.preactivation,
        "update": found.update,
        "gradient": found.gradient,
        "own": found.own,
        "alignment": found.alignment,
        "overlap": [
            2 * gradient + growth
            for gradient, growth in zip(
                found.gradient, overlap_exponents(found, width_exponents), strict=True
            )
        ],
        "multiplier": found.multiplier,
        "deviation": found.deviation,
    }
    widths: dict[Key, Fraction] = {("width", k): Fraction(a) for k, a in enumerate(width_exponents)}
    return widths | {
        (quantity, layer): exponent
        for quantity, values in by_quantity.items()
        for layer, exponent in enumerate(values, start=1)
    }


def condition(equation: str) -> Condition:
    """The condition of that number. Raises ``ConfigError`` if there is none.

    Examples:
        >>> condition("2.31").statement
        'the alignment of every layer is Theta(1)'
        >>> [entry.layer for entry in condition("2.31").entries(3)]
        [1, 2, 3]
    """
    for one in CONDITIONS:
        if one.equation == equation:
            return one
    numbers = ", ".join(one.equation for one in CONDITIONS)
    raise ConfigError(f"there is no condition {equation!r}; choose one of {numbers}")


def violation(relation: Relation, exponent: Number) -> Number:
    """By how much an exponent exceeds what the relation allows; zero or less if it is met."""
    if relation == "zero":
        return abs(exponent)
    return exponent if relation == "at_most_zero" else -exponent


def power_of_n(exponent: Fraction) -> str:
    """``n^(-1/2)``, ``n^2``, ``n``."""
    if exponent == 1:
        return "n"
    plain = exponent.denominator == 1 and exponent > 0
    return f"n^{exponent}" if plain else f"n^({exponent})"


def _norm(quantity: Quantity, layer: int, power: Fraction = ONE) -> dict[Key, Fraction]:
    """The norm of a layer's vector, sqrt(n_l) times its root mean square, to a power."""
    return {(quantity, layer): power, ("width", layer): power / 2}


def _input_norm(layer: int, power: Fraction) -> dict[Key, Fraction]:
    """||h^{l-1}|| to a power, of the order of ||htilde^{l-1}|| (eq. 2.20); ||x|| is sqrt(n_0)."""
    if layer == 1:
        return {("width", 0): power / 2}
    return _norm("preactivation", layer - 1, power)


def _product(*factors: Powers) -> dict[Key, Fraction]:
    """The powers of a product of products; quantities that cancel are left out."""
    powers: dict[Key, Fraction] = {}
    for factor in factors:
        for key, power in factor.items():
            powers[key] = powers.get(key, Fraction(0)) + power
    return {key: power for key, power in powers.items() if power}


def _gain(layer: int) -> dict[Key, Fraction]:
    """g_l sqrt(n_{l-1}) sigma_l: by what a layer changes the size of signals; inputs are Theta(1)."""
    below: Powers = {("preactivation", layer - 1): -ONE} if layer > 1 else {}
    return _product({("preactivation", layer): ONE}, below)


def _hidden_gains(depth: int) -> tuple[Entry, ...]:
    first = Entry(1, "the preactivations", _gain(1))
    return (
        first,
        *(
            Entry(layer, f"the preactivations over those of layer {layer - 1}", _gain(layer))
            for layer in range(2, depth)
        ),
    )


def _output_gain(depth: int) -> tuple[Entry, ...]:
    return (Entry(depth, f"the outputs over the preactivations of layer {depth - 1}", _gain(depth)),)


def _own_shares(depth: int) -> tuple[Entry, ...]:
    """||Delta htilde^l|| / ||g_l Delta W^l h^{l-1}||."""
    label = "the updates over the layer's own part of them"
    return tuple(
        Entry(layer, label, {("update", layer): ONE, ("own", layer): -ONE})
        for layer in range(1, depth + 1)
    )


def _norm_products(depth: int) -> tuple[Entry, ...]:
    """||dL/dhtilde^l|| ||Delta htilde^l||."""
    label = "the norms of gradient and update, multiplied,"
    return tuple(
        Entry(layer, label, _product({("gradient", layer): ONE}, _norm("update", layer)))
        for layer in range(1, depth + 1)
    )


def _backward_gains(depth: int) -> tuple[Entry, ...]:
    """||dL/dhtilde^l|| / (g_{l+1} sigma_{l+1} sqrt(n_l) ||dL/dhtilde^{l+1}||)."""
    return tuple(
        Entry(
            layer,
            f"the gradients over what the weights of layer {layer + 1} make of theirs",
            _product(
                {("gradient", layer): ONE, ("gradient", layer + 1): -ONE},
                {("multiplier", layer + 1): -ONE, ("deviation", layer + 1): -ONE},
                {("width", layer): -ONE / 2},
            ),
        )
        for layer in range(1, depth)
    )


def _output_update(depth: int) -> tuple[Entry, ...]:
    """||Delta htilde^L|| / sqrt(n_L)."""
    return (Entry(depth, "the changes of the outputs", {("update", depth): ONE}),)


def _gradient_overlaps(depth: int) -> tuple[Entry, ...]:
    """|<delta_1, delta_2>| / ||delta_1||^2."""
    label = "the inner products of the gradients of two steps, over the square of the first,"
    return tuple(
        Entry(layer, label, {("overlap", layer): ONE, ("gradient", layer): -TWO})
        for layer in range(2, depth + 1)
    )


def _alignments(depth: int) -> tuple[Entry, ...]:
    label = "the alignments of update and gradient"
    return tuple(Entry(layer, label, {("alignment", layer): ONE}) for layer in range(1, depth + 1))


def _contributions(depth: int) -> tuple[Entry, ...]:
    """g_l^2 ||h^{l-1}||^2 ||dL/dhtilde^l||^2."""
    return tuple(
        Entry(
            layer,
            "the layer's own contributions to the decrease of the loss",
            _product(
                {("multiplier", layer): TWO, ("gradient", layer): TWO},
                _input_norm(layer, TWO),
            ),
        )
        for layer in range(1, depth + 1)
    )


def _update_ratios(depth: int) -> tuple[Entry, ...]:
    """||Delta htilde^l|| / ||Delta htilde^1||."""
    return tuple(
        Entry(
            layer,
            "the norms of updates over those of layer 1",
            _product(_norm("update", layer), _norm("update", 1, -ONE)),
        )
        for layer in range(2, depth)
    )


def _gradient_changes(depth: int) -> tuple[Entry, ...]:
    """||g_l (Delta W^l)^T dL/dhtilde^l|| / ||dL/dhtilde^{l-1}||, the first as in eq. 2.57."""
    return tuple(
        Entry(
            layer,
            f"the changes of the gradients of layer {layer - 1} over these gradients",
            _product(
                {
                    ("multiplier", layer): TWO,
                    ("gradient", layer): TWO,
                    ("gradient", layer - 1): -ONE,
                },
                _input_norm(layer, ONE),
            ),
        )
        for layer in range(2, depth + 1)
    )


def _bounded_updates(depth: int) -> tuple[Entry, ...]:
    """||Delta htilde^l|| / sqrt(n_{l-1})."""
    return tuple(
        Entry(
            layer,
            f"the norms of updates over the root of the width of layer {layer - 1}",
            _product(_norm("update", layer), {("width", layer - 1): -ONE / 2}),
        )
        for layer in range(2, depth + 1)
    )


def _last_hidden_update(depth: int) -> tuple[Entry, ...]:
    return (Entry(depth - 1, "the norms of updates", _norm("update", depth - 1)),)


CONDITIONS = (
    Condition("2.18", "hidden layers keep the size of preactivations", "zero", _hidden_gains),
    Condition("2.19", "the readout does not enlarge the outputs", "at_most_zero", _output_gain),
    Condition("2.27", "every update is of the order of the layer's own part of it", "zero", _own_shares),
    Condition("2.31", "the alignment of every layer is Theta(1)", "zero", _alignments),
    Condition(
        "2.32", "the norms of gradient and update have a product of Theta(1)", "zero", _norm_products
    ),
    Condition(
        "2.36", "gradients have the size that the weights above give them", "zero", _backward_gains
    ),
    Condition(
        "2.40", "the updates of all hidden layers have norms of one order", "zero", _update_ratios
    ),
    Condition("2.41", "every layer's own contribution is Theta(1)", "zero", _contributions),
    Condition("2.45", "the outputs change by Theta(1)", "zero", _output_update),
    Condition(
        "2.58",
        "gradients of two steps overlap no more than grow as the first squared",
        "at_most_zero",
        _gradient_overlaps,
    ),
    Condition(
        "2.59", "no step outgrows the gradient of a layer below", "at_most_zero", _gradient_changes
    ),
    Condition(
        "2.62",
        "updates are no larger than the root of the width below",
        "at_most_zero",
        _bounded_updates,
    ),
    Condition(
        "2.66", "the last hidden layer's update does not vanish", "at_least_zero", _last_hidden_update
    ),
)
"""2.41 reads 2.31 strictly: an alignment may come from layers below, a contribution is a layer's own.

2.62 follows from 2.59 where updates lie along the gradient (eqs. 2.59-2.62); they need not. The thesis
assumes 2.58 and derives 2.36; the others it demands.
"""
