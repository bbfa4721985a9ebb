"""Linear variational autoencoders, against autograd, Monte Carlo, another formula and iteration."""

import numpy as np
import pytest
import torch
from scipy import stats

from dynparam.support.errors import ConfigError, DataError, NonFiniteError
from dynparam.theory.concept_retrieval import (
    LinearVae,
    approach,
    away,
    concept_distances,
    concept_means,
    gradients,
    loss,
    optimal_vae,
    principal_modes,
    retained,
)

GENERATOR = np.random.default_rng(0)
ROOT = GENERATOR.standard_normal((5, 5)) * np.array([3.0, 2.0, 1.0, 0.5, 0.2])
COVARIANCE = ROOT @ ROOT.T / 5


def vae(dimensions=5, latent=3, seed=1):
    generator = np.random.default_rng(seed)
    shapes = ((dimensions, latent), (latent, dimensions), (latent,))
    return LinearVae(*(0.5 * generator.standard_normal(shape) for shape in shapes))


def written_out(decoder, encoder, log_variance, covariance, variance):
    """The loss in torch, by the expectation over x and z written out with their second moments."""
    k = len(encoder)
    code = encoder @ covariance @ encoder.T + torch.diag(log_variance.exp())
    cross = covariance @ encoder.T
    error = covariance.trace() - 2 * (decoder * cross).sum() + (decoder @ code * decoder).sum()
    return error / (2 * variance) + (code.trace() - k - log_variance.sum()) / 2


