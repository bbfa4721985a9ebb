"""The engine against training as anybody would write it, and the randomness of runs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import plain_training
from dynparam.engines.network import MLP
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.training import protocol as training
from dynparam.training.protocol import Networks, batch_order, initial_weights, network_widths
from tests.tolerances import DRAWN_NORMAL, TRAINING
from tests.training_runs import TASK, TRAIN, invented_pair, run_stage, task_of

# Without multipliers the first layer's effective learning rate is ||x||^2 = 1000 times as large.
RATES = {"ntk": 0.05, "mup": 0.05, "spectral": 0.05, "dynamic": 0.05, "standard": 2e-4}


def scales_of(stage, name):
    return layer_scales(name, network_widths(stage), stage.protocol.r)


def plain(stage, name, seed, dtype=None):
    """The plain network of a run at its initialization."""
    weights = initial_weights(stage, TASK, scales_of(stage, name), seed)
    return plain_training.network([w.to(dtype or w.dtype) for w in weights], scales_of(stage, name))


def sgd(model, stage):
    protocol = stage.protocol
    return torch.optim.SGD(model.parameters(), lr=protocol.learning_rate, momentum=protocol.momentum)


def dense_weights(stack, task, initial):
    """W^1 ... W^L of a stack; a dual first layer is multiplied out: W(0) + C^T X."""
    found = [t for key, t in stack.tensors().items() if key.startswith("weights")]
    if found[0].shape[-1] != initial[0].shape[-1]:
        found[0] = initial[0] + found[0].mT @ task.inputs[: task.train_count]
    return found


@torch.no_grad()
def assert_moved_alike(found, expected, initial, tolerance):
    """Equal, measured by how far the weights have come from where they started.

    A weight far larger than its way is rounded itself: each step adds a half unit in its last place.
    """
    for layer, (a, b, start) in enumerate(zip(found, expected, initial, strict=True), start=1):
        moved, rounded = (b - start).abs().max(), 8 * torch.finfo(b.dtype).eps * b.abs().max()
        assert moved > 10 * rounded
        assert (a - b).abs().max() <= tolerance * moved + rounded, f"layer {layer}"


def assert_evaluated_alike(evaluation, member, model, task, tolerance):
    train, x, y = task.train_count, task.inputs, task.targets
    for part, loss, accuracy in (
        (slice(None, train), evaluation.losses[:, 0], evaluation.accuracies[:, 0]),
        (slice(train, None), evaluation.losses[:, 1], evaluation.accuracies[:, 1]),
    ):
        expected = plain_training.evaluate(model, x[part], y[part])
        assert float(loss[member]) == pytest.approx(expected[0], rel=tolerance)
        assert float(accuracy[member]) == pytest.approx(expected[1], abs=1e-15)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("first_layer", ["dual", "primal"])
@pytest.mark.parametrize("name", NAMES)
def test_engine_is_plain_torch(name, first_layer, momentum):
    """Every weight and every loss after every step, eight epochs with a partial last batch."""
    stage = run_stage(
        dtype="float64", first_layer=first_layer, momentum=momentum, learning_rate=RATES[name]
    )
    task = task_of(stage)
    stack = Networks(stage, TASK, task, name).draw([3])
    model = plain(stage, name, seed=3)
    optimizer = sgd(model, stage)
    initial = [p.detach().clone() for p in model.parameters()]
    first_loss = plain_training.evaluate(model, task.inputs, task.targets)[0]
    for epoch in range(1, 9):
        batches = batch_order(stage, TASK, 3, epoch)
        assert [len(batch) for batch in batches] == [5, 5, 5, 5, 2]
        for batch in batches:
            before = plain_training.half_square(model(task.inputs[batch]), task.targets[batch])
            plain_training.train_epoch(model, optimizer, task.inputs, task.targets, [batch])
            loss = stack.train_batch(batch[None])
            assert loss.tolist() == pytest.approx([before.item()], rel=TRAINING[torch.float64])
            found = [w[0] for w in dense_weights(stack, task, initial)]
            assert_moved_alike(found, list(model.parameters()), initial, TRAINING[torch.float64])
        assert_evaluated_alike(stack.evaluate(), 0, model, task, TRAINING[torch.float64])
    assert plain_training.evaluate(model, task.inputs, task.targets)[0] < first_loss


@pytest.mark.parametrize("first_layer", ["dual", "primal"])
@pytest.mark.parametrize("name", NAMES)
def test_an_epoch_in_float32(name, first_layer):
    stage = run_stage(first_layer=first_layer, learning_rate=RATES[name])
    task = task_of(stage)
    stack = Networks(stage, TASK, task, name).draw([0])
    model = plain(stage, name, seed=0)
    initial = [p.detach().clone() for p in model.parameters()]
    order = batch_order(stage, TASK, 0, 1)
    for batch in order:
        stack.train_batch(batch[None])
    plain_training.train_epoch(model, sgd(model, stage), task.inputs, task.targets, order)
    found = [w[0] for w in dense_weights(stack, task, initial)]
    assert_moved_alike(found, list(model.parameters()), initial, TRAINING[torch.float32])
    assert_evaluated_alike(stack.evaluate(), 0, model, task, TRAINING[torch.float32])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("first_layer", ["dual", "primal"])
def test_products_in_bfloat16_stay_near(first_layer, dtype):
    """Four epochs near the trajectory in float64; a factor that is not renewed would fall behind."""
    stage = run_stage(first_layer=first_layer, products="bfloat16", dtype=dtype, n=60, n_min=20)
    task = task_of(stage)
    stack = Networks(stage, TASK, task, "dynamic").draw([0])
    model = plain(stage, "dynamic", seed=0, dtype=torch.float64)
    optimizer = sgd(model, stage)
    x, y = task.inputs.double(), task.targets.double()
    for epoch in range(1, 5):
        order = batch_order(stage, TASK, 0, epoch)
        for batch in order:
            stack.train_batch(batch[None])
        plain_training.train_epoch(model, optimizer, x, y, order)
        evaluation = stack.evaluate()
        for part, loss in (
            (slice(None, task.train_count), evaluation.losses[:, 0]),
            (slice(task.train_count, None), evaluation.losses[:, 1]),
        ):
            expected = plain_training.evaluate(model, x[part], y[part])[0]
            assert abs(float(loss[0]) - expected) < TRAINING[torch.bfloat16] * max(expected, 0.1)


@pytest.mark.parametrize("first_layer", ["dual", "primal"])
def test_dampening(first_layer):
    """v <- mu v + (1 - d) gradient from the first step on, where torch.optim.SGD does not dampen yet."""
    stage = run_stage(dtype="float64", dampening=0.4, first_layer=first_layer)
    task, name = task_of(stage), "spectral"
    stack = Networks(stage, TASK, task, name).draw([1])
    initial = initial_weights(stage, TASK, scales_of(stage, name), 1)
    model = MLP(initial, scales_of(stage, name).multiplier)
    velocity = [torch.zeros_like(w) for w in initial]
    for epoch in range(1, 5):
        for batch in batch_order(stage, TASK, 1, epoch):
            loss = (model(task.inputs[batch]) - task.targets[batch]).square().sum() / (2 * len(batch))
            gradients = torch.autograd.grad(loss, list(model.weights))
            with torch.no_grad():
                for v, w, gradient in zip(velocity, model.weights, gradients, strict=True):
                    v.copy_(0.9 * v + 0.6 * gradient)
                    w.sub_(0.05 * v)
            stack.train_batch(batch[None])
        found = [w[0] for w in dense_weights(stack, task, initial)]
        assert_moved_alike(found, list(model.weights), initial, TRAINING[torch.float64])


@pytest.mark.parametrize("first_layer", ["dual", "primal"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_stack_trains_each_network_as_if_alone(dtype, first_layer):
    """On a CPU in float32 the products are the same calls, so they are equal to the bit."""
    stage = run_stage(dtype=dtype, first_layer=first_layer)
    task, seeds = task_of(stage), [4, 0, 7]
    networks = Networks(stage, TASK, task, "dynamic")
    together, alone = networks.draw(seeds), [networks.draw([seed]) for seed in seeds]
    tolerance = 0 if dtype == "float32" else TRAINING[torch.float64]
    for epoch in range(1, 5):
        orders = [batch_order(stage, TASK, seed, epoch) for seed in seeds]
        for images in zip(*orders, strict=True):
            losses = together.train_batch(torch.stack(images))
            single = torch.cat([s.train_batch(i[None]) for s, i in zip(alone, images, strict=True)])
            torch.testing.assert_close(losses, single, rtol=tolerance, atol=0)
        for key, tensor in together.tensors().items():
            single = torch.cat([stack.tensors()[key] for stack in alone])
            torch.testing.assert_close(
                tensor, single, rtol=0, atol=tolerance * single.abs().max().item()
            )
        single = torch.cat([stack.evaluate().losses[:, 1] for stack in alone])
        torch.testing.assert_close(together.evaluate().losses[:, 1], single, rtol=tolerance, atol=0)


@pytest.mark.parametrize("first_layer", ["dual", "primal"])
def test_evaluation_is_the_definition(first_layer, monkeypatch):
    """Against numpy, on two networks, in blocks that cross from training to test images."""
    stage = run_stage(dtype="float64", first_layer=first_layer)
    task = task_of(stage)
    stack = Networks(stage, TASK, task, "mup").draw([0, 1])
    for batches in zip(*(batch_order(stage, TASK, seed, 1) for seed in (0, 1)), strict=True):
        stack.train_batch(torch.stack(batches))
    initial = [
        torch.stack(w)
        for w in zip(
            *(initial_weights(stage, TASK, scales_of(stage, "mup"), s) for s in (0, 1)), strict=True
        )
    ]
    weights = [w.numpy() for w in dense_weights(stack, task, initial)]
    pair = invented_pair()
    images = np.concatenate([pair.train_images, pair.test_images]).reshape(-1, 3072)
    labels = np.concatenate([pair.train_labels, pair.test_labels])
    for member in (0, 1):
        h = images / 127.5 - 1
        for layer, (w, g) in enumerate(zip(weights, scales_of(stage, "mup").multiplier, strict=True)):
            h = g * (np.maximum(h, 0) if layer else h) @ w[member].T
        losses = ((h - np.eye(2)[labels]) ** 2).sum(axis=1) / 2
        right = h.argmax(axis=1) == labels
        expected = [part.mean() for part in (losses[:22], losses[22:], right[:22], right[22:])]
        for block in (500, 36, 10, 7, 1):
            monkeypatch.setattr(training, "EVALUATION_BLOCK", block)
            found = stack.evaluate()
            row = [*found.losses[member], *found.accuracies[member]]
            assert list(map(float, row)) == pytest.approx(expected, rel=1e-12)


def test_evaluation_moves_nothing():
    stage = run_stage()
    stack = Networks(stage, TASK, task_of(stage), "dynamic").draw([0])
    stack.train_batch(torch.tensor([[0, 1, 2]]))
    before = {key: tensor.clone() for key, tensor in stack.tensors().items()}
    stack.evaluate()
    assert all(torch.equal(tensor, before[key]) for key, tensor in stack.tensors().items())


def test_state_written_from_outside_is_taken_up():
    """With rounded factors too: a stack that is given another's state goes on like the other."""
    stage = run_stage(products="bfloat16")
    networks = Networks(stage, TASK, task_of(stage), "dynamic")
    trained, fresh = networks.draw([0]), networks.draw([0])
    for batch in batch_order(stage, TASK, 0, 1):
        trained.train_batch(batch[None])
    for key, tensor in fresh.tensors().items():
        tensor.copy_(trained.tensors()[key])
    fresh.refresh()
    batch = batch_order(stage, TASK, 0, 2)[0][None]
    assert torch.equal(trained.train_batch(batch), fresh.train_batch(batch))
    for key, tensor in fresh.tensors().items():
        assert torch.equal(tensor, trained.tensors()[key])


