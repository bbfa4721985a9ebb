from pathlib import Path

import pytest
import torch
from scipy import stats

from benchmarks import straightforward
from benchmarks.one_step import peak_memory_gib
from dynparam.engines.dense import one_step
from dynparam.engines.gaussian_columns import Workspace
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import Widths

WIDTHS = Widths((30, 60, 12, 60, 2))


@pytest.mark.parametrize("name", NAMES)
def test_distribution_is_that_of_the_straightforward_probe(name):
    """Two-sample Kolmogorov-Smirnov, 300 trials each, every layer and quantity.

    100 tests in all five parametrizations at 1e-5 each: a false alarm in 1e-3 of the seeds.
    """
    scales = layer_scales(name, WIDTHS)
    generator = torch.Generator().manual_seed(12)
    x = torch.randn(30, generator=generator, dtype=torch.float64)
    y = torch.tensor([1.0, 0.0], dtype=torch.float64)
    ours = [one_step(WIDTHS, scales, x, y, 0.5, generator) for _ in range(300)]
    theirs = [straightforward.one_step(WIDTHS, scales, x, y, 0.5, generator) for _ in range(300)]
    for quantity in ("alignment", "preactivation_rms", "update_rms", "gradient_norm", "own_rms"):
        for layer in range(WIDTHS.depth):
            found, expected = (
                [getattr(trial, quantity)[layer] for trial in trials] for trials in (ours, theirs)
            )
            assert stats.ks_2samp(found, expected).pvalue > 1e-5, (quantity, layer + 1)


def test_a_wrong_standard_deviation_would_be_noticed():
    """The same test on a network whose second layer is drawn 30 % too large must fail."""
    scales = layer_scales("mup", WIDTHS)
    wrong = type(scales)(
        scales.multiplier, tuple(s * (1.3 if k == 1 else 1) for k, s in enumerate(scales.init_std))
    )
    generator = torch.Generator().manual_seed(13)
    x = torch.randn(30, generator=generator, dtype=torch.float64)
    y = torch.tensor([1.0, 0.0], dtype=torch.float64)
    ours = [one_step(WIDTHS, wrong, x, y, 0.5, generator).preactivation_rms[1] for _ in range(300)]
    theirs = [
        straightforward.one_step(WIDTHS, scales, x, y, 0.5, generator).preactivation_rms[1]
        for _ in range(300)
    ]
    assert stats.ks_2samp(ours, theirs).pvalue < 1e-5


def test_result_depends_on_the_generator_alone():
    """Not on the number of threads, nor on what the workspace held before: equal to the bit."""
    widths = Widths((300, 700, 90, 700, 2))
    scales = layer_scales("spectral", widths)
    x, y = torch.ones(300), torch.tensor([0.0, 1.0])
    workspace = Workspace()
    one_step(Widths((300, 800, 100, 800, 2)), layer_scales("ntk", (300, 800, 100, 800, 2)), x, y, 0.1,
             torch.Generator().manual_seed(9), workspace)  # fmt: skip
    before = torch.get_num_threads()
    results = []
    try:
        for threads, space in ((1, None), (2, None), (4, workspace)):
            torch.set_num_threads(threads)
            generator = torch.Generator().manual_seed(1)
            results.append(one_step(widths, scales, x, y, 0.1, generator, space))
    finally:
        torch.set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_shapes_are_checked():
    scales = layer_scales("ntk", WIDTHS)
    generator = torch.Generator()
    with pytest.raises(ConfigError, match=r"x has the shape \(31,\); these widths need \(30,\)"):
        one_step(WIDTHS, scales, torch.ones(31), torch.ones(2), 0.1, generator)
    with pytest.raises(ConfigError, match=r"y has the shape \(1, 2\)"):
        one_step(WIDTHS, scales, torch.ones(30), torch.ones(1, 2), 0.1, generator)


@pytest.mark.parametrize(("value", "rate"), [(float("nan"), 0.1), (1.0, 1e30)])
def test_values_that_are_not_finite_are_named(value, rate):
    x = torch.ones(30)
    x[3] = value
    with pytest.raises(NonFiniteError, match=r"of layer \d is .*; lower the learning rate or check"):
        one_step(WIDTHS, layer_scales("standard", WIDTHS), x, torch.ones(2), rate,
                 torch.Generator().manual_seed(0))  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_at_the_largest_network_of_the_thesis():
    """Peak memory of a process, torch included, below 1 GiB at n = 10^4, constant ratio."""
    assert peak_memory_gib("dynparam.engines.dense") < 1
