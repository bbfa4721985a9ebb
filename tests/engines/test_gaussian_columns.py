from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dynparam.engines.gaussian_columns import (
    LANES,
    GaussianColumns,
    Lanes,
    Workspace,
    helper_threads,
    share,
)
from dynparam.engines.network import DenseMap, sgd_step
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import Widths
from tests.tolerances import ONE_STEP


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as threads:
        yield threads


def columns(pool, fan_in, fan_out, std=1.0, seed=0, *, keep=True, dtype=torch.float64):
    workspace = Workspace()
    workspace.reset(fan_in * fan_out, dtype)
    lanes = Lanes(torch.Generator().manual_seed(seed), pool)
    return GaussianColumns(fan_in, fan_out, std, lanes, workspace, keep=keep)


def filled_in(matrix, fan_in, fan_out, filler):
    """The full (n_out, n_in) matrix: drawn columns where they exist, ``filler`` elsewhere."""
    full = torch.full((fan_out, fan_in), filler, dtype=torch.float64)
    for index, drawn in matrix._drawn:
        full[:, index] = drawn.T
    return full


@given(st.integers(0, 1000))
def test_shares_partition(count):
    parts = [range(count)[share(count, lane)] for lane in range(LANES)]
    assert [k for part in parts for k in part] == list(range(count))


@pytest.mark.parametrize("order", [(torch.float32, torch.float64), (torch.float64, torch.float32)])
def test_a_workspace_may_be_used_again(pool, order):
    """In another precision, smaller or larger: as if it were new, and no matrix overwrites another."""
    used, u = Workspace(), torch.randn(9, generator=torch.Generator().manual_seed(1)).double()
    for fan_out, dtype in zip((7, 5, 40, 40), (*order, *order), strict=True):
        fresh = Workspace()
        products = []
        for workspace in (used, fresh):
            workspace.reset(2 * 9 * fan_out, dtype)
            lanes = Lanes(torch.Generator().manual_seed(3), pool)
            matrices = [GaussianColumns(9, fan_out, 1.0, lanes, workspace) for _ in range(2)]
            for matrix in matrices:
                matrix.times(u.to(dtype))
            products.append([matrix.times(u.to(dtype)) for matrix in matrices])
        for again, new in zip(*products, strict=True):
            assert again.dtype == new.dtype == dtype
            assert torch.equal(again, new)
        assert not torch.equal(*products[0])


@pytest.mark.parametrize("fan_out", [1, 2, 37, 300_000])
def test_products_are_those_of_one_fixed_matrix(pool, fan_out):
    fan_in = 23
    matrix = columns(pool, fan_in, fan_out)
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(4, fan_in, generator=generator, dtype=torch.float64).relu()
    products = [matrix.times(u) for u in inputs]
    v = torch.randn(fan_out, generator=generator, dtype=torch.float64)
    carried = matrix.transpose_times(v)
    full = filled_in(matrix, fan_in, fan_out, filler=float("nan")).nan_to_num(0.0)
    for u, product in zip(inputs, products, strict=True):
        torch.testing.assert_close(product, full @ u)
    torch.testing.assert_close(carried, full.T @ v)


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("helpers", [0, 1, 3, 8])
def test_lanes_run_once_each_in_order(helpers, parallel):
    runs = []

    def work(lane):
        runs.append(lane)
        return 10 * lane

    with ThreadPoolExecutor(helpers or 1) as threads:
        lanes = Lanes(torch.Generator(), threads if helpers else None)
        assert lanes.run(work, parallel=parallel) == [10 * lane for lane in range(LANES)]
    assert sorted(runs) == list(range(LANES))


def test_an_error_in_a_lane_is_raised(pool):
    def work(lane):
        if lane == 1:
            raise ValueError("lane 1")

    with pytest.raises(ValueError, match="lane 1"):
        Lanes(torch.Generator(), pool).run(work, parallel=True)


