"""Wide kernels: against drawn networks, another implementation, and each other."""

import numpy as np
import pytest
from scipy.special import erf, ndtr

from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory import kernels
from dynparam.theory.activations import RELU, by_quadrature
from dynparam.theory.inner_products import inner_products
from dynparam.theory.kernels import gram_matrices, layer_kernels, ntk
from dynparam.theory.parametrization import NAMES, LayerScales, layer_scales
from tests.sampled_networks import sample

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(4, 10)) + 0.3
WIDE = (10, 600, 150, 500, 200, 1)
TANH = by_quadrature("tanh", np.tanh, lambda u: 1 / np.cosh(u) ** 2, nodes=60)


def deviations(samples, expected):
    """(mean - expected) and its standard error, over sqrt(K_ss K_tt) of the expected kernel K."""
    size = np.sqrt(np.einsum("...s,...t->...st", *2 * [np.diagonal(expected, axis1=-2, axis2=-1)]))
    samples = np.array(samples) / size
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    return samples.mean(axis=0) - expected / size, error


def assert_sampled(samples, expected, sizes):
    """Within four standard errors and twice sum_l 1/n_l, the order of what the limit leaves out.

    Four standard errors are exceeded by one mean in 16000; a kernel here has some ten entries, strongly
    dependent, so that a set of seeds fails a comparison once in 1600 at most.
    """
    difference, error = deviations(samples, expected)
    limit = 2 * sum(1 / n for n in sizes[1:-1])
    assert (np.abs(difference) < 4 * error + limit).all()
    assert (error < 0.08).all(), "the samples must be able to tell"


@pytest.mark.parametrize("name", NAMES)
def test_drawn_networks_have_these_kernels(name):
    """40 networks of unequal widths: every layer's P, D and part of the kernel, and the sum."""
    scales, random = layer_scales(name, WIDE), np.random.default_rng(1)
    drawn = [sample(X, WIDE, scales, random) for _ in range(40)]
    inner = inner_products(X)
    grams = gram_matrices(inner, WIDE, scales)
    assert_sampled([one.forward for one in drawn], grams.forward, WIDE)
    assert_sampled([one.backward for one in drawn], grams.backward, WIDE)
    assert_sampled([one.layers for one in drawn], layer_kernels(inner, WIDE, scales), WIDE)
    assert_sampled([one.layers.sum(0) for one in drawn], ntk(inner, WIDE, scales), WIDE)


def test_a_wrong_kernel_is_told():
    """Negative control: two widths in the wrong order, which standard depends on."""
    scales, random = layer_scales("standard", WIDE), np.random.default_rng(1)
    drawn = [sample(X, WIDE, scales, random).layers.sum(0) for _ in range(40)]
    swapped = (10, 600, 150, 200, 500, 1)
    wrong = ntk(inner_products(X), swapped, layer_scales("standard", swapped))
    with pytest.raises(AssertionError):
        assert_sampled(drawn, wrong, WIDE)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("name", ["ntk", "mup"])
def test_drawn_networks_with_tanh_and_biases(name, biases):
    sizes, random = (10, 500, 120, 400, 1), np.random.default_rng(2)
    scales = layer_scales(name, sizes)
    drawn = [
        sample(X, sizes, scales, random, np.tanh, lambda u: 1 / np.cosh(u) ** 2, biases)
        for _ in range(40)
    ]
    made = by_quadrature("tanh", np.tanh, lambda u: 1 / np.cosh(u) ** 2, nodes=150)
    expected = layer_kernels(inner_products(X), sizes, scales, made, biases=biases)
    assert_sampled([one.layers for one in drawn], expected, sizes)


def test_drawn_relu_networks_with_biases():
    scales, random = layer_scales("dynamic", WIDE), np.random.default_rng(3)
    drawn = [sample(X, WIDE, scales, random, biases=True) for _ in range(40)]
    expected = layer_kernels(inner_products(X), WIDE, scales, biases=True)
    assert_sampled([one.layers for one in drawn], expected, WIDE)
    without = layer_kernels(inner_products(X), WIDE, scales)
    with pytest.raises(AssertionError):
        assert_sampled([one.layers for one in drawn], without, WIDE)


