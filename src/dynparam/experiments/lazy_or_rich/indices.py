"""The laziness index, measured by one small step on one input, on both engines.

Gaussian weights see of an input nothing but its norm, so every input has |x|^2 = n_0. A trial is the
same draw under every parametrization. The index is a limit of small steps: the learning rate is such
that neither the output nor a hidden layer is expected to move by more than ``index.move``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
import torch

from dynparam.engines import dense, law
from dynparam.engines.one_step import OneStep
from dynparam.experiments.lazy_or_rich.settings import LazyOrRich
from dynparam.experiments.lazy_or_rich.trials import Point, Row, measured
from dynparam.settings.widths import WidthGrid
from dynparam.support.errors import NonFiniteError
from dynparam.support.randomness import torch_generator
from dynparam.theory.laziness import laziness_index
from dynparam.theory.parametrization import NAMES, LayerScales, layer_scales
from dynparam.theory.relu_kernels import single_input_ntk
from dynparam.theory.widths import Widths
from dynparam.trials.log import TrialLog

Engine = Literal["law", "dense"]

ENGINES: tuple[Engine, ...] = get_args(Engine)

AT_ONCE = 10
"""Trials that the law engine takes together, which bounds memory; their numbers do not depend on it."""


def measure(lazy: LazyOrRich, family: str, log: TrialLog) -> pd.DataFrame:
    """All trials of a family, in the columns of ``tables.INDEX``, a row for every hidden layer.

    ``expected`` is ``theory.laziness.laziness_index``. Finished points are kept in ``log``. Raises
    ``ConfigError`` for widths beyond this machine's memory, ``DataError`` for a damaged log, and
    ``NonFiniteError`` for a step that is not finite, or a network whose output does not move.
    """
    work: dict[Point, float] = {}
    for engine in ENGINES:
        for n in grid(lazy, engine).widths():
            widths = lazy.network(family, n, lazy.index.hidden)
            each = sum(widths.sizes) if engine == "law" else widths.weight_count
            for name in NAMES:
                work[engine, name, n] = float(each * trials(lazy, engine))

    def run(point: Point) -> list[Row]:
        """All trials of an engine, a parametrization and a width."""
        engine: Engine = "law" if point[0] == "law" else "dense"
        return _rows(lazy, family, engine, str(point[1]), int(point[2]))

    return measured(log, f"laziness index, {family}", work, run)


def grid(lazy: LazyOrRich, engine: Engine) -> WidthGrid:
    """The wide widths n on an engine."""
    return lazy.index.widths if engine == "law" else lazy.index.dense_widths


def trials(lazy: LazyOrRich, engine: Engine) -> int:
    """The trials at a width on an engine."""
    return lazy.index.trials if engine == "law" else lazy.index.dense_trials


def learning_rate(widths: Widths, scales: LayerScales, square: float, move: float) -> float:
    """That at which neither the output nor a hidden layer is expected to move by more than ``move``.

    The target is 1, and the output at initialization counts as zero.
    """
    largest = max(1.0, float(laziness_index(widths, scales, square)[:-1].max()))
    return move / (single_input_ntk(widths, scales) * square * largest)


def _rows(lazy: LazyOrRich, family: str, engine: Engine, name: str, n: int) -> list[Row]:
    widths = lazy.network(family, n, lazy.index.hidden)
    scales = layer_scales(name, widths)
    square = float(widths.sizes[0])
    rate = learning_rate(widths, scales, square, lazy.index.move)
    generators = [
        torch_generator(lazy.seed, "laziness index", family, n, trial)
        for trial in range(trials(lazy, engine))
    ]
    take = _in_law if engine == "law" else _dense
    expected = laziness_index(widths, scales, square)
    return [
        {
            "family": family,
            "engine": engine,
            "parametrization": name,
            "n": n,
            "n_min": widths.n_min,
            "trial": trial,
            "layer": layer + 1,
            "index": _index(step, layer, f"{name}, n = {n}, trial {trial}"),
            "expected": float(expected[layer]),
        }
        for trial, step in enumerate(take(widths, scales, rate, generators))
        for layer in range(len(widths.hidden))
    ]


def _index(step: OneStep, layer: int, where: str) -> float:
    """The movement of a hidden layer, relative to its size, over that of the output.

    Raises ``NonFiniteError`` if no unit of a layer is active, so that nothing reaches the output.
    """
    if not (step.preactivation_rms[layer] and step.update_rms[-1]):
        raise NonFiniteError(
            f"the laziness index of {where} is infinite, because no unit of some layer is active and "
            f"the output does not move; raise the smallest of lazy_or_rich.index.widths and dense_widths"
        )
    return float(step.update_rms[layer] / step.preactivation_rms[layer] / step.update_rms[-1])


def _in_law(
    widths: Widths, scales: LayerScales, rate: float, generators: Sequence[torch.Generator]
) -> list[OneStep]:
    found = []
    for begin in range(0, len(generators), AT_ONCE):
        some = generators[begin : begin + AT_ONCE]
        norms, targets = np.full(len(some), np.sqrt(widths.sizes[0])), np.ones((len(some), 1))
        steps = law.one_steps(widths, scales, norms, targets, rate, some)
        found += [law.trial(steps, trial) for trial in range(len(some))]
    return found


def _dense(
    widths: Widths, scales: LayerScales, rate: float, generators: Sequence[torch.Generator]
) -> list[OneStep]:
    found = []
    for generator in generators:
        x = torch.randn(widths.sizes[0], dtype=torch.float64, generator=generator)
        x *= widths.sizes[0] ** 0.5 / x.norm()
        target = torch.ones(1, dtype=torch.float64)
        found.append(dense.one_step(widths, scales, x, target, rate, generator))
    return found
