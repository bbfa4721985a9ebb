"""The one-step probe of Figs. 3.2 and 3.3: how much each layer's update lowers the loss.

A trial initializes a network, shows it one image, takes one SGD step of all layers and records for
every layer l the alignment |<dL/dhtilde^l, Delta htilde^l>| (eq. 3.5), and the sizes of htilde^l,
Delta htilde^l and the layer's own part of it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dynparam.engines.gaussian_columns import GaussianColumns, Lanes, Workspace, helper_threads
from dynparam.engines.network import second_gradient, sgd_step
from dynparam.engines.one_step import OneStep, check_trial, record
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths


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

    With ``twice`` it also records ``gradient_overlap``, from the gradients that a second step on the
    same image would follow; all else is the same. The precision is that of ``x``. Uses as many threads
    as ``torch.get_num_threads()``; the result does not depend on their number. A ``workspace`` passed to
    every trial spares the allocation of memory, which is less than one network's weights. Raises
    ``ConfigError`` for shapes that do not fit the widths or an image of zeros, ``NonFiniteError`` if a
    recorded value is not finite.

    Examples:
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((64, 32, 8, 32, 2))
        >>> x, y = torch.ones(64), torch.tensor([1.0, 0.0])
        >>> random = torch.Generator().manual_seed(0)
        >>> found = one_step(widths, layer_scales("dynamic", widths), x, y, 1e-3, random)
        >>> found.alignment == tuple(sorted(found.alignment))  # every layer adds its own share
        True
    """
    check_trial(widths, x, y)
    workspace = workspace or Workspace()
    workspace.reset(_kept_weights(widths), x.dtype)
    with helper_threads() as helpers:
        lanes = Lanes(generator, helpers)
        maps = [
            GaussianColumns(fan_in, fan_out, std, lanes, workspace, keep=layer > 0)
            for layer, ((fan_in, fan_out), std) in enumerate(
                zip(widths.layers(), scales.init_std, strict=True)
            )
        ]
        step = sgd_step(maps, scales, x, y.to(x.dtype), learning_rate)
        return record(step, second_gradient(maps, scales, step, learning_rate) if twice else None)


def memory_bytes(widths: Widths, dtype: torch.dtype) -> int:
    """What ``one_step`` needs for its weights: all but those of the first layer are kept."""
    return dtype.itemsize * _kept_weights(widths)


def _kept_weights(widths: Widths) -> int:
    return widths.weight_count - widths.sizes[0] * widths.sizes[1]