def plainly(inputs, sizes, scales, biases=False):
    """The recursion for ReLU over whole matrices, one line an equation."""
    s, g = np.square(scales.signal), np.square(scales.multiplier)
    forward, slopes = [inputs @ inputs.T], []
    added = [n if biases else 0 for n in sizes[:-1]]
    for layer, n in enumerate(sizes[1:-1]):
        covariance = s[layer] * (forward[-1] + added[layer])
        size = np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()))
        angle = np.arccos(np.clip(covariance / size, -1, 1))
        forward.append(n * size * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi))
        slopes.append(n * s[layer + 1] * (np.pi - angle) / (2 * np.pi))
    backward = [np.ones_like(forward[0])]
    for slope in reversed(slopes):
        backward.insert(0, backward[0] * slope)
    return sum(g[k] * backward[k] * (forward[k] + added[k]) for k in range(len(g)))


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("block", [1, 3, 7, 256])
def test_blocks_do_not_show(block, biases, monkeypatch):
    monkeypatch.setattr(kernels, "BLOCK", block)
    inputs, others = RANDOM.normal(size=(10, 6)), RANDOM.normal(size=(4, 6))
    sizes = (6, 30, 5, 40, 2)
    scales = layer_scales("spectral", sizes)
    whole = plainly(np.vstack([inputs, others]), sizes, scales, biases)
    found = ntk(inner_products(inputs), sizes, scales, biases=biases)
    # The angle between an input and itself is good to 2e-8 in the plain version.
    assert found == pytest.approx(whole[:10, :10], rel=1e-7)
    assert (found == found.T).all()
    across = ntk(inner_products(inputs, others), sizes, scales, biases=biases)
    assert across == pytest.approx(whole[:10, 10:], rel=1e-12)
    layers = layer_kernels(inner_products(inputs), sizes, scales, biases=biases)
    assert layers.sum(0) == pytest.approx(found, rel=1e-13)
    grams = gram_matrices(inner_products(inputs), sizes, scales, biases=biases)
    added = np.array(sizes[:-1], float)[:, None, None] * biases
    g_square = np.square(scales.multiplier)[:, None, None]
    assert g_square * grams.backward * (grams.forward + added) == pytest.approx(layers, rel=1e-13)


def test_kernels_of_a_quadrature_are_symmetric_too():
    sizes = (10, 30, 20, 1)
    found = ntk(inner_products(X), sizes, layer_scales("ntk", sizes), TANH)
    assert (found == found.T).all()
    apart = ntk(inner_products(X, X), sizes, layer_scales("ntk", sizes), TANH)
    assert apart == pytest.approx(found, rel=1e-7)


def test_equal_inputs_have_finite_kernels():
    """Singular, but kernels: rows of equal inputs are equal, to the precision of the angle."""
    inputs = np.vstack([X, X[1], 2 * X[2]])
    sizes = (10, 30, 20, 1)
    found = ntk(inner_products(inputs), sizes, layer_scales("dynamic", sizes))
    assert np.isfinite(found).all()
    assert found[4] == pytest.approx(found[1], rel=1e-7)
    assert found[5] == pytest.approx(2 * found[2], rel=1e-7)
    assert np.linalg.eigvalsh(found)[1] < 1e-7 * found.trace()


