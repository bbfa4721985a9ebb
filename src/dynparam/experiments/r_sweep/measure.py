"""The r-sweep: several steps of SGD with updates of size m^r (Sec. 2.3.2), r from 0 to 1.

Updates of one size u in all hidden layers are what eqs. 2.68-2.71 grant for any u, so a network depends
on the reference width m and on r through u = m^r alone. Two experiments see each of them: *second_step*,
two steps on images of one class, whose gradients have a cosine of Theta(1); and *training*,
``sweep.steps`` steps on random images. A trial sees the same images whatever its widths and its u, and
the same noise whatever its u: what changes with n or r is not the draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dynparam.engines import law
from dynparam.engines.trajectory import Trajectory
from dynparam.experiments.r_sweep.settings import Sweep, SweepStage
from dynparam.provenance.code_digest import module_digest
from dynparam.settings.base import digest
from dynparam.settings.widths import WidthGrid
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.support.files import sha256
from dynparam.support.progress import progress
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import scales_of_update
from dynparam.theory.update_bound import Reference, reference_width
from dynparam.theory.widths import Widths
from dynparam.trials.images import TrialImages
from dynparam.trials.log import TrialLog
from dynparam.trials.networks import family_networks, wide_widths

Experiment = Literal["second_step", "training"]

EXPERIMENTS: tuple[Experiment, ...] = get_args(Experiment)

QUANTITIES = ("alignment", "preactivation_rms", "update_rms", "gradient_norm", "drift")

WORK_OF_A_STEP = 1e5
"""What a step costs at no width at all, in neurons times steps before it (measured)."""


@dataclass(frozen=True)
class Point:
    """Where one trial stands.

    Attributes:
        experiment: which of the two.
        n: wide width.
        r: exponent of the reference width.
        trial: its number.
    """

    experiment: Experiment
    n: int
    r: Fraction
    trial: int


def measure_sweep(
    settings: SweepStage, reference: Reference, images: TrialImages, trial_log: TrialLog
) -> pd.DataFrame:
    """All trials with updates m^r of one reference width m, in the columns of ``results/sweep/*.csv``.

    A row is a layer at a step: experiment, reference, r, n, n_min, update_norm (m^r), trial, step,
    layer, the quantities of ``trajectory.Trajectory``, and diverged_at, the first step whose values were
    not all finite (missing if there is none); a trial has no rows from that step on. Finished trials are
    kept in ``trial_log`` and not computed again after an interruption. Raises ``ConfigError`` for a
    reference that is not configured or widths beyond memory, ``NonFiniteError`` naming a trial whose
    first step is not finite already, ``DataError`` for a damaged log, and ``DynparamError`` if it cannot
    be written.
    """
    if reference not in settings.sweep.references:
        raise ConfigError(
            f"there is no {reference!r} in sweep.references; choose one of "
            f"{', '.join(settings.sweep.references)}"
        )
    networks = {
        (experiment, n): widths
        for experiment in EXPERIMENTS
        for n, widths in family_networks(
            settings.network,
            settings.sweep.narrow,
            settings.probe.rounding,
            grid_of(settings.sweep, experiment),
        ).items()
    }
    with trial_log.held():
        done = finished_trials(trial_log, settings.sweep, networks).keys()
        left = [point for point in points(settings.sweep) if point not in done]
        work = {
            point: _work(networks[point.experiment, point.n], steps_of(settings.sweep, point.experiment))
            for point in left
        }
        with progress(f"sweep {reference}", sum(work.values())) as advance:
            for point in left:
                widths = networks[point.experiment, point.n]
                trial_log.append([_entry(point, run_trial(settings, reference, widths, point, images))])
                advance(work[point])
        # Only now in memory: the small arrays of a trial, kept while others run, lie between their large
        # vectors, so that freed memory is never in one piece and a sweep takes gigabytes.
        seen = finished_trials(trial_log, settings.sweep, networks)
    return _table(settings.sweep, reference, networks, seen)


def run_trial(
    settings: SweepStage, reference: Reference, widths: Widths, point: Point, images: TrialImages
) -> Trajectory:
    """One trial: its steps before the first whose values are not all finite.

    Raises ``NonFiniteError`` if that is the first step.
    """
    sweep = settings.sweep
    x, y = draw_images(sweep, images, point)
    generator = torch_generator(sweep.seed, "sweep", point.experiment, point.n, point.trial)
    scales = scales_of_update(widths, reference_width(reference, widths) ** float(point.r))
    rate = settings.probe.learning_rate
    seen = law.sgd(widths, scales, x, y, rate, generator, diverging="stop")
    if not len(seen.drift):
        raise NonFiniteError(
            f"sweep {reference}, r = {point.r}, n = {point.n}, trial {point.trial}: the first step is "
            f"not finite; lower probe.learning_rate"
        )
    return seen


def draw_images(sweep: Sweep, images: TrialImages, point: Point) -> tuple[Tensor, Tensor]:
    """One image a step, (steps, 1, n_0), and its target, (steps, 1, 2).

    In the experiment "second_step" all are of the class of the first.
    """
    generator = torch_generator(sweep.seed, "sweep images", point.experiment, point.trial)
    drawn = [images.draw(generator, "sweep", point.trial)]
    while len(drawn) < steps_of(sweep, point.experiment):
        x, y = images.draw(generator, "sweep", point.trial)
        if point.experiment == "training" or torch.equal(y, drawn[0][1]):
            drawn.append((x, y))
    return torch.stack([x for x, _ in drawn])[:, None], torch.stack([y for _, y in drawn])[:, None]


def points(sweep: Sweep) -> Iterator[Point]:
    """Every trial of a reference, in the order of the table."""
    for experiment in EXPERIMENTS:
        for r in sweep.r:
            for n in wide_widths(grid_of(sweep, experiment)):
                for trial in range(getattr(sweep, experiment).trials):
                    yield Point(experiment, n, r, trial)


def grid_of(sweep: Sweep, experiment: Experiment) -> WidthGrid:
    """The wide widths n of an experiment."""
    grid: WidthGrid = getattr(sweep, experiment).widths
    return grid


def steps_of(sweep: Sweep, experiment: Experiment) -> int:
    """The steps of an experiment's trials."""
    return 2 if experiment == "second_step" else sweep.steps


def log_of_sweep(output: Path, settings: SweepStage, reference: str, images: Path) -> TrialLog:
    """The log of the finished trials of an interrupted sweep."""
    code = module_digest(__name__)
    return TrialLog(output, reference, digest(settings), reference, sha256(images), code)


def finished_trials(
    log: TrialLog, sweep: Sweep, networks: Mapping[tuple[Experiment, int], Widths]
) -> dict[Point, Trajectory]:
    """The finished trials of a log. Raises ``DataError`` if it is damaged, or of other trials."""
    known = {(point.experiment, point.n, str(point.r), point.trial): point for point in points(sweep)}

    def parse(entry: Any) -> tuple[Point, Trajectory]:
        """A line's point and trajectory. Raises ``ValueError`` or ``TypeError`` for what is neither."""
        *key, values = entry
        point = known.get(tuple(key))
        if point is None:
            raise ValueError("it is of no trial of this sweep")
        depth = networks[point.experiment, point.n].depth
        return point, _trajectory(values, steps_of(sweep, point.experiment), depth)

    return log.read(parse)


def _work(widths: Widths, steps: int) -> float:
    return steps * (WORK_OF_A_STEP + steps * sum(widths.sizes))


def _entry(point: Point, seen: Trajectory) -> list[object]:
    values = {name: array.tolist() for name, array in asdict(seen).items()}
    return [point.experiment, point.n, str(point.r), point.trial, values]


def _trajectory(values: Any, steps: int, depth: int) -> Trajectory:
    """A logged trajectory of at most so many steps. Raises ``ValueError`` or ``TypeError``."""
    if not isinstance(values, dict) or values.keys() != {field.name for field in fields(Trajectory)}:
        raise ValueError("it does not hold the quantities of a trial")
    arrays = {name: np.asarray(rows) for name, rows in values.items()}
    taken = len(values["drift"])
    for name, array in arrays.items():
        if array.shape != (taken, depth) or array.dtype != np.float64 or not 1 <= taken <= steps:
            raise ValueError("it does not hold a number for every step and layer")
        # The drift of the last layer is nan, and that of a diverging trial can leave the range.
        if name != "drift" and not np.isfinite(array).all():
            raise ValueError("it holds what is no finite number")
    return Trajectory(**arrays)


def _table(
    sweep: Sweep,
    reference: Reference,
    networks: Mapping[tuple[Experiment, int], Widths],
    done: Mapping[Point, Trajectory],
) -> pd.DataFrame:
    parts = []
    for point in points(sweep):
        seen, widths = done[point], networks[point.experiment, point.n]
        steps, depth = seen.drift.shape
        whole = steps == steps_of(sweep, point.experiment)
        parts.append(
            {
                "experiment": np.repeat(point.experiment, steps * depth),
                "r": np.repeat(float(point.r), steps * depth),
                "n": np.repeat(point.n, steps * depth),
                "n_min": np.repeat(widths.n_min, steps * depth),
                "update_norm": np.repeat(
                    reference_width(reference, widths) ** float(point.r), steps * depth
                ),
                "trial": np.repeat(point.trial, steps * depth),
                "step": np.repeat(np.arange(1, steps + 1), depth),
                "layer": np.tile(np.arange(1, depth + 1), steps),
                **{name: getattr(seen, name).ravel() for name in QUANTITIES},
                "diverged_at": np.repeat(np.nan if whole else steps + 1, steps * depth),
            }
        )
    table = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    table.insert(1, "reference", reference)
    return table.astype({"diverged_at": "Int64"})
