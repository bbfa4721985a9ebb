"""Measured eigenvalues, against the Fisher matrix of all weights and against other draws."""

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev

from dynparam.engines import empirical_ntk
from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.softmax_fisher import measure
from dynparam.support.errors import DataError
from dynparam.support.randomness import torch_generator
from dynparam.theory import classification, fisher, kernels
from dynparam.theory.inner_products import inner_products
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from tests import softmax

SETTINGS = softmax.trials()
PAIR = softmax.images()


@pytest.fixture(scope="module")
def table():
    return measure.measure(SETTINGS, PAIR)


def values(table, **chosen):
    for name, value in chosen.items():
        table = table[table[name] == value]
    return table.sort_values("rank")["value"].to_numpy()


def test_every_network_has_every_quantity(table):
    own = SETTINGS.softmax_fisher
    counts = table.groupby(["part", "n", "scales", "trial"]).size()
    assert len(counts) == own.trials * (1 + len(own.images.widths) * len(own.parametrizations))
    ranks = table.groupby(["part", "quantity"])["rank"].max()
    assert ranks["images", "softmax"] == ranks["images", "squared_wide"] == own.ranks
    assert ranks["images", "simple"] == own.images.outputs - 1
    assert ranks["gaussian", "simple"] == own.gaussian.outputs - 1
    assert ranks["gaussian", "input"] == ranks["images", "trace"] == 1
    assert np.isfinite(table["value"]).all()


def test_eigenvalues_are_those_of_the_fisher_matrix(table):
    """Of drawn labels, the network's own, of all its weights: an expectation of outer products."""
    drawn, weights = measure.draw_gaussian(SETTINGS, 1)
    model, x = MLP(weights, drawn.scales.multiplier), torch.from_numpy(drawn.inputs)
    parameters = {name: one.detach() for name, one in model.named_parameters()}

    def log_p(p):
        return functional_call(model, p, (x,)).log_softmax(1)

    jacobian = torch.cat([one.flatten(2) for one in jacrev(log_p)(parameters).values()], dim=2)
    rows = (log_p(parameters).exp().sqrt()[:, :, None] * jacobian).flatten(0, 1)
    expected = torch.linalg.svdvals(rows).square() / len(x)
    ranks = SETTINGS.softmax_fisher.ranks
    found = values(table, part="gaussian", trial=1, quantity="softmax")
    assert np.allclose(found, expected[:ranks].numpy(), rtol=1e-10)
    assert values(table, part="gaussian", trial=1, quantity="trace") == pytest.approx(
        expected.sum().item()
    )


def test_the_input_metric_is_that_of_autograd():
    drawn, weights = measure.draw_gaussian(SETTINGS, 0)
    model, x = MLP(weights, drawn.scales.multiplier), torch.from_numpy(drawn.inputs)
    gradients = torch.stack([torch.autograd.functional.jacobian(model, one[None])[0, 0, 0] for one in x])
    found = measure.input_metric(weights, drawn.scales, drawn.inputs)
    assert np.allclose(found, (gradients @ gradients.T).numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["ntk", "mup", "spectral", "dynamic", "standard"])
def test_one_draw_serves_every_parametrization(name):
    """Kernel and outputs are those of a network drawn with its own scales from the same numbers."""
    drawn = dict(measure.draw_on_images(SETTINGS, PAIR, 16, 2))[name]
    widths = Widths((3072, 16, 4, 16, 4, 16, 4))
    scales = layer_scales(name, widths)
    generator = torch_generator(SETTINGS.softmax_fisher.seed, "softmax", "images", 16, 2)
    weights = draw_weights(widths, scales, generator, torch.float64)
    x = torch.from_numpy(drawn.inputs)
    f = MLP(weights, scales.multiplier)(x).detach().numpy()
    kernel = empirical_ntk.ntk(weights, scales.multiplier, x).numpy()
    assert drawn.widths == widths
    assert np.allclose(drawn.outputs, f, rtol=1e-12, atol=1e-12 * np.abs(f).max())
    assert np.allclose(drawn.kernel, kernel, rtol=1e-12, atol=1e-12 * np.abs(kernel).max())


def test_a_trial_has_the_same_images_at_every_width_and_others_have_others():
    drawn = {
        (n, trial): next(measure.draw_on_images(SETTINGS, PAIR, n, trial))[1].inputs
        for n in (8, 16)
        for trial in (0, 1)
    }
    assert np.array_equal(drawn[8, 0], drawn[16, 0])
    assert not np.array_equal(drawn[8, 0], drawn[8, 1])


def test_a_trial_does_not_depend_on_how_many_there_are(table):
    fewer = measure.measure(softmax.trials(trials=2), PAIR)
    same = table[table["trial"] < 2].reset_index(drop=True)
    assert len(fewer) == len(same)
    assert np.array_equal(fewer["value"], same["value"])