# neural-tangents 0.6.5 on jax 0.4.35 in float64, Python 3.11. With X below and r = 2 ** 0.5:
#   layers = [stax.Dense(n, W_std=r, b_std=b, parameterization=p), act] for n in (30, 7, 20),
#   then stax.Dense(1, W_std=1., b_std=b and 1., parameterization=p);
#   stax.serial(*layers)[2](X, None, ("nngp", "ntk")).ntk, with b = r for biases, else None.
# Its ntk parametrization keeps W_std in the multiplier; its biases are ours times the root of fan_in.
NT_INPUTS = np.array([[1.0, 2.0, -1.0, 0.5], [0.3, -0.7, 1.1, 2.0], [-1.5, 0.4, 0.2, -0.6]])
NT_SIZES = (4, 30, 7, 20, 1)
NT_GAINS = (2**0.5, 2**0.5, 2**0.5, 1.0)
NT_SCALES = LayerScales(
    tuple(gain / n**0.5 for gain, n in zip(NT_GAINS, NT_SIZES, strict=False)), (1.0,) * 4
)
ERF = by_quadrature("erf", erf, lambda u: 2 / np.pi**0.5 * np.exp(-(u**2)))
GELU = by_quadrature(
    "gelu", lambda u: u * ndtr(u), lambda u: ndtr(u) + u * np.exp(-(u**2) / 2) / (2 * np.pi) ** 0.5
)
NT_KERNELS = {
    # name: scales, activation, biases; entries 00, 01, 02, 11, 12, 22 of the kernel.
    "relu": (
        (NT_SCALES, RELU, False),
        (6.25, 1.3575542585726919, 0.8880608394812531, 5.79, 0.7816389941905424, 2.81),
    ),
    "relu, biases": (
        (NT_SCALES, RELU, True),
        (16.25, 8.67976264511401, 8.34412789034567, 15.79, 8.070795382761675, 12.81),
    ),
    "relu, standard parametrization": (
        (layer_scales("standard", NT_SIZES), RELU, False),
        (
            63.28125,
            20.375949569381806,
            13.588578751617302,
            58.62375,
            12.287188073719893,
            28.45125,
        ),
    ),
    "erf": (
        (NT_SCALES, ERF, False),
        (
            3.0416401219958384,
            -0.2588320977394515,
            -0.3878492639011014,
            2.994519446512479,
            -0.6008927033052588,
            2.591028137414658,
        ),
    ),
    "erf, biases": (
        (NT_SCALES, ERF, True),
        (
            4.187685828603057,
            2.447834306537527,
            2.5036183081749988,
            4.172406784812906,
            2.464398756972995,
            4.060453271982741,
        ),
    ),
    "gelu": (
        (NT_SCALES, GELU, False),
        (
            5.81210775904764,
            0.8879170142935072,
            0.4454734006704907,
            5.312813052699979,
            0.36282236818722846,
            2.0932555691693784,
        ),
    ),
}


@pytest.mark.parametrize("case", NT_KERNELS)
def test_neural_tangents_gave_these_kernels(case):
    (scales, activation, biases), expected = NT_KERNELS[case]
    found = ntk(inner_products(NT_INPUTS), NT_SIZES, scales, activation, biases=biases)
    assert found[np.triu_indices(3)] == pytest.approx(expected, rel=1e-11)