@pytest.mark.parametrize(("latent", "variance"), [(1, 0.5), (3, 0.5), (3, 2.0), (5, 0.1)])
def test_loss_and_gradients_are_those_of_autograd(latent, variance):
    found = vae(latent=latent)
    own = [torch.tensor(one, requires_grad=True) for one in found]
    expected = written_out(*own, torch.tensor(COVARIANCE), variance)
    expected.backward()
    assert loss(found, COVARIANCE, variance) == pytest.approx(expected.item(), rel=1e-12)
    for mine, tensor in zip(gradients(found, COVARIANCE, variance), own, strict=True):
        assert mine.shape == tuple(tensor.shape)
        assert np.allclose(mine, tensor.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_the_loss_is_the_negative_bound_by_monte_carlo():
    """40 000 draws of x and z; within four standard errors, which fails once in 16 000 seeds."""
    generator, found, variance = np.random.default_rng(2), vae(), 0.7
    x = generator.multivariate_normal(np.zeros(5), COVARIANCE, size=40_000)
    mean, spread = x @ found.encoder.T, np.exp(found.log_variance / 2)
    z = mean + spread * generator.standard_normal(mean.shape)
    likelihood = np.square(x - z @ found.decoder.T).sum(axis=1) / (2 * variance)
    prior, own = stats.norm(), stats.norm(mean, spread)
    values = likelihood + (own.logpdf(z) - prior.logpdf(z)).sum(axis=1)
    assert abs(values.mean() - loss(found, COVARIANCE, variance)) < 4 * stats.sem(values)


@pytest.mark.parametrize("latent", [1, 2, 4, 5])
@pytest.mark.parametrize("variance", [0.05, 0.5, 4.0])
def test_the_optimum_is_probabilistic_principal_component_analysis(latent, variance):
    """Gradients vanish there, and the bound is the likelihood itself, whose best value is known."""
    found = optimal_vae(COVARIANCE, variance, latent)
    assert all(np.allclose(one, 0, atol=1e-12) for one in gradients(found, COVARIANCE, variance))
    model = found.decoder @ found.decoder.T + variance * np.eye(5)
    exact = (np.linalg.slogdet(model)[1] + np.trace(np.linalg.solve(model, COVARIANCE))) / 2
    assert loss(found, COVARIANCE, variance) + 2.5 * np.log(variance) == pytest.approx(exact, rel=1e-12)
    near = np.random.default_rng(3)
    for _ in range(20):
        moved = LinearVae(*(one + 0.05 * near.standard_normal(one.shape) for one in found))
        assert loss(moved, COVARIANCE, variance) > loss(found, COVARIANCE, variance)


@pytest.mark.parametrize(("latent", "variance"), [(1, 0.5), (2, 0.1), (4, 0.1), (5, 0.01)])
def test_one_inference_multiplies_modes_by_what_they_retain(latent, variance):
    modes = principal_modes(COVARIANCE)
    kept = retained(modes.eigenvalues, variance, latent)
    expected = (modes.axes * kept) @ modes.axes.T
    assert np.allclose(optimal_vae(COVARIANCE, variance, latent).map, expected, atol=1e-12)


def test_modes_retain_one_less_the_ratio_of_variances():
    eigenvalues = [8.0, 2.0, 1.0, 0.5, 0.1, 0.0]
    assert retained(eigenvalues, 0.5, 6).tolist() == [0.9375, 0.75, 0.5, 0.0, 0.0, 0.0]
    assert retained(eigenvalues, 0.5, 2).tolist() == [0.9375, 0.75, 0.0, 0.0, 0.0, 0.0]
    assert retained(eigenvalues, 9.0, 6).tolist() == [0.0] * 6


def test_a_collapsed_posterior_is_the_prior():
    found = optimal_vae(0.3 * np.diag([3.0, 2.0, 1.0]), 1.0, 2)
    assert not found.map.any()
    assert found.log_variance.tolist() == [0.0, 0.0]


def test_modes_are_those_of_the_covariance_from_the_largest():
    modes = principal_modes(COVARIANCE)
    assert (np.diff(modes.eigenvalues) < 0).all()
    assert np.allclose((modes.axes * modes.eigenvalues) @ modes.axes.T, COVARIANCE)
    thin = principal_modes(np.ones((3, 3)))
    assert thin.eigenvalues == pytest.approx([3.0, 0.0, 0.0])
    assert (thin.eigenvalues >= 0).all()


def test_ties_matter_at_the_cut_alone():
    tied = np.diag([4.0, 2.0, 2.0, 0.3, 0.3])
    for latent in (1, 3, 4, 5):
        kept = retained([4.0, 2.0, 2.0, 0.3, 0.3], 0.5, latent)
        assert np.allclose(optimal_vae(tied, 0.5, latent).map, np.diag(kept))
    with pytest.raises(ConfigError, match=r"eigenvalues 2 and 3 of the data are equal.* take another"):
        optimal_vae(tied, 0.5, 2)


def test_concepts_are_means_of_clusters():
    labels = np.array([1, 0, 1, 2, 1])
    data = np.arange(10.0).reshape(5, 2)
    found = concept_means(data, labels, 3)
    assert found.tolist() == [[2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 0, 2], "cluster 1 of 3 has no pattern, hence no concept; draw"),
        ([1, 1, 2], "cluster 0 of 3 has no pattern"),
        ([0, 1, 1], "cluster 2 of 3 has no pattern"),
        ([0, 1, 3], "a pattern is of cluster 3, but there are 3"),
    ],
)
def test_an_empty_or_unknown_cluster_is_told(labels, message):
    with pytest.raises(DataError, match=message):
        concept_means(np.zeros((3, 2)), np.array(labels), 3)


def test_distances_are_from_own_and_from_all_other_concepts():
    generator = np.random.default_rng(4)
    patterns, concepts = generator.standard_normal((6, 3)), generator.standard_normal((4, 3))
    labels = np.array([0, 3, 1, 1, 2, 0])
    own = [np.sum((x - concepts[c]) ** 2) for x, c in zip(patterns, labels, strict=True)]
    others = [
        np.sum((x - concepts[other]) ** 2)
        for x, c in zip(patterns, labels, strict=True)
        for other in range(4)
        if other != c
    ]
    found = away(patterns, concepts, labels)
    assert found.own == pytest.approx(np.sqrt(np.mean(own)))
    assert found.wrong == pytest.approx(np.sqrt(np.mean(others)))
    with pytest.raises(DataError, match="there is no wrong one; take more clusters"):
        away(patterns, concepts[:1], np.zeros(6, dtype=int))