def test_dynamic_has_the_kernel_of_ntk_and_smaller_outputs(table):
    """Identity S4 draw by draw: without softmax nothing tells them apart."""
    squared = [
        values(table, n=16, scales=name, trial=0, quantity="squared") for name in ("ntk", "dynamic")
    ]
    assert np.allclose(*squared, rtol=1e-12)
    sizes = [
        values(table, n=16, scales=name, trial=0, quantity="output_rms") for name in ("ntk", "dynamic")
    ]
    assert sizes[1] == pytest.approx(sizes[0] / 2)  # n_min^(-1/2)


def test_the_wide_spectrum_without_softmax_is_c_fold(table):
    wide = values(table, part="images", n=16, scales="mup", trial=0, quantity="squared_wide")
    assert np.allclose(wide[:4], wide[0], rtol=1e-12)
    assert wide[4] < wide[0]


def test_more_images_than_there_are_is_told():
    with pytest.raises(DataError, match="3 images per class are asked for and 2 are available"):
        measure.measure(SETTINGS, softmax.images(4))


def test_sharpness_is_the_first_of_the_spectrum(table):
    drawn, _ = measure.draw_gaussian(SETTINGS, 0)
    found = values(table, part="gaussian", trial=0, quantity="squared")
    assert found[0] == pytest.approx(fisher.sharpness(drawn.kernel))


def test_networks_on_gaussian_inputs_are_he_s_from_numbers_of_their_own():
    for trial in (0, 2):
        drawn, weights = measure.draw_gaussian(SETTINGS, trial)
        assert drawn.widths.sizes == (20, 15, 12, 3)
        assert drawn.scales.multiplier == (1, 1, 1)
        assert drawn.scales.init_std == pytest.approx([(2 / n) ** 0.5 for n in (20, 15, 12)])
        random = torch_generator(SETTINGS.softmax_fisher.seed, "softmax", "gaussian", trial)
        again = draw_weights(drawn.widths, drawn.scales, random, torch.float64)
        assert all(torch.equal(a, b) for a, b in zip(weights, again, strict=True))
        x = torch.randn(6, 20, dtype=torch.float64, generator=random)
        assert np.array_equal(drawn.inputs, x.numpy())


def drawn_networks():
    """part, n, scales, trial -> what is drawn, of all networks."""
    own = SETTINGS.softmax_fisher
    for trial in range(own.trials):
        yield ("gaussian", 0, measure.HE, trial), measure.draw_gaussian(SETTINGS, trial)[0]
        for n in own.images.widths:
            for name, one in measure.draw_on_images(SETTINGS, PAIR, n, trial):
                yield ("images", n, name, trial), one


def test_theory_is_that_of_the_inputs_drawn(table):
    """By sums over inputs and classes: means of the wide kernel, of Q_t, and the size of outputs."""
    for (part, n, scales, trial), drawn in drawn_networks():
        wide = kernels.ntk(inner_products(drawn.inputs), drawn.widths, drawn.scales)
        f = drawn.outputs
        p = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
        metric = [np.diag(one) - np.outer(one, one) for one in p]
        count, outputs = f.shape
        own = np.diag(wide).mean()
        other = wide[~np.eye(count, dtype=bool)].mean()
        s2, sizes = np.square(drawn.scales.signal), drawn.widths.sizes
        square = s2[0] * np.square(drawn.inputs).sum(axis=1).mean()
        square *= np.prod([s * n_below / 2 for s, n_below in zip(s2[1:], sizes[1:], strict=False)])
        expected = {
            "simple": other * np.linalg.eigvalsh(np.mean(metric, axis=0))[::-1][: outputs - 1],
            "remainder": [own / (count * other)],
            "trace_refined": [
                sum(np.trace(q) * k for q, k in zip(metric, np.diag(wide), strict=True)) / count
            ],
            "trace": [sum(np.sum(q * drawn.kernel[:, t, :, t]) for t, q in enumerate(metric)) / count],
            "squared_wide": np.repeat(np.linalg.eigvalsh(wide)[::-1] / count, outputs)[:5],
            "output_rms": [square**0.5],
        }
        for quantity, numbers in expected.items():
            found = values(table, part=part, n=n, scales=scales, trial=trial, quantity=quantity)
            assert found == pytest.approx(np.array(numbers)), (part, n, scales, quantity)


def test_input_metrics_are_largest_eigenvalues_over_inputs(table):
    for trial in range(SETTINGS.softmax_fisher.trials):
        drawn, weights = measure.draw_gaussian(SETTINGS, trial)
        metric = measure.input_metric(weights, drawn.scales, drawn.inputs)
        inner = inner_products(drawn.inputs)
        backward = kernels.gram_matrices(inner, drawn.widths, drawn.scales).backward
        wide = classification.input_kernel(backward, drawn.widths, drawn.scales)
        for quantity, matrix in (("input", metric), ("input_wide", wide)):
            (found,) = values(table, part="gaussian", trial=trial, quantity=quantity)
            assert found == pytest.approx(np.linalg.eigvalsh(matrix)[-1] / 6), quantity