def neural_tangents_kernel(act, biases, parameterization):
    """The kernel of this network by neural-tangents, which keeps jax's precision in a global setting."""
    jax = pytest.importorskip("jax")
    stax = pytest.importorskip("neural_tangents.stax")
    jax.config.update("jax_enable_x64", True)
    layers = []
    for n, gain in zip(NT_SIZES[1:], NT_GAINS, strict=True):
        b_std = gain if biases else None
        layers += [stax.Dense(n, W_std=gain, b_std=b_std, parameterization=parameterization)]
        layers += [act(stax)]
    _, _, kernel = stax.serial(*layers[:-1])
    return np.asarray(kernel(NT_INPUTS, None, "ntk"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", NT_KERNELS)
def test_neural_tangents_gives_them_still(case):
    (scales, activation, biases), _ = NT_KERNELS[case]
    acts = {"relu": lambda s: s.Relu(), "erf": lambda s: s.Erf(), "gelu": lambda s: s.Gelu()}
    theirs = neural_tangents_kernel(
        acts[activation.name], biases, "standard" if "standard" in case else "ntk"
    )
    ours = ntk(inner_products(NT_INPUTS), NT_SIZES, scales, activation, biases=biases)
    assert ours == pytest.approx(theirs, rel=1e-11)


SCALES = layer_scales("ntk", (10, 5, 4, 1))


@pytest.mark.parametrize("function", [gram_matrices, layer_kernels, ntk])
@pytest.mark.parametrize(
    ("widths", "scales", "words"),
    [
        ((10, 5.0, 4, 1), SCALES, "width n_1 is 5.0; every width must be an integer of at least 1"),
        ((10, 5, 0, 1), SCALES, "width n_2 is 0"),
        ((10, True, 4, 1), SCALES, "width n_1 is True"),
        ((10, 1), LayerScales((1.0,), (1.0,)), "kernels need at least one hidden layer"),
        ((9, 5, 4, 1), SCALES, "the inputs hold 10 numbers each; widths 9-5-4-1 need 9"),
        ((10, 5, 4, 3, 1), SCALES, "multiplier has 3 entries; these widths have 4 layers"),
        ((10, 5, 1), LayerScales((1.0, 1.0), (1.0,)), "init_std has 1 entries"),
        ((10, 5, 1), LayerScales((0.0, 1.0), (1.0, 1.0)), "multiplier of layer 1 is 0.0"),
        ((10, 5, 1), LayerScales((1.0, 1.0), (-1.0, 1.0)), "init_std of layer 1 is -1.0"),
        ((10, 5, 1), LayerScales((1.0, float("nan")), (1.0, 1.0)), "multiplier of layer 2 is nan"),
        ((10, 5, 1), LayerScales((1.0, 1.0), (float("inf"), 1.0)), "init_std of layer 1 is inf"),
    ],
)
def test_bad_networks_are_told_in_one_sentence(function, widths, scales, words):
    with pytest.raises(ConfigError, match=words) as told:
        function(inner_products(X), widths, scales)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("r", [-0.1, 0.6, float("nan")])
def test_r_outside_its_range_has_no_kernel(r):
    with pytest.raises(ConfigError, match=r"is outside \[0, 1/2\]"):
        ntk(inner_products(X), (10, 5, 1), layer_scales("dynamic", (10, 5, 1), r))


@pytest.mark.parametrize(
    ("std", "words"),
    [(1e160, "the variance of layer 1 is inf"), (1e-170, r"the variance of layer 1 is 0")],
)
def test_expectations_beyond_a_double_are_told(std, words):
    with pytest.raises(NonFiniteError, match=words):
        ntk(inner_products(X), (10, 5, 1), LayerScales((1.0, 1.0), (std, 1.0)))


def test_a_readout_of_zeros_has_the_kernel_of_its_own_layer_alone():
    """Then nothing comes back: D^l = 0 for hidden layers, and the readout still sees h^{L-1}."""
    scales = LayerScales((0.5, 0.5, 0.25), (1.0, 1.0, 0.0))
    layers = layer_kernels(inner_products(X), (10, 6, 5, 1), scales)
    assert (layers[:2] == 0).all()
    forward = gram_matrices(inner_products(X), (10, 6, 5, 1), scales).forward
    assert layers[2] == pytest.approx(0.0625 * forward[2])


@pytest.mark.parametrize("function", [gram_matrices, layer_kernels, ntk])
def test_more_inputs_than_fit_are_refused_before_the_work(function, monkeypatch):
    class Memory:
        available = 1000

    monkeypatch.setattr("psutil.virtual_memory", Memory)
    many = inner_products(np.eye(12) + 0.1)
    widths = (12, 5, 4, 1)
    with pytest.raises(ConfigError, match=r"kernels of 12 by 12 inputs need .* are free; take fewer"):
        function(many, widths, layer_scales("ntk", widths))


def test_widths_beyond_any_machine_cost_nothing():
    widths = (10, 10**7, 10**4, 10**7, 1)
    found = ntk(inner_products(X), widths, layer_scales("dynamic", widths))
    small = (10, 7, 3, 7, 1)
    assert found == pytest.approx(ntk(inner_products(X), small, layer_scales("ntk", small)), rel=1e-12)


@pytest.mark.parametrize(("function", "arrays"), [(gram_matrices, 6), (layer_kernels, 3), (ntk, 1)])
def test_the_memory_that_is_asked_for_is_that_of_the_result(function, arrays, monkeypatch):
    """Three layers of 12 by 12 doubles, once or twice, or one array; a byte less is too little."""
    many = inner_products(np.eye(12) + 0.1)
    widths = (12, 5, 4, 1)
    needed = 8 * 144 * arrays

    class Memory:
        available = needed

    monkeypatch.setattr("psutil.virtual_memory", Memory)
    function(many, widths, layer_scales("ntk", widths))
    monkeypatch.setattr(Memory, "available", needed - 1)
    with pytest.raises(ConfigError, match="kernels of 12 by 12 inputs need"):
        function(many, widths, layer_scales("ntk", widths))
