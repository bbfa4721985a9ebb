"""The laziness index, measured by one small step on one input, on both engines.

Gaussian weights see of an input nothing but its norm, so every input has |x|^2 = n_0. A trial is the
same draw under every parametrization. The index is a limit of small steps: the learning rate is such
that neither the output nor a hidden layer is expected to move by more than ``index.move``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dynparam.engines import law
from dynparam.engines.network import draw_weights, sgd_step
from dynparam.engines.one_step import OneStep, record
from dynparam.experiments.lazy_or_rich.settings import LazyOrRich
from dynparam.settings.widths import WidthGrid
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import NonFiniteError
from dynparam.support.randomness import torch_generator
from dynparam.theory.laziness import laziness_index
from dynparam.theory.parametrization import NAMES, LayerScales, layer_scales
from dynparam.theory.relu_kernels import single_input_ntk
from dynparam.theory.widths import Widths
from dynparam.trials.kept import Point, Row, measured
from dynparam.trials.log import TrialLog

Engine = Literal["law", "dense"]

Random = Callable[[int], torch.Generator]
"""The random numbers of a trial, from its number."""

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
            work[engine, n] = float(each * trials(lazy, engine))

    def run(point: Point) -> list[Row]:
        """All trials of an engine and a width."""
        engine: Engine = "law" if point[0] == "law" else "dense"
        return _rows(lazy, family, engine, int(point[1]))

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


@dataclass(frozen=True)
class _Network:
    """A parametrization of a network, its step, and the index expected of each layer."""

    scales: LayerScales
    learning_rate: float
    expected: FloatArray


def _network(widths: Widths, name: str, move: float) -> _Network:
    scales, square = layer_scales(name, widths), float(widths.sizes[0])
    expected = laziness_index(widths, scales, square)
    return _Network(scales, learning_rate(widths, scales, square, move), expected)


def _rows(lazy: LazyOrRich, family: str, engine: Engine, n: int) -> list[Row]:
    widths = lazy.network(family, n, lazy.index.hidden)
    networks = {name: _network(widths, name, lazy.index.move) for name in NAMES}
    numbers = range(trials(lazy, engine))
    take = _in_law if engine == "law" else _dense
    steps = take(widths, networks, lambda trial: _generator(lazy, family, n, trial), numbers)
    return [
        {
            "family": family,
            "engine": engine,
            "parametrization": name,
            "n": n,
            "n_min": widths.n_min,
            "trial": trial,
            "layer": layer + 1,
            "index": _index(steps[name][trial], layer, f"{name}, n = {n}, trial {trial}"),
            "expected": float(networks[name].expected[layer]),
        }
        for name in NAMES
        for trial in numbers
        for layer in range(len(widths.hidden))
    ]


def _generator(lazy: LazyOrRich, family: str, n: int, trial: int) -> torch.Generator:
    return torch_generator(lazy.seed, "laziness index", family, n, trial)


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
    widths: Widths, networks: Mapping[str, _Network], generator: Random, numbers: Sequence[int]
) -> dict[str, list[OneStep]]:
    found: dict[str, list[OneStep]] = {name: [] for name in networks}
    for name, network in networks.items():
        for begin in range(0, len(numbers), AT_ONCE):
            some = numbers[begin : begin + AT_ONCE]
            norms, targets = np.full(len(some), np.sqrt(widths.sizes[0])), np.ones((len(some), 1))
            steps = law.one_steps(
                widths,
                network.scales,
                norms,
                targets,
                network.learning_rate,
                [generator(trial) for trial in some],
            )
            found[name] += [law.trial(steps, place) for place in range(len(some))]
    return found


@dataclass(frozen=True)
class _Scaled:
    """A standard deviation times a stored matrix of standard normal numbers, (n_out, n_in)."""

    std: float
    numbers: Tensor

    def times(self, u: Tensor) -> Tensor:
        """W u: (n_in,) to (n_out,)."""
        return self.std * (self.numbers @ u)

    def transpose_times(self, v: Tensor) -> Tensor:
        """W^T v: (n_out,) to (n_in,)."""
        return self.std * (self.numbers.T @ v)


def _dense(
    widths: Widths, networks: Mapping[str, _Network], generator: Random, numbers: Sequence[int]
) -> dict[str, list[OneStep]]:
    """One draw serves all parametrizations; its float32 numbers take a fifth of the time."""
    found: dict[str, list[OneStep]] = {name: [] for name in networks}
    bare = LayerScales((1.0,) * widths.depth, (1.0,) * widths.depth)
    target = torch.ones(1, dtype=torch.float64)
    for trial in numbers:
        random = generator(trial)
        x = torch.randn(widths.sizes[0], dtype=torch.float64, generator=random)
        x *= widths.sizes[0] ** 0.5 / x.norm()
        drawn = [one.double() for one in draw_weights(widths, bare, random, torch.float32)]
        for name, network in networks.items():
            scales = network.scales
            maps = [_Scaled(std, one) for std, one in zip(scales.init_std, drawn, strict=True)]
            step = sgd_step(maps, scales, x, target, network.learning_rate)
            found[name].append(record(step))
    return found
