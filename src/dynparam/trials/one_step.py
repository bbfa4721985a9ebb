"""Measuring a curve with the one-step probe: all its widths, all its trials, on either engine.

Both engines see the same images at the same coordinates; their weights are independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynparam.engines.one_step import OneStep, quantities
from dynparam.provenance.code_digest import module_digest
from dynparam.settings.base import digest
from dynparam.settings.widths import Curve
from dynparam.support.arrays import FloatArray
from dynparam.support.files import sha256
from dynparam.support.progress import progress
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from dynparam.trials.engine import Start, Step, trial_engine
from dynparam.trials.images import TrialImages
from dynparam.trials.log import TrialLog
from dynparam.trials.networks import family_networks, ratio_rule
from dynparam.trials.settings import Engine, Probe, ProbeStage

ENGINE_KEYS: dict[Engine, str] = {"dense": "one_step", "law": "law_step"}
"""What keeps the two engines' random numbers apart."""


def measure_curve(
    settings: ProbeStage, name: str, images: TrialImages, trial_log: TrialLog, engine: Engine = "dense"
) -> pd.DataFrame:
    """All trials of a curve, in the columns of ``results/probe/{curve}.csv``.

    relative_square is ||x||^2 of the trial's image over its expectation, the same in every layer.
    Finished trials are kept in ``trial_log`` and not computed again after an interruption. Raises
    ``ConfigError`` for an unknown curve or widths beyond memory, ``NonFiniteError`` naming the trial
    that failed, ``DataError`` for a damaged log, and ``DynparamError`` if it cannot be written.
    """
    probe = settings.probe
    curve = probe.curve(name)
    grid = family_networks(settings.network, curve.narrow, probe.rounding, probe.widths)
    every = range(probe.trials)
    measure = CurveTrials(probe, name, images, engine)
    work = {n: measure.engine.work(widths) for n, widths in grid.items()}
    with trial_log.held():
        done = finished_trials(trial_log, grid, probe)
        left = {n: [trial for trial in every if (n, trial) not in done] for n in grid}
        with progress(name, sum(work[n] * len(trials) for n, trials in left.items())) as advance:
            for n, trials in left.items():
                for block in measure.engine.blocks(grid[n], trials):
                    results = dict(zip(block, measure(n, grid[n], block), strict=True))
                    trial_log.append([n, trial, result.measured()] for trial, result in results.items())
                    done |= {(n, trial): result for trial, result in results.items()}
                    advance(work[n] * len(block))
    squares = {n: measure.relative_squares(n, every) for n in grid}
    return _table(name, curve, grid, squares, done)


def log_of_curve(
    output: Path, settings: ProbeStage, name: str, images: Path, engine: Engine
) -> TrialLog:
    """The log of finished trials of an interrupted measurement, apart from any declared output.

    Its name follows from all that the trials depend on, code included, so that trials of another
    configuration are never taken up.
    """
    return TrialLog(output, name, digest(settings), engine, sha256(images), module_digest(__name__))


def finished_trials(
    log: TrialLog, grid: Mapping[int, Widths], probe: Probe
) -> dict[tuple[int, int], OneStep]:
    """The finished trials (n, trial) of a log; a last line cut short by a kill is removed from it.

    Raises ``DataError`` if the log is damaged, or holds what is no trial of this probe's networks.
    """
    return log.read(partial(_logged_trial, grid, range(probe.trials), quantities(probe.twice)))


def _logged_trial(
    grid: Mapping[int, Widths], trials: range, names: Collection[str], entry: Any
) -> tuple[tuple[int, int], OneStep]:
    n, trial, values = entry
    if type(n) is not int or type(trial) is not int or n not in grid or trial not in trials:
        raise ValueError("it is of no trial of this measurement")
    if not isinstance(values, dict) or values.keys() != set(names):
        raise ValueError("it does not hold the quantities of a trial")
    for column in values.values():
        if not isinstance(column, list) or len(column) != grid[n].depth:
            raise ValueError("it does not hold a number for every layer")
        if not all(type(value) is float and math.isfinite(value) for value in column):
            raise ValueError("it holds what is no finite number")
    return (n, trial), OneStep(**{name: tuple(column) for name, column in values.items()})


class CurveTrials:
    """The trials of one curve on one engine, some at a time; how many changes no result."""

    def __init__(
        self,
        probe: Probe,
        name: str,
        images: TrialImages,
        engine: Engine,
        dense_step: Step | None = None,
    ) -> None:
        """Trials of the curve ``name`` on ``images``; ``dense_step`` as in ``trial_engine``.

        Raises ``ConfigError`` for an unknown curve.
        """
        self._probe = probe
        self._name = name
        self._curve = probe.curve(name)
        self._images = images
        self._key = ENGINE_KEYS[engine]
        self.engine = trial_engine(engine, dense_step, twice=probe.twice)

    def start(self, n: int, trial: int) -> Start:
        """What the trial of this number starts from at n."""
        generator = torch_generator(self._probe.seed, self._key, self._name, n, trial)
        return Start(generator, *self._images.draw(generator, self._name, n, trial))

    def relative_squares(self, n: int, trials: Sequence[int]) -> FloatArray:
        """||x||^2 of these trials' images at n over its expectation, (trials,); the mean tends to 1."""
        squares = [self.start(n, trial).x.double().square().sum().item() for trial in trials]
        return np.array(squares) / self._mean_square

    @cached_property
    def _mean_square(self) -> float:
        return self._images.mean_square()

    def __call__(self, n: int, widths: Widths, trials: Sequence[int]) -> list[OneStep]:
        """The trials of these numbers at n. Raises ``NonFiniteError`` naming the one that failed."""
        curve = self._curve
        scales = layer_scales(curve.parametrization, widths, curve.r, self._probe.first_layer)
        starts = {trial: self.start(n, trial) for trial in trials}
        where = f"curve {self._name}, n = {n}"
        return list(self.engine.run(widths, scales, starts, self._probe.learning_rate, where))


def _table(
    name: str,
    curve: Curve,
    grid: Mapping[int, Widths],
    squares: Mapping[int, FloatArray],
    results: Mapping[tuple[int, int], OneStep],
) -> pd.DataFrame:
    keys = [(n, trial) for n in grid for trial in range(len(squares[n]))]
    depth = max(widths.depth for widths in grid.values())
    return pd.DataFrame(
        {
            "curve": name,
            "parametrization": curve.parametrization,
            "ratio": str(ratio_rule(curve.narrow)),
            "n": np.repeat([n for n, _ in keys], depth),
            "n_min": np.repeat([grid[n].n_min for n, _ in keys], depth),
            "trial": np.repeat([trial for _, trial in keys], depth),
            "layer": np.tile(range(1, depth + 1), len(keys)),
            **{
                quantity: np.concatenate([getattr(results[key], quantity) for key in keys])
                for quantity in results[keys[0]].measured()
            },
            "relative_square": np.repeat(np.concatenate([squares[n] for n in grid]), depth),
        }
    )
