"""Fisher information of one input: spectra of deep networks, stable learning rates, bottlenecks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from dynparam.engines import empirical_ntk
from dynparam.engines.network import draw_weights
from dynparam.experiments.isometry import network
from dynparam.experiments.isometry.bottlenecks import bottleneck_widths
from dynparam.experiments.isometry.settings import DeepBottlenecks, IsometrySettings
from dynparam.support.progress import progress
from dynparam.support.randomness import seed_sequence, torch_generator
from dynparam.theory.isometry import isometry, largest_eigenvalue, multiplicity
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.relu_kernels import layer_weights

COLUMNS = ("part", "depth", "kind", "trial", "quantity", "rank", "value")
"""The columns of ``results/isometry/measured.csv``."""

EQUAL = 1e-9
"""Eigenvalues that differ by less than this, relative to the largest, are one."""

Rows = Iterator[tuple[Any, ...]]


def measure(own: IsometrySettings) -> pd.DataFrame:
    """All that is measured, in ``COLUMNS``.

    Part "spectrum" of every depth, and "three" of three layers, kind "orthogonal"; the control, of kind
    "gaussian", at its depth: "largest" and "mean" eigenvalue, "exact" (``isometry.largest_eigenvalue``),
    "multiplicity" of the largest and "unclipped" (``isometry.multiplicity``), shares "top" and "near" of
    eigenvalues at the largest and near it, "lowest", the share at the lowest, and "eigenvalue", all of
    the first trial's, falling. Part "descent": "rate", the largest stable learning rate in units of
    1/(M lambda_max), and "largest", lambda_max. Part "bottleneck", by parametrization: "kernel",
    Theta(x, x) of |x|^2 = n_0. Raises ``NonFiniteError`` where descent has no edge.
    """
    spectra = [(depth, trial) for depth in (*own.depths, 3) for trial in range(own.trials)]
    runs = [(depth, trial) for depth in own.descent.depths for trial in range(own.descent.trials)]
    # A layer costs some ten products of its size; a step reads and writes all weights, ten times over.
    layer, step = float(own.units**3), 1.0 * own.descent.units**2 * own.descent.steps * 40
    work = sum(depth for depth, _ in spectra) + own.trials * own.control_depth
    rows: list[tuple[Any, ...]] = []
    with progress("isometry", work * layer + sum(depth for depth, _ in runs) * step) as advance:
        for depth, trial in spectra:
            rows += _spectrum(own, depth, trial)
            advance(depth * layer)
        for trial in range(own.trials):
            rows += _control(own, trial)
            advance(own.control_depth * layer)
        for depth, trial in runs:
            rows += _descent(own, depth, trial)
            advance(depth * step)
        rows += _bottlenecks(own.seed, own.bottlenecks)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _generator(own: IsometrySettings, *coordinates: str | int) -> np.random.Generator:
    return np.random.default_rng(seed_sequence(own.seed, "isometry", *coordinates))


def _spectrum(own: IsometrySettings, depth: int, trial: int) -> Rows:
    """One network of orthogonal weights; those of three layers have their own size and c."""
    part = "spectrum" if depth in own.depths else "three"
    units, clipped = own.units, own.clipped
    if depth == 3:
        part, units, clipped = "three", own.three_layers.units, own.three_layers.clipped
    model = isometry(depth, clipped)
    passed = network.pass_once(model, units, _generator(own, part, depth, trial))
    values = np.linalg.eigvalsh(passed.fisher)[::-1]
    quantities = {
        **_top(values, own.near),
        "exact": largest_eigenvalue(passed.mean_squares, model.gain),
        "unclipped": multiplicity(units, passed.clipped),
        "lowest": float((values <= values[-1] * (1 + EQUAL)).mean()),
    }
    for quantity, value in quantities.items():
        yield part, depth, "orthogonal", trial, quantity, 1, value
    if trial == 0:
        for rank, value in enumerate(values, start=1):
            yield part, depth, "orthogonal", trial, "eigenvalue", rank, value


def _control(own: IsometrySettings, trial: int) -> Rows:
    """The same with Gaussian weights, which are no isometry."""
    model, depth = isometry(own.control_depth, own.clipped), own.control_depth
    generator = _generator(own, "control", depth, trial)
    passed = network.pass_once(model, own.units, generator, network.gaussian)
    values = np.linalg.eigvalsh(passed.fisher)[::-1]
    for quantity, value in _top(values, own.near).items():
        yield "control", depth, "gaussian", trial, quantity, 1, value


def _top(values: NDArray[np.floating[Any]], near: float) -> dict[str, float]:
    equal = int((values >= values[0] * (1 - EQUAL)).sum())
    return {
        "largest": float(values[0]),
        "mean": float(values.mean()),
        "multiplicity": equal,
        "top": equal / len(values),
        "near": float((values >= values[0] * (1 - near)).mean()),
    }


def _descent(own: IsometrySettings, depth: int, trial: int) -> Rows:
    """The stable learning rate of one network."""
    units, generator = own.descent.units, _generator(own, "descent", depth, trial)
    stored = network.draw_whole(isometry(depth, own.clipped), units, generator)
    targets = network.outputs(stored) + own.descent.noise * generator.normal(size=units)
    largest = float(np.linalg.eigvalsh(network.tangent_kernel(stored))[-1])
    rate = network.largest_stable_rate(stored, targets, 1 / largest, own.descent.steps)
    yield "descent", depth, "orthogonal", trial, "rate", 1, rate
    yield "descent", depth, "orthogonal", trial, "largest", 1, largest / units


def _bottlenecks(seed: int, own: DeepBottlenecks) -> Rows:
    """Theta(x, x) of all parametrizations from the same standard normal numbers."""
    for depth in own.depths:
        widths = bottleneck_widths(own, depth)
        ones = LayerScales((1.0,) * depth, (1.0,) * depth)
        weights_of = {
            name: layer_weights(layer_scales(name, widths, own.r)) for name in own.parametrizations
        }
        for trial in range(own.trials):
            generator = torch_generator(seed, "isometry", "bottleneck", depth, trial)
            weights = draw_weights(widths, ones, generator, torch.float64)
            # A kernel compares inputs: the second one is not looked at.
            x = torch.randn(2, own.inputs, dtype=torch.float64, generator=generator)
            x *= own.inputs**0.5 / x.norm(dim=1, keepdim=True)
            layers = empirical_ntk.layer_kernels(weights, ones.multiplier, x)[:, 0, 0, 0, 0].numpy()
            for name, factors in weights_of.items():
                yield "bottleneck", depth, name, trial, "kernel", 1, float(factors @ layers)