def test_only_needed_columns_are_drawn(pool):
    matrix = columns(pool, 10, 3)
    u = torch.zeros(10, dtype=torch.float64)
    u[[1, 4]] = 1.0
    matrix.times(u)
    matrix.times(-2 * u)
    assert [index.tolist() for index, _ in matrix._drawn] == [[1, 4], []]


def test_zero_input_draws_nothing(pool):
    matrix = columns(pool, 10, 3)
    assert matrix.times(torch.zeros(10, dtype=torch.float64)).tolist() == [0.0] * 3


def test_dropped_columns_cannot_be_asked_again(pool):
    matrix = columns(pool, 10, 3, keep=False)
    u = torch.ones(10, dtype=torch.float64)
    matrix.times(u)
    with pytest.raises(ValueError, match="only once"):
        matrix.times(u)


def test_a_matrix_that_is_not_kept_is_multiplied_once_however_few_columns_that_took(pool):
    """The second vector needs none of the columns that were dropped; the third needs one."""
    u = torch.eye(10, dtype=torch.float64)
    for later in (u[1], u[0]):
        matrix = columns(pool, 10, 3, keep=False)
        matrix.times(u[0])
        with pytest.raises(ValueError, match="only once"):
            matrix.times(later)


def test_kept_and_dropped_columns_are_the_same(pool):
    u = torch.randn(5000, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    kept, dropped = (columns(pool, 5000, 700, keep=keep).times(u) for keep in (True, False))
    assert torch.equal(kept, dropped)


def test_entries_are_independent_normals(pool):
    """Kolmogorov-Smirnov on 10^5 entries and the correlation of neighbours; false alarms 1e-4 each."""
    matrix = columns(pool, 400, 250, std=3.0, seed=11)
    matrix.times(torch.ones(400, dtype=torch.float64))
    full = filled_in(matrix, 400, 250, filler=0.0) / 3.0
    assert stats.kstest(full.flatten().numpy(), "norm").pvalue > 1e-4
    for other in (full.roll(1, 0), full.roll(1, 1), full.roll(100, 1)):
        correlation = (full * other).mean().item()
        assert abs(correlation) < stats.norm.isf(0.5e-4) / full.numel() ** 0.5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("filler", [0.0, 1e3])
def test_undrawn_columns_cannot_matter(pool, name, filler):
    """A step on the drawn columns equals a step on the full matrix, whatever fills the others."""
    widths = Widths((20, 60, 7, 50, 9, 40, 2))
    scales = layer_scales(name, widths)
    generator = torch.Generator().manual_seed(8)
    x = torch.randn(20, generator=generator, dtype=torch.float64)
    y = torch.tensor([1.0, 0.0], dtype=torch.float64)
    lanes = Lanes(generator, pool)
    workspace = Workspace()
    workspace.reset(widths.weight_count, torch.float64)
    maps = [
        GaussianColumns(a, b, std, lanes, workspace)
        for (a, b), std in zip(widths.layers(), scales.init_std, strict=True)
    ]
    step = sgd_step(maps, scales, x, y, 3.0)
    full = [
        DenseMap(filled_in(matrix, a, b, filler))
        for matrix, (a, b) in zip(maps, widths.layers(), strict=True)
    ]
    reference = sgd_step(full, scales, x, y, 3.0)
    assert any(len(matrix._drawn) == 2 and len(matrix._drawn[1][0]) for matrix in maps), (
        "the step must wake a silent unit somewhere, or the case is too easy"
    )
    for ours, theirs in zip(
        (*step.preactivation, *step.gradient, *step.update),
        (*reference.preactivation, *reference.gradient, *reference.update),
        strict=True,
    ):
        tolerance = ONE_STEP[torch.float64]
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance * theirs.norm())


def test_helper_threads_leave_torchs_setting_as_it_was():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with helper_threads() as helpers:
            assert torch.get_num_threads() == 1
            assert helpers is not None
        assert torch.get_num_threads() == 2
        torch.set_num_threads(1)
        with helper_threads() as helpers:
            assert helpers is None
    finally:
        torch.set_num_threads(before)
