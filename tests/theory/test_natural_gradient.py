"""Shares and speeds of natural gradients, against matrices of layers and of weights."""

import numpy as np
import pytest

from dynparam.support.errors import ConfigError, DataError, NonFiniteError
from dynparam.theory.natural_gradient import (
    APPROXIMATIONS,
    coefficients,
    layer_shares,
    preconditioned,
    remaining,
    require_possible,
    speed,
)

RANDOM = np.random.default_rng(0)


def jacobians(sizes=(9, 7, 8, 6), outputs=1, inputs=5):
    """Random J_l, (C N, weights) of each layer."""
    return [RANDOM.normal(size=(outputs * inputs, size)) for size in sizes]


def kernels_of(blocks, outputs=1):
    """K_l in the shape of kernels, (L, C, N, C, N)."""
    inputs = len(blocks[0]) // outputs
    return np.stack([j @ j.T for j in blocks]).reshape(-1, outputs, inputs, outputs, inputs)


def neighbours(depth, reach):
    """One where layers are no more than ``reach`` apart."""
    layer = np.arange(depth)
    return (np.abs(layer[:, None] - layer) <= reach).astype(float)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(
    ("approximation", "reach"), [("exact", 9), ("block_diagonal", 0), ("block_tridiagonal", 1)]
)
def test_moves_are_those_of_the_inverse_among_weights(approximation, reach, outputs):
    """The Fisher matrix of all weights, its blocks kept, inverted as Moore and Penrose do."""
    blocks = jacobians((17, 16, 19, 18), outputs)
    whole = np.concatenate(blocks, axis=1)
    owner = np.repeat(np.arange(4), [j.shape[1] for j in blocks])
    residual = RANDOM.normal(size=(5, outputs))
    r = residual.T.ravel()
    fisher = whole.T @ whole / 5 * neighbours(4, reach)[np.ix_(owner, owner)]
    expected = np.linalg.pinv(fisher, rcond=1e-9) @ whole.T @ r / 5
    found = coefficients(approximation, kernels_of(blocks, outputs), residual)
    moves = np.concatenate([j.T @ v.T.ravel() for j, v in zip(blocks, found, strict=True)])
    assert np.allclose(moves, expected, rtol=1e-7, atol=1e-9)
    assert np.allclose(whole @ moves, speed(approximation, 4, 5) * r, rtol=1e-8)


@pytest.mark.parametrize("depth", [3, 4, 6, 7, 9, 10, 13])
def test_shares_solve_the_tridiagonal_matrix(depth):
    expected = np.linalg.solve(neighbours(depth, 1), np.ones(depth))
    assert np.allclose(layer_shares("block_tridiagonal", depth, 1), expected)


@pytest.mark.parametrize("depth", [2, 5, 8, 11])
def test_depths_without_an_inverse_are_told(depth):
    assert abs(np.linalg.det(neighbours(depth, 1))) < 1e-12
    with pytest.raises(ConfigError, match=f"of {depth} layers has no inverse: its T is singular"):
        speed("block_tridiagonal", depth, 4)


def test_speeds_of_the_paper():
    found = [speed("block_tridiagonal", depth, 1) for depth in (3, 4, 6, 7, 9, 10)]
    assert found == [1, 2, 2, 3, 3, 4]
    assert [speed(one, 3, 32) for one in APPROXIMATIONS] == [1, 3, 1, 65]
    assert speed("exact", 5, 32) == 1


def test_the_residual_falls_step_by_step():
    assert remaining(0.3, 1.0, 0) == 1
    left = 1.0
    for step in range(1, 7):
        left -= 0.1 * 3 * left
        assert remaining(0.1, 3.0, step) == pytest.approx(left)
    with pytest.raises(ConfigError, match="-1 steps"):
        remaining(0.1, 3.0, -1)


def test_rows_are_preconditioned_by_the_inverse_among_units():
    rows = RANDOM.normal(size=(4, 9))
    expected = rows @ np.linalg.pinv(rows.T @ rows / 4, rcond=1e-9)
    assert np.allclose(preconditioned(rows, "h^0"), expected)
    # What a step makes of an input is that input's own residual: N of it, and nothing of the others'.
    assert np.allclose(rows @ preconditioned(rows, "h^0").T, 4 * np.eye(4))