def test_inputs_and_targets_of_a_task():
    stage, pair = run_stage(), invented_pair()
    task = task_of(stage)
    assert task.inputs.shape == (36, 3072)
    assert task.train_count == 22
    assert task.targets.argmax(1).tolist() == [*pair.train_labels, *pair.test_labels]
    exact = task.inputs.double() @ task.inputs[:22].double().T
    torch.testing.assert_close(task.gram.double(), exact, rtol=2.0**-23, atol=1e-4)


@pytest.mark.parametrize("normalization", ["half_range", "per_channel", "per_image", "unit_range"])
def test_test_images_are_normalized_by_the_training_images(normalization):
    pair = invented_pair()
    task = training.Task.of_pair(pair, normalization, torch.float64, torch.device("cpu"))
    unit = pair.test_images / 255
    if normalization == "per_channel":
        train = pair.train_images / 255
        unit = (unit - train.mean((0, 2, 3))[:, None, None]) / train.std((0, 2, 3))[:, None, None]
    elif normalization == "per_image":
        unit = (unit - unit.mean((1, 2, 3), keepdims=True)) / unit.std((1, 2, 3), keepdims=True)
    elif normalization == "half_range":
        unit = 2 * unit - 1
    np.testing.assert_allclose(task.inputs[22:].numpy(), unit.reshape(14, -1), rtol=1e-12, atol=1e-14)


