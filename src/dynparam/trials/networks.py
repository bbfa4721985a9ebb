"""The networks of a configured family: its wide widths, its rule for n_min, all widths, their growth."""

from __future__ import annotations

from fractions import Fraction

from dynparam.settings.widths import Curve, NarrowWidth, Network, WidthGrid
from dynparam.theory.orders import orders
from dynparam.theory.widths import RatioRule, Rounding, Widths, bottleneck, log_spaced


def wide_widths(grid: WidthGrid) -> tuple[int, ...]:
    """The wide widths n of the grid."""
    return log_spaced(grid.smallest, grid.largest, grid.count)


def ratio_rule(narrow: NarrowWidth) -> RatioRule:
    """The rule that gives n_min beside n."""
    return RatioRule(narrow.coefficient, narrow.exponent)


def family_networks(
    network: Network, narrow: NarrowWidth, rounding: Rounding, grid: WidthGrid
) -> dict[int, Widths]:
    """The widths n_0 ... n_L of the family's networks, by wide width n.

    Raises ``ConfigError`` for n_min that is no width at some n (``RatioRule.n_min``).
    """
    rule = ratio_rule(narrow)
    return {n: bottleneck(n, rule.n_min(n, rounding), hidden=network.hidden) for n in wide_widths(grid)}


def uncrossed(widths: Widths, smallest: int) -> Widths:
    """The same with n_0 no larger than the smallest n of a window, so that no n passes it (eq. 3.4)."""
    return Widths((min(smallest, widths.sizes[0]), *widths.sizes[1:]))


def hidden_exponents(network: Network, narrow: NarrowWidth) -> tuple[Fraction, ...]:
    """The exponents a_1 ... a_{L-1} of the hidden widths: 1 where wide, that of n_min where narrow."""
    return tuple(Fraction(1) if share == "wide" else narrow.exponent for share in network.hidden)


def family_exponents(network: Network, narrow: NarrowWidth) -> tuple[Fraction, ...]:
    """The growth exponents of n_0 ... n_L along a family of widths; n_0 and n_L are fixed."""
    return (Fraction(0), *hidden_exponents(network, narrow), Fraction(0))


def asymptotic_exponents(network: Network, curve: Curve) -> tuple[Fraction, ...]:
    """Exponents of the alignments of layers 1 ... L as n grows and n_0, n_L stay (``orders``)."""
    exponents = family_exponents(network, curve.narrow)
    return orders(curve.parametrization, exponents, curve.r).alignment
