"""Training of attentional Boltzmann machines."""

import numpy as np
import pytest

from dynparam.experiments.attentional_boltzmann.training import (
    descend,
    differences,
    fitted,
    small,
    whitened,
)
from dynparam.support.errors import DataError, NonFiniteError
from dynparam.theory.attentional_boltzmann import growth_factor, of_mixture

EIGENVALUES = np.array([3.0, 1.0, 0.5])


def drawn(samples=200):
    return whitened(samples, EIGENVALUES, np.random.default_rng(0))


@pytest.mark.parametrize("samples", [4, 200])
def test_vectors_have_their_covariance_exactly(samples):
    data = drawn(samples)
    assert np.allclose(data.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(data.T @ data / samples, np.diag(EIGENVALUES), atol=1e-12)


def test_too_few_vectors_have_no_covariance():
    with pytest.raises(DataError, match="3 vectors have no covariance of 3 eigenvalues; draw more"):
        drawn(3)


def test_one_step_is_that_of_theory():
    start = small(5, 3, 1e-5, np.random.default_rng(1))
    after = descend(start, drawn(), 0.2)
    expected = growth_factor(EIGENVALUES, 0.2, 5)
    assert differences(after) / differences(start) == pytest.approx(expected, abs=1e-4)
    assert np.array_equal(after.visible_bias, start.visible_bias)


def test_descent_lowers_the_loss():
    machine, data = small(4, 3, 0.1, np.random.default_rng(1)), drawn()
    losses = []
    for _ in range(30):
        losses.append(machine.loss(data))
        machine = descend(machine, data, 0.5)
    assert np.all(np.diff(losses) < 0)


def test_a_learning_rate_too_high_is_told():
    start, data = small(2, 3, 0.1, np.random.default_rng(1)), drawn()

    def run():
        """Until it diverges, or long enough."""
        machine = start
        for _ in range(2000):
            machine = descend(machine, data, 1e3)

    with pytest.raises(NonFiniteError, match="not finite; lower the learning rate"):
        run()


def test_a_fit_ends_where_gradients_vanish():
    truth = of_mixture(3 * np.eye(3), np.array([0.5, 0.0, 0.0]), np.log([0.5, 0.3, 0.2]))
    data = truth.sample(300, np.random.default_rng(2))
    found = fitted(truth, data, 500)
    assert found.loss(data) < truth.loss(data)
    gradients = found.gradients(data)
    assert np.abs(gradients.weights).max() < 1e-5
    assert np.abs(gradients.hidden_bias).max() < 1e-5
    assert np.array_equal(found.visible_bias, truth.visible_bias)


def test_every_iteration_of_a_fit_lowers_the_loss():
    truth = of_mixture(np.eye(3), np.zeros(3), np.zeros(3))
    data = truth.sample(100, np.random.default_rng(3))
    losses = [fitted(truth, data, count).loss(data) for count in range(6)]
    assert np.all(np.diff(losses) < 0)