def test_parametrizations_scale_the_same_normals():
    stage = run_stage()
    normals = {
        name: [
            w.double() / std
            for w, std in zip(
                initial_weights(stage, TASK, scales_of(stage, name), 5),
                scales_of(stage, name).init_std,
                strict=True,
            )
        ]
        for name in NAMES
    }
    for name in NAMES:
        for a, b in zip(normals[name], normals["spectral"], strict=True):
            torch.testing.assert_close(a, b, rtol=DRAWN_NORMAL[torch.float32], atol=0)
    first = normals["spectral"][0]
    # 73728 normals: mean and standard deviation within five standard errors.
    assert abs(first.mean()) < 5 / first.numel() ** 0.5
    assert abs(first.std() - 1) < 5 / (2 * first.numel()) ** 0.5


def test_weights_are_the_same_numbers_in_every_precision():
    single, double = (
        initial_weights(run_stage(dtype=dtype), TASK, scales_of(run_stage(), "dynamic"), 0)
        for dtype in ("float32", "float64")
    )
    assert [w.dtype for w in double] == [torch.float64] * 4
    for a, b in zip(single, double, strict=True):
        assert torch.equal(a.double(), b)


def test_runs_differ_by_seed_task_and_epoch():
    stage = run_stage()
    scales = scales_of(stage, "spectral")
    first = [
        initial_weights(run_stage(seed=s), t, scales, k)[0][0, 0].item()
        for s, t, k in [(0, TASK, 0), (0, TASK, 1), (0, "bird-cat", 0), (1, TASK, 0)]
    ]
    assert len(set(first)) == 4
    orders = [
        tuple(torch.cat(batch_order(run_stage(seed=s), t, k, epoch)).tolist())
        for s, t, k, epoch in [(0, TASK, 0, 1), (0, TASK, 0, 2), (0, TASK, 1, 1), (0, "bird-cat", 0, 1),
                               (1, TASK, 0, 1)]
    ]  # fmt: skip
    assert len(set(orders)) == 5
    again = batch_order(stage, TASK, 0, 1)
    assert torch.cat(again).tolist() == list(orders[0])


