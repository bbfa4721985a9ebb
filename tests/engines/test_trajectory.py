from dataclasses import fields

import numpy as np
import pytest
import torch

from dynparam.engines import law as gaussian_law
from dynparam.engines.network import MLP, DenseMap, draw_weights, sgd_step
from dynparam.engines.one_step import record
from dynparam.engines.trajectory import TrainedMap, Trajectory, sgd_trajectory
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import Widths
from tests.law_pvalues import (
    FALSE_ALARM,
    STEPS,
    TRAINED_NETWORKS,
    TRAJECTORY_QUANTITIES,
    WRONG_MATRICES,
    stacked_trajectories,
    trajectory_family,
    wrong_trajectory_family,
)
from tests.tolerances import ONE_STEP, TRAJECTORY

WIDTHS = Widths((7, 20, 5, 16, 3))
EXACT = TRAJECTORY[torch.float64]


def training_data(steps, batch, widths=WIDTHS, seed=4):
    """Images and targets of each step, in float64."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(steps, batch, widths.sizes[0], generator=generator, dtype=torch.float64)
    targets = torch.randn(steps, batch, widths.sizes[-1], generator=generator, dtype=torch.float64)
    return images, targets


def initial_weights(scales, widths=WIDTHS, seed=1):
    return draw_weights(widths, scales, torch.Generator().manual_seed(seed), torch.float64)


def rms(values):
    return values.square().mean().sqrt().item()


def by_autograd(weights, scales, images, targets, learning_rate, momentum):
    """What ``Trajectory`` records, from torch's autograd and optimizer on the network as a module."""
    network = MLP(weights, scales.multiplier)
    optimizer = torch.optim.SGD(network.parameters(), lr=learning_rate, momentum=momentum)
    rows = {field.name: [] for field in fields(Trajectory)}
    for x, y in zip(images, targets, strict=True):
        before = network.preactivations(x)
        for z in before:
            z.retain_grad()
        optimizer.zero_grad()
        (before[-1] - y).square().sum(1).mean().div(2).backward()
        gradients = [z.grad for z in before]
        drift = []
        for layer in range(1, len(weights)):
            learned = gradients[layer] @ (network.weights[layer].detach() - weights[layer])
            initial = (gradients[layer] @ weights[layer]).norm().item()
            drift.append(learned.norm().item() / initial if initial else 0.0)
        optimizer.step()
        with torch.no_grad():
            updates = [after - z for after, z in zip(network.preactivations(x), before, strict=True)]
        rows["alignment"].append(
            [abs((d * u).sum().item()) for d, u in zip(gradients, updates, strict=True)]
        )
        rows["preactivation_rms"].append([rms(z) for z in before])
        rows["update_rms"].append([rms(u) for u in updates])
        rows["gradient_norm"].append([d.norm().item() for d in gradients])
        rows["drift"].append([*drift, np.nan])
    return Trajectory(**{name: np.array(values) for name, values in rows.items()})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_trajectory_is_that_of_autograd_and_its_optimizer(name, batch, momentum):
    """Every quantity, layer and step of five, in float64; drift against the matrices themselves."""
    scales = layer_scales(name, WIDTHS)
    weights = initial_weights(scales)
    images, targets = training_data(5, batch)
    maps = list(map(DenseMap, weights))
    ours = sgd_trajectory(maps, scales, images, targets, 0.05, momentum)
    theirs = by_autograd(weights, scales, images, targets, 0.05, momentum)
    for field in fields(Trajectory):
        found, expected = getattr(ours, field.name), getattr(theirs, field.name)
        assert found.shape == (5, 4)
        np.testing.assert_allclose(
            found, expected, rtol=EXACT, atol=EXACT * np.nanmax(expected), err_msg=field.name
        )
    assert (ours.drift[0, :-1] == 0).all()
    assert ours.drift[1:, :-1].max() > 1e-2, "the weights must move to mean anything"


