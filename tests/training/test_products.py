"""Products of stacks against float64, in every precision, layout and shape."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dynparam.training import products
from dynparam.training.products import linear
from tests.tolerances import PRODUCT

PRECISIONS = [torch.float32, torch.float64, torch.bfloat16]


def drawn(*shape, dtype, transposed=False, seed=0):
    """Normal numbers; transposed ones are a view whose rows do not lie in one piece."""
    generator = torch.Generator().manual_seed(seed)
    if transposed:
        return drawn(*shape[:-2], shape[-1], shape[-2], dtype=dtype, seed=seed).mT
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def assert_is_product(found, h, w):
    """Near the float64 product of the same factors, measured by the norms of rows and columns."""
    exact = h.double() @ w.double().mT
    assert found.shape == exact.shape
    assert found.dtype == w.dtype
    size = h.double().norm(dim=-1)[..., :, None] * w.double().norm(dim=-1)[..., None, :]
    # Rounding of the result, and of the sum relative to the terms that cancel in it.
    allowed = PRODUCT[w.dtype] * exact.abs() + PRODUCT[torch.float64 if w.dtype is torch.float64 else
                                                        torch.float32] * size  # fmt: skip
    assert ((found.double() - exact).abs() <= allowed).all()


@pytest.fixture(params=["onednn", "float32 alone", "without"])
def either(request, monkeypatch):
    """With oneDNN where torch has it, on a processor without bfloat16, and with the fallback."""
    if request.param == "float32 alone":
        monkeypatch.setattr(products, "_has_bfloat16", lambda: False)
    if request.param == "without":
        monkeypatch.setattr(products, "_has_onednn", lambda: False)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("stack", [1, 3])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("views", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.usefixtures("either")
def test_products(dtype, stack, shared, views):
    h = drawn(*([] if shared else [stack]), 17, 40, dtype=dtype, transposed=views[0])
    w = drawn(stack, 23, 40, dtype=dtype, transposed=views[1], seed=1)
    before = h.clone(), w.clone()
    assert_is_product(linear(h, w), h, w)
    assert torch.equal(h, before[0])
    assert torch.equal(w, before[1])


def test_a_processor_without_bfloat16_is_not_asked_for_it(monkeypatch):
    """There oneDNN refuses the product altogether instead of computing it slowly."""
    monkeypatch.setattr(products, "_has_onednn", lambda: True)
    monkeypatch.setattr(products, "_has_bfloat16", lambda: False)
    w = drawn(1, 3, 4, dtype=torch.bfloat16)
    assert not products._takes_onednn(w)
    assert products._takes_onednn(w.float())


@settings(max_examples=50, deadline=None)
@given(
    stack=st.integers(1, 3),
    batch=st.integers(1, 40),
    inner=st.integers(1, 70),
    outer=st.integers(1, 40),
    shared=st.booleans(),
    views=st.tuples(st.booleans(), st.booleans()),
    dtype=st.sampled_from(PRECISIONS),
)
def test_products_of_any_shape(stack, batch, inner, outer, shared, views, dtype):
    h = drawn(*([] if shared else [stack]), batch, inner, dtype=dtype, transposed=views[0])
    w = drawn(stack, outer, inner, dtype=dtype, transposed=views[1], seed=1)
    assert_is_product(linear(h, w), h, w)


@pytest.mark.parametrize("rows", [slice(0, 7), slice(7, 20), slice(19, 20)])
def test_rows_of_a_larger_matrix(rows):
    """What a blocked update passes: rows of a transposed delta."""
    delta, h = drawn(2, 5, 20, dtype=torch.float32), drawn(2, 5, 30, dtype=torch.float32, seed=1)
    assert_is_product(linear(delta.mT[:, rows], h.mT), delta.mT[:, rows], h.mT)


@pytest.mark.parametrize("shape", [(64, 3072, 500), (500, 3072, 200), (64, 500, 1000), (300, 64, 300)])
@pytest.mark.usefixtures("either")
def test_float32_stays_float32(shape):
    """Not computed with factors of 11 or 8 digits: a thousand times as accurate as TF32."""
    batch, inner, outer = shape
    h, w = drawn(batch, inner, dtype=torch.float32), drawn(1, outer, inner, dtype=torch.float32, seed=1)
    exact = h.double() @ w.double().mT
    error = (linear(h, w).double() - exact).norm() / exact.norm()
    assert error < PRODUCT[torch.float32]
    rounded = (h.bfloat16().double() @ w.bfloat16().double().mT - exact).norm() / exact.norm()
    assert rounded > 100 * PRODUCT[torch.float32]  # the test would see it


def test_members_of_a_stack_are_multiplied_alone():
    """In float32 on a CPU equal to the bit, which is why a seed's curve knows nothing of the others."""
    h, w = drawn(3, 64, 500, dtype=torch.float32), drawn(3, 100, 500, dtype=torch.float32, seed=1)
    alone = torch.cat([linear(h[k : k + 1], w[k : k + 1]) for k in range(3)])
    if products._has_onednn():
        assert torch.equal(linear(h, w), alone)
    torch.testing.assert_close(linear(h, w), alone, rtol=0, atol=PRODUCT[torch.float32] * 500)


def test_the_result_is_new_memory():
    """It is scaled and rectified in place."""
    h, w = torch.eye(4)[None], torch.ones(1, 4, 4)
    linear(h, w).zero_()
    assert h.sum() == 4
    assert w.sum() == 16


@pytest.mark.parametrize("built", [True, False])
def test_onednn_is_found_out_once(monkeypatch, built):
    products._has_onednn.cache_clear()
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: built)
    try:
        assert products._has_onednn() is (built and hasattr(torch.ops.mkldnn, "_linear_pointwise"))
    finally:
        products._has_onednn.cache_clear()


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_decay_and_add_is_a_decayed_sum(onednn, dtype, monkeypatch):
    """Fused or not, into a block of rows of a larger tensor."""
    if not onednn:
        monkeypatch.setattr(products, "_has_onednn", lambda: False)
    generator = torch.Generator().manual_seed(0)
    total = torch.randn(2, 9, 7, generator=generator, dtype=dtype)
    a = torch.randn(2, 5, 4, generator=generator, dtype=dtype)
    b = torch.randn(2, 7, 4, generator=generator, dtype=dtype)
    expected = total.clone()
    expected[:, 2:7] = 0.9 * expected[:, 2:7] + torch.einsum("srb,scb->src", a, b)
    products.decay_and_add(total[:, 2:7], a, b, 0.9)
    assert torch.allclose(total, expected, rtol=PRODUCT[dtype], atol=PRODUCT[dtype])
