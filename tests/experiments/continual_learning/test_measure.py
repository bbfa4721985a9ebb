"""Measured errors: against gradient descent, against theory, and against other draws."""

import numpy as np
import pytest

from dynparam.data.images import Pair
from dynparam.experiments.continual_learning import measure, tables
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.continual import errors
from dynparam.theory.inner_products import inner_products
from dynparam.theory.kernels import ntk
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from tests import continual

SETTINGS = continual.trials()
PAIR = continual.images()
KEY = ["part", "scales", "first", "second", "noise", "similarity"]


@pytest.fixture(scope="module")
def found():
    return measure.measure(SETTINGS, PAIR)


def test_every_task_is_measured_as_often_as_said_and_expected_once(found):
    counts = found.measured.groupby(KEY).size()
    assert set(counts) == {3}
    assert set(counts.index) == set(found.expected.set_index(KEY).index)
    assert set(found.measured["part"]) == {"gaussian", "smooth", "images"}
    assert (found.measured[list(measure.ERRORS)] > 0).all(axis=None)


def test_tables_are_read_as_they_were_written(found, tmp_path):
    for table, form in zip(found, (tables.MEASURED, tables.EXPECTED), strict=True):
        write_csv(table, tmp_path / "table.csv")
        assert len(read_csv(tmp_path / "table.csv", form)) == len(table)


def test_interpolation_is_where_gradient_descent_ends():
    """A linear model of weights sqrt(eta_i) w_i, from zero: the same function, targets and noise."""
    random = np.random.default_rng(0)
    eta = np.array([1.0, 0.8, 0.5, 0.3, 0.2])
    features, noise = random.normal(size=(3, 5)), random.normal(size=(3, 1))
    target = random.normal(size=(5, 1))
    sample = measure.Sample(lambda f: features @ f, (features * eta).T)
    jacobian, weights = features * np.sqrt(eta), np.zeros((5, 1))
    values = features @ target + noise
    for _ in range(20000):
        weights -= 0.1 * jacobian.T @ (jacobian @ weights - values)
    got = measure.interpolated(sample, target, noise)
    np.testing.assert_allclose(got, np.sqrt(eta)[:, None] * weights, rtol=1e-7)


def test_modes_follow_theory():
    """Means of 40 draws over theory, whose standard error is 2 % at most."""
    own = continual.config({"gaussian.trials": 40, "gaussian.targets": 20}).continual_learning
    problem = next(measure.gaussian_problems(own))
    rows = problem.rows[-1]
    assert (rows.first, rows.second, rows.noise) == (40, 4, 0.05)
    drawn = [next(measure.trained(problem, rows, 0, trial)) for trial in range(40)]
    theory = errors(problem.modes, (40, 4), 1.0, 0.05)
    for name, expected in (("error_first", theory[0, 0]), ("error_second", theory[1, 1])):
        values = np.array([one[name] for one in drawn])
        assert values.std(ddof=1) / np.sqrt(40) < 0.03 * expected
        assert values.mean() == pytest.approx(expected, rel=0.08)


def test_the_same_task_again_has_one_error(found):
    same = found.measured[found.measured["similarity"] == 1]
    np.testing.assert_allclose(same["error_second"], same["error_back"], rtol=1e-12)


def test_a_draw_does_not_depend_on_trials_and_similarities(found):
    changes = {
        "gaussian.trials": 2,
        "images.trials": 2,
        "gaussian.similarity": {"first": 20, "second": 20, "values": [0, 0.25, 1]},
    }
    fewer = measure.measure(continual.trials(changes), PAIR).measured.set_index([*KEY, "trial"])
    more = found.measured.set_index([*KEY, "trial"])
    common = fewer.index.intersection(more.index)
    assert len(common) > 20
    np.testing.assert_allclose(fewer.loc[common], more.loc[common], rtol=1e-12)


def test_kernels_of_images_are_the_wide_ones_and_dynamic_has_ntk_s():
    problems = {one.scales: one for one in measure.image_problems(SETTINGS, PAIR)}
    widths = Widths((3072, 16, 4, 16, 4, 16, 1))
    sample = problems["mup"].sample(np.random.default_rng(0), 10**4)  # the whole pool
    assert sample.kernel.shape == (40, 40)
    images = PAIR.train_images.reshape(60, -1) / 255.0 * 2 - 1
    kernel = ntk(inner_products(images), widths, layer_scales("mup", widths))
    expected = np.linalg.eigvalsh(sample.kernel)
    assert np.isin(np.diag(sample.kernel).round(9), np.diag(kernel).round(9)).all(), (
        "the pool's images are those of the pair"
    )
    np.testing.assert_allclose(problems["mup"].modes.eigenvalues * 40, expected, rtol=1e-8)
    np.testing.assert_allclose(
        problems["ntk"].modes.eigenvalues, problems["dynamic"].modes.eigenvalues, rtol=1e-9
    )
    # n_min^r, by which dynamic's output is smaller.
    assert problems["dynamic"].laziness == pytest.approx(4**0.5 * problems["ntk"].laziness)


def test_second_targets_of_a_pool_have_the_first_one_s_power_in_every_mode():
    problem = next(measure.image_problems(SETTINGS, PAIR))
    own, other = problem.targets(np.random.default_rng(3), 5)
    assert set(np.unique(own)) == {-1.0, 1.0}
    np.testing.assert_allclose(np.square(other).mean(axis=0), 1.0, rtol=1e-10)
    assert problem.modes.power.sum() == pytest.approx(1.0)
    assert not np.allclose(other[:, 0], other[:, 1])


def test_images_that_are_equal_are_told():
    images = PAIR.train_images.copy()
    images[3] = images[1]
    whole = continual.trials({"images.pool": 60})
    pair = Pair(images, PAIR.train_labels, images, PAIR.test_labels)
    with pytest.raises(DataError, match="equal up to a positive factor"):
        next(measure.image_problems(whole, pair))


def test_more_images_than_there_are_are_told():
    with pytest.raises(DataError, match="are available"):
        next(measure.image_problems(SETTINGS, continual.images(20)))


def test_a_singular_kernel_of_samples_is_told():
    sample = measure.Sample(lambda f: f[[0, 0]], np.ones((2, 2)))
    with pytest.raises(DataError, match="kernel of 2 samples is singular"):
        measure.interpolated(sample, np.ones((2, 1)), np.zeros((2, 1)))
