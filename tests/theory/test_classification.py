"""Softmax and cross-entropy through kernels, against the Fisher matrix itself and expectations."""

import numpy as np
import pytest
import scipy.special
import torch
from torch.func import functional_call, jacrev

from dynparam.engines import empirical_ntk
from dynparam.engines.network import MLP, draw_weights
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory import classification, fisher, kernels
from dynparam.theory.activations import by_quadrature
from dynparam.theory.inner_products import inner_products
from dynparam.theory.parametrization import LayerScales, layer_scales
from dynparam.theory.widths import Widths

WIDTHS = Widths((5, 14, 6, 14, 3))
SCALES = layer_scales("ntk", WIDTHS)
T, C = 7, 3


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def probabilities(seed=0, size=1.0):
    return classification.softmax(size * normal(T, C, seed=seed).numpy())


IMAGES = normal(T, 5, seed=1)
WEIGHTS = draw_weights(WIDTHS, SCALES, torch.Generator().manual_seed(4), torch.float64)
KERNEL = empirical_ntk.ntk(WEIGHTS, SCALES.multiplier, IMAGES).numpy()


def drawn_labels_fisher():
    """The expectation of grad log p(y) grad log p(y)^T over labels y ~ p: (weights, weights)."""
    model = MLP(WEIGHTS, SCALES.multiplier)
    parameters = {name: one.detach() for name, one in model.named_parameters()}

    def log_p(p):
        return functional_call(model, p, (IMAGES,)).log_softmax(1)

    jacobian = torch.cat([one.flatten(2) for one in jacrev(log_p)(parameters).values()], dim=2)
    return torch.einsum("tc,tcv,tcw->vw", log_p(parameters).exp(), jacobian, jacobian) / T


def test_the_spectrum_is_that_of_the_fisher_matrix_of_drawn_labels():
    expected = torch.linalg.eigvalsh(drawn_labels_fisher()).flip(0).numpy()
    p = classification.softmax(MLP(WEIGHTS, SCALES.multiplier)(IMAGES).detach().numpy())
    found = fisher.spectrum(classification.cross_entropy_kernel(KERNEL, p))
    assert np.allclose(found, expected[: T * C], atol=1e-12 * expected[0])
    assert np.all(np.diff(found) <= 0)
    assert (found > 1e-12 * found[0]).sum() == T * (C - 1)


def test_without_softmax_the_spectrum_is_that_of_the_kernel():
    """Of the matrix J^T J / T of all weights."""
    model = MLP(WEIGHTS, SCALES.multiplier)
    parameters = {name: one.detach() for name, one in model.named_parameters()}
    found = jacrev(lambda p: functional_call(model, p, (IMAGES,)))(parameters)
    jacobian = torch.cat([one.flatten(2) for one in found.values()], dim=2).flatten(0, 1)
    expected = torch.linalg.eigvalsh(jacobian.T @ jacobian / T).flip(0)[: T * C].numpy()
    assert np.allclose(fisher.spectrum(KERNEL), expected, atol=1e-12 * expected[0])
    assert fisher.spectrum(KERNEL)[0] == pytest.approx(fisher.sharpness(KERNEL))


def test_softmax_is_scipys_and_survives_large_outputs():
    f = normal(T, C).numpy()
    assert np.allclose(classification.softmax(f), scipy.special.softmax(f, axis=1), rtol=1e-14)
    huge = classification.softmax(1e4 * f + 1e6)
    assert np.isfinite(huge).all()
    assert np.allclose(huge.sum(axis=1), 1.0)


