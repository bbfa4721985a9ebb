"""Layers by themselves: their update against its formula, in blocks and in both first-layer forms."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dynparam.training import layers
from dynparam.training.layers import (
    DenseLayer,
    DualFirstLayer,
    MomentumRule,
    PrimalFirstLayer,
    row_blocks,
)
from tests.tolerances import ONE_STEP, PRODUCT

RULE = MomentumRule(learning_rate=0.3, momentum=0.8, dampening=0.25)


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def near(found, expected, tolerance=ONE_STEP[torch.float64]):
    """Same shape and precision, and no entry farther off than the tolerance of the largest one."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    return bool((found - expected).abs().max() <= tolerance * expected.abs().max())


@given(st.integers(1, 4), st.integers(1, 300), st.integers(1, 50), st.integers(1, 5000))
def test_blocks_hold_each_row_once(stack, rows, columns, limit):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "UPDATE_BLOCK_BYTES", limit)
        blocks = row_blocks(torch.empty(stack, rows, columns))
    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(rows))
    for block in blocks:
        height = block.stop - block.start
        assert height == 1 or height * columns * stack * 4 <= limit


def test_elsewhere_than_on_a_cpu_all_rows_are_one_block():
    assert row_blocks(torch.empty(2, 10**6, 10**3, device="meta")) == [slice(0, 10**6)]


@pytest.mark.parametrize("block_bytes", [1, 700, 1 << 20])
def test_three_steps_of_a_dense_layer(block_bytes, monkeypatch):
    """v <- mu v + (1 - d) g delta^T h, W <- W - eta v, whatever the blocks."""
    monkeypatch.setattr(layers, "UPDATE_BLOCK_BYTES", block_bytes)
    weights = drawn(2, 11, 7)
    layer = DenseLayer(weights.clone(), 1.7, torch.float64)
    velocity = torch.zeros_like(weights)
    for step in range(3):
        delta, h = drawn(2, 5, 11, seed=step + 1), drawn(2, 5, 7, seed=step + 9)
        assert near(layer.forward(h), 1.7 * torch.einsum("soi,sbi->sbo", weights, h))
        assert near(layer.backward(delta), 1.7 * torch.einsum("soi,sbo->sbi", weights, delta))
        velocity = 0.8 * velocity + 0.75 * 1.7 * torch.einsum("sbo,sbi->soi", delta, h)
        weights = weights - 0.3 * velocity
        layer.step(delta, h, RULE)
        assert near(layer.velocity, velocity)
        assert near(layer.weights, weights)


def test_gradients_are_those_of_autograd():
    layer = DenseLayer(drawn(2, 11, 7), 1.7, torch.float64)
    w, h = layer.weights.clone().requires_grad_(), drawn(2, 5, 7, seed=1).requires_grad_()
    delta = drawn(2, 5, 11, seed=2)
    (1.7 * h @ w.mT * delta).sum().backward()
    assert near(layer.backward(delta), h.grad)
    layer.step(delta, h.detach(), MomentumRule(1.0, 0.0, 0.0))
    assert near(layer.velocity, w.grad)


def test_weights_are_trained_in_place():
    weights = drawn(1, 11, 7)
    layer = DenseLayer(weights, 1.0, torch.float64)
    layer.step(drawn(1, 5, 11), drawn(1, 5, 7), RULE)
    assert layer.weights is weights
    assert not torch.equal(weights, drawn(1, 11, 7))


@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_rounded_factors_follow_the_weights(block_bytes, monkeypatch):
    """After a step and after a change from outside, products are those of the rounded new weights."""
    monkeypatch.setattr(layers, "UPDATE_BLOCK_BYTES", block_bytes)
    layer = DenseLayer(drawn(2, 11, 7, dtype=torch.float32), 1.0, torch.bfloat16)
    h = drawn(2, 5, 7, seed=1).bfloat16()

    def assert_current():
        assert near(
            layer.forward(h).double(),
            h.double() @ layer.weights.bfloat16().double().mT,
            PRODUCT[torch.bfloat16],
        )

    assert_current()
    layer.step(drawn(2, 5, 11, seed=2).bfloat16(), h, RULE)
    assert layer.weights.dtype == layer.velocity.dtype == torch.float32
    assert_current()
    layer.weights.copy_(drawn(2, 11, 7, seed=3))
    layer.refresh()
    assert_current()