def test_momentum_matters():
    """The reference above tells momentum from none, from the second step on."""
    scales = layer_scales("mup", WIDTHS)
    maps = list(map(DenseMap, initial_weights(scales)))
    plain, fast = (sgd_trajectory(maps, scales, *training_data(3, 1), 0.05, mu) for mu in (0.0, 0.9))
    np.testing.assert_array_equal(plain.alignment[0], fast.alignment[0])
    assert (np.abs(fast.update_rms[1] / plain.update_rms[1] - 1) > 1e-3).all()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_first_step_is_that_of_one_image(momentum):
    scales = layer_scales("dynamic", WIDTHS)
    maps = list(map(DenseMap, initial_weights(scales)))
    images, targets = training_data(1, 1)
    ours = sgd_trajectory(maps, scales, images, targets, 0.3, momentum)
    expected = record(sgd_step(maps, scales, images[0, 0], targets[0, 0], 0.3))
    *steady, _ = TRAJECTORY_QUANTITIES  # one image's step has no drift
    for name in steady:
        np.testing.assert_allclose(
            getattr(ours, name)[0], getattr(expected, name), rtol=ONE_STEP[torch.float64]
        )


def test_a_batch_of_equal_images_is_that_image():
    """Alignment sums over the batch's 1/3 gradients; the gradient's norm is that of three thirds."""
    scales = layer_scales("spectral", WIDTHS)
    maps = list(map(DenseMap, initial_weights(scales)))
    images, targets = training_data(4, 1)
    one = sgd_trajectory(maps, scales, images, targets, 0.1, 0.9)
    three = sgd_trajectory(maps, scales, images.expand(4, 3, -1), targets.expand(4, 3, -1), 0.1, 0.9)
    for name, factor in [("alignment", 1), ("update_rms", 1), ("drift", 1), ("gradient_norm", 3**-0.5)]:
        np.testing.assert_allclose(getattr(three, name), factor * getattr(one, name), rtol=EXACT)


def test_products_of_a_trained_map_are_those_of_its_matrix():
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    weight, velocity = normal(4, 6), torch.zeros(4, 6, dtype=torch.float64)
    start, trained = weight.clone(), TrainedMap(DenseMap(weight.clone()))
    u, v = normal(6), normal(4)
    assert not trained.transposed_parts(v)[1].any()
    for _ in range(3):
        pairs = [(normal(4), normal(6)) for _ in range(2)]
        trained.accelerate(0.7, pairs)
        velocity = 0.7 * velocity + sum(torch.outer(a, b) for a, b in pairs)
        torch.testing.assert_close(trained.velocity_times(u), velocity @ u)
        torch.testing.assert_close(trained.times(u), weight @ u)
        trained.move(0.2)
        weight = weight - 0.2 * velocity
        torch.testing.assert_close(trained.times(u), weight @ u)
        torch.testing.assert_close(trained.transpose_times(v), weight.T @ v)
        torch.testing.assert_close(trained.transposed_parts(v)[1], (weight - start).T @ v)


def test_networks_of_the_comparison():
    assert {network.widths.depth for network in TRAINED_NETWORKS} == {2, 3, 8}
    assert all(network.widths.n_min < 10 for network in TRAINED_NETWORKS)


