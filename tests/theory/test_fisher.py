"""The Fisher information through kernels, against autograd's Jacobian of normalized outputs."""

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev

from dynparam.engines import empirical_ntk
from dynparam.engines.network import MLP, draw_weights
from dynparam.support.errors import ConfigError, DataError, NonFiniteError
from dynparam.theory import fisher
from dynparam.theory.fisher import normalized_kernel, of_outputs, sharpness
from dynparam.theory.gaussian_data import KernelConstants
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths

WIDTHS = Widths((7, 25, 10, 25, 4))
SCALES = layer_scales("standard", WIDTHS)


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


WEIGHTS = draw_weights(WIDTHS, SCALES, torch.Generator().manual_seed(4), torch.float64)
IMAGES = normal(6, 7, seed=1)
KERNEL = empirical_ntk.ntk(WEIGHTS, SCALES.multiplier, IMAGES).numpy()
VALUES = MLP(WEIGHTS, SCALES.multiplier)(IMAGES).detach().numpy()

TORCH = {
    "none": lambda f: f,
    "mean": lambda f: f - f.mean(0),
    "batch": lambda f: (f - f.mean(0)) / f.var(0, correction=0).sqrt(),
    "layer": lambda f: torch.nn.functional.layer_norm(f, f.shape[1:], eps=0.0),
}


def by_autograd(normalize):
    """J J^T of the normalized outputs over all weights: (C, T, C, T)."""
    model = MLP(WEIGHTS, SCALES.multiplier)
    found = jacrev(lambda p: normalize(functional_call(model, p, (IMAGES,))))(
        dict(model.named_parameters())
    )
    jacobian = torch.cat([one.flatten(2) for one in found.values()], dim=2)
    return torch.einsum("scw,tdw->csdt", jacobian, jacobian).detach().numpy()


@pytest.mark.parametrize("normalization", TORCH)
def test_kernels_of_normalized_outputs_are_autograds(normalization):
    expected = by_autograd(TORCH[normalization])
    found = normalized_kernel(KERNEL, VALUES, normalization)
    assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("normalization", TORCH)
def test_sharpness_is_the_largest_eigenvalue_of_the_fisher_information(normalization):
    """The matrix itself, of one row for each weight, where its dual has one for each value."""
    model = MLP(WEIGHTS, SCALES.multiplier)
    found = jacrev(lambda p: TORCH[normalization](functional_call(model, p, (IMAGES,))))(
        dict(model.named_parameters())
    )
    jacobian = torch.cat([one.flatten(2) for one in found.values()], dim=2).flatten(0, 1).detach()
    expected = torch.linalg.eigvalsh(jacobian.T @ jacobian / 6)[-1].item()
    assert sharpness(normalized_kernel(KERNEL, VALUES, normalization)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("normalization", "silent"), [("mean", "inputs"), ("batch", "inputs"), ("layer", "outputs")]
)
def test_what_normalizing_takes_out_is_gone(normalization, silent):
    """Adding a constant changes nothing, nor does scaling for two of them: no such direction is left."""
    found = normalized_kernel(KERNEL, VALUES, normalization)
    scale = 1e-13 * np.abs(found).max() * 10
    assert np.abs(found.sum(axis=1 if silent == "inputs" else 0)).max() < scale
    if normalization == "batch":
        assert np.abs(np.einsum("sc,csdt->cdt", VALUES, found)).max() < 100 * scale
    if normalization == "layer":
        assert np.abs(np.einsum("sc,csdt->sdt", VALUES, found)).max() < 100 * scale


def test_the_wide_kernel_of_several_outputs():
    constants = KernelConstants(same=5.0, different=2.0)
    kernel = np.full((8, 8), 2.0) + 3.0 * np.eye(8)
    for outputs in (1, 3):
        found = of_outputs(kernel, outputs)
        assert sharpness(found) == pytest.approx(constants.largest_eigenvalue(8))
        centred = normalized_kernel(found, np.zeros((8, outputs)), "mean")
        assert sharpness(centred) == pytest.approx(constants.other_eigenvalue(8))


