"""How often each kind of verdict is wrong where it can be, and how often it sees what is there.

    python -m tests.verdict_rates

prints the table of docs/statistics/known-truth.md: invented values with a known truth, as many of them
as the thesis's configuration asks for, judged again and again by the code that judges the measured ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dynparam.experiments.training_curves.claims import Comparison, judge
from dynparam.experiments.training_curves.settings import for_claims
from dynparam.statistics.estimates import mean_of
from dynparam.statistics.measured_conditions import SEVERITY, relation_verdict
from dynparam.statistics.multiplicity import holm
from dynparam.statistics.slopes import slope_of_log_means, slopes_per_square
from dynparam.statistics.verdicts import equivalence
from dynparam.support.arrays import FloatArray
from dynparam.theory.widths import log_spaced
from dynparam.trials.claims import showing
from tests.findings_run import CONFIG
from tests.joint_tests import LAYERS, invented

CONFIDENCE = CONFIG.fit.confidence
CLAIMS = for_claims(CONFIG)
SEEDS = 35
"""Runs of each curve of Figs. 3.4 and 3.5 in the archive."""

Judge = Callable[[float, np.random.Generator], Sequence[str]]
"""From what the truth is off by, to the verdicts of one experiment."""


@dataclass(frozen=True)
class Case:
    """One truth, and how often a verdict on it may come up.

    Attributes:
        off: by what the truth is off: slopes by an exponent, differences by their standard deviation.
        verdict: which verdict is counted.
        least: the least share of experiments.
        most: the greatest share.
    """

    off: float
    verdict: str
    least: float
    most: float


@dataclass(frozen=True)
class Kind:
    """A kind of verdict.

    Attributes:
        what: what it judges.
        size: on how many values.
        judge: one experiment.
        cases: what is known of it.
    """

    what: str
    size: str
    judge: Judge
    cases: tuple[Case, ...]


def slopes(off: float, generator: np.random.Generator) -> list[str]:
    """Of Figs. 3.2 and 3.3: the verdict of each layer of a curve."""
    found = slopes_per_square(log_spaced(1000, 10_000, 10), invented(generator, CONFIG.probe.trials))
    return [
        str(equivalence(one.ci_low + off, one.ci_high + off, 0.0, CONFIG.comparison.tolerance))
        for one in found.estimates(CONFIDENCE)
    ]


def showings(off: float, generator: np.random.Generator) -> list[str]:
    """Whether a decrease shows in the slopes of a curve."""
    found = slopes_per_square(log_spaced(1000, 10_000, 10), invented(generator, CONFIG.probe.trials))
    return [
        str(showing("decreasing", one.ci_low + off, one.ci_high + off, CONFIG.comparison.tolerance))
        for one in found.estimates(CONFIDENCE)
    ]


def sizes(generator: np.random.Generator) -> tuple[float, float]:
    """The interval of the slope of a size of Table 1.1 that does not depend on n.

    A size scatters by 0.6 of its mean, more than any in the narrowest layer of its families.
    """
    grid = CONFIG.exponents.widths
    widths = log_spaced(grid.smallest, grid.largest, grid.count)
    values = [generator.lognormal(0, 0.55, (CONFIG.exponents.trials, 1)) for _ in widths]
    return slope_of_log_means(widths, values, confidence=CONFIDENCE).interval


def orders(off: float, generator: np.random.Generator) -> list[str]:
    """Of Table 1.1: the verdict of an entry."""
    low, high = sizes(generator)
    return [str(equivalence(low + off, high + off, 0.0, CONFIG.exponents.tolerance))]


def conditions(off: float, generator: np.random.Generator) -> list[str]:
    """Of the matrix: a condition with an entry in every layer, of which the first is off."""
    shifts = [off] + [0.0] * (LAYERS - 1)
    found = []
    for shift in shifts:
        low, high = sizes(generator)
        found.append(relation_verdict("zero", low + shift, high + shift, CONFIG.exponents.tolerance))
    return [str(next(verdict for verdict in SEVERITY if verdict in found))]


def edges(off: float, generator: np.random.Generator) -> list[str]:
    """Of the r-sweep: where a crossing lies that scatters by 0.06 from network to network."""
    values = 0.5 + off + 0.06 * generator.normal(size=CONFIG.sweep.training.trials)
    return [str(equivalence(*mean_of(values, CONFIDENCE).interval, 0.5, CONFIG.sweep.tolerance))]


def _compared(
    off: float, generator: np.random.Generator, rows: int, seeds: int, draws: int
) -> list[Comparison]:
    """Losses at several places; their standard deviations scatter as those of the archive do.

    Half the variance of a difference belongs to its draw of the images, if there are several.
    """
    levels = np.exp(generator.uniform(-8, -1, rows))
    deviations = 0.05 * levels / np.sqrt(generator.chisquare(5, rows) / 5)
    of_draw = np.repeat(np.arange(draws), seeds // draws)
    found = []
    for place, (level, deviation) in enumerate(zip(levels, deviations, strict=True), start=1):
        own, shared = generator.normal(size=seeds), generator.normal(size=draws)[of_draw]
        both = own if draws == 1 else (own + shared) / np.sqrt(2)
        first = level * np.exp(0.1 * generator.normal(size=seeds))
        second = first + deviation * (both + off)
        found.append(Comparison("test_loss", f"epoch {place}", first, second, of_draw))
    return found


def _judged(compared: Sequence[Comparison]) -> list[dict[str, object]]:
    keyed = [("task", CONFIG.protocol.n, CONFIG.protocol.n_min, one) for one in compared]
    return [one.row() for one in judge(CLAIMS, keyed)]


def secondary(off: float, generator: np.random.Generator) -> list[str]:
    """Of the training curves: rows whose verdicts rest on their own intervals."""
    return [str(row["verdict"]) for row in _judged(_compared(off, generator, 36, SEEDS, 1))]


def primary(off: float, generator: np.random.Generator) -> list[str]:
    """Whether any of the four primary rows is decided after Holm's correction."""
    rows = _judged(_compared(off, generator, 36, SEEDS, 1))[:4]
    decided = holm([float(str(row["p_value"])) for row in rows]) <= 1 - CONFIDENCE
    return ["decided" if decided.any() else "undecided"]