@pytest.mark.parametrize("factor", [1.0, 3.0, 1e-3])
def test_inputs_that_combine_to_others_are_told(factor):
    rows = RANDOM.normal(size=(5, 9))
    rows[3] = factor * rows[1]
    with pytest.raises(DataError, match=r"K-FAC's matrix of h\^0 is singular, of rank 4 in place of 5"):
        preconditioned(rows, "h^0")
    kernels = kernels_of([rows, RANDOM.normal(size=(5, 9))])
    with pytest.raises(DataError, match="the kernel of layer 1 is singular"):
        coefficients("block_diagonal", kernels, np.ones((5, 1)))
    both = kernels_of([rows, 2 * rows])
    with pytest.raises(DataError, match="the kernel is singular, of rank 4"):
        coefficients("exact", both, np.ones((5, 1)))


def test_a_layer_without_a_share_may_be_singular():
    """The tridiagonal one trains layer 2 of three alone."""
    blocks = jacobians((9, 7, 8))
    blocks[0][3] = blocks[0][1]
    found = coefficients("block_tridiagonal", kernels_of(blocks), np.ones((5, 1)))
    assert not found[[0, 2]].any()
    assert np.allclose(blocks[1] @ blocks[1].T @ found[1], 1)


def test_what_is_not_finite_is_told():
    kernels = kernels_of(jacobians())
    kernels[1, 0, 0, 0, 0] = np.nan
    for approximation in ("exact", "block_diagonal"):
        with pytest.raises(NonFiniteError, match="not finite"):
            coefficients(approximation, kernels, np.ones((5, 1)))
    with pytest.raises(NonFiniteError, match="not finite"):
        preconditioned(np.array([[1.0, np.inf], [0.0, 1.0]]), "h^1")


@pytest.mark.parametrize(
    ("approximation", "sizes", "inputs", "message"),
    [
        ("kfac", (64, 100, 100, 2), 32, "one output here, and this one has 2"),
        ("kfac", (31, 100, 100, 1), 32, "which n_0 = 31 leaves singular"),
        ("kfac", (64, 100, 31, 1), 32, "which n_2 = 31 leaves singular"),
        ("exact", (2, 3, 1), 10, "the kernel of the network has 10 rows and 9 weights"),
        ("exact", (2, 3, 2), 10, "the kernel of the network has 20 rows and 12 weights"),
        ("block_diagonal", (64, 100, 31, 1), 32, "layer 3 has 32 rows and 31 weights"),
        ("block_diagonal", (64, 100, 31, 2), 32, "layer 3 has 64 rows and 62 weights"),
        ("block_tridiagonal", (64, 100, 100, 31, 1), 32, "layer 4 has 32 rows and 31 weights"),
        ("block_tridiagonal", (64, 100, 1), 32, "2 layers has no inverse"),
        ("block_diagonal", (64, 1), 32, "1 layers leave no hidden layer"),
        ("exact", (64, 1), 32, "1 layers leave no hidden layer"),
        ("exact", (64, 10, 1), 0, "0 inputs have no gradients"),
        ("exact", (64, 0, 1), 4, "width n_1 is 0"),
        ("unit", (64, 10, 1), 4, "unknown approximation 'unit'"),
    ],
)
def test_networks_without_an_inverse_are_told(approximation, sizes, inputs, message):
    with pytest.raises(ConfigError, match=message):
        require_possible(approximation, sizes, inputs)


@pytest.mark.parametrize(
    ("approximation", "sizes"),
    [
        ("kfac", (32, 32, 32, 1)),
        ("exact", (4, 8, 1)),
        ("block_diagonal", (4, 8, 32, 1)),
        ("block_tridiagonal", (2, 16, 3, 1)),
    ],
)
def test_the_smallest_networks_that_have_one_pass(approximation, sizes):
    require_possible(approximation, sizes, 32)
    assert speed(approximation, len(sizes) - 1, 32) > 0


def test_other_arguments_that_make_no_sense_are_told():
    kernels = kernels_of(jacobians())
    with pytest.raises(ConfigError, match=r"are not those of layers"):
        coefficients("exact", kernels[0], np.ones((5, 1)))
    with pytest.raises(ConfigError, match=r"residual of shape \(4, 1\) does not fit 5 inputs"):
        coefficients("exact", kernels, np.ones((4, 1)))
    with pytest.raises(ConfigError, match="K-FAC's move is no sum of gradients"):
        coefficients("kfac", kernels, np.ones((5, 1)))
    with pytest.raises(ConfigError, match="exact natural gradient has no shares"):
        layer_shares("exact", 3, 5)
