"""The kernel of given weights, against autograd's Jacobian, finite differences and its wide limit."""

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev

from dynparam.engines import empirical_ntk
from dynparam.engines.empirical_ntk import Shape, layer_kernels, memory_bytes, ntk
from dynparam.engines.network import MLP, draw_weights
from dynparam.support.errors import ConfigError, DataError, NonFiniteError
from dynparam.theory import kernels
from dynparam.theory.inner_products import inner_products
from dynparam.theory.parametrization import NAMES, LayerScales, layer_scales
from dynparam.theory.relu_kernels import layer_weights
from dynparam.theory.widths import Widths
from tests.fresh_process import needs_proc, printed

WIDTHS = Widths((7, 20, 5, 16, 3))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


def network(name, widths=WIDTHS, seed=0):
    scales = layer_scales(name, widths)
    return draw_weights(widths, scales, generator(seed), torch.float64), scales.multiplier


def by_jacobian(weights, multiplier, images, others=None):
    """Theta^l of every layer from jacrev: (L, C, T, C, T')."""
    model = MLP(weights, multiplier)
    parameters = dict(model.named_parameters())

    def jacobians(inputs):
        found = jacrev(lambda p: functional_call(model, p, (inputs,)))(parameters)
        return [one.flatten(2) for one in found.values()]  # (T, C, weights)

    left = jacobians(images)
    right = left if others is None else jacobians(others)
    return torch.stack([torch.einsum("scw,tdw->csdt", a, b) for a, b in zip(left, right, strict=True)])


def assert_equal(found, expected):
    """In float64: sums of some hundred products, in another order, relative to the largest entry."""
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-13 * expected.abs().max()


@pytest.mark.parametrize("name", NAMES)
def test_kernels_are_products_of_autograds_jacobian(name):
    weights, multiplier = network(name)
    images, others = normal(6, 7, seed=1), normal(4, 7, seed=2)
    expected = by_jacobian(weights, multiplier, images)
    found = layer_kernels(weights, multiplier, images)
    for layer in range(4):
        assert_equal(found[layer], expected[layer])
    assert_equal(ntk(weights, multiplier, images), expected.sum(0))
    summed = torch.einsum("lcsct->lst", expected)
    assert_equal(layer_kernels(weights, multiplier, images, outputs="summed"), summed)
    assert_equal(ntk(weights, multiplier, images, outputs="summed"), summed.sum(0))
    across = by_jacobian(weights, multiplier, images, others)
    assert_equal(layer_kernels(weights, multiplier, images, others), across)


@pytest.mark.parametrize("activation", [torch.tanh, torch.nn.functional.gelu, torch.sin])
def test_other_activations(activation):
    weights, multiplier = network("mup")
    images = normal(5, 7, seed=1)

    def outputs(*w):
        h = images
        for layer, (weight, g) in enumerate(zip(w, multiplier, strict=True)):
            h = g * (h @ weight.T)
            h = activation(h) if layer < 3 else h
        return h

    jacobians = [one.flatten(2) for one in jacrev(outputs, argnums=(0, 1, 2, 3))(*weights)]
    expected = torch.stack([torch.einsum("scw,tdw->csdt", one, one) for one in jacobians])
    assert_equal(layer_kernels(weights, multiplier, images, activation=activation), expected)


def test_kernels_are_products_of_finite_differences():
    """Every weight moved up and down by 1e-6: errors of 1e-12 / 1e-6 and, between kinks, none in h."""
    widths = Widths((4, 6, 3, 2))
    weights, multiplier = network("dynamic", widths)
    images, step = normal(3, 4, seed=3), 1e-6
    model = MLP(weights, multiplier)
    for layer, weight in enumerate(model.weights):
        moved = []
        for index in range(weight.numel()):
            with torch.no_grad():
                values = []
                for sign in (1, -2, 1):
                    weight.view(-1)[index] += sign * step
                    values.append(model(images))
            moved.append((values[0] - values[1]) / (2 * step))
        jacobian = torch.stack(moved, dim=-1)
        expected = torch.einsum("scw,tdw->csdt", jacobian, jacobian)
        found = layer_kernels(weights, multiplier, images)[layer]
        assert (found - expected).abs().max() < 1e-7 * expected.abs().max()


