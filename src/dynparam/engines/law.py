"""The exact-law engine: experiments at widths no dense network can reach, exact in distribution.

A probe multiplies each Gaussian weight matrix by a few vectors only, so the matrix need not exist: its
products are drawn from their joint law (``gaussian_matrix``), at a cost linear in the widths.
``one_step`` is ``dense.one_step`` on such weights, ``one_steps`` many trials of it at once, ``sgd``
several steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dynparam.engines import law_step
from dynparam.engines.gaussian_columns import Workspace
from dynparam.engines.gaussian_matrix import GaussianMatrix
from dynparam.engines.law_step import Steps
from dynparam.engines.one_step import OneStep, check_trial
from dynparam.engines.trajectory import Diverging, Trajectory, check_batches, sgd_trajectory
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError
from dynparam.support.memory import free_bytes
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths

__all__ = ["GaussianMatrix", "one_step", "one_steps", "require_memory", "sgd", "sgd_memory_bytes"]


def one_step(
    widths: Widths,
    scales: LayerScales,
    x: Tensor,
    y: Tensor,
    learning_rate: float,
    generator: torch.Generator,
    workspace: Workspace | None = None,
    *,
    twice: bool = False,
) -> OneStep:
    """One trial on a newly drawn network: image x (n_0,), target y (n_L,), loss 1/2 ||f(x) - y||^2.

    Takes and returns what ``dense.one_step`` does and has the same distribution, at a cost linear in the
    widths; the numbers of one generator differ. Raises ``ConfigError`` for shapes that do not fit the
    widths, an image of zeros, or widths beyond this machine's memory, and ``NonFiniteError`` if a
    recorded value is not finite.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((3072, 100_000, 10_000, 100_000, 2))  # two billion weights
        >>> x, y = torch.ones(3072), torch.tensor([1.0, 0.0])
        >>> random = torch.Generator().manual_seed(0)
        >>> found = one_step(widths, layer_scales("dynamic", widths), x, y, 0.01, random)
        >>> [round(size, 1) for size in found.preactivation_rms[:3]]  # sqrt(2) before ReLU
        [1.4, 1.4, 1.4]
    """
    check_trial(widths, x, y)
    norm = np.array([x.double().norm().item()])
    target = y.double().numpy()[None, :]
    steps = one_steps(widths, scales, norm, target, learning_rate, [generator], workspace, twice=twice)
    return trial(steps, 0)


def one_steps(
    widths: Widths,
    scales: LayerScales,
    input_norm: FloatArray,
    targets: FloatArray,
    learning_rate: float,
    generators: Sequence[torch.Generator],
    workspace: Workspace | None = None,
    *,
    twice: bool = False,
) -> Steps:
    """``one_step`` for a trial per generator: images of norms (trials,), targets (trials, n_L).

    A trial depends on its own generator only, and on the norm of its image: Gaussian weights see
    nothing else of it. Raises as ``one_step``; a value that is not finite is found by ``trial``.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((64, 1000, 100, 1000, 2))
        >>> norms, targets = np.full(5, 8.0), np.tile([1.0, 0.0], (5, 1))
        >>> random = [torch.Generator().manual_seed(seed) for seed in range(5)]
        >>> found = one_steps(widths, layer_scales("dynamic", widths), norms, targets, 0.01, random)
        >>> found.alignment.shape
        (5, 4)
    """
    trials = len(generators)
    if input_norm.shape != (trials,) or targets.shape != (trials, widths.sizes[-1]):
        raise ConfigError(
            f"norms {input_norm.shape} and targets {targets.shape} do not fit {trials} trials of "
            f"{widths.sizes[-1]} outputs; they must be ({trials},) and ({trials}, {widths.sizes[-1]})"
        )
    if not input_norm.all():
        raise ConfigError(
            "the norm of an image is zero, so that no weight gets a gradient; check its normalization "
            "or choose another image"
        )
    require_memory(widths, law_step.memory_bytes(widths, trials, twice=twice))
    return law_step.take_steps(
        widths, scales, input_norm, targets, learning_rate, generators, workspace, twice=twice
    )


def trial(steps: Steps, index: int) -> OneStep:
    """One trial of several. Raises ``NonFiniteError`` if it holds a value that is not finite."""
    overlap = steps.gradient_overlap
    return OneStep(
        alignment=tuple(steps.alignment[index].tolist()),
        preactivation_rms=tuple(steps.preactivation_rms[index].tolist()),
        update_rms=tuple(steps.update_rms[index].tolist()),
        gradient_norm=tuple(steps.gradient_norm[index].tolist()),
        own_rms=tuple(steps.own_rms[index].tolist()),
        gradient_overlap=None if overlap is None else tuple(overlap[index].tolist()),
    ).checked()


def sgd(
    widths: Widths,
    scales: LayerScales,
    images: Tensor,
    targets: Tensor,
    learning_rate: float,
    generator: torch.Generator,
    momentum: float = 0.0,
    *,
    diverging: Diverging = "raise",
) -> Trajectory:
    """SGD with momentum from newly drawn weights, exact in law: what every step and layer shows.

    ``images`` (steps, batch, n_0) and ``targets`` (steps, batch, n_L) are one batch a step; the loss is
    the batch mean of 1/2 ||f - y||^2. T steps of batch size B cost O((T B)^2 * widths). Raises
    ``ConfigError`` for shapes that do not fit or widths beyond this machine's memory, and, unless
    ``diverging`` is "stop", ``NonFiniteError`` naming the step where a value is no longer finite.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((64, 10_000, 100, 10_000, 2))
        >>> images = torch.ones(3, 1, 64)  # three steps on one image
        >>> targets = torch.tensor([1.0, 0.0]).expand(3, 1, 2)
        >>> random = torch.Generator().manual_seed(0)
        >>> found = sgd(widths, layer_scales("dynamic", widths), images, targets, 0.01, random)
        >>> found.drift[0, :3].tolist()  # before the first step nothing is learned
        [0.0, 0.0, 0.0]
    """
    check_batches(images, targets)
    for x, y in zip(images.flatten(0, -2), targets.flatten(0, -2), strict=True):
        check_trial(widths, x, y)
    require_memory(widths, sgd_memory_bytes(widths, len(images) * images.shape[1]))
    with torch.no_grad():  # the same numbers with less bookkeeping, most of the cost when narrow
        maps = [
            GaussianMatrix(fan_in, fan_out, std, generator)
            for (fan_in, fan_out), std in zip(widths.layers(), scales.init_std, strict=True)
        ]
        return sgd_trajectory(
            maps, scales, images, targets, learning_rate, momentum, diverging=diverging
        )


def sgd_memory_bytes(widths: Widths, images: int) -> int:
    """What ``sgd`` needs for its vectors, with that many images in all steps together.

    Each image asks every matrix for two products and one transposed, each kept as a pair of vectors,
    and leaves the two factors of its gradient: all in rows with room for twice as many, four at least.
    """
    per_layer = sum(fan_in + fan_out for fan_in, fan_out in widths.layers())
    rows = max(4, 2 * 2 * images) + 2 * max(4, 2 * images)
    return 8 * per_layer * rows


def require_memory(widths: Widths, needed: int) -> None:
    """Raise ``ConfigError`` if ``needed`` bytes are more than this machine has free."""
    available = free_bytes()
    if needed > available:
        raise ConfigError(
            f"widths {'-'.join(map(str, widths.sizes))} need {needed / 2**30:,.1f} GiB and "
            f"{available / 2**30:,.1f} GiB are free; choose smaller widths or fewer trials or steps"
        )
