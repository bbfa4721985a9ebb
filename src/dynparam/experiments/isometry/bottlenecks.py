"""The widths of ReLU networks of wide and narrow hidden layers in turn."""

from __future__ import annotations

from dynparam.experiments.isometry.settings import DeepBottlenecks
from dynparam.theory.widths import Widths


def bottleneck_widths(own: DeepBottlenecks, depth: int) -> Widths:
    """n_0, then n and n_min in turn, and one output."""
    hidden = [(own.n, own.n_min)[place % 2] for place in range(depth - 1)]
    return Widths((own.inputs, *hidden, 1))
