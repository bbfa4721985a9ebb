"""What the thesis claims of Figs. 3.2 and 3.3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from dynparam.experiments.alignments.tables import SLOPES
from dynparam.presentation.sentences import figure_title, fraction
from dynparam.provenance.experiment import Files
from dynparam.provenance.source_claims import FAILS, HOLDS, THESIS, UNDECIDED, SourceClaim, decided
from dynparam.settings.widths import Claim
from dynparam.trials.claims import Showing, showing
from dynparam.trials.networks import ratio_rule

COURSES = {"flat": "stays constant", "decreasing": "shrinks"}
"""What the thesis reads off a curve."""

WORDS = {Showing.YES: HOLDS, Showing.NO: FAILS, Showing.UNDECIDED: UNDECIDED}


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """Of every curve what is read off its figure, then its exponent at great widths."""
    slopes = files.table("comparison/slopes", SLOPES)
    evidence = (files.results / "comparison" / "slopes.csv").as_posix()
    tolerance = config.comparison.tolerance
    for figure, curves in config.panels.items():
        for curve in curves:
            rows = slopes[(slopes["figure"] == figure) & (slopes["curve"] == curve)]
            claim = config.probe.curve(curve).claim
            beyond = _continued(config, slopes, figure, curve)
            yield SourceClaim(
                THESIS,
                figure_title(figure),
                f"{_network(config, curve)}: what a layer contributes {COURSES[claim]} as the network "
                "widens.",
                "The slope of each layer on the figure's own widths.",
                _read(claim, rows, tolerance),
                evidence,
                figure,
                holds_beyond=set(_read(claim, beyond, tolerance)) == {HOLDS},
            )
    for wide, figure in config.law.figures.items():
        for curve in config.panels[figure]:
            rows = slopes[(slopes["figure"] == wide) & (slopes["curve"] == curve)]
            exponent = fraction(float(rows["asymptotic"].iloc[0]))
            yield SourceClaim(
                THESIS,
                f"{figure_title(figure)}, eqs. 2.31 and 3.5",
                f"{_network(config, curve)}: what a layer contributes has the exponent {exponent} of n.",
                f"The slope of each layer from n = {config.law.slopes_from:,} on, by the exact law.",
                decided(rows["verdict"]),
                evidence,
                wide,
            )


def _read(claim: Claim, slopes: pd.DataFrame, tolerance: float) -> tuple[str, ...]:
    """Whether a claim shows in each of these slopes, as verdicts."""
    intervals = zip(slopes["ci_low"], slopes["ci_high"], strict=True)
    return tuple(WORDS[showing(claim, low, high, tolerance)] for low, high in intervals)


def _continued(config: Any, slopes: pd.DataFrame, figure: str, curve: str) -> pd.DataFrame:
    """The slopes of a figure's curve at the widths of the law engine; none if it is not continued."""
    wide = [name for name, shown in config.law.figures.items() if shown == figure]
    return slopes[slopes["figure"].isin(wide) & (slopes["curve"] == curve)]


def _network(config: Any, curve: str) -> str:
    """``spectral, n_min = 6 n^(1/2)``."""
    one = config.probe.curve(curve)
    return f"{one.parametrization}, n_min = {ratio_rule(one.narrow)}"
