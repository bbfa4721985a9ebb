"""Can the exact-law engine be told from the dense one? Two-sample Kolmogorov-Smirnov tests.

    python -m tests.law_pvalues

prints every p-value by engine, network, layer and quantity, with Holm's correction over the family, for
the engines as they are and for variants with a deliberately wrong conditioning. The reference is the
dense network in float64: weights drawn entry by entry and multiplied as matrices, many trials at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cache
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from scipy import stats
from statsmodels.stats.multitest import multipletests

from dynparam.engines import dense, law, law_step, one_step
from dynparam.engines.gaussian_matrix import GaussianMatrix
from dynparam.engines.network import LinearMap, second_gradient, sgd_step
from dynparam.engines.scaled_rows import Scaled, ratio
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.widths import Widths

FALSE_ALARM = 1e-3
"""Probability that a family of tests rejects anything if both engines have the same law (Holm)."""

QUANTITIES = (
    "alignment",
    "preactivation_rms",
    "update_rms",
    "gradient_norm",
    "own_rms",
    "gradient_overlap",
)
TRAJECTORY_QUANTITIES = ("alignment", "preactivation_rms", "update_rms", "gradient_norm", "drift")
STEPS = 5
MOMENTUM = 0.9

Samples = Mapping[str, np.ndarray]
"""Values of each quantity: (trials, ...), the last axis the layers."""


@dataclass(frozen=True)
class Network:
    """What is trained: widths, parametrization and learning rate; its images follow from the widths."""

    sizes: tuple[int, ...]
    parametrization: str
    learning_rate: float
    r: Fraction = Fraction(1, 2)
    batch: int = 1

    @property
    def widths(self) -> Widths:
        return Widths(self.sizes)

    @property
    def scales(self) -> LayerScales:
        return layer_scales(self.parametrization, self.widths, self.r)

    def data(self, steps: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (steps, batch, n_0) and one-hot targets (steps, batch, n_L), in float64."""
        generator = torch_generator(5, "images", *self.sizes)
        shape = (steps, self.batch, self.sizes[0])
        images = torch.randn(shape, generator=generator, dtype=torch.float64)
        classes = torch.randint(self.sizes[-1], shape[:2], generator=generator)
        return images, torch.nn.functional.one_hot(classes, self.sizes[-1]).double()

    def __str__(self) -> str:
        batch = f", batch {self.batch}" if self.batch > 1 else ""
        return f"{'-'.join(map(str, self.sizes))} {self.parametrization}{batch}"


NETWORKS = (
    Network((5, 7, 2), "standard", 0.3),
    Network((4, 6, 5, 2), "ntk", 0.3),
    Network((6, 9, 3, 8, 2), "mup", 0.3),
    Network((7, 1, 5, 2), "dynamic", 0.3, Fraction(1, 4)),
    Network((3, 4, 1, 5, 3), "spectral", 0.3),
    Network((10, 70, 5, 64, 3, 60, 6, 55, 2), "spectral", 0.3),
    Network((6, 5, 60, 8, 4, 52, 9, 7, 2), "dynamic", 0.3),
)
TRAINED_NETWORKS = (
    Network((3, 5, 2), "standard", 0.1, batch=2),
    Network((6, 9, 4, 2), "mup", 0.1),
    Network((4, 6, 3, 9, 5, 12, 8, 7, 2), "dynamic", 0.1),
)

Sampler = Callable[[Network, int], Samples]


def _as_samples(trials: list[one_step.OneStep]) -> Samples:
    return {name: np.array([getattr(trial, name) for trial in trials]) for name in QUANTITIES}


def two_steps(
    maps: Sequence[LinearMap], network: Network, x: torch.Tensor, y: torch.Tensor
) -> one_step.OneStep:
    """A step, and the gradients after it."""
    step = sgd_step(maps, network.scales, x, y, network.learning_rate)
    again = second_gradient(maps, network.scales, step, network.learning_rate)
    return one_step.record(step, again)