@pytest.mark.parametrize("network", TRAINED_NETWORKS, ids=str)
def test_law_of_several_steps_is_that_of_the_dense_engine(network, record_property):
    """Five steps with momentum 0.9: Kolmogorov-Smirnov, 530 trials against 20,000 dense ones, Holm.

    Every step, layer and quantity, drift included. The narrow layers run out of directions on the way,
    and the smallest have silent layers. False alarm 1e-3 for all networks together. Distributions that
    are 0.14 apart somewhere are told with a probability of 0.8 or more, as by 1000 trials of each.
    """
    table = trajectory_family([network])
    record_property("p_values", table.to_csv(index=False))
    depth, level = network.widths.depth, FALSE_ALARM / len(TRAINED_NETWORKS)
    with_drift = (STEPS - 1) * (depth - 1)
    assert len(table) == (len(TRAJECTORY_QUANTITIES) - 1) * STEPS * depth + with_drift
    assert table["holm"].min() > level, table[table["holm"] < level].to_string()


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_dense_trials_in_a_stack_are_those_of_the_dense_engine(name, batch):
    """The reference above computes what the engine does, trial by trial; one has a silent layer."""
    scales = layer_scales(name, WIDTHS)
    trials = [initial_weights(scales, seed=seed) for seed in range(3)]
    trials[1][1] = -trials[1][1].abs()
    images, targets = training_data(STEPS, batch)
    stacks = [torch.stack(layer) for layer in zip(*trials, strict=True)]
    found = stacked_trajectories(stacks, scales, images, targets, 0.05, 0.9)
    for trial, weights in enumerate(trials):
        maps = list(map(DenseMap, weights))
        expected = sgd_trajectory(maps, scales, images, targets, 0.05, 0.9)
        for field in fields(Trajectory):
            ours, theirs = found[field.name][trial], getattr(expected, field.name).copy()
            if field.name == "drift":
                theirs[0] = np.nan
            np.testing.assert_allclose(
                ours, theirs, rtol=EXACT, atol=EXACT * np.nanmax(theirs), err_msg=field.name
            )


@pytest.mark.parametrize("name", WRONG_MATRICES)
def test_a_forgotten_component_is_noticed_over_several_steps(name, record_property):
    """The same test on 240 trials with a wrong conditioning rejects."""
    table = wrong_trajectory_family(name)
    record_property("p_values", table.to_csv(index=False))
    assert table["holm"].min() < FALSE_ALARM / 100


def diverging_data():
    """The third step's image is so large that squares of what it shows exceed a double."""
    images, targets = training_data(5, 1)
    images[2] *= 1e200
    return images, targets


def test_divergence_names_its_step():
    scales = layer_scales("standard", WIDTHS)
    maps = list(map(DenseMap, initial_weights(scales)))
    with pytest.raises(
        NonFiniteError, match=r"step 3: .* of layer 1 is (inf|nan); lower the learning rate"
    ):
        sgd_trajectory(maps, scales, *diverging_data(), 0.01, 0.9)
    with pytest.raises(NonFiniteError, match=r"step 3: "):
        gaussian_law.sgd(WIDTHS, scales, *diverging_data(), 0.01, torch.Generator(), 0.9)


def test_divergence_may_end_a_trajectory():
    """With "stop" the steps before it remain, equal to those of a shorter run."""
    scales = layer_scales("standard", WIDTHS)
    maps = list(map(DenseMap, initial_weights(scales)))
    images, targets = diverging_data()
    stopped = sgd_trajectory(maps, scales, images, targets, 0.01, 0.9, diverging="stop")
    shorter = sgd_trajectory(maps, scales, images[:2], targets[:2], 0.01, 0.9)
    for field in fields(Trajectory):
        np.testing.assert_array_equal(getattr(stopped, field.name), getattr(shorter, field.name))
    law = gaussian_law.sgd(
        WIDTHS, scales, images, targets, 0.01, torch.Generator(), 0.9, diverging="stop"
    )
    assert law.alignment.shape == (2, 4)
    at_once = sgd_trajectory(maps, scales, images[2:], targets[2:], 0.01, diverging="stop")
    assert at_once.drift.shape == (0, 4)


@pytest.mark.parametrize(
    ("images", "targets"),
    [
        ((7,), (3,)),
        ((2, 7), (2, 3)),
        ((2, 1, 7), (2, 2, 3)),
        ((2, 1, 7), (2, 1)),
        ((2, 0, 7), (2, 0, 3)),
    ],
)
def test_batches_are_checked(images, targets):
    scales = layer_scales("ntk", WIDTHS)
    maps = list(map(DenseMap, initial_weights(scales)))
    with pytest.raises(ConfigError, match=r"with the same steps and batch|holds no images"):
        sgd_trajectory(maps, scales, torch.ones(images), torch.ones(targets), 0.1)