def test_distances_are_those_of_repeated_inference():
    """Iterated in the data's own coordinates, with the optimal map."""
    generator, modes = np.random.default_rng(5), principal_modes(COVARIANCE)
    patterns, concepts = generator.standard_normal((7, 5)), generator.standard_normal((3, 5))
    labels = np.array([0, 1, 2, 0, 1, 2, 2])
    kept = retained(modes.eigenvalues, 0.3, 3)
    found = concept_distances(patterns @ modes.axes, concepts @ modes.axes, labels, kept, 6)
    assert len(found) == 7
    step, x = optimal_vae(COVARIANCE, 0.3, 3).map, patterns
    for one in found:
        assert tuple(one) == pytest.approx(tuple(away(x, concepts, labels)), rel=1e-10)
        x = x @ step.T


def test_the_noise_dies_first_and_then_the_concept():
    """One mode each: t* of (r^t m - m)^2 + (q^t e)^2 by a search among all steps."""
    kept, concepts = np.array([0.95, 0.5]), np.array([[10.0, 0.0], [-10.0, 0.0]])
    start = np.array([[10.0, 6.0]])
    found = [one.own for one in concept_distances(start, concepts, np.array([0]), kept, 60)]
    curve = [np.hypot(10 - 10 * 0.95**t, 6 * 0.5**t) for t in range(61)]
    assert found == pytest.approx(curve)
    assert approach(found).time == int(np.argmin(curve)) == 3
    assert approach(found).least == pytest.approx(min(curve) / 6)
    assert approach(found).rise == pytest.approx(curve[-1] / min(curve))


@pytest.mark.parametrize(
    ("distances", "expected"),
    [([2.0, 1.0, 1.0, 4.0], (1, 0.5, 4.0)), ([1.0, 2.0], (0, 1.0, 2.0)), ([3.0, 2.0], (1, 2 / 3, 1.0))],
)
def test_the_first_least_distance_counts(distances, expected):
    assert approach(distances) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("distances", "error", "message"),
    [
        ([1.0], DataError, "show no approach"),
        ([0.0, 1.0], DataError, "on their concept after 0 inferences"),
        ([1.0, 0.0, 2.0], DataError, "on their concept after 1 inferences"),
        ([1.0, np.inf], NonFiniteError, "is not finite; repeat inference fewer times"),
        ([np.nan, 1.0], NonFiniteError, "is not finite"),
    ],
)
def test_distances_without_a_ratio_are_told(distances, error, message):
    with pytest.raises(error, match=message):
        approach(distances)


@pytest.mark.parametrize(
    ("eigenvalues", "variance", "latent", "message"),
    [
        ([1.0, 0.5], 0.5, 3, "latent width of 3 does not fit data of 2 dimensions; take 1 to 2"),
        ([1.0, 0.5], 0.5, 0, "latent width of 0 does not fit"),
        ([1.0, 0.5], 0.0, 1, "variance 0.0 is none"),
        ([1.0, 0.5], -1.0, 1, "variance -1.0 is none"),
        ([1.0, 0.5], np.inf, 1, "variance inf is none"),
        ([1.0, 0.5], np.nan, 1, "variance nan is none"),
        ([0.5, 1.0], 0.5, 1, "not falling"),
        ([1.0, -0.5], 0.5, 1, "finite and not negative"),
        ([np.inf, 0.5], 0.5, 1, "finite and not negative"),
        ([[1.0]], 0.5, 1, "finite and not negative"),
    ],
)
def test_what_retains_nothing_known_is_refused(eigenvalues, variance, latent, message):
    with pytest.raises(ConfigError, match=message):
        retained(eigenvalues, variance, latent)


def test_a_loss_needs_a_variance():
    with pytest.raises(ConfigError, match="variance 0 is none; make it positive"):
        loss(vae(), COVARIANCE, 0)


@pytest.mark.parametrize(
    ("covariance", "error", "message"),
    [
        (np.zeros((2, 3)), DataError, r"shape \(2, 3\) is no covariance"),
        (np.zeros((0, 0)), DataError, r"shape \(0, 0\) is no covariance"),
        (np.zeros(3), DataError, r"shape \(3,\) is no covariance"),
        (np.array([[1.0, 0.5], [0.2, 1.0]]), DataError, "not symmetric"),
        (np.diag([1.0, -0.1]), DataError, "the eigenvalue -0.1 is no covariance"),
        (np.diag([1.0, np.nan]), NonFiniteError, "not finite"),
    ],
)
def test_what_is_no_covariance_is_refused(covariance, error, message):
    with pytest.raises(error, match=message):
        principal_modes(covariance)