def test_a_trained_network_has_a_kernel_too():
    weights, multiplier = network("dynamic")
    model = MLP(weights, multiplier, copy=False)
    images = normal(6, 7, seed=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(5):
        optimizer.zero_grad()
        (model(images) - 1).square().mean().backward()
        optimizer.step()
    trained = list(model.weights)
    expected = by_jacobian(trained, multiplier, images)
    found = layer_kernels(trained, multiplier, images)
    assert_equal(found, expected)
    assert not found.requires_grad


@pytest.mark.parametrize("outputs", ["all", "summed"])
@pytest.mark.parametrize("block", [1, 2, 3, 5, 6])
def test_blocks_do_not_show(outputs, block, monkeypatch):
    weights, multiplier = network("spectral")
    images, others = normal(6, 7, seed=1), normal(3, 7, seed=2)
    whole = layer_kernels(weights, multiplier, images, outputs=outputs)
    across = layer_kernels(weights, multiplier, images, others, outputs=outputs)
    asked = []

    def chosen(shape, limit):
        asked.append((shape, limit))
        return block

    monkeypatch.setattr(empirical_ntk, "_block_size", chosen)
    assert_equal(layer_kernels(weights, multiplier, images, outputs=outputs), whole)
    assert_equal(layer_kernels(weights, multiplier, images, others, outputs=outputs), across)
    assert asked[0] == (Shape(WIDTHS, 6, 6, outputs, True, 8), None)
    assert asked[1] == (Shape(WIDTHS, 6, 3, outputs, True, 8), None)


def test_the_block_is_the_largest_that_the_limit_allows():
    shape = Shape(WIDTHS, 50, 40)
    for block in (1, 7, 49, 50):
        assert empirical_ntk._block_size(shape, memory_bytes(shape, block)) == block
    assert empirical_ntk._block_size(shape, memory_bytes(shape, 8) - 1) == 7
    assert empirical_ntk._block_size(shape, 2**40) == 50


def test_a_limit_changes_no_result():
    weights, multiplier = network("ntk")
    images = normal(9, 7, seed=1)
    limit = memory_bytes(Shape(WIDTHS, 9, 9), 2)
    limited = layer_kernels(weights, multiplier, images, memory_limit=limit)
    assert_equal(limited, layer_kernels(weights, multiplier, images))


def test_single_precision_is_kept():
    weights, multiplier = network("mup")
    images = normal(4, 7, seed=1)
    single = layer_kernels([w.float() for w in weights], multiplier, images)
    assert single.dtype == torch.float32
    expected = layer_kernels(weights, multiplier, images)
    assert (single - expected).abs().max() < 1e-5 * expected.abs().max()


def test_one_draw_serves_all_parametrizations():
    """Standard normal weights without multipliers, reweighted layer by layer."""
    ones = LayerScales((1.0,) * 4, (1.0,) * 4)
    images = normal(5, 7, seed=1)
    bare = layer_kernels(draw_weights(WIDTHS, ones, generator(), torch.float64), (1.0,) * 4, images)
    for name in NAMES:
        weights, multiplier = network(name)
        reweighted = torch.from_numpy(layer_weights(layer_scales(name, WIDTHS)))[
            :, None, None, None, None
        ]
        assert_equal(reweighted * bare, layer_kernels(weights, multiplier, images))


@pytest.mark.parametrize("name", NAMES)
def test_wide_networks_have_the_wide_kernel(name):
    """Twelve draws at widths of some 1000: entries within 4 standard errors and 2 sum_l 1/n_l.

    Once in 16000 a mean is off by more; there are ten of them, strongly dependent.
    """
    widths, random = Widths((8, 1200, 700, 1200, 1)), generator(5)
    scales, images = layer_scales(name, widths), normal(4, 8, seed=6) + 0.3
    drawn = []
    for _ in range(12):
        weights = draw_weights(widths, scales, random, torch.float64)
        drawn.append(ntk(weights, scales.multiplier, images, outputs="summed").numpy())
    expected = kernels.ntk(inner_products(images.numpy()), widths, scales)
    size = np.sqrt(np.outer(expected.diagonal(), expected.diagonal()))
    error = np.std(drawn, axis=0, ddof=1) / 12**0.5 / size
    difference = np.abs(np.mean(drawn, axis=0) - expected) / size
    assert (difference < 4 * error + 2 * sum(1 / n for n in widths.hidden)).all()
    assert (error < 0.05).all()


def test_a_network_that_is_silent_has_no_kernel_but_its_readouts():
    weights, multiplier = network("ntk")
    weights[0] = -weights[0].abs()
    found = layer_kernels(weights, multiplier, normal(3, 7, seed=1).abs())
    assert (found == 0).all()


GOOD, ONES = [torch.ones(5, 7), torch.ones(4, 5), torch.ones(1, 4)], (1.0, 1.0, 1.0)
IMAGES = normal(4, 7, seed=1)


def changed(row, value):
    images = IMAGES.clone()
    images[row] = value
    return images


@pytest.mark.parametrize("function", [layer_kernels, ntk])
@pytest.mark.parametrize(
    ("weights", "multiplier", "images", "error", "words"),
    [
        ([], (), IMAGES, ConfigError, "kernels need at least one hidden layer"),
        (GOOD[:1], ONES[:1], IMAGES, ConfigError, "kernels need at least one hidden layer"),
        (GOOD, ONES[:2], IMAGES, ConfigError, "3 weight matrices have 2 multipliers"),
        ([GOOD[0], GOOD[2]], ONES[:2], IMAGES, ConfigError, r"W\^2 has the shape \(1, 4\)"),
        ([GOOD[0], GOOD[1][0], GOOD[2]], ONES, IMAGES, ConfigError, r"W\^2 has the shape \(5,\)"),
        ([GOOD[0], GOOD[1].double(), GOOD[2]], ONES, IMAGES, ConfigError, "in torch.float64"),
        ([torch.ones(0, 7), torch.ones(1, 0)], ONES[:2], IMAGES, ConfigError, "width n_1 is 0"),
        (GOOD, ONES, IMAGES[:, :6], ConfigError, r"hold 6 numbers each; W\^1 needs 7"),
        (GOOD, ONES, IMAGES[0], ConfigError, r"have the shape \(7,\)"),
        (GOOD, ONES, IMAGES[:1], DataError, "there are 1 images; give 2 or more"),
        (GOOD, ONES, changed(2, 0.0), DataError, "row 2 of the images is zero everywhere"),
        (GOOD, ONES, changed(1, torch.nan), DataError, "row 1 of the images is not finite"),
        (
            [GOOD[0], torch.nan * GOOD[1], GOOD[2]],
            ONES,
            IMAGES.abs(),
            NonFiniteError,
            "the kernel.* is not finite; check the weights",
        ),
    ],
)
def test_bad_input_is_told_in_one_sentence(function, weights, multiplier, images, error, words):
    with pytest.raises(error, match=words) as told:
        function(weights, multiplier, images)
    assert "\n" not in str(told.value)


def test_a_kernel_that_is_not_finite_names_its_layer():
    weights = [GOOD[0], GOOD[1], torch.inf * GOOD[2]]
    with pytest.raises(NonFiniteError, match="the kernel of layer 1 is not finite"):
        layer_kernels(weights, ONES, IMAGES.abs())


@pytest.mark.parametrize("outputs", ["sum", "", None, True])
def test_outputs_are_one_of_two(outputs):
    with pytest.raises(ConfigError, match="must be one of all, summed"):
        ntk(GOOD, ONES, IMAGES, outputs=outputs)


def test_equal_images_have_equal_rows_and_are_named_when_asked():
    weights, multiplier = network("ntk")
    images = IMAGES.clone()
    images[3] = images[1]
    found = ntk(weights, multiplier, images, outputs="summed")
    assert (found[3] == found[1]).all()
    with pytest.raises(DataError, match="inputs 1 and 3 are equal"):
        inner_products(images.numpy()).require_independent()


@pytest.mark.parametrize("by_layer", [True, False])
@pytest.mark.parametrize("outputs", ["all", "summed"])
def test_memory_beyond_the_limit_is_refused_before_the_work(outputs, by_layer):
    weights, multiplier = network("ntk")
    images = normal(20, 7, seed=1)
    least = memory_bytes(Shape(WIDTHS, 20, 20, outputs, by_layer), 1)
    function = layer_kernels if by_layer else ntk
    function(weights, multiplier, images, outputs=outputs, memory_limit=least)
    with pytest.raises(ConfigError, match=r"kernels of 20 by 20 inputs and \d outputs need .* allowed"):
        function(weights, multiplier, images, outputs=outputs, memory_limit=least - 1)


@pytest.mark.parametrize(
    ("outputs", "by_layer", "itemsize", "kept", "layers"),
    [
        ("all", True, 8, 3, 4),
        ("all", False, 8, 3, 1),
        ("summed", True, 4, 1, 4),
        ("summed", False, 8, 1, 1),
    ],
)
def test_memory_is_that_of_every_array(outputs, by_layer, itemsize, kept, layers):
    """Of 6 inputs beside 4 others, five at once: counted array by array."""
    shape = Shape(WIDTHS, 6, 4, outputs, by_layer, itemsize)
    images = 8 * 7 * (6 + 4)
    kernel = layers * kept * kept * 6 * 4
    activations, slopes = 7 + 20 + 5 + 16, 20 + 5 + 16
    deltas, carried = 3 * (20 + 5 + 16 + 3), 3 * 20
    of_block = 2 * 5 * (activations + slopes + deltas + carried)
    products = 5 * 5 * (1 + 2 * kept * kept)
    assert memory_bytes(shape, 5) == images + itemsize * (kernel + of_block + products)


def test_more_others_than_images_are_taken_at_once_too():
    shape = Shape(WIDTHS, 5, 40)
    assert empirical_ntk._block_size(shape, 2**40) == 40
    assert empirical_ntk._block_size(shape, memory_bytes(shape, 23)) == 23


def test_one_other_image_is_enough_and_is_named_as_such():
    weights, multiplier = network("ntk")
    images, others = normal(4, 7, seed=1), normal(1, 7, seed=2)
    assert_equal(
        layer_kernels(weights, multiplier, images, others),
        by_jacobian(weights, multiplier, images, others),
    )
    with pytest.raises(DataError, match="row 0 of the others is zero everywhere"):
        layer_kernels(weights, multiplier, images, 0 * others)
    with pytest.raises(ConfigError, match="the others hold 6 numbers each"):
        layer_kernels(weights, multiplier, images, others[:, :6])


PROGRAM = """
import torch
from dynparam.engines.empirical_ntk import Shape, _block_size, layer_kernels, memory_bytes
from dynparam.engines.network import draw_weights
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
torch.set_num_threads(1)
widths = Widths((500, 800, 400, 800, {outputs}))
scales = layer_scales("ntk", widths)
weights = draw_weights(widths, scales, torch.Generator(), torch.float64)
layer_kernels(weights, scales.multiplier, torch.eye(2, 500))
images = torch.randn({inputs}, 500, dtype=torch.float64)
with Grown() as grown:
    layer_kernels(weights, scales.multiplier, images, outputs="{kind}", memory_limit={limit})
shape = Shape(widths, {inputs}, {inputs}, "{kind}")
print(grown.bytes / memory_bytes(shape, _block_size(shape, {limit})))
"""


@needs_proc
@pytest.mark.parametrize(
    ("inputs", "outputs", "kind", "limit"),
    [(1300, 1, "all", 2**40), (1500, 1, "summed", 150_000_000), (200, 6, "all", 2**40)],
)
def test_memory_is_as_stated(inputs, outputs, kind, limit):
    """A fresh process grows by what ``memory_bytes`` says, within a factor of two."""
    program = PROGRAM.format(inputs=inputs, outputs=outputs, kind=kind, limit=limit)
    assert 0.5 < float(printed(program)) < 1.25
