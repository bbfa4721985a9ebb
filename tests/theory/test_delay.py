"""The delay law beside solved equations, other algorithms, and gradient descent on random networks."""

import math
from itertools import chain, count, repeat

import numpy as np
import pytest
from scipy import integrate, special

from dynparam.support.errors import ConfigError
from dynparam.theory.delay import (
    aligned_delay,
    aligned_exponent,
    asymptotic_exponent,
    delay,
    largest_rate,
    logarithmic_increment,
    steps_until,
)


@pytest.mark.parametrize("bottlenecks", [1, 2, 3, 4])
@pytest.mark.parametrize("ratio", [3.0, 50.0, 2000.0])
def test_the_aligned_delay_is_that_of_the_differential_equations(bottlenecks, ratio):
    def slope(time, state):
        a, u = state
        return u**bottlenecks, a * u ** (bottlenecks - 1)

    def reached(time, state):
        return state[1] - 1

    reached.terminal = True
    start = [0.0, ratio**-0.5]
    solved = integrate.solve_ivp(slope, (0, 1e9), start, events=reached, rtol=1e-10, atol=1e-12)
    assert aligned_delay(ratio, bottlenecks) == pytest.approx(solved.t[-1], rel=1e-6)


@pytest.mark.parametrize("ratio", [1.0, 7.0, 1e4])
def test_the_aligned_delay_has_closed_forms(ratio):
    root = math.sqrt(ratio)
    assert aligned_delay(ratio, 1) == pytest.approx(math.log(root + math.sqrt(ratio - 1)))
    assert aligned_delay(ratio, 2) == pytest.approx(root * math.acos(1 / root), abs=1e-12)
    assert aligned_delay(ratio, 3) == pytest.approx(ratio * math.sqrt(1 - 1 / ratio), abs=1e-12)


@pytest.mark.parametrize("bottlenecks", [2, 3, 4, 5])
def test_the_aligned_delay_has_its_asymptote(bottlenecks):
    power = (bottlenecks - 1) / 2
    limit = math.sqrt(math.pi) / 2 * special.gamma(power) / special.gamma(power + 0.5)
    assert aligned_delay(1e10, bottlenecks) / 1e10**power == pytest.approx(limit, rel=1e-4)
    assert aligned_exponent(1e10, bottlenecks) == pytest.approx(power, abs=1e-4)
    assert asymptotic_exponent(bottlenecks) == power


@pytest.mark.parametrize("bottlenecks", [1, 2, 3])
@pytest.mark.parametrize("ratio", [2.0, 100.0])
def test_the_exponent_is_the_derivative(bottlenecks, ratio):
    step = 1e-4
    ends = [math.log(aligned_delay(ratio * math.exp(sign * step), bottlenecks)) for sign in (-1, 1)]
    expected = (ends[1] - ends[0]) / (2 * step)
    assert aligned_exponent(ratio, bottlenecks) == pytest.approx(expected, rel=1e-6)


def test_the_exponent_of_one_bottleneck_falls_as_the_inverse_of_the_logarithm():
    assert aligned_exponent(1e12, 1) * math.log(1e12) == pytest.approx(1, abs=0.06)
    assert aligned_exponent(1.0, 1) == math.inf


def test_one_bottleneck_is_two_vectors_whose_squares_and_product_close():
    """Of w_in and w_out, orthogonal at first: f = w_out . w_in, p and q their squared lengths."""

    def slope(time, state):
        f, p, q = state
        return (1 - f) * (2 * q + 3 * p), 4 * (1 - f) * f, 6 * (1 - f) * f

    def halved(time, state):
        return state[0] - (1 - math.sqrt(0.5))

    halved.terminal = True
    start = [0.0, 0.01, 0.01]
    solved = integrate.solve_ivp(slope, (0, 100), start, events=halved, rtol=1e-9, atol=1e-12)
    eta = 1e-3
    assert eta * delay(100.0, 1, eta) == pytest.approx(solved.t[-1], rel=0.005)