def dense_steps(network: Network, trials: int) -> Samples:
    """One step on stored float64 matrices, all trials at once."""
    generator = torch_generator(1, "dense", *network.sizes)
    (x,), (y,) = (part[0] for part in network.data())
    layers = list(zip(network.widths.layers(), network.scales.init_std, strict=True))
    stacks = [
        stacked_steps(
            [
                std * torch.randn(count, fan_out, fan_in, generator=generator, dtype=torch.float64)
                for (fan_in, fan_out), std in layers
            ],
            network.scales,
            x,
            y,
            network.learning_rate,
        )
        for count in _stack_sizes(trials)
    ]
    return {name: np.concatenate([stack[name] for stack in stacks]) for name in QUANTITIES}


def _stack_sizes(trials: int) -> list[int]:
    """Trials in stacks of 2000, whose matrices take some 40 MB."""
    return [min(2000, trials - start) for start in range(0, trials, 2000)]


def stacked_steps(
    weights: Sequence[torch.Tensor],
    scales: LayerScales,
    x: torch.Tensor,
    y: torch.Tensor,
    learning_rate: float,
) -> Samples:
    """What ``two_steps`` records, by autograd on stacks of matrices (trials, n_l, n_{l-1})."""
    images, targets = x[None], y[None]
    trained = [w.clone().requires_grad_() for w in weights]
    before, gradients, slopes = _stacked_gradients(trained, scales, images, targets)
    with torch.no_grad():
        moves = [-learning_rate * slope for slope in slopes]
        for w, move in zip(trained, moves, strict=True):
            w += move
    after, again, _ = _stacked_gradients(trained, scales, images, targets)
    inputs = [images.expand(len(weights[0]), -1, -1), *(z.relu() for z in before[:-1])]
    seen = {
        "alignment": [
            (d * (b - a)).sum((1, 2)).abs() for d, a, b in zip(gradients, before, after, strict=True)
        ],
        "preactivation_rms": [_stacked_rms(z) for z in before],
        "update_rms": [_stacked_rms(b - a) for a, b in zip(before, after, strict=True)],
        "gradient_norm": [_stacked_norm(d) for d in gradients],
        "own_rms": [
            _stacked_rms(g * (h @ move.mT))
            for g, h, move in zip(scales.multiplier, inputs, moves, strict=True)
        ],
        "gradient_overlap": [
            (d * later).sum((1, 2)).abs() for d, later in zip(gradients, again, strict=True)
        ],
    }
    return {name: torch.stack(layers, dim=1).numpy() for name, layers in seen.items()}


def _stacked_preactivations(
    x: torch.Tensor, layers: Sequence[torch.Tensor], scales: LayerScales
) -> list[torch.Tensor]:
    """htilde^1 ... htilde^L of images (batch, n_0), each (trials, batch, n_l)."""
    found: list[torch.Tensor] = []
    for w, g in zip(layers, scales.multiplier, strict=True):
        h = found[-1].relu() if found else x.expand(len(w), -1, -1)
        found.append(g * (h @ w.mT))
    return found


def _stacked_gradients(
    trained: Sequence[torch.Tensor], scales: LayerScales, x: torch.Tensor, y: torch.Tensor
) -> tuple[list[torch.Tensor], list[torch.Tensor], list[torch.Tensor]]:
    """htilde^l, dL/dhtilde^l and dL/dW^l of every layer and trial.

    The derivatives of the sum of all losses are each trial's own.
    """
    seen = _stacked_preactivations(x, trained, scales)
    loss = (seen[-1] - y).square().sum() / (2 * len(x))
    derivatives = torch.autograd.grad(loss, [*seen, *trained])
    return [z.detach() for z in seen], list(derivatives[: len(seen)]), list(derivatives[len(seen) :])


def _stacked_norm(vectors: torch.Tensor) -> torch.Tensor:
    return vectors.square().sum((1, 2)).sqrt()


def _stacked_rms(vectors: torch.Tensor) -> torch.Tensor:
    return vectors.square().mean((1, 2)).sqrt()


