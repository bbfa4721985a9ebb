"""Trials of every curve under one of the open choices, with the same random numbers under all choices.

A trial's generator follows from its curve, n and number, whatever the choice. So trials of two choices
see the same draw of an image and, while all widths are equal, the same weights: they pair.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from dynparam.engines.network import DenseMap, draw_weights, sgd_step
from dynparam.engines.one_step import OneStep, record
from dynparam.support.arrays import FloatArray
from dynparam.support.progress import progress
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths
from dynparam.trials.images import TrialImages
from dynparam.trials.networks import family_networks
from dynparam.trials.one_step import CurveTrials
from dynparam.trials.settings import Engine, ProbeStage

COLUMNS = ("curve", "n", "n_min", "trial", "layer", "alignment", "relative_square")
"""The columns of ``results/open_choices/trials/*.csv``."""


def measure_choice(settings: ProbeStage, images: TrialImages, engine: Engine) -> pd.DataFrame:
    """``probe.trials`` trials of every curve of the settings at every width.

    On the engine "dense" each weight is drawn in float32 and stored, and the step computed in
    ``probe.dtype`` (``stored_step``). The columns are ``COLUMNS``; relative_square is ||x||^2 of the
    trial's image over its expectation. Raises as ``trials.one_step.measure_curve``.
    """
    probe = settings.probe
    every = range(probe.trials)
    grid = [
        (name, n, widths)
        for name, curve in probe.curves.items()
        for n, widths in family_networks(
            settings.network, curve.narrow, probe.rounding, probe.widths
        ).items()
    ]
    measures = {
        name: CurveTrials(probe, name, images, engine, dense_step=stored_step) for name in probe.curves
    }
    parts = []
    with progress("trials", len(grid)) as advance:
        for name, n, widths in grid:
            trials = measures[name]
            results = [
                result
                for block in trials.engine.blocks(widths, every)
                for result in trials(n, widths, block)
            ]
            parts.append(_table(name, n, widths, results, trials.relative_squares(n, every)))
            advance(1)
    return pd.concat(parts, ignore_index=True)


def stored_step(
    widths: Widths,
    scales: LayerScales,
    x: Tensor,
    y: Tensor,
    learning_rate: float,
    generator: torch.Generator,
) -> OneStep:
    """``dense.one_step`` on stored matrices: drawn in float32, multiplied in the precision of ``x``.

    So one generator gives the same network in every precision. Raises ``NonFiniteError``.
    """
    weights = draw_weights(widths, scales, generator, torch.float32)
    maps = [DenseMap(weight.to(x.dtype)) for weight in weights]
    return record(sgd_step(maps, scales, x, y.to(x.dtype), learning_rate))


def _table(
    name: str, n: int, widths: Widths, results: Sequence[OneStep], relative_square: FloatArray
) -> pd.DataFrame:
    rows = [
        (name, n, widths.n_min, trial, layer, alignment, square)
        for trial, (result, square) in enumerate(zip(results, relative_square, strict=True))
        for layer, alignment in enumerate(result.alignment, start=1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
