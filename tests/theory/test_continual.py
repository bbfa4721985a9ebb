"""Learning curves of tasks in a row: closed forms, another algorithm, and drawn regressions."""

import numpy as np
import pytest

from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory.continual import (
    critical_similarity,
    errors,
    modes,
    pool_modes,
    training,
    two_tasks,
)

DECAY = 1.5

ERRORS = 4.0
"""Standard errors from theory that count as none: one of nine is beyond with probability 6e-4."""


def power_law(count=400, decay=DECAY):
    """i^(-decay), of sum one."""
    found = np.arange(1, count + 1.0) ** -decay
    return found / found.sum()


def by_polynomial(eta, samples):
    """kappa of few modes: the positive root of prod_i (kappa + N eta_i) = sum_i eta_i prod_{j != i}."""
    factors = [np.poly1d([1.0, samples * one]) for one in eta]

    def product(chosen):
        found = np.poly1d([1.0])
        for one in chosen:
            found *= one
        return found

    whole = product(factors)
    for place, one in enumerate(eta):
        whole -= one * product(factors[:place] + factors[place + 1 :])
    (root,) = [one.real for one in whole.roots if abs(one.imag) < 1e-9 and one.real > 1e-12]
    return root


def regressed(eta, v, samples, rho, noise, trials, seed=0):
    """Errors of drawn regressions (trials, n, n): Gaussian modes, least norm by a pseudoinverse."""
    random, count = np.random.default_rng(seed), len(eta)
    mixed = np.linalg.cholesky(rho + 1e-12 * np.eye(len(samples)))
    found = np.empty((trials, len(samples), len(samples)))
    for trial in range(trials):
        targets = mixed @ random.normal(size=(len(samples), count)) * np.sqrt(v)
        f = np.zeros(count)
        for task, many in enumerate(samples):
            features = random.normal(size=(many, count))
            residual = features @ (targets[task] - f) + noise**0.5 * random.normal(size=many)
            f = f + np.sqrt(eta) * (np.linalg.pinv(features * np.sqrt(eta)) @ residual)
            found[trial, task] = np.square(targets - f).sum(axis=1)
    return found


class TestTraining:
    @pytest.mark.parametrize("samples", [1, 2, 3])
    def test_kappa_is_the_root_of_a_polynomial(self, samples):
        eta = np.array([2.0, 0.7, 0.2, 0.05])
        assert training(eta, samples).kappa == pytest.approx(by_polynomial(eta, samples), rel=1e-9)

    @pytest.mark.parametrize("samples", [1, 40, 399])
    def test_as_many_modes_are_learned_as_there_are_samples(self, samples):
        found = training(power_law(), samples)
        assert found.learned.sum() == pytest.approx(samples, rel=1e-10)
        assert found.kappa > 0

    def test_equal_modes_have_a_closed_form(self):
        """a = N/D, kappa = D - N, gamma = N/D: E = (1 - N/D) |w|^2 + s^2 N/(D - N)."""
        eta = np.ones(50)
        found = training(eta, 20)
        assert found.kappa == pytest.approx(30.0)
        assert found.scatter.sum() == pytest.approx(0.4)
        error = errors(modes(eta, eta), [20], noise=0.3)
        assert error[0, 0] == pytest.approx(30.0 + 0.3 * 20 / 30)

    def test_no_samples_leave_everything_as_it_is(self):
        found = training(power_law(), 0)
        assert found.kappa == pytest.approx(1.0)
        assert not found.learned.any()
        assert not found.scatter.any()

    def test_the_kernel_s_scale_does_not_matter(self):
        eta = power_law()
        one, other = (errors(modes(c * eta, eta), [50, 20], 0.5, 0.1) for c in (1.0, 1e-30))
        np.testing.assert_allclose(other, one, rtol=1e-10)

    def test_modes_without_an_eigenvalue_are_never_learned(self):
        eta = power_law(100)
        beside = modes(np.append(eta, [0.0, -1e-18]), np.append(eta, [2.0, 1.0]))
        assert beside.count == 100
        found, without = (errors(one, [30, 30])[1, 1] for one in (beside, modes(eta, eta)))
        a = training(eta, 30)
        # What cannot be learned is noise to the modes that can, of variance 3, and adds itself.
        as_noise = errors(modes(eta, eta), [30, 30], noise=3.0)[1, 1]
        assert found == pytest.approx(as_noise + 3.0, rel=1e-10)
        assert found > without + 3.0
        assert a.learned.sum() == pytest.approx(30)