def probe_steps(network: Network, trials: int) -> Samples:
    """One step on the dense engine, which draws columns as they are needed."""
    generator = torch_generator(2, "probe", *network.sizes)
    (x,), (y,) = (part[0] for part in network.data())
    arguments = (network.widths, network.scales, x, y, network.learning_rate, generator)
    with torch.inference_mode():  # the same numbers with less bookkeeping, most of the cost here
        return _as_samples([dense.one_step(*arguments, twice=True) for _ in range(trials)])


def law_steps(network: Network, trials: int) -> Samples:
    """One step on the exact-law engine, all trials at once."""
    (x,), (y,) = (part[0] for part in network.data())
    generators = [torch_generator(3, "law", *network.sizes, trial) for trial in range(trials)]
    norms, targets = np.full(trials, x.norm().item()), np.tile(y.numpy(), (trials, 1))
    rate = network.learning_rate
    steps = law.one_steps(network.widths, network.scales, norms, targets, rate, generators, twice=True)
    return asdict(steps)


def matrix_steps(network: Network, trials: int) -> Samples:
    """One step of the dense program on matrices known by their products."""
    generator = torch_generator(4, "matrix", *network.sizes)
    (x,), (y,) = (part[0] for part in network.data())
    layers = list(zip(network.widths.layers(), network.scales.init_std, strict=True))
    found = []
    with torch.inference_mode():  # as for the probe
        for _ in range(trials):
            maps = [
                law.GaussianMatrix(fan_in, fan_out, std, generator) for (fan_in, fan_out), std in layers
            ]
            found.append(two_steps(maps, network, x, y))
    return _as_samples(found)


def dense_trajectories(network: Network, trials: int) -> Samples:
    """Several steps on stored float64 matrices, all trials at once."""
    generator = torch_generator(1, "dense steps", *network.sizes)
    images, targets = network.data(STEPS)
    layers = zip(network.widths.layers(), network.scales.init_std, strict=True)
    weights = [
        std * torch.randn(trials, fan_out, fan_in, generator=generator, dtype=torch.float64)
        for (fan_in, fan_out), std in layers
    ]
    return stacked_trajectories(
        weights, network.scales, images, targets, network.learning_rate, MOMENTUM
    )


def stacked_trajectories(
    weights: Sequence[torch.Tensor],
    scales: LayerScales,
    images: torch.Tensor,
    targets: torch.Tensor,
    learning_rate: float,
    momentum: float,
) -> Samples:
    """What ``sgd_trajectory`` records, by autograd on stacks of matrices (trials, n_l, n_{l-1})."""
    trained = [w.clone().requires_grad_() for w in weights]
    velocities = [torch.zeros_like(w) for w in weights]
    rows: dict[str, list[np.ndarray]] = {name: [] for name in TRAJECTORY_QUANTITIES}
    for x, y in zip(images, targets, strict=True):
        before, gradients, slopes = _stacked_gradients(trained, scales, x, y)
        with torch.no_grad():
            drift = [torch.full((len(weights[0]),), float("nan"))]
            for d, w, start in zip(gradients[:0:-1], trained[:0:-1], weights[:0:-1], strict=True):
                initial = _stacked_norm(d @ start)
                learned = _stacked_norm(d @ (w - start))
                drift.insert(0, torch.where(initial > 0, learned / initial, 0.0))
            for w, v, slope in zip(trained, velocities, slopes, strict=True):
                w -= learning_rate * v.mul_(momentum).add_(slope)
            after = _stacked_preactivations(x, trained, scales)
            updates = [b - a for a, b in zip(before, after, strict=True)]
            seen = {
                "alignment": [
                    (d * u).sum((1, 2)).abs() for d, u in zip(gradients, updates, strict=True)
                ],
                "preactivation_rms": [_stacked_rms(z) for z in before],
                "update_rms": [_stacked_rms(u) for u in updates],
                "gradient_norm": [_stacked_norm(d) for d in gradients],
                "drift": drift,
            }
        for name, layers in seen.items():
            rows[name].append(torch.stack(layers, dim=1).numpy())
    return _from_the_second_step({name: np.stack(steps, axis=1) for name, steps in rows.items()})


