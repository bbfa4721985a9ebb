"""Training of autoencoders, against autograd, Adam number by number, and the closed form."""

import math

import numpy as np
import pytest
import torch

from dynparam.experiments.concept_retrieval import training
from dynparam.experiments.concept_retrieval.settings import LinearAutoencoders, NonlinearAutoencoders
from dynparam.support.errors import DataError, NonFiniteError
from dynparam.theory.concept_retrieval import LinearVae, loss, optimal_vae
from tests import concepts

LINEAR = LinearAutoencoders.model_validate(concepts.SMALL["linear"])
NONLINEAR = NonlinearAutoencoders.model_validate(concepts.SMALL["nonlinear"])
COVARIANCE = np.diag([9.0, 3.0, 1.0, 0.2])
PATTERNS = np.random.default_rng(0).standard_normal((6, 5))


def vae(hidden=7, latent=3):
    """All numbers random, biases too."""
    start = training.begun(5, hidden, latent, np.random.default_rng(1))
    generator = np.random.default_rng(2)
    return training.NonlinearVae(*(one + 0.3 * generator.standard_normal(one.shape) for one in start))


def bound(parts, x, noise, variance):
    """The negative bound in torch, from the distributions it is made of."""
    encoder, eb, mean, mb, log_variance, lb, decoder, db, output, ob = parts
    seen = torch.relu(x @ encoder + eb)
    spread = torch.exp((seen @ log_variance + lb) / 2)
    posterior = torch.distributions.Normal(seen @ mean + mb, spread)
    z = posterior.loc + spread * noise
    shown = torch.relu(z @ decoder + db) @ output + ob
    prior = torch.distributions.Normal(torch.zeros_like(z), torch.ones_like(z))
    divergence = torch.distributions.kl_divergence(posterior, prior).sum(dim=1)
    return ((x - shown).square().sum(dim=1) / (2 * variance) + divergence).mean()


@pytest.mark.parametrize("variance", [0.5, 2.0])
@pytest.mark.parametrize(("hidden", "latent"), [(7, 3), (2, 5), (1, 1)])
def test_nonlinear_gradients_are_those_of_autograd(variance, hidden, latent):
    own = vae(hidden, latent)
    noise = np.random.default_rng(3).standard_normal((6, latent))
    parts = [torch.tensor(one, requires_grad=True) for one in own]
    bound(parts, torch.tensor(PATTERNS), torch.tensor(noise), variance).backward()
    found = training.nonlinear_gradients(own, PATTERNS, noise, variance)
    for name, mine, part in zip(own._fields, found, parts, strict=True):
        assert np.allclose(mine, part.grad.numpy(), rtol=1e-9, atol=1e-11), name


def test_inference_is_the_decoder_at_the_posteriors_mean():
    own = vae()
    seen = torch.relu(torch.tensor(PATTERNS @ own.encoder + own.encoder_bias))
    code = seen @ torch.tensor(own.mean) + torch.tensor(own.mean_bias)
    shown = torch.relu(code @ torch.tensor(own.decoder) + torch.tensor(own.decoder_bias))
    expected = shown @ torch.tensor(own.output) + torch.tensor(own.output_bias)
    assert np.allclose(own.infer(PATTERNS), expected.numpy(), rtol=1e-12)


def test_the_beginning_keeps_sizes_through_every_layer():
    """Mean squares of 300 inputs of 400 numbers, which widths of hundreds keep to 15 %."""
    own = training.begun(400, 300, 200, np.random.default_rng(4))
    x = np.random.default_rng(5).standard_normal((300, 400))
    seen = np.maximum(x @ own.encoder, 0)
    for layer in (own.mean, own.log_variance):
        assert np.square(seen @ layer).mean() == pytest.approx(1.0, rel=0.15)
    code = np.random.default_rng(6).standard_normal((300, 200))
    assert np.square(np.maximum(code @ own.decoder, 0) @ own.output).mean() == pytest.approx(
        1.0, rel=0.15
    )
    biases = (own.encoder_bias, own.mean_bias, own.log_variance_bias, own.decoder_bias, own.output_bias)
    assert not any(one.any() for one in biases)
    assert [one.shape for one in biases] == [(300,), (200,), (200,), (300,), (400,)]


