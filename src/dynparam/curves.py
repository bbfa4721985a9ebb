"""The networks of a configured curve: its wide widths, its rule for n_min, all its widths."""

from __future__ import annotations

from dynparam.blocks import Curve, Network, Probe
from dynparam.widths import RatioRule, Widths, bottleneck, log_spaced


def wide_widths(probe: Probe) -> tuple[int, ...]:
    """The wide widths n of the probe."""
    return log_spaced(probe.widths.smallest, probe.widths.largest, probe.widths.count)


def ratio_rule(curve: Curve) -> RatioRule:
    """The rule that gives n_min beside n."""
    return RatioRule(curve.narrow.coefficient, curve.narrow.exponent)


def curve_widths(network: Network, probe: Probe, curve: Curve, n: int) -> Widths:
    """All widths of the curve's network at wide width n."""
    return bottleneck(n, ratio_rule(curve).n_min(n, probe.rounding), hidden=network.hidden)