def other_networks(off: float, generator: np.random.Generator) -> list[str]:
    """Of the domain study: 20 seeds on four draws of the images, half the variance the draws'."""
    return [str(row["verdict"]) for row in _judged(_compared(off, generator, 36, 20, 4))]


WRONG = 0.025
"""The share of wrong definite verdicts that is promised."""
SKEWED = 0.035
"""What moderated variances add to it: their intervals of 95 % cover 93 to 95 %."""

OF_A_CLAIM = (
    Case(0.0, "holds", 0.0, SKEWED),
    Case(0.0, "fails", 0.0, SKEWED),
    Case(-1.0, "holds", 0.3, 1.0),
    Case(-2.0, "holds", 0.85, 1.0),
)
"""What is known of a claim whose verdict rests on its own interval; below zero it holds."""

KINDS = (
    Kind(
        "slopes of Figs. 3.2 and 3.3",
        f"{CONFIG.probe.trials} trials at each of 10 widths",
        slopes,
        (
            Case(0.0, "agrees", 0.6, 1.0),
            Case(0.0, "disagrees", 0.0, WRONG),
            Case(CONFIG.comparison.tolerance, "agrees", 0.0, WRONG),
            Case(0.1, "disagrees", 0.8, 1.0),
        ),
    ),
    Kind(
        "whether a decrease shows in them",
        f"{CONFIG.probe.trials} trials at each of 10 widths",
        showings,
        (
            Case(0.0, "shows", 0.0, SKEWED),
            Case(0.0, "does not show", 0.0, SKEWED),
            Case(-0.1, "shows", 0.99, 1.0),
        ),
    ),
    Kind(
        "entries of Table 1.1",
        f"{CONFIG.exponents.trials} trials at each of {CONFIG.exponents.widths.count} widths",
        orders,
        (
            Case(0.0, "agrees", 0.99, 1.0),
            Case(0.0, "disagrees", 0.0, WRONG),
            Case(CONFIG.exponents.tolerance, "agrees", 0.0, WRONG),
            Case(0.25, "disagrees", 0.99, 1.0),
        ),
    ),
    Kind(
        "conditions",
        f"{LAYERS} entries, each as one of Table 1.1",
        conditions,
        (
            Case(0.0, "holds", 0.99, 1.0),
            Case(0.0, "fails", 0.0, WRONG),
            Case(CONFIG.exponents.tolerance, "holds", 0.0, WRONG),
            Case(0.25, "fails", 0.99, 1.0),
        ),
    ),
    Kind(
        "edges in r",
        f"{CONFIG.sweep.training.trials} networks",
        edges,
        (
            Case(0.0, "agrees", 0.9, 1.0),
            Case(0.0, "disagrees", 0.0, WRONG),
            Case(CONFIG.sweep.tolerance, "agrees", 0.0, WRONG),
            Case(0.125, "disagrees", 0.9, 1.0),
        ),
    ),
    Kind(
        "secondary claims on training curves",
        f"{SEEDS} seeds",
        secondary,
        (
            *OF_A_CLAIM[:2],
            Case(-0.5, "holds", 0.6, 1.0),
            Case(-1.0, "holds", 0.97, 1.0),
        ),
    ),
    Kind(
        "any of the four primary claims",
        f"{SEEDS} seeds, Holm",
        primary,
        (
            Case(0.0, "decided", 0.0, 2 * SKEWED),
            Case(-0.5, "decided", 0.9, 1.0),
        ),
    ),
    Kind(
        "claims on other networks",
        "20 seeds on 4 draws",
        other_networks,
        OF_A_CLAIM,
    ),
)


@cache
def shares(kind: Kind, off: float, repeats: int, seed: int = 0) -> FloatArray:
    """The verdicts of so many experiments: (repeats, verdicts each) of words."""
    generator = np.random.default_rng([seed, KINDS.index(kind), round(1e4 * abs(off))])
    return np.array([kind.judge(off, generator) for _ in range(repeats)])


def main() -> None:
    """Print how often each verdict came up."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=4000)
    repeats = parser.parse_args().repeats
    print("| verdict on | values | truth off by | verdict | share |\n|---|---|---|---|---|")
    for kind in KINDS:
        for case in kind.cases:
            share = np.mean(shares(kind, case.off, repeats) == case.verdict)
            print(
                f"| {kind.what} | {kind.size} | {case.off:g} | {case.verdict} | {100 * share:.1f} % |",
                flush=True,
            )


if __name__ == "__main__":
    main()
