"""Trials of one step on either engine: what one costs, how many to take together, and their results.

The dense engine draws the weights and takes one trial after another; the law engine draws only the
products of the weights, and computes a block of trials together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from dynparam.engines import dense, law, law_step
from dynparam.engines.gaussian_columns import Workspace
from dynparam.engines.one_step import OneStep
from dynparam.support.errors import NonFiniteError
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths
from dynparam.trials.settings import Engine

UNITS_AT_ONCE = 2**18
"""Units of the widest layer, over all trials computed together on the law engine.

Fewer pay more for the calls than for the numbers; twice as many leave the cache that cores share.
"""

Step = Callable[[Widths, LayerScales, Tensor, Tensor, float, torch.Generator], OneStep]
"""One trial on dense weights, as ``dense.one_step`` takes it."""


@dataclass(frozen=True)
class Start:
    """What a trial starts from.

    Attributes:
        generator: its random numbers, those for its image drawn already.
        x: its image (n_0,).
        y: its target (n_L,).
    """

    generator: torch.Generator
    x: Tensor
    y: Tensor


class TrialEngine(ABC):
    """One step of many trials; how many are taken together changes no result."""

    @abstractmethod
    def work(self, widths: Widths) -> float:
        """The work of a trial, in units common to all widths."""

    @abstractmethod
    def at_once(self, widths: Widths) -> int:
        """How many trials are computed together."""

    @abstractmethod
    def memory_bytes(self, widths: Widths, trials: int, dtype: torch.dtype) -> int:
        """What so many trials need, taken in blocks, on images of that precision."""

    @abstractmethod
    def _results(
        self, widths: Widths, scales: LayerScales, starts: Sequence[Start], learning_rate: float
    ) -> list[Callable[[], OneStep]]:
        """A trial's result each, to be asked for in order."""

    def blocks(self, widths: Widths, trials: Sequence[int]) -> list[Sequence[int]]:
        """The trials, as many together as the engine computes at once."""
        size = self.at_once(widths)
        return [trials[start : start + size] for start in range(0, len(trials), size)]

    def run(
        self,
        widths: Widths,
        scales: LayerScales,
        starts: Mapping[int, Start],
        learning_rate: float,
        where: str,
    ) -> Iterator[OneStep]:
        """The results of a block, by the numbers of its trials, in their order.

        Raises ``NonFiniteError`` naming ``where`` and the trial that failed when its turn comes, and
        otherwise as ``dense.one_step`` and ``law.one_steps`` do.
        """
        results = self._results(widths, scales, list(starts.values()), learning_rate)
        for trial, result in zip(starts, results, strict=True):
            try:
                found = result()
            except NonFiniteError as error:
                raise NonFiniteError(f"{where}, trial {trial}: {error}") from None
            yield found


def trial_engine(name: Engine, dense_step: Step | None = None, *, twice: bool = False) -> TrialEngine:
    """The engine of that name; ``dense_step`` takes the place of ``dense.one_step``.

    With ``twice`` trials record the gradients after the step too, where ``dense_step`` does not decide.
    """
    return _Law(twice) if name == "law" else _Dense(dense_step, twice)


class _Dense(TrialEngine):
    """One trial after another."""

    def __init__(self, step: Step | None, twice: bool) -> None:
        self._step = step or partial(dense.one_step, workspace=Workspace(), twice=twice)

    def work(self, widths: Widths) -> float:
        """The number of weights."""
        return float(widths.weight_count)

    def at_once(self, widths: Widths) -> int:
        """One: each trial has all the memory."""
        return 1

    def memory_bytes(self, widths: Widths, trials: int, dtype: torch.dtype) -> int:
        """What one trial needs, however many there are."""
        return dense.memory_bytes(widths, dtype)

    def _results(
        self, widths: Widths, scales: LayerScales, starts: Sequence[Start], learning_rate: float
    ) -> list[Callable[[], OneStep]]:
        return [
            partial(self._step, widths, scales, start.x, start.y, learning_rate, start.generator)
            for start in starts
        ]


class _Law(TrialEngine):
    """A block of trials together."""

    def __init__(self, twice: bool) -> None:
        self._workspace = Workspace()
        self._twice = twice

    def work(self, widths: Widths) -> float:
        """The number of units."""
        return float(sum(widths.sizes))

    def at_once(self, widths: Widths) -> int:
        """As many as have ``UNITS_AT_ONCE`` units in their widest layer, and one at least."""
        return max(1, UNITS_AT_ONCE // max(widths.sizes[1:]))

    def memory_bytes(self, widths: Widths, trials: int, dtype: torch.dtype) -> int:
        """What a block needs; its vectors are of float32 whatever the images are."""
        return law_step.memory_bytes(widths, min(trials, self.at_once(widths)), twice=self._twice)

    def _results(
        self, widths: Widths, scales: LayerScales, starts: Sequence[Start], learning_rate: float
    ) -> list[Callable[[], OneStep]]:
        norms = np.array([start.x.double().norm().item() for start in starts])
        targets = torch.stack([start.y for start in starts]).double().numpy()
        generators = [start.generator for start in starts]
        steps = law.one_steps(
            widths, scales, norms, targets, learning_rate, generators, self._workspace, twice=self._twice
        )
        return [partial(law.trial, steps, index) for index in range(len(starts))]
