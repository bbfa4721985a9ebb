"""The networks of a configured curve: its wide widths, its rule for n_min, all its widths."""

from __future__ import annotations

from fractions import Fraction

from dynparam.settings.widths import Curve, NarrowWidth, Network
from dynparam.theory.widths import RatioRule, Widths, bottleneck, log_spaced
from dynparam.trials.settings import Probe


def wide_widths(probe: Probe) -> tuple[int, ...]:
    """The wide widths n of the probe."""
    return log_spaced(probe.widths.smallest, probe.widths.largest, probe.widths.count)


def ratio_rule(curve: Curve) -> RatioRule:
    """The rule that gives n_min beside n."""
    return RatioRule(curve.narrow.coefficient, curve.narrow.exponent)


def curve_widths(network: Network, probe: Probe, curve: Curve, n: int) -> Widths:
    """All widths of the curve's network at wide width n."""
    return bottleneck(n, ratio_rule(curve).n_min(n, probe.rounding), hidden=network.hidden)


def hidden_exponents(network: Network, narrow: NarrowWidth) -> tuple[Fraction, ...]:
    """The exponents a_1 ... a_{L-1} of the hidden widths: 1 where wide, that of n_min where narrow."""
    return tuple(Fraction(1) if share == "wide" else narrow.exponent for share in network.hidden)


def family_exponents(network: Network, narrow: NarrowWidth) -> tuple[Fraction, ...]:
    """The growth exponents of n_0 ... n_L along a family of widths; n_0 and n_L are fixed."""
    share = {"wide": Fraction(1), "narrow": narrow.exponent}
    return (Fraction(0), *(share[one] for one in network.hidden), Fraction(0))
