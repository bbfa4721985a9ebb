"""How far the kernel moves while a network learns to a given loss, on Gaussian inputs.

Along a family of widths theory has |K_t - K_0| / |K_0| follow the square of the laziness index in the
narrowest layer: n_min^(2r - 1) under dynamic parametrization, which with r = 0 is ntk, and a constant
under mup at a constant ratio of widths. Spectral parametrization at a sharpening bottleneck stands
beside them as a control, at two learning rates: it moves its kernel by many times itself, and may
diverge, which is recorded as it is.
"""

from __future__ import annotations

import pandas as pd
import torch

from dynparam.engines.network import draw_weights
from dynparam.experiments.lazy_or_rich.descent import (
    Start,
    change,
    checked_spectrum,
    descend,
    kernel_of,
)
from dynparam.experiments.lazy_or_rich.settings import LazyOrRich
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import layer_scales
from dynparam.trials.kept import Point, Row, measured
from dynparam.trials.log import TrialLog

CONTROL_WIDTHS = 2
"""The first so many widths of a family, at which spectral parametrization is trained."""


def measure(lazy: LazyOrRich, family: str, log: TrialLog) -> pd.DataFrame:
    """All trials of a family, in the columns of ``tables.KERNEL_CHANGE``.

    A descent that diverges has no kernel change, and its loss is missing where it is no number.
    Finished trials are kept in ``log``. Raises ``DataError`` for a damaged one.
    """
    network = lazy.kernel_change.hidden
    work: dict[Point, float] = {}
    for name, r, step, n in series(lazy, family):
        for trial in range(lazy.kernel_change.trials):
            weights = lazy.network(family, n, network).weight_count
            work[name, r, step, n, trial] = float(weights)

    def run(point: Point) -> list[Row]:
        """One trial."""
        name, r, step, n, trial = point
        return [_trial(lazy, family, str(name), float(r), float(step), int(n), int(trial))]

    return measured(log, f"kernel change, {family}", work, run)


def series(lazy: LazyOrRich, family: str) -> list[tuple[str, float, float, int]]:
    """Parametrization, r, c and n of every point of a family."""
    chosen = lazy.kernel_change
    widths = chosen.widths[family].widths()
    found = [("dynamic", float(r), chosen.step, n) for r in chosen.r for n in widths]
    if lazy.rule(family).exponent == 1:
        return found + [("mup", 0.5, chosen.step, n) for n in widths]
    steps = (chosen.step, chosen.control_step)
    return found + [("spectral", 0.5, step, n) for step in steps for n in widths[:CONTROL_WIDTHS]]


def _trial(lazy: LazyOrRich, family: str, name: str, r: float, step: float, n: int, trial: int) -> Row:
    chosen = lazy.kernel_change
    widths = lazy.network(family, n, chosen.hidden)
    scales = layer_scales(name, widths, r)
    generator = torch_generator(lazy.seed, "kernel change", family, n, trial)
    images = torch.randn(chosen.samples, lazy.inputs, dtype=torch.float64, generator=generator)
    signs = torch.randint(2, (chosen.samples,), generator=generator).double() * 2 - 1
    weights = draw_weights(widths, scales, generator, torch.float64)
    start = Start(weights, scales.multiplier, images, signs)
    before = start.kernel()
    kernel = checked_spectrum(before, f"{family}, {name}, r = {r:g}, n = {n}, trial {trial}")
    rate = step * kernel.inputs / kernel.largest
    end = descend(start, rate, chosen.steps, chosen.until)
    diverged = end.outcome == "diverged"
    after = None if diverged else kernel_of(end.weights, scales.multiplier, images)
    return {
        "family": family,
        "parametrization": name,
        "r": r,
        "step": step,
        "n": n,
        "n_min": widths.n_min,
        "trial": trial,
        "kernel_change": None if after is None else change(before, after),
        "steps": end.steps,
        "loss": None if diverged else end.loss,
        "outcome": end.outcome,
        "rank": kernel.rank,
    }