def law_trajectories(network: Network, trials: int) -> Samples:
    """Several steps on the exact-law engine."""
    generator = torch_generator(3, "law steps", *network.sizes)
    images, targets = network.data(STEPS)
    widths, scales, rate = network.widths, network.scales, network.learning_rate
    return _trajectory_samples(
        [law.sgd(widths, scales, images, targets, rate, generator, MOMENTUM) for _ in range(trials)]
    )


def _trajectory_samples(trajectories: list) -> Samples:
    names = TRAJECTORY_QUANTITIES
    return _from_the_second_step(
        {name: np.array([getattr(seen, name) for seen in trajectories]) for name in names}
    )


def _from_the_second_step(samples: dict[str, np.ndarray]) -> Samples:
    """With the drift where it is defined: from the second step on, below the output."""
    samples["drift"][:, 0] = np.nan
    return samples


class ForgetsInTransposed(law_step._Networks):
    """Wrong: W^T d without its known component h <W h, d> / ||h||^2."""

    def _carry_back(self, layer):
        carried = super()._carry_back(layer)
        vectors, h = carried.vectors(), np.maximum(self._preactivation[layer - 1].vectors(), 0)
        known = ratio(np.vecdot(h, vectors), self._input_square[layer])
        return Scaled.of(vectors - known[:, None] * h)


class ForgetsInThird(law_step._Networks):
    """Wrong: W p without its known component d <W^T d, q> / ||d||^2."""

    def _change_below(self, layer):
        overlap, square, carried = super()._change_below(layer)
        return overlap, square, 0 * carried


class ForgetsInFourth(law_step._Networks):
    """Wrong: W^T d2 as if nothing but W^T d were known."""

    def _across_delta(self, layer, second, kappa):
        z_and_e, update_and_e, square = super()._across_delta(layer, second, kappa)
        return 0 * z_and_e, 0 * update_and_e, square


class MatrixForgetsInTransposed(GaussianMatrix):
    """Wrong: new transposed products without their known component."""

    def _image(self, other, direction):
        image = super()._image(other, direction)
        return image if other is self._left else image - (other.images @ direction) @ other.vectors


class MatrixForgetsInForward(GaussianMatrix):
    """Wrong: new forward products without the component that transposed ones make known."""

    def _image(self, other, direction):
        image = super()._image(other, direction)
        return image if other is self._right else image - (other.images @ direction) @ other.vectors


WRONG_STEPS = {
    "law, W^T d wrong": patch.object(law_step, "_Networks", ForgetsInTransposed),
    "law, W p wrong": patch.object(law_step, "_Networks", ForgetsInThird),
}
WRONG_SECOND = {
    "law, W^T d2 wrong": patch.object(law_step, "_Networks", ForgetsInFourth),
}
WRONG_MATRICES = {
    "matrix, W^T d wrong": patch.object(law, "GaussianMatrix", MatrixForgetsInTransposed),
    "matrix, W p wrong": patch.object(law, "GaussianMatrix", MatrixForgetsInForward),
}


TRIALS: dict[Sampler, int] = {
    dense_steps: 10_000,
    law_steps: 2000,
    probe_steps: 715,
    matrix_steps: 715,
    law_trajectories: 530,
    dense_trajectories: 20_000,
}
"""Of two samples of m and n the test sees what m n / (m + n) tell.

That is 1667 for steps in law; 667 for the other two engines, as of 1000 against 2000; and 516 for
trajectories. A trial in a stack of dense ones costs the least by far.
"""


@cache
def samples(sampler: Sampler, network: Network) -> Samples:
    """The samples of an engine as it is, drawn once."""
    return sampler(network, TRIALS[sampler])


