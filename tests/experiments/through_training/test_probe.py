"""What a look sees: against autograd, numpy, and training that nobody looks at."""

import numpy as np
import pytest
import torch

from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.through_training.probe import (
    centred,
    class_ratio,
    cosine,
    look,
    matrices,
    participation_ratio,
    probe_images,
)
from dynparam.experiments.through_training.settings import Probes
from dynparam.support.errors import NonFiniteError
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from dynparam.training.protocol import Networks, batch_order, initial_weights, network_widths
from tests.training_runs import TASK, invented_pair, run_stage, task_of

WIDTHS = Widths((7, 12, 4, 9, 2))
IMAGES = 6


def network(name, seed=0, moved=0.3):
    """Weights, those they began with, multipliers, images and targets; in float64."""
    random = torch.Generator().manual_seed(seed)
    scales = layer_scales(name, WIDTHS)
    initial = draw_weights(WIDTHS, scales, random, torch.float64)
    weights = [
        w + moved * w.std() * torch.randn(w.shape, dtype=w.dtype, generator=random) for w in initial
    ]
    images = torch.randn(IMAGES, WIDTHS.sizes[0], dtype=torch.float64, generator=random)
    targets = torch.eye(2, dtype=torch.float64)[torch.arange(IMAGES) % 2]
    return weights, initial, scales.multiplier, images, targets


def outputs(weights, multiplier, images):
    h = images
    for w, g in zip(weights[:-1], multiplier, strict=False):
        h = torch.relu(g * h @ w.T)
    return multiplier[-1] * h @ weights[-1].T


@pytest.mark.parametrize("name", ["spectral", "dynamic", "ntk"])
def test_kernels_are_those_of_autograd(name):
    weights, initial, multiplier, images, targets = network(name)
    seen = look(weights, initial, multiplier, images, targets)
    leaves = [w.clone().requires_grad_() for w in weights]
    jacobian = torch.autograd.functional.jacobian(
        lambda *ws: outputs(ws, multiplier, images), tuple(leaves)
    )
    for layer, derivative in enumerate(jacobian):
        flat = derivative.reshape(IMAGES, 2, -1)
        expected = torch.einsum("sci,tci->st", flat, flat)
        torch.testing.assert_close(seen.kernels[layer], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["spectral", "dynamic"])
def test_contributions_are_squared_gradients_of_the_mean_loss(name):
    weights, initial, multiplier, images, targets = network(name)
    seen = look(weights, initial, multiplier, images, targets)
    leaves = [w.clone().requires_grad_() for w in weights]
    loss = (outputs(leaves, multiplier, images) - targets).square().sum(dim=1).mean() / 2
    gradients = torch.autograd.grad(loss, leaves)
    assert seen.loss == pytest.approx(loss.item(), rel=1e-12)
    assert seen.contributions == pytest.approx([g.square().sum().item() for g in gradients], rel=1e-9)


def test_a_small_step_lowers_the_loss_by_what_the_layers_contribute():
    weights, initial, multiplier, images, targets = network("dynamic")
    seen, eta = look(weights, initial, multiplier, images, targets), 1e-6
    leaves = [w.clone().requires_grad_() for w in weights]
    loss = (outputs(leaves, multiplier, images) - targets).square().sum(dim=1).mean() / 2
    gradients = torch.autograd.grad(loss, leaves)
    moved = [w - eta * g for w, g in zip(weights, gradients, strict=True)]
    lower = look(moved, initial, multiplier, images, targets).loss
    assert (seen.loss - lower) / eta == pytest.approx(sum(seen.contributions), rel=1e-4)


def test_contributions_of_one_image_are_those_of_equation_2_41():
    """C_l = g_l^2 ||h^{l-1}||^2 ||delta^l||^2; two equal images have the same mean loss."""
    weights, initial, multiplier, images, targets = network("dynamic")
    x, y = images[:1].expand(2, -1), targets[:1].expand(2, -1)
    seen = look(weights, initial, multiplier, x, y)
    h, hidden, pre = x[0], [x[0]], []
    for w, g in zip(weights, multiplier, strict=True):
        pre.append(g * w @ h)
        h = torch.relu(pre[-1])
        hidden.append(h)
    delta = [pre[-1] - y[0]]
    for layer in range(len(weights) - 1, 0, -1):
        delta.insert(0, multiplier[layer] * (weights[layer].T @ delta[0]) * (pre[layer - 1] > 0))
    expected = [
        (g**2 * below.square().sum() * d.square().sum()).item()
        for g, below, d in zip(multiplier, hidden, delta, strict=False)
    ]
    assert seen.contributions == pytest.approx(expected, rel=1e-9)


def test_movement_is_that_of_numpy():
    weights, initial, multiplier, images, targets = network("spectral")
    seen = look(weights, initial, multiplier, images, targets)
    for layer, (w, w_0) in enumerate(zip(weights, initial, strict=True)):
        assert seen.moves[layer] == pytest.approx(np.linalg.norm(w.numpy() - w_0.numpy()))
        assert seen.sizes[layer] == pytest.approx(np.linalg.norm(w_0.numpy()))


