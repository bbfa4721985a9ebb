"""What the figures of alignments say, in a sentence, with the verdicts of their own slopes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from dynparam.presentation.sentences import grouped, joined, rounded
from dynparam.statistics.verdicts import Verdict, equivalence

SHARPENING = 1.1
"""Growth of n/n_min over the widths from which on the bottleneck sharpens; rounding changes less."""

FALL, STAY, RISE, UNDECIDED = "fall", "stay", "rise", "are undecided"


class Courses(NamedTuple):
    """How the alignments of a curve go with n.

    Attributes:
        parametrization: its name.
        ratio: what happens to n/n_min.
        layers: how each layer's alignment goes.
    """

    parametrization: str
    ratio: str
    layers: tuple[str, ...]

    def told(self) -> str:
        """``rise in 5 and stay in 1 of 6 layers``."""
        counts = {way: self.layers.count(way) for way in (FALL, RISE, STAY, UNDECIDED)}
        found = [(way, count) for way, count in counts.items() if count]
        if len(found) == 1:
            return f"{found[0][0]} in every layer"
        ways = joined([f"{way} in {count}" for way, count in found])
        return f"{ways} of {len(self.layers)} layers"


def courses(plotted: pd.DataFrame, fits: pd.DataFrame, tolerance: float) -> Courses:
    """How the alignments of one curve go, by the intervals that verdicts take (``fits.fit_curve``)."""
    ordered = plotted.sort_values("n")
    ratios = (ordered["n"] / ordered["n_min"]).tolist()
    growth = ratios[-1] / ratios[0]
    ratio = "as the bottleneck sharpens" if growth > SHARPENING else "at a constant ratio"
    intervals = zip(fits["judged_low"], fits["judged_high"], strict=True)
    layers = tuple(_course(low, high, tolerance) for low, high in intervals)
    return Courses(str(plotted["parametrization"].iloc[0]), ratio, layers)


def probe_message(curves: Sequence[Courses]) -> str:
    """What Figs. 3.2 and 3.3 say of their curves; what all share is said once."""
    names, ratios = ({getattr(one, what) for one in curves} for what in ("parametrization", "ratio"))
    shared = [f"under {curves[0].parametrization}"] if len(names) == 1 else []
    shared += [curves[0].ratio] if len(ratios) == 1 else []
    parts = [
        " ".join(
            [
                one.told(),
                *([f"under {one.parametrization}"] if len(names) > 1 else []),
                *([one.ratio] if len(ratios) > 1 else []),
            ]
        )
        for one in curves
    ]
    said = f"{', '.join([*shared, ''])}alignments {', and '.join(parts)}"
    return said[0].upper() + said[1:]


def arrival(local: pd.DataFrame, tolerance: float) -> float | None:
    """The n from which on all local slopes keep to their exponents, if they ever do.

    It is the geometric mean of the widths of the first of those slopes. ``local`` are the rows of kind
    "slope" of the figure's data.
    """
    off = (local["value"] - local["asymptotic"]).abs() > tolerance
    last = local.loc[off, "n"].max() if off.any() else 0
    beyond = local.loc[local["n"] > last, "n"]
    return None if beyond.empty else float(beyond.min())


def wide_message(plotted: Iterable[pd.DataFrame], tolerance: float) -> str:
    """From which n on all slopes of the figure are their exact exponents."""
    table = pd.concat(list(plotted))
    local = table[table["kind"] == "slope"]
    found = arrival(local, tolerance)
    if found is None:
        return f"By n = {grouped(table['n'].max())} not every local slope is at its exact exponent"
    return f"From n = {grouped(rounded(found))} on, every local slope is at its exact exponent"


def _course(low: float, high: float, tolerance: float) -> str:
    """An interval that is not known, as of one trial, decides nothing."""
    verdict = equivalence(low, high, 0.0, tolerance)
    if verdict is Verdict.UNDECIDED:
        return UNDECIDED
    if verdict is Verdict.AGREES:
        return STAY
    return FALL if high < 0 else RISE
