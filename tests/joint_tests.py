"""How often the test of all layers of a curve is wrong, and what it and the verdicts can see.

    python -m tests.joint_tests results/law/probe/exact/*.csv

prints, for every curve of Figs. 3.2 and 3.3, how often the joint test rejects slopes that are right, how
often slopes with a planted shift, and how the verdicts fall: 30 trials per width are drawn, again and
again, from the many of the exact-law engine, whose slopes are the truth. The tests do the same on
invented trials, which scatter and correlate as those do, in seconds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from dynparam.statistics.joint import JointSlopes, joint_test
from dynparam.statistics.slopes import slopes_per_square
from dynparam.statistics.verdicts import Verdict, equivalence
from dynparam.theory.widths import log_spaced

WIDTHS = log_spaced(1000, 10_000, 10)
TRIALS, EXACT_TRIALS = 30, 2000
LAYERS = 6
LEVEL = 0.05
TOLERANCE = 0.05

SCATTER = np.array([0.20, 0.20, 0.18, 0.17, 0.15, 0.14])
"""Standard deviations of an alignment over ||x||^2, relative to its mean, as on the thesis's widths."""

CORRELATION = np.array(
    [
        [1.00, 0.99, 0.95, 0.90, 0.82, 0.67],
        [0.99, 1.00, 0.97, 0.92, 0.84, 0.69],
        [0.95, 0.97, 1.00, 0.98, 0.93, 0.80],
        [0.90, 0.92, 0.98, 1.00, 0.96, 0.86],
        [0.82, 0.84, 0.93, 0.96, 1.00, 0.95],
        [0.67, 0.69, 0.80, 0.86, 0.95, 1.00],
    ]
)
"""Of the same between layers."""

SHIFTS = {
    "nothing": np.zeros(LAYERS),
    "all layers by 0.03": np.full(LAYERS, 0.03),
    "all layers by 0.05": np.full(LAYERS, 0.05),
    "all layers by 0.1": np.full(LAYERS, 0.1),
    "layer 3 by 0.01": np.eye(LAYERS)[2] * 0.01,
    "layer 3 by 0.06": np.eye(LAYERS)[2] * 0.06,
    "layer 3 by 0.15": np.eye(LAYERS)[2] * 0.15,
}
"""By how much the slopes of a curve are off what is expected of them."""

Trials = list[np.ndarray]
"""Alignments of all layers and relative ||x||^2 at each width, (trials, layers + 1)."""


def invented(generator: np.random.Generator, trials: int) -> Trials:
    """Trials whose slopes are all zero, with heavy tails: a Gaussian whose variance itself is random."""
    shape = (len(WIDTHS), trials)
    normal = generator.multivariate_normal(np.zeros(LAYERS), CORRELATION, shape, method="cholesky")
    wild = np.sqrt(generator.gamma(1.25, 0.8, (*shape, 1)))
    square = generator.lognormal(0, 0.5, (*shape, 1))
    values = np.exp(SCATTER * normal * wild)
    return list(np.concatenate([values * square, square], axis=2))


def off(slopes: JointSlopes, shift: np.ndarray) -> JointSlopes:
    """What is measured if every alignment of a layer has a factor n^shift: errors stay as they are."""
    return replace(slopes, values=slopes.values + shift)


@dataclass(frozen=True)
class Rates:
    """Shares of repeated measurements.

    Attributes:
        rejected: by the joint test at ``LEVEL``.
        verdicts: of the slopes that are shifted (of all if none is), by verdict.
        error: standard deviation of the slopes (layers,).
    """

    rejected: float
    verdicts: dict[str, float]
    error: np.ndarray


def rates(measured: Sequence[JointSlopes], exact: JointSlopes, shift: np.ndarray) -> Rates:
    """What becomes of measurements whose slopes are off the exact ones by ``shift``."""
    found = [off(one, shift) for one in measured]
    layers = np.flatnonzero(shift) if shift.any() else range(LAYERS)
    verdicts = [
        equivalence(*slopes[layer].interval, float(exact.values[layer]), TOLERANCE)
        for slopes in (one.estimates(0.95) for one in found)
        for layer in layers
    ]
    return Rates(
        rejected=float(np.mean([joint_test(one, exact).p_value < LEVEL for one in found])),
        verdicts={str(word): verdicts.count(word) / len(verdicts) for word in Verdict},
        error=np.std([one.values for one in found], axis=0, ddof=1),
    )


def pooled(table: pd.DataFrame) -> Trials:
    """The trials of a curve as ``dynparam probe`` writes them."""
    wide = table.pivot(index=["n", "trial"], columns="layer", values="alignment")
    wide["square"] = table.groupby(["n", "trial"])["relative_square"].first()
    return [wide.loc[n].to_numpy(float) for n in sorted(table["n"].unique())]


def drawn(pool: Trials, trials: int, generator: np.random.Generator) -> JointSlopes:
    """The slopes of so many of a pool's trials at every width, drawn with replacement."""
    rows = [values[generator.integers(len(values), size=trials)] for values in pool]
    return slopes_per_square(WIDTHS, rows)


def main() -> None:
    """Print the rates of every curve."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("trials", type=Path, nargs="+")
    parser.add_argument("--repeats", type=int, default=1000)
    chosen = parser.parse_args()
    generator = np.random.default_rng(0)
    for path in chosen.trials:
        pool = pooled(pd.read_csv(path))
        exact = replace(drawn(pool, EXACT_TRIALS, generator), values=np.zeros(LAYERS))
        truth = slopes_per_square(WIDTHS, pool).values
        # What is measured less what is expected, which every repeat knows with an error of its own.
        known = generator.multivariate_normal(truth, exact.covariance, chosen.repeats)
        measured = [off(drawn(pool, TRIALS, generator), -values) for values in known]
        for name, shift in SHIFTS.items():
            found = rates(measured, exact, shift)
            shares = ", ".join(f"{word} {share:.3f}" for word, share in found.verdicts.items())
            print(f"{path.stem}, {name}: rejected {found.rejected:.3f}; {shares}", flush=True)
        errors = np.sqrt(np.mean([one.covariance.diagonal() for one in measured], axis=0))
        freedom = np.mean([joint_test(one, exact).freedom[1] for one in measured])
        print(
            f"{path.stem}: standard errors {np.round(errors, 4)}, F({LAYERS}, {freedom:.0f})", flush=True
        )


if __name__ == "__main__":
    main()
