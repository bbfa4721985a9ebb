"""The one-step probe of Figs. 3.2 and 3.3: how much each layer's update lowers the loss.

A trial initializes a network, shows it one image, takes one SGD step of all layers and records for
every layer l the alignment |<dL/dhtilde^l, Delta htilde^l>| (eq. 3.5), and the sizes of htilde^l and
Delta htilde^l.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dynparam.blocks import Curve, Probe
from dynparam.config import ProbeStage, digest
from dynparam.curves import curve_widths, ratio_rule, wide_widths
from dynparam.errors import ConfigError, DataError, NonFiniteError
from dynparam.files import naming_write_errors, sha256
from dynparam.gaussian_columns import GaussianColumns, Lanes, Workspace, helper_threads
from dynparam.images import Pair, draw_subset, normalize, one_hot
from dynparam.mlp import Step, sgd_step
from dynparam.parametrization import LayerScales, layer_scales
from dynparam.progress import progress
from dynparam.randomness import seed_sequence, torch_generator
from dynparam.stages import stage_digest
from dynparam.widths import Widths


@dataclass(frozen=True)
class OneStep:
    """What one trial records; entry l - 1 of each tuple belongs to layer l = 1 ... L.

    Attributes:
        alignment: |<dL/dhtilde^l, Delta htilde^l>|, the gradient taken before the step.
        preactivation_rms: root mean square of htilde^l before the step.
        update_rms: root mean square of Delta htilde^l.
    """

    alignment: tuple[float, ...]
    preactivation_rms: tuple[float, ...]
    update_rms: tuple[float, ...]


def one_step(
    widths: Widths,
    scales: LayerScales,
    x: Tensor,
    y: Tensor,
    learning_rate: float,
    generator: torch.Generator,
    workspace: Workspace | None = None,
) -> OneStep:
    """One trial on a newly drawn network: image x (n_0,), target y (n_L,), loss 1/2 ||f(x) - y||^2.

    The precision is that of ``x``. Uses as many threads as ``torch.get_num_threads()``; the result
    does not depend on their number. A ``workspace`` passed to every trial spares the allocation of
    memory, which is less than one network's weights. Raises ``ConfigError`` for shapes that do not
    fit the widths, ``NonFiniteError`` if a recorded value is not finite.
    """
    _check_shapes(widths, x, y)
    workspace = workspace or Workspace()
    kept = widths.weight_count - widths.sizes[0] * widths.sizes[1]
    workspace.reset(kept, x.dtype)
    with helper_threads() as helpers:
        lanes = Lanes(generator, helpers)
        maps = [
            GaussianColumns(fan_in, fan_out, std, lanes, workspace, keep=layer > 0)
            for layer, ((fan_in, fan_out), std) in enumerate(
                zip(widths.layers(), scales.init_std, strict=True)
            )
        ]
        return record(sgd_step(maps, scales, x, y.to(x.dtype), learning_rate))


def record(step: Step) -> OneStep:
    """The recorded quantities of a step, summed in double precision.

    Raises ``NonFiniteError`` naming the first layer with a value that is not finite.
    """
    result = OneStep(
        alignment=tuple(
            abs(torch.dot(gradient.double(), update.double()).item())
            for gradient, update in zip(step.gradient, step.update, strict=True)
        ),
        preactivation_rms=tuple(_rms(vector) for vector in step.preactivation),
        update_rms=tuple(_rms(vector) for vector in step.update),
    )
    for quantity, values in asdict(result).items():
        for layer, value in enumerate(values, start=1):
            if not np.isfinite(value):
                raise NonFiniteError(
                    f"{quantity} of layer {layer} is {value}; lower the learning rate or check the input"
                )
    return result


class TrialImages:
    """The normalized images of a pair, and the draw of one of them for a trial (Sec. 3.1)."""

    def __init__(self, settings: ProbeStage, pair: Pair) -> None:
        """Normalize the training images once; inputs (images, n_0), targets one-hot (images, 2)."""
        self._settings = settings
        self._labels = pair.train_labels
        dtype = getattr(torch, settings.probe.dtype)
        inputs = normalize(pair.train_images, settings.inputs.normalization)
        self.inputs = torch.from_numpy(inputs).to(dtype)
        self.targets = torch.from_numpy(one_hot(self._labels)).to(dtype)

    def draw(self, generator: torch.Generator, *trial: str | int) -> tuple[Tensor, Tensor]:
        """A random image (n_0,) and its target (2,); a redrawn subset follows from ``trial``."""
        if self._settings.probe.subset == "redrawn":
            data = self._settings.data
            numbers = np.random.default_rng(seed_sequence(data.seed, "subset", *trial))
            subset = draw_subset(self._labels, data.train_images, data.stratified, numbers)
            choices = torch.from_numpy(subset)
        else:
            choices = torch.arange(len(self._labels))
        chosen = choices[torch.randint(len(choices), (), generator=generator)]
        return self.inputs[chosen], self.targets[chosen]


def measure_curve(settings: ProbeStage, name: str, images: TrialImages, trial_log: Path) -> pd.DataFrame:
    """All trials of a curve, in the columns of ``results/probe/{curve}.csv``.

    Finished trials are kept in ``trial_log`` and not computed again after an interruption. Raises
    ``ConfigError`` for an unknown curve, ``NonFiniteError`` naming the trial that failed, and
    ``DynparamError`` if the log cannot be written.
    """
    probe = settings.probe
    curve = probe.curve(name)
    done = read_trial_log(trial_log)
    grid = {n: curve_widths(settings.network, probe, curve, n) for n in wide_widths(probe)}
    trials = [(n, trial) for n in grid for trial in range(probe.trials)]
    left = [key for key in trials if key not in done]
    workspace = Workspace()
    with progress(name, sum(grid[n].weight_count for n, _ in left)) as advance:
        for n, trial in left:
            done[n, trial] = _measure_trial(probe, name, grid[n], images, n, trial, workspace)
            _append(trial_log, [n, trial, asdict(done[n, trial])])
            advance(grid[n].weight_count)
    return pd.concat(
        [_rows(name, curve, grid[n], n, trial, done[n, trial]) for n, trial in trials],
        ignore_index=True,
    )


def trial_log_path(output: Path, settings: ProbeStage, name: str, images: Path) -> Path:
    """Where the finished trials of an interrupted measurement wait, apart from any declared output.

    The name follows from all that the trials depend on, code included, so that trials of another
    configuration are never taken up.
    """
    identity = "-".join([digest(settings), sha256(images), stage_digest("probe_alignment")])
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return output.parent / ".unfinished" / f"{name}-{key}.jsonl"


def read_trial_log(path: Path) -> dict[tuple[int, int], OneStep]:
    """The finished trials (n, trial) of a log; a last line cut short by a kill is removed from it.

    Raises ``DataError`` if another line is damaged.
    """
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    complete = text[: text.rfind("\n") + 1]
    if complete != text:
        os.truncate(path, len(complete.encode()))
    done = {}
    for number, line in enumerate(complete.splitlines(), start=1):
        try:
            n, trial, values = json.loads(line)
            done[n, trial] = OneStep(**{key: tuple(column) for key, column in values.items()})
        except (TypeError, ValueError):
            raise DataError(
                f"{path}: line {number} is damaged; delete the file to measure its trials anew"
            ) from None
    return done


def _append(trial_log: Path, trial: list[object]) -> None:
    with naming_write_errors(trial_log):
        trial_log.parent.mkdir(parents=True, exist_ok=True)
        with trial_log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(trial) + "\n")


def _measure_trial(
    probe: Probe,
    name: str,
    widths: Widths,
    images: TrialImages,
    n: int,
    trial: int,
    workspace: Workspace,
) -> OneStep:
    curve = probe.curves[name]
    generator = torch_generator(probe.seed, "one_step", name, n, trial)
    x, y = images.draw(generator, name, n, trial)
    scales = layer_scales(curve.parametrization, widths, curve.r)
    try:
        return one_step(widths, scales, x, y, probe.learning_rate, generator, workspace)
    except NonFiniteError as error:
        raise NonFiniteError(f"curve {name}, n = {n}, trial {trial}: {error}") from None


def _rows(name: str, curve: Curve, widths: Widths, n: int, trial: int, result: OneStep) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "curve": name,
            "parametrization": curve.parametrization,
            "ratio": str(ratio_rule(curve)),
            "n": n,
            "n_min": widths.n_min,
            "trial": trial,
            "layer": range(1, widths.depth + 1),
            **asdict(result),
        }
    )


def _check_shapes(widths: Widths, x: Tensor, y: Tensor) -> None:
    for name, vector, size in (("x", x, widths.sizes[0]), ("y", y, widths.sizes[-1])):
        if vector.shape != (size,):
            raise ConfigError(f"{name} has the shape {tuple(vector.shape)}; these widths need ({size},)")


def _rms(vector: Tensor) -> float:
    return vector.double().square().mean().sqrt().item()