class TestTwoTasks:
    @pytest.mark.parametrize("pair", [(100, 100), (390, 50), (50, 390), (0, 30)])
    @pytest.mark.parametrize("rho", [-1.0, 0.0, 0.3, 1.0])
    @pytest.mark.parametrize("noise", [0.0, 0.05])
    def test_it_is_the_closed_form_of_two_rounds(self, pair, rho, noise):
        eta, v = power_law(), power_law(decay=2.0)
        found = two_tasks(modes(eta, v), *pair, rho, noise)
        (a, ga), (b_learned, gb) = (
            (one.learned, one.scatter) for one in (training(eta, count) for count in pair)
        )
        bb = 1 - b_learned
        first = (np.sum(v * (1 - a) ** 2) + ga.sum() * noise) / (1 - ga.sum())
        m = a**2 * v + (first + noise) * ga
        second = (np.sum(bb**2 * (v - 2 * rho * a * v + m)) + gb.sum() * noise) / (1 - gb.sum())
        back = v + bb**2 * m + b_learned**2 * v - 2 * bb * a * v - 2 * b_learned * rho * v
        back += 2 * bb * b_learned * rho * a * v
        assert found.first == pytest.approx(first, rel=1e-12)
        assert found.second == pytest.approx(second, rel=1e-12)
        assert found.back == pytest.approx(back.sum() + (second + noise) * gb.sum(), rel=1e-12)
        if rho == 1.0:
            assert found.back == pytest.approx(found.second, rel=1e-12)
        if not pair[0]:
            assert found.second == pytest.approx(found.alone, rel=1e-12)

    @pytest.mark.parametrize("pair", [(100, 100), (390, 5), (5, 390)])
    def test_powers_as_eigenvalues_put_the_critical_similarity_at_a_half(self, pair):
        eta = power_law()
        found = modes(eta, eta)
        assert critical_similarity(found, *pair) == pytest.approx(0.5, rel=1e-9)
        assert two_tasks(found, *pair).first == pytest.approx(training(eta, pair[0]).kappa)

    @pytest.mark.parametrize("noise", [0.0, 0.2])
    def test_help_begins_at_the_critical_similarity(self, noise):
        found = modes(power_law(), power_law(decay=1.2))
        middle = critical_similarity(found, 60, 30, noise)
        assert 0 < middle < 1
        for rho, helps in ((middle - 1e-6, False), (middle + 1e-6, True)):
            both = two_tasks(found, 60, 30, rho, noise)
            assert (both.second < both.alone) == helps

    def test_smooth_targets_are_not_helped_by_themselves(self):
        found = modes(power_law(1000), power_law(1000, 2.5))
        assert critical_similarity(found, 30, 300) > 1
        both = two_tasks(found, 30, 300)
        assert both.second > both.alone

    def test_a_task_without_samples_between_changes_nothing(self):
        found = modes(power_law(), power_law())
        rho = np.array([[1.0, 0.2, 0.5], [0.2, 1.0, 0.1], [0.5, 0.1, 1.0]])
        three = errors(found, [40, 0, 70], rho, 0.1)
        two = errors(found, [40, 70], 0.5, 0.1)
        np.testing.assert_allclose(three[[0, 2]][:, [0, 2]], two, rtol=1e-12)


class TestDrawnRegressions:
    def test_three_tasks_of_different_similarities(self):
        eta = power_law(300)
        v = eta * np.linspace(1, 0.2, 300)
        rho = np.array([[1, 0.5, 0.2], [0.5, 1, -0.3], [0.2, -0.3, 1]])
        samples, noise = [40, 25, 60], 0.02
        drawn = regressed(eta, v, samples, rho, noise, trials=60)
        error = drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn))
        distance = (drawn.mean(axis=0) - errors(modes(eta, v), samples, rho, noise)) / error
        assert np.abs(distance).max() < ERRORS

    def test_few_modes_that_matter_leave_theory_some_per_cent_low(self):
        """Eigenvalues e^(-i/8), 50 samples: the limit is of many modes. Standard error 2 %."""
        eta = np.exp(-np.arange(120) / 8.0)
        eta /= eta.sum()
        drawn = regressed(eta, eta, [50], np.ones((1, 1)), 0.0, trials=250, seed=1)[:, 0, 0]
        ratio = drawn.mean() / errors(modes(eta, eta), [50])[0, 0]
        assert 1.0 < ratio < 1.12

    @pytest.mark.parametrize(
        ("samples", "low", "high"), [((30, 20), 0.97, 1.03), ((240, 160), 1.05, 1.2)]
    )
    def test_a_pool_drawn_with_replacement(self, samples, low, high):
        """Two rounds on one target, 600 points in twenty dimensions; copies in a sample add nothing.

        Samples that are few beside the pool follow theory. Of many, some are the same point, and the
        error exceeds theory by an amount that grows with N/P. Standard errors are about 0.4 %.
        """
        random = np.random.default_rng(2)
        points = random.normal(size=(600, 20))
        squares = np.square(points).sum(axis=1)
        distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0.0))
        kernel = np.exp(-distances / 3)
        target, found = np.sign(points[:, 0]), []
        for _ in range(100):
            f = np.zeros(600)
            for count in samples:
                chosen = np.unique(random.integers(600, size=count))
                weights = np.linalg.solve(kernel[np.ix_(chosen, chosen)], (target - f)[chosen])
                f = f + kernel[:, chosen] @ weights
            found.append(np.square(target - f).mean())
        expected = errors(pool_modes(kernel, target)[0], samples)[1, 1]
        assert np.std(found, ddof=1) / 10 < 0.01 * expected
        assert low < np.mean(found) / expected < high