def test_many_equal_eigenvalues_are_no_trouble():
    """Ten outputs of fifty inputs: 490 equal eigenvalues below ten equal ones."""
    kernel = np.full((50, 50), 0.8) + 1.7 * np.eye(50)
    assert sharpness(of_outputs(kernel, 10)) == pytest.approx((50 * 0.8 + 1.7) / 50)
    assert sharpness(of_outputs(np.eye(40), 10)) == pytest.approx(1 / 40)


@pytest.mark.parametrize("rows", [150, 201, 400])
def test_large_kernels_are_done_by_iteration_to_the_same_digits(rows):
    inputs = np.random.default_rng(1).normal(size=(rows, 500)) + 0.1
    kernel = (inputs @ inputs.T)[None, :, None, :]
    assert sharpness(kernel) == pytest.approx(np.linalg.norm(inputs, 2) ** 2 / rows, rel=1e-12)


def test_gradient_descent_is_stable_up_to_two_over_it():
    """A linear model of the same kernel: residuals shrink below, and grow above."""
    top = sharpness(KERNEL)
    matrix = KERNEL.reshape(24, 24) / 6
    for factor, stable in ((1.98, True), (2.02, False)):
        residual = np.random.default_rng(0).normal(size=24)
        first = np.linalg.norm(residual)
        for _ in range(1000):
            residual = residual - factor / top * matrix @ residual
        assert (np.linalg.norm(residual) < first) == stable


@pytest.mark.parametrize(
    ("kernel", "values", "normalization", "error", "words"),
    [
        (
            KERNEL,
            VALUES,
            "group",
            ConfigError,
            "unknown normalization 'group'; choose one of none, mean",
        ),
        (KERNEL, VALUES.T, "mean", ConfigError, "do not fit a kernel of 4 outputs, 6 inputs"),
        (KERNEL[:, :, :, :3], VALUES, "mean", ConfigError, "is not one of all outputs"),
        (KERNEL[0, :, 0], VALUES, "mean", ConfigError, "is not one of all outputs"),
        (KERNEL[:, :2, :, :2], VALUES[:2], "batch", ConfigError, "over 2 inputs leaves no kernel"),
        (KERNEL[:, :1, :, :1], VALUES[:1], "mean", ConfigError, "over 1 inputs leaves no kernel"),
        (KERNEL[:2, :, :2], VALUES[:, :2], "layer", ConfigError, "over 2 outputs leaves no kernel"),
        (KERNEL[:1, :, :1], VALUES[:, :1], "layer", ConfigError, "over 1 outputs leaves no kernel"),
        (KERNEL, 0 * VALUES, "batch", DataError, "an output has values without a spread"),
        (KERNEL, 0 * VALUES + 3.0, "layer", DataError, "an input has values without a spread"),
        # One that does not vary among others that do.
        (KERNEL, VALUES * [1, 1, 0, 1], "batch", DataError, "an output has values without a spread"),
        (KERNEL, VALUES * np.eye(6)[2:3].T, "layer", DataError, "an input has values without a spread"),
        (KERNEL, np.nan * VALUES, "layer", DataError, "not finite"),
    ],
)
def test_bad_input_is_told_in_one_sentence(kernel, values, normalization, error, words):
    with pytest.raises(error, match=words) as told:
        normalized_kernel(kernel, values, normalization)
    assert "\n" not in str(told.value)


def test_a_kernel_that_is_not_finite_has_no_sharpness():
    with pytest.raises(NonFiniteError, match="the kernel is not finite"):
        sharpness(np.nan * KERNEL)
    with pytest.raises(ConfigError, match="is not one of all outputs"):
        sharpness(np.eye(3))


def test_outputs_are_at_least_one():
    with pytest.raises(ConfigError, match="a network of 0 outputs has no kernel"):
        of_outputs(np.eye(3), 0)


@pytest.mark.parametrize("direct", [1, 10**6])
@pytest.mark.parametrize("normalization", TORCH)
def test_sharpness_of_normalized_outputs_needs_no_matrix_of_them(monkeypatch, normalization, direct):
    """By iteration as from the matrix, whatever the size at which one takes over."""
    monkeypatch.setattr(fisher, "DIRECT", direct)
    found = fisher.normalized_sharpness(KERNEL, VALUES, normalization)
    matrix = normalized_kernel(KERNEL, VALUES, normalization).reshape(24, 24)
    assert found == pytest.approx(np.linalg.eigvalsh(matrix)[-1] / 6, rel=1e-10)


