"""Inner products of inputs: what is refused, in which words, and what is only said when asked."""

import numpy as np
import pytest

from dynparam.support.errors import ConfigError, DataError, NonFiniteError
from dynparam.theory.inner_products import inner_products

X = np.random.default_rng(0).normal(size=(5, 7))
Y = np.random.default_rng(1).normal(size=(3, 7))


def test_they_are_inner_products():
    found = inner_products(X)
    assert found.symmetric
    assert found.features == 7
    for s in range(5):
        assert found.rows[s] == found.cross[s, s] == pytest.approx(sum(v * v for v in X[s]))
        for t in range(5):
            assert found.cross[s, t] == pytest.approx(
                sum(a * b for a, b in zip(X[s], X[t], strict=True))
            )
    assert (found.cross == found.cross.T).all()
    others = inner_products(X, Y)
    assert not others.symmetric
    assert others.cross.shape == (5, 3)
    assert others.cross[4, 2] == pytest.approx(X[4] @ Y[2])
    assert others.columns == pytest.approx(np.square(Y).sum(1))


def test_whole_numbers_and_single_precision_are_taken():
    assert inner_products([[1, 2], [3, 4]]).cross.tolist() == [[5.0, 11.0], [11.0, 25.0]]
    assert inner_products(X.astype(np.float32)).cross.dtype == np.float64


def changed(row, value):
    inputs = X.copy()
    inputs[row] = value
    return inputs


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        (changed(3, 0.0), DataError, "row 3 of the inputs is zero everywhere"),
        (changed(1, 1e-200), DataError, "row 1 of the inputs is too small to be squared"),
        (changed(2, np.nan), DataError, "row 2 of the inputs is not finite"),
        (changed(0, np.inf), DataError, "row 0 of the inputs is not finite"),
        (changed(4, 1e200), NonFiniteError, "the squared norm of row 4 of the inputs is infinite"),
        (X[:1], DataError, "there are 1 inputs; give 2 or more"),
        (X[:0], DataError, "there are 0 inputs; give 2 or more"),
        (X[0], ConfigError, r"have the shape \(7,\); they must be \(inputs, n_0\)"),
        (X[None], ConfigError, r"have the shape \(1, 5, 7\)"),
        (X[:, :0], ConfigError, r"have the shape \(5, 0\)"),
        (X + 0j, ConfigError, "the inputs are complex; a network takes real numbers"),
        ((X + 0j).tolist(), ConfigError, "the inputs are not a matrix of numbers"),
        ([["a", "b"], ["c", "d"]], ConfigError, "the inputs are not a matrix of numbers"),
        ([[1.0, 2.0], [1.0]], ConfigError, "the inputs are not a matrix of numbers"),
        ([[1.0, None], [1.0, object()]], ConfigError, "the inputs are not a matrix of numbers"),
    ],
)
def test_bad_inputs_are_told_in_one_sentence(inputs, error, words):
    with pytest.raises(error, match=words) as told:
        inner_products(inputs)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("others", "error", "words"),
    [
        (Y[:, :6], ConfigError, "hold 7 numbers each and the others 6; both must hold n_0"),
        (Y[:0], DataError, "there are 0 others; give 1 or more"),
        (0 * Y, DataError, "row 0 of the others is zero everywhere"),
        (Y * np.array([[1], [np.nan], [1]]), DataError, "row 1 of the others is not finite"),
    ],
)
def test_bad_others_are_told_too(others, error, words):
    with pytest.raises(error, match=words):
        inner_products(X, others)


def test_one_other_input_is_enough():
    assert inner_products(X, Y[:1]).cross.shape == (5, 1)


@pytest.mark.parametrize(
    ("rows", "dependent"),
    [
        ([X[0], X[1], X[0]], "inputs 0 and 2"),
        ([X[0], X[1], 3.7 * X[1]], "inputs 1 and 2"),
        ([X[0], X[1], 1e-9 * X[0] / 3], "inputs 0 and 2"),
        ([X[0], X[1], -X[0]], None),
        ([X[0], X[1], X[0] + 1e-5], None),
    ],
)
def test_inputs_that_make_kernels_singular_are_named(rows, dependent):
    found = inner_products(rows)
    if dependent is None:
        found.require_independent()
    else:
        with pytest.raises(DataError, match=f"{dependent} are equal up to a positive factor"):
            found.require_independent()


def test_an_other_input_that_is_a_multiple_of_one_is_named():
    with pytest.raises(DataError, match="inputs 2 and 1 are equal"):
        inner_products(X, [Y[0], 2 * X[2]]).require_independent()


def test_images_that_are_equal_are_named_at_full_size():
    """3072 numbers: rounding of a long sum does not hide that two images are one."""
    images = np.random.default_rng(2).integers(0, 256, (40, 3072)) / 127.5 - 1
    images[31] = images[7]
    with pytest.raises(DataError, match="inputs 7 and 31"):
        inner_products(images).require_independent()
    images[31, 5] += 1 / 127.5
    inner_products(images).require_independent()


def test_an_input_with_itself_has_its_squared_norm_to_the_last_digit():
    """Sums of a product of matrices are rounded otherwise, so that cosines would exceed one."""
    images = np.random.default_rng(3).normal(size=(40, 3072))
    found = inner_products(images)
    assert (found.cross.diagonal() == found.rows).all()
    assert (found.rows == found.columns).all()
