"""Random networks at one image: how large the last hidden layer and the readout's contributions are.

Every trial is an independent network, drawn on the law engine by one step of gradient descent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from dynparam.engines.one_step import OneStep
from dynparam.experiments.fluctuations.kinds import Kind, kinds, scales_of
from dynparam.experiments.fluctuations.settings import FluctuationSettings, FluctuationTrials
from dynparam.provenance.code_digest import module_digest
from dynparam.settings.base import digest
from dynparam.support.progress import progress
from dynparam.support.randomness import torch_generator
from dynparam.theory.mean_field import mean_field
from dynparam.trials.engine import Start, TrialEngine, trial_engine
from dynparam.trials.log import TrialLog

COLUMNS = ("parametrization", "bottlenecks", "n_min", "trial", "square", "own", "alignment")
"""The columns of ``results/fluctuations/trials.csv``."""


@dataclass(frozen=True)
class Found:
    """What a trial records.

    Attributes:
        square: ||h^{L-1}||^2 over its expectation.
        own: the readout's own contribution C_L = eta g_L^2 ||h^{L-1}||^2 ||f - y||^2 (eq. 2.41).
        alignment: A_L, by how much all layers together lower the loss (eq. 2.31).
    """

    square: float
    own: float
    alignment: float


def measure(own: FluctuationSettings, trial_log: TrialLog) -> pd.DataFrame:
    """All trials, in ``COLUMNS``.

    Finished ones are kept in ``trial_log`` and not computed again after an interruption. Raises
    ``ConfigError`` for widths beyond memory, ``NonFiniteError`` naming the trial that failed,
    ``DataError`` for a damaged log, and ``DynparamError`` if it cannot be written.
    """
    engine = trial_engine("law")
    with trial_log.held():
        done = finished_trials(trial_log, own)
        left = {
            kind: [trial for trial in range(own.trials) if (kind, trial) not in done]
            for kind in kinds(own)
        }
        work = {kind: engine.work(own.network(*kind[1:])) for kind in left}
        with progress(
            "fluctuations", sum(work[kind] * len(trials) for kind, trials in left.items())
        ) as advance:
            for kind, trials in left.items():
                for block in engine.blocks(own.network(*kind[1:]), trials):
                    found = dict(zip(block, run_trials(own, engine, kind, block), strict=True))
                    trial_log.append([*kind, trial, asdict(one)] for trial, one in found.items())
                    done |= {(kind, trial): one for trial, one in found.items()}
                    advance(work[kind] * len(block))
    rows = [
        (*kind, trial, *asdict(done[kind, trial]).values())
        for kind in kinds(own)
        for trial in range(own.trials)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def run_trials(
    own: FluctuationSettings, engine: TrialEngine, kind: Kind, trials: Sequence[int]
) -> Iterator[Found]:
    """The trials of these numbers of one kind, in their order. Raises as ``TrialEngine.run`` does."""
    widths = own.network(*kind[1:])
    scales = scales_of(own, kind.parametrization, widths)
    expected = float(mean_field(widths, scales, 1.0, float(own.inputs)).forward[-1])
    x = torch.ones(own.inputs, dtype=torch.float64)
    y = torch.zeros(own.outputs, dtype=torch.float64)
    y[0] = 1.0
    starts = {
        trial: Start(torch_generator(own.seed, "fluctuations", *kind, trial), x, y) for trial in trials
    }
    where = f"{kind.parametrization}, {kind.bottlenecks} bottlenecks, n_min = {kind.n_min}"
    for step in engine.run(widths, scales, starts, own.learning_rate, where):
        yield _found(step, own.learning_rate * scales.multiplier[-1] ** 2, own.outputs, expected)


def log_of_trials(output: Path, settings: FluctuationTrials) -> TrialLog:
    """The log of the finished trials of an interrupted measurement.

    Its name follows from all that the trials depend on, code included, so that trials of another
    configuration are never taken up.
    """
    return TrialLog(output, "fluctuations", digest(settings), module_digest(__name__))


def finished_trials(log: TrialLog, own: FluctuationSettings) -> dict[tuple[Kind, int], Found]:
    """The finished trials of a log. Raises ``DataError`` if it is damaged, or of other trials."""
    known = set(kinds(own))

    def parse(entry: Any) -> tuple[tuple[Kind, int], Found]:
        """A line's trial and values. Raises ``ValueError`` or ``TypeError`` for what is neither."""
        *names, trial, values = entry
        kind = Kind(*names)
        if kind not in known or type(trial) is not int or not 0 <= trial < own.trials:
            raise ValueError("it is of no trial of this measurement")
        found = Found(**values)
        if not all(type(value) is float and math.isfinite(value) for value in asdict(found).values()):
            raise ValueError("it holds what is no finite number")
        return (kind, trial), found

    return log.read(parse)


def _found(step: OneStep, rate: float, outputs: int, expected: float) -> Found:
    """Of one step, at the readout's learning rate eta g_L^2 and with E||h^{L-1}||^2.

    The readout's own part of its update has the norm eta g_L^2 ||h||^2 ||f - y||.
    """
    norm, error = step.own_rms[-1] * math.sqrt(outputs), step.gradient_norm[-1]
    return Found(square=norm / (rate * error * expected), own=norm * error, alignment=step.alignment[-1])
