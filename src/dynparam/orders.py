"""Exact asymptotic exponents of the one-step probe, for any growth of the widths.

Write every width as n_l = Theta(n^{a_l}). Then each multiplier and standard deviation is a power
of n (``parametrization.Monomial.order``), products add exponents, sums take the largest one: the
size of every quantity follows by max-plus arithmetic on fractions, without a float or a sample
(Secs. 2.2-2.3 of the thesis, to leading order in the learning rate).

Exponents are of *squared norms* where a name says ``_square``; alignments and multipliers as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

from dynparam.errors import ConfigError
from dynparam.parametrization import HALF, layer_rules


@dataclass(frozen=True)
class Orders:
    """Exponents of n; entry l - 1 belongs to layer l = 1 ... L.

    Attributes:
        preactivation: of |htilde^l_i|, one coordinate (Table 1.1, first column).
        gradient: of ||dL/dhtilde^l||, a norm (eq. 2.36).
        update: of |Delta htilde^l_i|, one coordinate (Table 1.1, second column).
        contribution: of layer k's own share in every later layer's alignment,
            g_k^2 ||h^{k-1}||^2 ||dL/dhtilde^k||^2 (eq. 2.41).
        alignment: of |<dL/dhtilde^l, Delta htilde^l>|, the largest contribution of layers k <= l.
        multiplier: of g_l.
    """

    preactivation: tuple[Fraction, ...]
    gradient: tuple[Fraction, ...]
    update: tuple[Fraction, ...]
    contribution: tuple[Fraction, ...]
    alignment: tuple[Fraction, ...]
    multiplier: tuple[Fraction, ...]


def orders(
    name: str,
    width_exponents: Sequence[Fraction | int],
    r: Fraction | float = HALF,
) -> Orders:
    """Exponents of a network whose widths n_0 ... n_L grow as n to ``width_exponents``.

    A fixed width has exponent 0; for the thesis's networks a_0 = a_L = 0. ``r`` matters to
    ``dynamic`` alone. Raises ``ConfigError`` for an unknown name, r outside [0, 1/2], no hidden
    layer, or a negative exponent.
    """
    widths = tuple(Fraction(a) for a in width_exponents)
    if len(widths) < 3:
        raise ConfigError("width exponents need an input, a hidden layer and an output at least")
    if min(widths) < 0:
        raise ConfigError(f"width exponent {min(widths)} is negative; widths cannot shrink to zero")
    depth = len(widths) - 1
    n_min = min(widths[1:-1])
    shapes = list(pairwise(widths))
    rules = layer_rules(name, depth, r)
    g = [rule.multiplier.order(*shape, n_min) for rule, shape in zip(rules, shapes, strict=True)]
    s = [
        g_l + rule.sigma.order(*shape, n_min) for g_l, rule, shape in zip(g, rules, shapes, strict=True)
    ]
    forward_square = _forward_square(widths, s)
    gradient_square = _gradient_square(widths, s, forward_square)
    contribution = [2 * g[k] + forward_square[k] + gradient_square[k] for k in range(depth)]
    alignment = list(accumulate(contribution, max))
    update_square = _update_square(widths, s, alignment, gradient_square)
    return Orders(
        preactivation=tuple((forward_square[k + 1] - widths[k + 1]) / 2 for k in range(depth)),
        gradient=tuple(d / 2 for d in gradient_square),
        update=tuple((update_square[k] - widths[k + 1]) / 2 for k in range(depth)),
        contribution=tuple(contribution),
        alignment=tuple(alignment),
        multiplier=tuple(g),
    )


def _forward_square(widths: Sequence[Fraction], s: Sequence[Fraction]) -> list[Fraction]:
    """Of ||h^l||^2 (and ||htilde^l||^2), l = 0 ... L: P_l = n_l s_l^2 P_{l-1}, P_0 = n_0."""
    square = [widths[0]]
    for n_l, s_l in zip(widths[1:], s, strict=True):
        square.append(n_l + 2 * s_l + square[-1])
    return square


def _gradient_square(
    widths: Sequence[Fraction], s: Sequence[Fraction], forward_square: Sequence[Fraction]
) -> list[Fraction]:
    """Of ||dL/dhtilde^l||^2, l = 1 ... L (eq. 2.36): the readout's is ||f - y||^2 >= Theta(1)."""
    square = [max(Fraction(0), forward_square[-1])]
    for layer in range(len(s) - 1, 0, -1):
        square.insert(0, 2 * s[layer] + widths[layer] + square[0])
    return square


def _update_square(
    widths: Sequence[Fraction],
    s: Sequence[Fraction],
    alignment: Sequence[Fraction],
    gradient_square: Sequence[Fraction],
) -> list[Fraction]:
    """Of ||Delta htilde^l||^2: the part along the gradient and the part W carries elsewhere.

    Along dL/dhtilde^l the update has length alignment / ||dL/dhtilde^l||. Whatever the layer below
    moves is besides spread by the Gaussian W^l over all n_l directions, n_l s_l^2 ||Delta h^{l-1}||^2.
    """
    square: list[Fraction] = []
    for layer in range(len(s)):
        along = 2 * alignment[layer] - gradient_square[layer]
        spread = widths[layer + 1] + 2 * s[layer] + square[-1] if square else along
        square.append(max(along, spread))
    return square
