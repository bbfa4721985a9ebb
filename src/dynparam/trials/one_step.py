"""Measuring a curve with the one-step probe: all its widths, all its trials, on either engine.

The dense engine draws the weights (``engines.dense``), the law engine their products alone
(``engines.law``). Both see the same images at the same coordinates; their weights are independent of
each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dynparam.engines import dense, law
from dynparam.engines.gaussian_columns import Workspace
from dynparam.engines.one_step import OneStep
from dynparam.provenance.code_digest import stage_digest
from dynparam.settings.base import digest
from dynparam.settings.widths import Curve
from dynparam.support.errors import NonFiniteError
from dynparam.support.files import sha256
from dynparam.support.progress import progress
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.widths import Widths
from dynparam.trials.images import TrialImages
from dynparam.trials.log import append_to_log, log_path, read_log
from dynparam.trials.networks import curve_widths, ratio_rule, wide_widths
from dynparam.trials.settings import Engine, Probe, ProbeStage

ENGINE_KEYS: dict[Engine, str] = {"dense": "one_step", "law": "law_step"}
"""What keeps the two engines' random numbers apart."""


UNITS_AT_ONCE = 2**16
"""Units of the widest layer, over all trials computed together on the law engine: a cache's worth."""


def measure_curve(
    settings: ProbeStage, name: str, images: TrialImages, trial_log: Path, engine: Engine = "dense"
) -> pd.DataFrame:
    """All trials of a curve, in the columns of ``results/probe/{curve}.csv``.

    Finished trials are kept in ``log`` and not computed again after an interruption. Raises
    ``ConfigError`` for an unknown curve or widths beyond memory, ``NonFiniteError`` naming the trial
    that failed, and ``DynparamError`` if the log cannot be written.
    """
    curve = settings.probe.curve(name)
    grid = {
        n: curve_widths(settings.network, settings.probe, curve, n) for n in wide_widths(settings.probe)
    }
    every = range(settings.probe.trials)
    done = read_trial_log(trial_log)
    left = {n: [trial for trial in every if (n, trial) not in done] for n in grid}
    measure = CurveTrials(settings.probe, name, images, engine)
    work = sum(measure.work(grid[n]) * len(trials) for n, trials in left.items())
    with progress(name, work) as advance:
        for n, trials in left.items():
            for block in measure.blocks(grid[n], trials):
                results = measure(n, grid[n], block)
                append_to_log(
                    trial_log,
                    ([n, trial, asdict(result)] for trial, result in zip(block, results, strict=True)),
                )
                done |= {(n, trial): result for trial, result in zip(block, results, strict=True)}
                advance(measure.work(grid[n]) * len(block))
    return _table(name, curve, grid, settings.probe.trials, done)


def trial_log_path(output: Path, settings: ProbeStage, name: str, images: Path, engine: Engine) -> Path:
    """Where the finished trials of an interrupted measurement wait, apart from any declared output.

    The name follows from all that the trials depend on, code included, so that trials of another
    configuration are never taken up.
    """
    return log_path(
        output, name, digest(settings), engine, sha256(images), stage_digest("probe_alignment")
    )


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

    def __init__(self, probe: Probe, name: str, images: TrialImages, engine: Engine) -> None:
        """Trials of the curve ``name`` on ``images``. Raises ``ConfigError`` for an unknown curve."""
        self._probe = probe
        self._name = name
        self._curve = probe.curve(name)
        self._images = images
        self.engine = engine
        self._workspace = Workspace()

    def work(self, widths: Widths) -> float:
        """The work of a trial, in units common to all widths."""
        return widths.weight_count if self.engine == "dense" else sum(widths.sizes)

    def blocks(self, widths: Widths, trials: Sequence[int]) -> list[Sequence[int]]:
        """The trials, as many together as the engine computes at once."""
        size = max(1, UNITS_AT_ONCE // max(widths.sizes[1:])) if self.engine == "law" else 1
        return [trials[start : start + size] for start in range(0, len(trials), size)]

    def draw(self, n: int, trial: int) -> tuple[torch.Generator, tuple[Tensor, Tensor]]:
        """What a trial starts from: its image and target, and its generator after their draw."""
        generator = torch_generator(self._probe.seed, ENGINE_KEYS[self.engine], self._name, n, trial)
        return generator, self._images.draw(generator, self._name, n, trial)

    def __call__(self, n: int, widths: Widths, trials: Sequence[int]) -> list[OneStep]:
        """The trials of these numbers at n. Raises ``NonFiniteError`` naming the one that failed."""
        generators, drawn = zip(*(self.draw(n, trial) for trial in trials), strict=True)
        scales = layer_scales(self._curve.parametrization, widths, self._curve.r)
        results = []
        for trial, result in zip(trials, self._run(widths, scales, drawn, generators), strict=True):
            try:
                results.append(result())
            except NonFiniteError as error:
                raise NonFiniteError(f"curve {self._name}, n = {n}, trial {trial}: {error}") from None
        return results

    def _run(
        self,
        widths: Widths,
        scales: LayerScales,
        drawn: Sequence[tuple[Tensor, Tensor]],
        generators: Sequence[torch.Generator],
    ) -> list[Callable[[], OneStep]]:
        """A trial's result each, to be asked for in order."""
        rate, memory = self._probe.learning_rate, self._workspace
        if self.engine == "dense":
            return [
                partial(dense.one_step, widths, scales, x, y, rate, generator, memory)
                for (x, y), generator in zip(drawn, generators, strict=True)
            ]
        norms = np.array([x.double().norm().item() for x, _ in drawn])
        targets = torch.stack([y for _, y in drawn]).double().numpy()
        steps = law.one_steps(widths, scales, norms, targets, rate, generators, memory)
        return [partial(law.trial, steps, index) for index in range(len(drawn))]


def _table(
    name: str,
    curve: Curve,
    grid: Mapping[int, Widths],
    trials: int,
    results: Mapping[tuple[int, int], OneStep],
) -> pd.DataFrame:
    keys = [(n, trial) for n in grid for trial in range(trials)]
    depth = max(widths.depth for widths in grid.values())
    quantities = [field.name for field in fields(OneStep)]
    return pd.DataFrame(
        {
            "curve": name,
            "parametrization": curve.parametrization,
            "ratio": str(ratio_rule(curve)),
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
