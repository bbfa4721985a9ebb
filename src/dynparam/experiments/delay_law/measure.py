"""Networks trained until their loss is halved: how many steps that takes.

A trial is one network, drawn anew, and its images, which all have the squared norm n_0: Gaussian weights
see no more of one image than that. Weights are stored where narrow layers are narrow, and exist in law
only where both widths grow; both are exact.
"""

from __future__ import annotations

import math
from itertools import islice

import pandas as pd
import torch
from torch import Tensor

from dynparam.engines.descent import (
    TrainedMatrix,
    law_maps,
    law_memory_bytes,
    losses,
    stored_maps,
)
from dynparam.engines.law import require_memory
from dynparam.experiments.delay_law.cases import Case, parts
from dynparam.experiments.delay_law.settings import DelayLaw
from dynparam.settings.base import named
from dynparam.support.errors import NonFiniteError
from dynparam.support.randomness import torch_generator
from dynparam.theory.delay import steps_until
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.widths import Widths
from dynparam.trials.kept import Point, Row, measured
from dynparam.trials.log import TrialLog


def measure(own: DelayLaw, part: str, log: TrialLog) -> pd.DataFrame:
    """All trials of a part, in the columns of ``tables.DELAYS``; finished ones are kept in ``log``.

    Raises ``ConfigError`` for a part that there is none of, or widths beyond this machine's memory,
    ``NonFiniteError`` for a loss that is not halved, and ``DataError`` for a damaged log.
    """
    known = named(parts(own), part, "the parts of delay_law")
    cases: dict[Point, Case] = {
        case.point(trial): case for case in known for trial in range(case.trials)
    }
    work = {point: _work(own, case) for point, case in cases.items()}

    def run(point: Point) -> list[Row]:
        """The one row of a trial."""
        trial = int(point[-1])
        return [cases[point].row(trial, steps_of(own, cases[point], trial))]

    return measured(log, f"delays, {part}", work, run)


def steps_of(own: DelayLaw, case: Case, trial: int) -> float:
    """Steps until the loss of a trial is halved, fractions interpolated.

    Raises ``NonFiniteError`` naming the trial if that takes more than ``steps``, or never comes, and
    ``ConfigError`` for widths beyond this machine's memory.
    """
    widths = own.network(case.bottlenecks, case.n, case.n_min)
    scales = layer_scales(case.parametrization, widths, own.r)
    generator = torch_generator(own.seed, "delay law", *case.point(trial))
    x, y = draw_images(own.inputs, widths.sizes[-1], case.images, generator)
    maps = _maps(case, widths, scales, generator)
    seen = losses(maps, scales, x, y, case.learning_rate, case.momentum)
    try:
        found = steps_until(islice(seen, own.steps + 1))
    except NonFiniteError:  # which names no trial
        found = math.nan
    if math.isnan(found):
        raise NonFiniteError(
            f"{case.part}, {case.kind}, {case.parametrization}, {case.bottlenecks} bottlenecks, n = "
            f"{case.n}, n_min = {case.n_min}, trial {trial}: the loss is not halved within "
            f"{own.steps} steps of eta = {case.learning_rate:g}; change the learning rate or raise "
            f"delay_law.steps"
        )
    return found


def draw_images(
    inputs: int, outputs: int, count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Images (count, n_0) in random directions, of squared norm n_0, and one-hot targets (count, n_L).

    Targets are one output and the next in turn.
    """
    x = torch.randn(count, inputs, dtype=torch.float64, generator=generator)
    y = torch.eye(outputs, dtype=torch.float64)[torch.arange(count) % outputs]
    return x * (inputs**0.5 / x.norm(dim=1, keepdim=True)), y


def _maps(
    case: Case, widths: Widths, scales: LayerScales, generator: torch.Generator
) -> list[TrainedMatrix]:
    """Newly drawn weights on the case's engine."""
    if case.engine == "stored":
        return list(stored_maps(widths, scales, generator))
    steps = _likely_steps(case)
    require_memory(widths, law_memory_bytes(widths, steps, case.images))
    return list(law_maps(widths, scales, generator))


def _likely_steps(case: Case) -> int:
    """Steps that a trial takes, roughly: theory's, or ten where it has no plateau."""
    return round(case.expected()) + 1 if case.parametrization == "spectral" else 10


def _work(own: DelayLaw, case: Case) -> float:
    """What a trial costs, in numbers that it passes over."""
    widths, steps = own.network(case.bottlenecks, case.n, case.n_min), _likely_steps(case) * case.images
    if case.engine == "law":
        return float(steps**2 * 12 * sum(widths.sizes))
    # To draw a weight takes as long as some ten products with it.
    return float(widths.weight_count * (10 + 4 * steps))