def test_modes_of_a_pool_are_those_of_the_kernel():
    random = np.random.default_rng(4)
    root = random.normal(size=(12, 30))
    kernel, target = root @ root.T, random.normal(size=12)
    found, functions = pool_modes(kernel, target)
    np.testing.assert_allclose(functions * found.eigenvalues @ functions.T, kernel, rtol=1e-10)
    np.testing.assert_allclose(functions.T @ functions / 12, np.eye(12), atol=1e-12)
    assert found.power.sum() == pytest.approx(np.square(target).mean())


class TestRefusals:
    ETA = power_law(20)

    @pytest.mark.parametrize("samples", [20, 21, 10**9])
    def test_the_interpolation_threshold(self, samples):
        with pytest.raises(ConfigError, match=f"{samples} samples reach the interpolation threshold"):
            training(self.ETA, samples)
        with pytest.raises(ConfigError, match="threshold of 20 modes"):
            errors(modes(np.append(self.ETA, 0.0), np.ones(21)), [5, 20])

    @pytest.mark.parametrize("samples", [-1, 2.5, True, None, "3"])
    def test_numbers_of_samples(self, samples):
        with pytest.raises(ConfigError, match="no number of samples"):
            training(self.ETA, samples)

    @pytest.mark.parametrize(
        ("similarity", "message"),
        [
            (1.5, "tasks 0 and 1 is 1.5; it must lie between -1"),
            (np.nan, "tasks 0 and 1 is nan"),
            (np.eye(3), r"shape \(3, 3\) do not fit 2 tasks"),
            ([[1.0, 0.2], [0.3, 1.0]], "symmetric"),
            ([[0.5, 0.2], [0.2, 1.0]], "with one for each task with itself"),
        ],
    )
    def test_similarities(self, similarity, message):
        with pytest.raises(ConfigError, match=message):
            errors(modes(self.ETA, self.ETA), [3, 4], similarity)

    def test_similarities_that_no_three_targets_have(self):
        with pytest.raises(ConfigError, match="negative eigenvalue"):
            errors(modes(self.ETA, self.ETA), [3, 4, 5], -0.9)

    @pytest.mark.parametrize("noise", [-0.1, np.inf, np.nan])
    def test_noise(self, noise):
        with pytest.raises(ConfigError, match="noise of variance"):
            errors(modes(self.ETA, self.ETA), [3], noise=noise)

    def test_no_task(self):
        with pytest.raises(ConfigError, match="no task to train on"):
            errors(modes(self.ETA, self.ETA), [])

    @pytest.mark.parametrize(
        ("eigenvalues", "power", "kind", "message"),
        [
            ([], [], ConfigError, "not one of each for every mode"),
            ([1.0], [1.0, 2.0], ConfigError, "not one of each for every mode"),
            ([0.0, -1.0], [1.0, 1.0], ConfigError, "no eigenvalue is positive"),
            ([1.0, 1.0], [1.0, -1.0], ConfigError, "none may be below zero"),
            ([1.0, 1.0], [0.0, 0.0], ConfigError, "not all zero"),
            ([1.0, np.nan], [1.0, 1.0], NonFiniteError, "eigenvalue of mode 1 is nan"),
            ([1.0, 1.0], [np.inf, 1.0], NonFiniteError, "power of mode 0 is inf"),
        ],
    )
    def test_modes(self, eigenvalues, power, kind, message):
        with pytest.raises(kind, match=message):
            modes(eigenvalues, power)

    def test_pools(self):
        with pytest.raises(ConfigError, match="not those of one pool"):
            pool_modes(np.eye(3), np.ones(2))
        with pytest.raises(NonFiniteError, match="not finite"):
            pool_modes(np.diag([1.0, np.inf]), np.ones(2))

    @pytest.mark.parametrize("pair", [(0, 5), (5, 5)])
    def test_a_first_task_that_teaches_nothing(self, pair):
        """No samples of it, or a target outside of what the kernel learns."""
        power = np.append(np.zeros(20), 1.0) if pair[0] else np.ones(21)
        with pytest.raises(ConfigError, match="teach nothing"):
            critical_similarity(modes(np.append(self.ETA, 0.0), power), *pair)
