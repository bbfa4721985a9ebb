import warnings

import numpy as np
import pytest
import torch

from dynparam.engines import law, law_step
from dynparam.engines.gaussian_columns import Workspace
from dynparam.engines.law import one_step, one_steps, sgd, sgd_memory_bytes, trial
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from tests.fresh_process import needs_proc, printed
from tests.law_pvalues import FALSE_ALARM, WRONG_MATRICES, one_step_family, wrong_step_family

WIDTHS = Widths((6, 9, 3, 8, 2))
SCALES = layer_scales("spectral", WIDTHS)
BEYOND = Widths((10, 10**13, 2))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_matrices_known_by_products_have_the_dense_law(record_property):
    """A third algorithm: ``network.sgd_step`` on ``GaussianMatrix``, 715 trials against 10,000 dense.

    Kolmogorov-Smirnov on every layer and quantity of every network, Holm; false alarm 1e-3.
    """
    table = one_step_family("matrix")
    record_property("p_values", table.to_csv(index=False))
    assert table["holm"].min() > FALSE_ALARM, table[table["holm"] < FALSE_ALARM].to_string()


@pytest.mark.parametrize("name", WRONG_MATRICES)
def test_a_matrix_that_forgets_is_noticed(name, record_property):
    """The same test on 240 trials rejects matrices that drop the known component of new products.

    On each network.
    """
    table = wrong_step_family(name)
    record_property("p_values", table.to_csv(index=False))
    assert (table.groupby("network")["holm"].min() < FALSE_ALARM).all()


def test_one_step_is_one_of_many():
    x, y = torch.randn(6, generator=generator(1)), torch.tensor([0.0, 1.0])
    norm, target = np.array([x.double().norm().item()]), np.array([[0.0, 1.0]])
    alone = one_step(WIDTHS, SCALES, x, y, 0.1, generator(), Workspace())
    assert alone == trial(one_steps(WIDTHS, SCALES, norm, target, 0.1, [generator()]), 0)
    assert alone != one_step(WIDTHS, SCALES, x, y, 0.1, generator(2))


def test_only_the_norm_of_an_image_counts():
    """An image turned around gives the same trial, in the precision of the norm."""
    x, y = torch.randn(6, generator=generator(1), dtype=torch.float64), torch.tensor([0.0, 1.0])
    turned = one_step(WIDTHS, SCALES, x.flip(0), y, 0.1, generator())
    assert turned.alignment == pytest.approx(one_step(WIDTHS, SCALES, x, y, 0.1, generator()).alignment)


def test_an_image_of_zeros_is_refused():
    y = torch.tensor([0.0, 1.0])
    with pytest.raises(ConfigError, match="the image x is zero everywhere"):
        one_step(WIDTHS, SCALES, torch.zeros(6), y, 0.1, generator())
    with pytest.raises(ConfigError, match="the norm of an image is zero"):
        one_steps(WIDTHS, SCALES, np.array([1.0, 0.0]), np.ones((2, 2)), 0.1, [generator()] * 2)
    with pytest.raises(ConfigError, match="the image x is zero everywhere"):
        sgd(WIDTHS, SCALES, torch.zeros(1, 1, 6), torch.ones(1, 1, 2), 0.1, generator())


def test_shapes_are_checked():
    x, y = torch.ones(6), torch.ones(2)
    with pytest.raises(ConfigError, match=r"x has the shape \(7,\)"):
        one_step(WIDTHS, SCALES, torch.ones(7), y, 0.1, generator())
    with pytest.raises(ConfigError, match=r"y has the shape \(3,\)"):
        one_step(WIDTHS, SCALES, x, torch.ones(3), 0.1, generator())
    for norms, targets in [((2,), (1, 2)), ((1,), (2, 2)), ((1,), (1, 3)), ((1, 1), (1, 2))]:
        with pytest.raises(ConfigError, match=r"do not fit 1 trials of 2 outputs"):
            one_steps(WIDTHS, SCALES, np.ones(norms), np.ones(targets), 0.1, [generator()])


@pytest.mark.parametrize(
    ("images", "targets"),
    [((2, 3, 6), (2, 2, 2)), ((2, 3, 6), (3, 2, 2)), ((6,), (2,)), ((2, 6), (2, 2)), ((2, 1, 6), (2, 1)),
     ((2, 0, 6), (2, 0, 2))],
)  # fmt: skip
def test_batches_are_checked(images, targets):
    with pytest.raises(ConfigError, match=r"with the same steps and batch|holds no images"):
        sgd(WIDTHS, SCALES, torch.ones(images), torch.ones(targets), 0.1, generator())


