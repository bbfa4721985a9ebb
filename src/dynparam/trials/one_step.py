"""Measuring a curve with the one-step probe: all its widths, all its trials, on either engine.

Both engines see the same images at the same coordinates; their weights are independent of each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dynparam.engines.one_step import OneStep
from dynparam.provenance.code_digest import module_digest
from dynparam.settings.base import digest
from dynparam.settings.widths import Curve
from dynparam.support.files import sha256
from dynparam.support.progress import progress
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from dynparam.trials.engine import Start, Step, trial_engine
from dynparam.trials.images import TrialImages
from dynparam.trials.log import append_to_log, log_path, read_log
from dynparam.trials.networks import family_networks, ratio_rule
from dynparam.trials.settings import Engine, Probe, ProbeStage

ENGINE_KEYS: dict[Engine, str] = {"dense": "one_step", "law": "law_step"}
"""What keeps the two engines' random numbers apart."""


def measure_curve(
    settings: ProbeStage, name: str, images: TrialImages, trial_log: Path, engine: Engine = "dense"
) -> pd.DataFrame:
    """All trials of a curve, in the columns of ``results/probe/{curve}.csv``.

    Finished trials are kept in ``log`` and not computed again after an interruption. Raises
    ``ConfigError`` for an unknown curve or widths beyond memory, ``NonFiniteError`` naming the trial
    that failed, and ``DynparamError`` if the log cannot be written.
    """
    probe = settings.probe
    curve = probe.curve(name)
    grid = family_networks(settings.network, curve.narrow, probe.rounding, probe.widths)
    every = range(probe.trials)
    done = read_trial_log(trial_log)
    left = {n: [trial for trial in every if (n, trial) not in done] for n in grid}
    measure = CurveTrials(probe, name, images, engine)
    work = {n: measure.engine.work(widths) for n, widths in grid.items()}
    with progress(name, sum(work[n] * len(trials) for n, trials in left.items())) as advance:
        for n, trials in left.items():
            for block in measure.engine.blocks(grid[n], trials):
                results = measure(n, grid[n], block)
                found = dict(zip(block, results, strict=True))
                append_to_log(
                    trial_log, ([n, trial, result.measured()] for trial, result in found.items())
                )
                done |= {(n, trial): result for trial, result in found.items()}
                advance(work[n] * len(block))
    return _table(name, curve, grid, probe.trials, done)


def trial_log_path(output: Path, settings: ProbeStage, name: str, images: Path, engine: Engine) -> Path:
    """Where the finished trials of an interrupted measurement wait, apart from any declared output.

    The name follows from all that the trials depend on, code included, so that trials of another
    configuration are never taken up.
    """
    return log_path(output, name, digest(settings), engine, sha256(images), module_digest(__name__))


def read_trial_log(path: Path) -> dict[tuple[int, int], OneStep]:
    """The finished trials (n, trial) of a log; a last line cut short by a kill is removed from it.

    Raises ``DataError`` if another line is damaged.
    """
    return read_log(path, _logged_trial)


def _logged_trial(entry: Any) -> tuple[tuple[int, int], OneStep]:
    n, trial, values = entry
    return (n, trial), OneStep(**{key: tuple(column) for key, column in values.items()})


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

    def __call__(self, n: int, widths: Widths, trials: Sequence[int]) -> list[OneStep]:
        """The trials of these numbers at n. Raises ``NonFiniteError`` naming the one that failed."""
        scales = layer_scales(self._curve.parametrization, widths, self._curve.r)
        starts = {trial: self.start(n, trial) for trial in trials}
        where = f"curve {self._name}, n = {n}"
        return list(self.engine.run(widths, scales, starts, self._probe.learning_rate, where))


def _table(
    name: str,
    curve: Curve,
    grid: Mapping[int, Widths],
    trials: int,
    results: Mapping[tuple[int, int], OneStep],
) -> pd.DataFrame:
    keys = [(n, trial) for n in grid for trial in range(trials)]
    depth = max(widths.depth for widths in grid.values())
    quantities = list(results[keys[0]].measured())
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
                for quantity in quantities
            },
        }
    )