def test_runs_of_one_seed_are_paired():
    """On a single width mup and dynamic are the same, and so are their runs, up to rounded weights."""
    stage = run_stage(n=8, n_min=8, dtype="float64")
    task = task_of(stage)
    order = batch_order(stage, TASK, 2, 1)
    losses = []
    for name in ("mup", "dynamic"):
        stack = Networks(stage, TASK, task, name).draw([2])
        losses.append([stack.train_batch(batch[None]).item() for batch in order])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 70),
    size=st.integers(1, 80),
    seed=st.integers(0, 10**9),
    epoch=st.integers(1, 10**4),
    last=st.sampled_from(["kept", "dropped"]),
)
def test_an_epoch_shows_each_image_once(count, size, seed, epoch, last):
    size = min(size, count)
    stage = run_stage(images=(count, 1), batch_size=size, last_batch=last)
    batches = batch_order(stage, TASK, seed, epoch)
    shown = [image for batch in batches for image in batch.tolist()]
    assert all(len(batch) == size for batch in batches[:-1])
    if last == "kept":
        assert sorted(shown) == list(range(count))
    else:
        assert all(len(batch) == size for batch in batches)
        assert len(set(shown)) == len(shown) == count - count % size


def test_a_dropped_batch_is_the_last_of_the_same_order():
    kept = batch_order(run_stage(), TASK, 0, 3)
    dropped = batch_order(run_stage(last_batch="dropped"), TASK, 0, 3)
    assert [len(b) for b in dropped] == [5] * (TRAIN // 5)
    assert all(torch.equal(a, b) for a, b in zip(kept, dropped, strict=False))


def test_orders_are_uniform():
    """Where image 0 comes, over 2200 epochs: chi-squared of 22 places, false alarm below 1e-4."""
    stage = run_stage()
    places = [torch.cat(batch_order(stage, TASK, 0, e)).tolist().index(0) for e in range(1, 2201)]
    counts = np.bincount(places, minlength=22)
    assert ((counts - 100) ** 2 / 100).sum() < 53  # chi-squared, 21 degrees of freedom: 1.4e-4