def test_images_of_a_wrong_width_are_named():
    with pytest.raises(ConfigError, match=r"x has the shape \(5,\); these widths need \(6,\)"):
        sgd(WIDTHS, SCALES, torch.ones(2, 1, 5), torch.ones(2, 1, 2), 0.1, generator())


@pytest.mark.parametrize("rate", [1e120, 1e160, float("nan")])
def test_values_that_are_not_finite_are_named_without_a_warning(rate):
    widths = Widths((6, 50, 40, 2))
    x, y = torch.ones(6), torch.tensor([0.0, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NonFiniteError, match=r"of layer \d is .*; lower the learning rate or check"):
            one_step(widths, layer_scales("standard", widths), x, y, rate, generator(3))


def test_an_image_that_is_not_finite_is_named():
    x = torch.ones(6)
    x[2] = float("inf")
    with pytest.raises(NonFiniteError, match="of layer 1 is"):
        one_step(WIDTHS, SCALES, x, torch.ones(2), 0.1, generator())
    with pytest.raises(NonFiniteError, match="step 1: "):
        sgd(WIDTHS, SCALES, x[None, None], torch.ones(1, 1, 2), 0.1, generator())


def test_widths_beyond_memory_are_refused_before_anything_is_drawn():
    """10^13 units need 4 bytes for three numbers each: 111 758.7 GiB."""
    scales = layer_scales("spectral", BEYOND)
    random = generator()
    before = random.get_state()
    with pytest.raises(
        ConfigError, match=r"widths 10-10000000000000-2 need 111,758\.7 GiB and .* are free"
    ):
        one_step(BEYOND, scales, torch.ones(10), torch.ones(2), 0.1, random)
    with pytest.raises(
        ConfigError, match=r"GiB are free; choose smaller widths or fewer trials or steps"
    ):
        sgd(BEYOND, scales, torch.ones(5, 1, 10), torch.ones(5, 1, 2), 0.1, random)
    assert torch.equal(before, random.get_state())


LARGE = Widths((10, 200_000, 1000, 200_000, 2))
SEVERAL = [(1, 1), (5, 1), (2, 3)]
"""Steps and images in each."""


@pytest.fixture(scope="module")
def grown_bytes() -> list[float]:
    """By how much peak resident memory exceeds what was held before: eight trials, then each of SEVERAL.

    All in one fresh process, which gives the memory of each back before the next.
    """
    program = f"""
import torch, numpy as np
from dynparam.engines import law
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
torch.set_num_threads(1)
widths = Widths({LARGE.sizes})
scales = layer_scales("dynamic", widths)
with Grown() as grown:
    generators = [torch.Generator() for _ in range(8)]
    law.one_steps(widths, scales, np.ones(8), np.ones((8, 2)), 0.1, generators)
print(grown.bytes)
for batches in {SEVERAL}:
    with Grown() as grown:
        images, targets = torch.randn(*batches, 10), torch.ones(*batches, 2)
        law.sgd(widths, scales, images, targets, 0.01, torch.Generator(), 0.9)
    print(grown.bytes)
"""
    return [float(line) for line in printed(program).splitlines()]


@needs_proc
def test_memory_of_one_step_is_as_stated(grown_bytes):
    """Within a factor of 2 of ``engines.law_step.memory_bytes``."""
    stated = law_step.memory_bytes(LARGE, 8)
    assert 0.5 * stated < grown_bytes[0] < 1.25 * stated


@needs_proc
@pytest.mark.parametrize("case", range(len(SEVERAL)), ids=map(str, SEVERAL))
def test_memory_of_several_steps_is_as_stated(case, grown_bytes):
    """Within a factor of 2 of ``sgd_memory_bytes``; a single image's working vectors show beside it."""
    steps, batch = SEVERAL[case]
    stated = sgd_memory_bytes(LARGE, steps * batch)
    assert 0.5 * stated < grown_bytes[1 + case] < 1.25 * stated


def test_the_memory_check_asks_for_the_stated_amount(monkeypatch):
    asked = []
    monkeypatch.setattr(law, "require_memory", lambda widths, needed: asked.append(needed))
    one_step(WIDTHS, SCALES, torch.ones(6), torch.ones(2), 0.1, generator())
    sgd(WIDTHS, SCALES, torch.ones(2, 3, 6), torch.ones(2, 3, 2), 0.1, generator())
    assert asked == [law_step.memory_bytes(WIDTHS), sgd_memory_bytes(WIDTHS, 6)]