def test_descent_is_adam_on_a_falling_rate():
    """Number by number, as the algorithm's authors have it, on slopes c p^3."""
    start = LinearVae(*(np.random.default_rng(7).standard_normal(s) for s in ((3, 2), (2, 3), (2,))))
    curves = [np.linspace(1.0, 3.0, one.size).reshape(one.shape) for one in start]
    kept = [one.copy() for one in start]
    found = training.descended(
        start, lambda here: LinearVae(*(c * p**3 for c, p in zip(curves, here, strict=True))), 30, 0.2
    )
    for one, curve, before, mine in zip(found, curves, start, kept, strict=True):
        assert np.array_equal(before, mine)  # the start stays
        for end, c, p in zip(one.ravel(), curve.ravel(), before.ravel(), strict=True):
            first = second = 0.0
            for step in range(1, 31):
                slope = c * p**3
                first = 0.9 * first + 0.1 * slope
                second = 0.99 * second + 0.01 * slope**2
                rate = 0.2 * math.cos(math.pi * (step - 1) / 60) ** 2
                p -= rate * first / (1 - 0.9**step) / (math.sqrt(second / (1 - 0.99**step)) + 1e-8)
            assert end == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("latent", [1, 2, 4])
def test_a_linear_autoencoder_reaches_its_optimum(latent):
    settings = LINEAR.model_copy(update={"steps": 4000, "rate": 0.03})
    found = training.trained_linear(COVARIANCE, 0.5, settings, latent, np.random.default_rng(8))
    best = optimal_vae(COVARIANCE, 0.5, latent)
    assert loss(found, COVARIANCE, 0.5) == pytest.approx(loss(best, COVARIANCE, 0.5), abs=1e-3)
    assert np.allclose(found.map, best.map, atol=0.01)


def test_a_linear_beginning_is_small_and_drawn(monkeypatch):
    settings = LINEAR.model_copy(update={"steps": 1, "rate": 1e-12})
    monkeypatch.setattr(training, "LEARNED", np.inf)
    found = training.trained_linear(np.eye(60), 0.5, settings, 60, np.random.default_rng(9))
    for weights, shape in ((found.decoder, (60, 60)), (found.encoder, (60, 60))):
        assert weights.shape == shape
        assert weights.std() == pytest.approx(training.BEGUN, rel=0.1)
    assert not np.allclose(found.decoder, found.encoder.T)
    assert np.allclose(found.log_variance, 0)


def test_an_autoencoder_that_has_not_learned_is_told():
    settings = LINEAR.model_copy(update={"steps": 20})
    message = r"latent width 2 has a loss \d.* after 20 steps; raise concept_retrieval\.linear\.steps"
    with pytest.raises(DataError, match=message):
        training.trained_linear(COVARIANCE, 0.5, settings, 2, np.random.default_rng(8))


@pytest.mark.parametrize(("above", "learned"), [(0.9, True), (1.1, False)])
def test_learned_is_a_loss_near_the_least(monkeypatch, above, learned):
    """The loss that a training ends at, beside its limit."""
    settings = LINEAR.model_copy(update={"steps": 100})
    monkeypatch.setattr(training, "LEARNED", np.inf)
    found = training.trained_linear(COVARIANCE, 0.5, settings, 2, np.random.default_rng(8))
    left = loss(found, COVARIANCE, 0.5) - loss(optimal_vae(COVARIANCE, 0.5, 2), COVARIANCE, 0.5)
    monkeypatch.setattr(training, "LEARNED", left / above)
    if learned:
        training.trained_linear(COVARIANCE, 0.5, settings, 2, np.random.default_rng(8))
    else:
        with pytest.raises(DataError, match="above the least one"):
            training.trained_linear(COVARIANCE, 0.5, settings, 2, np.random.default_rng(8))


def test_a_nonlinear_autoencoder_learns_to_reconstruct():
    data = np.random.default_rng(10).choice([-3.0, 3.0], size=(100, 1)) * np.ones((1, 5))
    found = training.trained_nonlinear(data, 0.5, NONLINEAR, np.random.default_rng(11))
    assert np.square(found.infer(data) - data).mean() < 0.1 * np.square(data).mean()
    assert [one.shape for one in found[:3]] == [(5, 16), (16,), (16, 4)]


def test_weights_and_batches_follow_from_the_generator():
    made = [
        training.trained_nonlinear(PATTERNS, 0.5, NONLINEAR, np.random.default_rng(seed))
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(made[0].output, made[1].output)
    assert not np.allclose(made[0].output, made[2].output)


@pytest.mark.parametrize("rate", [1e200, 1e305])
def test_training_that_diverges_is_told(rate):
    settings = LINEAR.model_copy(update={"rate": rate, "steps": 20})
    with pytest.raises(NonFiniteError, match=r"not finite after 20 steps at the learning rate 1e\+"):
        training.trained_linear(COVARIANCE, 0.5, settings, 2, np.random.default_rng(0))