@pytest.mark.parametrize("direct", [1, 10**6])
@pytest.mark.parametrize(
    ("kernel", "values", "normalization", "kind"),
    [
        (KERNEL, VALUES, "group", ConfigError),
        (KERNEL, VALUES.T, "batch", ConfigError),
        (KERNEL[:2, :, :2], VALUES[:, :2], "layer", ConfigError),
        (KERNEL, np.ones_like(VALUES), "batch", DataError),
        (KERNEL * np.nan, VALUES, "mean", NonFiniteError),
    ],
)
def test_what_cannot_be_normalized_is_told_either_way(
    monkeypatch, direct, kernel, values, normalization, kind
):
    monkeypatch.setattr(fisher, "DIRECT", direct)
    with pytest.raises(kind):
        fisher.normalized_sharpness(kernel, values, normalization)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("unit", [1e-14, 1e9])
def test_values_in_other_units_are_normalized_as_well(normalization, unit):
    """J is in units of one over theirs; what counts as no spread is a share of the values."""
    expected = normalized_kernel(KERNEL, VALUES, normalization)
    found = normalized_kernel(KERNEL * unit**2, VALUES * unit, normalization)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize(("size", "owner"), [(1e6, "an output"), (1e-6, "an output")])
def test_a_spread_of_rounding_is_none_at_any_size(size, owner):
    flat = VALUES.copy()
    flat[:, 2] = size * (1 + 1e-14 * np.arange(6))
    with pytest.raises(DataError, match=f"{owner} has values without a spread"):
        normalized_kernel(KERNEL, flat, "batch")
    flat[:, 2] = size * (1 + 1e-9 * np.arange(6))
    assert np.isfinite(normalized_kernel(KERNEL, flat, "batch")).all()


def test_all_eigenvalues_fall_and_are_those_of_the_information_matrix():
    model = MLP(WEIGHTS, SCALES.multiplier)
    found = jacrev(lambda p: functional_call(model, p, (IMAGES,)))(dict(model.named_parameters()))
    jacobian = torch.cat([one.flatten(2) for one in found.values()], dim=2).flatten(0, 1).detach()
    expected = torch.linalg.svdvals(jacobian).numpy() ** 2 / 6
    values = fisher.spectrum(KERNEL)
    assert values.shape == (24,)
    np.testing.assert_allclose(values, expected, rtol=1e-8, atol=1e-12 * expected[0])
    assert values[0] == pytest.approx(sharpness(KERNEL))
    assert values.sum() == pytest.approx(np.trace(KERNEL.reshape(24, 24)) / 6)
    with pytest.raises(NonFiniteError, match="the kernel is not finite"):
        fisher.spectrum(np.inf * KERNEL)


def test_a_kernel_that_is_not_symmetric_is_taken_as_its_mean_with_its_mirror():
    off = 0.1 * np.random.default_rng(0).normal(size=(24, 24))
    matrix = KERNEL.reshape(24, 24)
    expected = np.linalg.eigvalsh(matrix + (off + off.T) / 2)[::-1] / 6
    kernel = (matrix + off).reshape(KERNEL.shape)
    np.testing.assert_allclose(fisher.spectrum(kernel), expected, atol=1e-12)
    assert sharpness(kernel) == pytest.approx(expected[0])


def test_an_iteration_that_does_not_end_is_replaced_by_all_eigenvalues(monkeypatch):
    def endless(*given, **named):
        raise fisher.ArpackNoConvergence("none", np.empty(0), np.empty((0, 0)))

    monkeypatch.setattr(fisher, "DIRECT", 1)
    expected = [fisher.normalized_sharpness(KERNEL, VALUES, one) for one in TORCH]
    monkeypatch.setattr(fisher, "eigsh", endless)
    found = [fisher.normalized_sharpness(KERNEL, VALUES, one) for one in TORCH]
    assert found == pytest.approx(expected, rel=1e-10)