def p_values(engine: str, network: Network, ours: Samples, theirs: Samples) -> pd.DataFrame:
    """A Kolmogorov-Smirnov test of every layer and quantity (and step) of two samples.

    Ties, such as the zeros of silent layers, make the test conservative.
    """
    rows = []
    for quantity, values in ours.items():
        for index in np.ndindex(values.shape[1:]):
            first, second = values[:, *index], theirs[quantity][:, *index]
            if np.isnan(second).all():
                continue
            rows.append(
                {
                    "engine": engine,
                    "network": str(network),
                    "step": index[0] + 1 if len(index) == 2 else 1,
                    "layer": index[-1] + 1,
                    "quantity": quantity,
                    "p": stats.ks_2samp(first, second, method="asymp").pvalue,
                }
            )
    return pd.DataFrame(rows)


def with_holm(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The tables as one family, with Holm's p-values."""
    table = pd.concat(tables, ignore_index=True)
    return table.assign(holm=multipletests(table["p"], FALSE_ALARM, method="holm")[1])


def one_step_family(engine: str) -> pd.DataFrame:
    """An engine that stores no matrix against dense matrices in float64; with law, the probe as well."""
    pairs: list[tuple[str, Sampler, Sampler]] = {
        "law": [("law, dense", law_steps, dense_steps), ("probe, dense", probe_steps, dense_steps)],
        "matrix": [("matrix, dense", matrix_steps, dense_steps)],
    }[engine]
    return with_holm(
        [
            p_values(name, network, samples(ours, network), samples(theirs, network))
            for name, ours, theirs in pairs
            for network in NETWORKS
        ]
    )


def wrong_step_family(name: str) -> pd.DataFrame:
    """One of ``WRONG_STEPS`` and ``WRONG_SECOND`` (all networks), or of ``WRONG_MATRICES`` (two).

    Against the dense engine; matrices in a third of the trials that the right ones are tested with.
    """
    wrong_law = WRONG_STEPS | WRONG_SECOND
    sampler, trials = (law_steps, TRIALS[law_steps]) if name in wrong_law else (matrix_steps, 240)
    networks = NETWORKS if name in wrong_law else NETWORKS[1:3]
    with (wrong_law | WRONG_MATRICES)[name]:
        return with_holm(
            [
                p_values(name, network, sampler(network, trials), samples(dense_steps, network))
                for network in networks
            ]
        )


def trajectory_family(networks: Sequence[Network] = TRAINED_NETWORKS) -> pd.DataFrame:
    """``STEPS`` steps with momentum of the exact-law engine against the dense one."""
    return with_holm(
        [
            p_values(
                "law, dense",
                network,
                samples(law_trajectories, network),
                samples(dense_trajectories, network),
            )
            for network in networks
        ]
    )


def wrong_trajectory_family(name: str) -> pd.DataFrame:
    """One of ``WRONG_MATRICES`` against the dense engine, on the network of three layers."""
    network = TRAINED_NETWORKS[1]
    with WRONG_MATRICES[name]:
        wrong = law_trajectories(network, 240)
    return with_holm([p_values(name, network, wrong, samples(dense_trajectories, network))])


def main() -> None:
    """Print all families."""
    torch.set_num_threads(1)
    families = {f"One step: {engine}": one_step_family(engine) for engine in ("law", "matrix")}
    families |= {
        f"One step: {name}": wrong_step_family(name)
        for name in WRONG_STEPS | WRONG_SECOND | WRONG_MATRICES
    }
    families["Five steps, momentum 0.9"] = trajectory_family()
    families |= {f"Five steps: {name}": wrong_trajectory_family(name) for name in WRONG_MATRICES}
    for title, family in families.items():
        rejected = int((family["holm"] < FALSE_ALARM).sum())
        print(f"## {title}\n\n{rejected} of {len(family)} rejected at {FALSE_ALARM} (Holm)\n")
        print(family.to_markdown(index=False, floatfmt=".3g"), end="\n\n")


if __name__ == "__main__":
    main()