@pytest.mark.parametrize("shape", [(T, 1), (T,), (T, C, C)])
def test_one_output_has_no_softmax(shape):
    with pytest.raises(ConfigError, match="two classes or more"):
        classification.softmax(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_not_finite_are_told(value):
    with pytest.raises(NonFiniteError, match="not finite"):
        classification.softmax(np.array([[0.0, value]]))


def test_roots_are_the_symmetric_ones():
    """A symmetric matrix without negative eigenvalues has one root of its own kind."""
    p = probabilities()
    for root, metric in zip(
        classification.metric_roots(p), classification.output_metric(p), strict=True
    ):
        assert np.allclose(root @ root, metric, atol=1e-15)
        assert np.allclose(root, root.T, atol=1e-15)
        assert np.linalg.eigvalsh(root).min() > -1e-8
        assert np.allclose(root @ np.ones(C), 0.0, atol=1e-7)


def test_inputs_that_are_certain_leave_fewer_eigenvalues():
    p = probabilities()
    p[:3] = np.eye(C)[0]
    found = fisher.spectrum(classification.cross_entropy_kernel(KERNEL, p))
    assert (found > 1e-12 * found[0]).sum() == (T - 3) * (C - 1)
    assert not classification.metric_roots(np.eye(C)).any()


def test_the_simple_form_is_exact_where_all_inputs_are_alike_to_the_kernel():
    p, kernel = probabilities(size=2.0), np.full((T, T), 3.0)
    found = fisher.spectrum(classification.cross_entropy_kernel(fisher.of_outputs(kernel, C), p))
    assert np.allclose(found[: C - 1], classification.outliers(kernel, p), rtol=1e-12)
    assert np.allclose(found[C - 1 :], 0.0, atol=1e-12)
    metric = (np.einsum("tc,cd->cd", p, np.eye(C)) - p.T @ p) / T
    assert np.allclose(classification.outliers(kernel, p), 3 * np.linalg.eigvalsh(metric)[:0:-1])


def test_the_simple_form_has_the_mean_over_different_inputs():
    """Of a kernel whose diagonal is none of its other entries."""
    p, kernel = probabilities(size=2.0), normal(T, T, seed=5).numpy()
    kernel = kernel @ kernel.T + 2
    pairs = [kernel[s, t] for s in range(T) for t in range(T) if s != t]
    metric = np.mean([np.diag(one) - np.outer(one, one) for one in p], axis=0)
    values = np.sort(np.linalg.eigvalsh(metric))[::-1]
    assert classification.off_diagonal_mean(kernel) == pytest.approx(np.mean(pairs))
    assert np.mean(pairs) != pytest.approx(kernel.mean(), rel=0.1)
    assert classification.outliers(kernel, p) == pytest.approx(np.mean(pairs) * values[: C - 1])


def test_the_metric_of_outputs_is_that_of_each_input():
    p = probabilities()
    expected = [np.diag(one) - np.outer(one, one) for one in p]
    assert np.allclose(classification.output_metric(p), expected, rtol=1e-14)


def test_the_sum_of_eigenvalues_is_that_of_traces():
    p, kernel = probabilities(), normal(T, T).numpy()
    kernel = kernel @ kernel.T
    found = fisher.spectrum(classification.cross_entropy_kernel(fisher.of_outputs(kernel, C), p))
    expected = ((1 - np.square(p).sum(axis=1)) * np.diag(kernel)).sum() / T
    assert found.sum() == pytest.approx(expected)


def test_without_k2_the_simple_form_fails_and_the_refined_one_holds():
    """tanh without biases is odd, and orthogonal inputs have K2 = 0."""
    widths = Widths((10, 400, 400, C))
    scales = LayerScales((1.0,) * 3, tuple(n**-0.5 for n in widths.sizes[:-1]))
    images = torch.linalg.qr(normal(10, T))[0].T.contiguous() * 10**0.5
    weights = draw_weights(widths, scales, torch.Generator().manual_seed(1), torch.float64)
    h = images
    for weight in weights[:-1]:
        h = torch.tanh(h @ weight.T)
    p = classification.softmax((h @ weights[-1].T).numpy())
    measured = empirical_ntk.ntk(weights, scales.multiplier, images, activation=torch.tanh).numpy()
    tanh = by_quadrature("tanh", np.tanh, lambda u: 1 / np.cosh(u) ** 2)
    wide = kernels.ntk(inner_products(images.numpy()), widths, scales, tanh)
    found = fisher.spectrum(classification.cross_entropy_kernel(measured, p))
    refined = fisher.spectrum(classification.cross_entropy_kernel(fisher.of_outputs(wide, C), p))
    assert np.allclose(found[: C - 1], refined[: C - 1], rtol=0.25)
    assert (classification.outliers(wide, p) < 0.1 * refined[: C - 1]).all()


def test_the_input_kernel_is_the_mean_of_gradients_for_inputs():
    widths = Widths((40, 300, 200, 1))
    scales, images = layer_scales("standard", widths), normal(4, 40) + 0.3
    grams = kernels.gram_matrices(inner_products(images.numpy()), widths, scales)
    draws = []
    for seed in range(40):
        weights = draw_weights(widths, scales, torch.Generator().manual_seed(seed), torch.float64)
        x = images.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(MLP(weights, scales.multiplier)(x).sum(), x)
        draws.append((gradient @ gradient.T).numpy())
    expected = classification.input_kernel(grams.backward, widths, scales)
    error = np.std(draws, axis=0) / 40**0.5
    assert (np.abs(np.mean(draws, axis=0) - expected) < 4 * error + 0.02 * expected.max()).all()


def test_what_does_not_fit_together_is_told():
    with pytest.raises(ConfigError, match=r"probabilities of shape \(2, 3\)"):
        classification.cross_entropy_kernel(KERNEL, probabilities()[:2])
    with pytest.raises(ConfigError, match=r"not one of all outputs"):
        classification.cross_entropy_kernel(KERNEL[0], probabilities())
    with pytest.raises(ConfigError, match="two or more"):
        classification.outliers(np.ones((1, 1)), probabilities()[:1])
    with pytest.raises(ConfigError, match="the same inputs"):
        classification.outliers(np.ones((3, 3)), probabilities())
    with pytest.raises(NonFiniteError, match="kernel is not finite"):
        fisher.spectrum(np.full((2, 2, 2, 2), np.nan))