@pytest.mark.parametrize("block_bytes", [1, 300, 1 << 20])
def test_dual_and_primal_first_layer_are_one(block_bytes, monkeypatch):
    """Both on random inputs, five steps with momentum, test images and shared images included."""
    monkeypatch.setattr(layers, "UPDATE_BLOCK_BYTES", block_bytes)
    inputs, initial = drawn(13, 30), drawn(2, 6, 30, seed=1)
    gram = inputs @ inputs[:9].mT
    dual = DualFirstLayer(initial, 0.4, torch.float64, inputs, gram)
    primal = PrimalFirstLayer(initial.clone(), 0.4, torch.float64, inputs)
    assert not dual.weights.any()
    for step in range(5):
        generator = torch.Generator().manual_seed(step)
        images = torch.stack([torch.randperm(9, generator=generator)[:4] for _ in range(2)])
        assert near(dual.forward(images), primal.forward(images))
        delta = drawn(2, 4, 6, seed=step + 2)
        dual.step(delta, images, RULE)
        primal.step(delta, images, RULE)
        assert near(initial + dual.weights.mT @ inputs[:9], primal.weights)
        assert near(dual.velocity.mT @ inputs[:9], primal.velocity)
        for block in (slice(0, 13), slice(7, 11), slice(10, 500)):
            assert near(dual.forward_block(block), primal.forward_block(block))


@pytest.mark.parametrize("form", ["dual", "primal"])
def test_forward_of_images_is_that_of_their_block(form):
    inputs, initial = drawn(13, 30), drawn(2, 6, 30, seed=1)
    if form == "dual":
        layer = DualFirstLayer(initial, 0.4, torch.float64, inputs, inputs @ inputs[:9].mT)
    else:
        layer = PrimalFirstLayer(initial, 0.4, torch.float64, inputs)
    layer.weights.copy_(drawn(*layer.weights.shape, seed=2))
    layer.refresh()
    images = torch.tensor([[3, 1, 8], [0, 8, 2]])
    whole = layer.forward_block(slice(0, 13))
    assert near(layer.forward(images), torch.stack([whole[k][images[k]] for k in (0, 1)]))


def test_rounded_coefficients_follow():
    """The dual layer's factors, after a step and after a change from outside."""
    inputs, initial = drawn(13, 30, dtype=torch.float32), drawn(2, 6, 30, seed=1, dtype=torch.float32)
    layer = DualFirstLayer(initial, 0.4, torch.bfloat16, inputs, inputs @ inputs[:9].mT)

    def assert_current():
        c, gram = layer.weights.bfloat16().double(), (inputs @ inputs[:9].mT).bfloat16().double()
        expected = 0.4 * (inputs.double() @ initial.double().mT + gram @ c)
        # Rounded three times: the product, its multiple, the sum.
        assert near(layer.forward_block(slice(0, 13)).double(), expected, 3 * PRODUCT[torch.bfloat16])

    assert_current()
    layer.step(drawn(2, 4, 6).bfloat16(), torch.tensor([[0, 1, 2, 3], [5, 8, 7, 6]]), RULE)
    assert layer.weights.any()
    assert_current()
    layer.weights.copy_(drawn(2, 9, 6, seed=4))
    layer.refresh()
    assert_current()


def test_images_outside_the_batch_keep_moving_by_momentum():
    """As they do in the matrix form: momentum of an image's coefficients decays, it does not stop."""
    inputs = drawn(9, 30)
    layer = DualFirstLayer(drawn(1, 6, 30, seed=1), 0.4, torch.float64, inputs, inputs @ inputs.mT)
    layer.step(drawn(1, 1, 6, seed=2), torch.tensor([[4]]), RULE)
    first = layer.weights[0, 4].clone()
    layer.step(drawn(1, 1, 6, seed=3), torch.tensor([[5]]), RULE)
    assert near(layer.weights[0, 4], first * 1.8)