def test_features_are_those_of_the_hidden_layers():
    weights, initial, multiplier, images, targets = network("dynamic")
    seen = look(weights, initial, multiplier, images, targets)
    h = images.numpy()
    for layer in range(WIDTHS.depth - 1):
        h = np.maximum(0, multiplier[layer] * h @ weights[layer].numpy().T)
        eigenvalues = np.linalg.eigvalsh(np.cov(h.T, bias=True))
        expected = eigenvalues.sum() ** 2 / np.square(eigenvalues).sum()
        assert seen.participation[layer] == pytest.approx(expected, rel=1e-9)
        first, second = h[::2], h[1::2]
        between = np.square(first.mean(0) - second.mean(0)).sum() / 4
        within = (first.var(0).sum() + second.var(0).sum()) / 2
        assert seen.class_ratios[layer] == pytest.approx(between / within, rel=1e-9)
    assert len(seen.participation) == len(seen.class_ratios) == WIDTHS.depth - 1


@pytest.mark.parametrize("spectrum", [[1.0], [1.0, 1.0, 1.0], [3.0, 1.0, 0.5, 0.1]])
def test_participation_ratio_of_known_eigenvalues(spectrum):
    """Orthogonal columns of mean zero, with these variances."""
    waves = np.array([[np.cos(2 * np.pi * k * t / 16) for k in range(1, 8)] for t in range(16)])
    h = torch.from_numpy(waves[:, : len(spectrum)] * np.sqrt(spectrum) + 5.0)
    expected = sum(spectrum) ** 2 / sum(one**2 for one in spectrum)
    assert participation_ratio(h) == pytest.approx(expected, rel=1e-12)


def test_features_that_do_not_vary_have_no_ratios():
    same, targets = torch.ones(4, 3), torch.eye(2)[[0, 1, 0, 1]]
    assert np.isnan(participation_ratio(same))
    assert np.isnan(class_ratio(same, targets))


def test_classes_count_by_their_images():
    h, targets = torch.tensor([[0.0], [2.0], [1.0], [7.0]]), torch.eye(2)[[0, 0, 0, 1]]
    # Means 1 and 7, their mean over images 2.5; within: 1 + 1 + 0 + 0.
    assert class_ratio(h, targets) == pytest.approx((3 * 1.5**2 + 4.5**2) / 2)


def test_centring_takes_the_mean_gradient_away():
    random = np.random.default_rng(0)
    gradients = random.normal(size=(5, 30)) + 2.0
    kernel = torch.from_numpy(gradients @ gradients.T)
    apart = gradients - gradients.mean(axis=0)
    np.testing.assert_allclose(centred(kernel).numpy(), apart @ apart.T, atol=1e-12)


def test_cosines_are_those_of_numpy():
    random = np.random.default_rng(1)
    a, b = random.normal(size=(2, 4, 4))
    expected = (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)
    assert cosine(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(expected)
    assert np.isnan(cosine(torch.zeros(2, 2), torch.ones(2, 2)))


def test_outputs_that_are_not_finite_are_told():
    weights, initial, multiplier, images, targets = network("dynamic")
    weights[-1][0, 0] = torch.inf
    with pytest.raises(NonFiniteError, match="training has diverged"):
        look(weights, initial, multiplier, images, targets)


def test_as_many_images_of_both_classes_are_looked_at():
    pair, probes = invented_pair(40), Probes(seed=0, images=12, every_epochs=1)
    chosen = probe_images(pair, TASK, probes)
    assert len(chosen.unique()) == 12
    assert pair.train_labels[chosen].sum() == 6
    assert chosen.tolist() == probe_images(pair, TASK, probes).tolist()
    others = probe_images(pair, TASK, probes.model_copy(update={"seed": 1}))
    assert others.tolist() != chosen.tolist()


@pytest.mark.parametrize("first_layer", ["dual", "primal"])
def test_matrices_are_those_that_training_uses(first_layer):
    """The outputs of the matrices, by torch's own layers, are the losses that training evaluates."""
    settings = run_stage(first_layer=first_layer, dtype="float64")
    scales = layer_scales("dynamic", network_widths(settings), settings.protocol.r)
    task = task_of(settings)
    stack = Networks(settings, TASK, task, "dynamic").draw([3])
    for batch in batch_order(settings, TASK, 3, 1):
        stack.train_batch(batch[None])
    initial = initial_weights(settings, TASK, scales, 3)
    weights = matrices(stack, initial, task)
    assert [w.shape for w in weights] == [w.shape for w in initial]
    found = MLP(weights, scales.multiplier)(task.inputs)
    losses = (found - task.targets).square().sum(dim=1) / 2
    halves = losses[: task.train_count], losses[task.train_count :]
    evaluated = stack.evaluate().losses[0].tolist()
    assert [half.mean().item() for half in halves] == pytest.approx(evaluated)