def narrow_network(ratio, bottlenecks, learning_rate, momentum, width, seed):
    """Steps of plain gradient descent on a random linear network of that width, by backpropagation."""
    random = np.random.default_rng(seed)
    shapes = [(width, 1), *[(width, width)] * (bottlenecks - 1), (1, width)]
    factors = [random.normal(size=shape) / math.sqrt(width * ratio) for shape in shapes]
    velocity = [np.zeros_like(factor) for factor in factors]
    rates = [*[2.0] * bottlenecks, 3.0]

    def losses():
        while True:
            ahead = [np.ones((1, 1))]
            for factor in factors:
                ahead.append(factor @ ahead[-1])
            error = ahead[-1].item() - 1
            yield error**2
            back = np.array([[error]])
            for layer in reversed(range(len(factors))):
                gradient = back @ ahead[layer].T
                back = factors[layer].T @ back
                velocity[layer] = momentum * velocity[layer] + rates[layer] * gradient
                factors[layer] -= learning_rate * velocity[layer]

    return steps_until(losses())


@pytest.mark.parametrize(
    ("ratio", "bottlenecks", "learning_rate", "momentum"),
    [(40.0, 1, 0.2, 0.0), (40.0, 2, 0.2, 0.0), (12.0, 3, 0.2, 0.0), (40.0, 2, 0.02, 0.9)],
)
def test_the_delay_is_that_of_a_wide_random_narrow_network(ratio, bottlenecks, learning_rate, momentum):
    """Four networks of 400 units: their delays scatter by 4 % or less, so their mean by 2 %."""
    found = [
        narrow_network(ratio, bottlenecks, learning_rate, momentum, width=400, seed=seed)
        for seed in range(4)
    ]
    expected = delay(ratio, bottlenecks, learning_rate, momentum)
    assert np.mean(found) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("eta", [0.05, 0.3])
def test_increments_of_one_bottleneck_become_those_of_the_logarithm(eta):
    ends = [eta * delay(ratio, 1, eta) for ratio in (1e9, 1e12)]
    increment = (ends[1] - ends[0]) / math.log(1e3)
    assert increment == pytest.approx(logarithmic_increment(eta), rel=0.01)


def test_delays_of_two_bottlenecks_grow_as_the_root():
    ends = [delay(ratio, 2, 0.25) for ratio in (1e5, 1e6)]
    assert math.log10(ends[1] / ends[0]) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("bottlenecks", [1, 2, 3])
def test_the_end_of_training_is_stable_below_the_largest_rate_alone(bottlenecks):
    rates = np.array([2.0] * bottlenecks + [3.0])

    def error_after(share):
        factors = np.ones(bottlenecks + 1)
        factors[0] += 1e-6
        for _ in range(200):
            f = factors.prod()
            factors = factors + share * largest_rate(bottlenecks) * rates * (1 - f) * f / factors
        return abs(factors.prod() - 1)

    assert error_after(0.95) < 1e-9
    assert error_after(1.05) > 1e-5


def test_steps_until_the_loss_is_a_share_of_the_first():
    assert steps_until(iter([8.0, 6.0, 4.0, 1.0])) == 2.0
    assert steps_until(iter([8.0, 6.0, 1.0]), share=0.25) == pytest.approx(1.8)


def test_no_more_losses_are_asked_for_than_needed():
    seen = []
    losses = (seen.append(step) or 1.0 / (1 + step) for step in count())
    assert steps_until(losses) == 1.0
    assert seen == [0, 1]


@pytest.mark.parametrize(
    "losses",
    [[1.0, 0.9], [1.0, math.nan, 0.1], [1.0, math.inf, 0.1]],
)
def test_a_loss_that_is_not_halved_has_no_steps(losses):
    assert math.isnan(steps_until(iter(losses)))


def test_a_rise_before_the_fall_is_waited_for():
    assert steps_until(chain(repeat(1.0, 3), [2.0, 0.5])) == 4.0


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: aligned_delay(0.5, 1), "R must be at least 1"),
        (lambda: aligned_delay(10.0, 0), "a narrow layer is needed"),
        (lambda: delay(math.inf, 1, 0.1), "R must be at least 1"),
        (lambda: delay(10.0, 2, 0.3), "below 0.286"),
        (lambda: delay(10.0, 2, 0.1, 0.9), "below 0.286"),
        (lambda: delay(10.0, 2, 0.0), "must be positive"),
    ],
)
def test_bad_arguments_end_in_a_sentence(call, reason):
    with pytest.raises(ConfigError, match=reason):
        call()
