from dataclasses import asdict
from unittest.mock import patch

import numpy as np
import pytest
import torch

from dynparam.engines import dense as probe
from dynparam.engines import law as gaussian_law
from dynparam.engines import law_step, one_step, scaled_rows
from dynparam.engines.gaussian_columns import Workspace
from dynparam.engines.law_step import take_steps
from dynparam.engines.network import DenseMap, draw_weights, second_gradient, sgd_step
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import Widths, bottleneck
from tests.law_pvalues import (
    FALSE_ALARM,
    NETWORKS,
    QUANTITIES,
    WRONG_SECOND,
    WRONG_STEPS,
    Network,
    dense_steps,
    law_steps,
    one_step_family,
    p_values,
    samples,
    stacked_steps,
    two_steps,
    with_holm,
    wrong_step_family,
)
from tests.tolerances import ONE_STEP

EXACT = ONE_STEP[torch.float64]
SIZES = (6, 40_000, 3, 33, 40_000, 2)


def take(sizes, trials, *, first=0, name="spectral", rate=0.1, workspace=None):
    """Trials ``first`` to ``first + trials - 1``, each with an image norm and target of its own."""
    widths = Widths(sizes)
    numbers = np.arange(first, first + trials)
    generators = [torch_generator(0, "steps", int(number)) for number in numbers]
    norms, targets = 1.0 + numbers % 3, np.eye(sizes[-1])[numbers % sizes[-1]]
    return asdict(
        take_steps(
            widths, layer_scales(name, widths), norms, targets, rate, generators, workspace, twice=True
        )
    )


def test_all_parametrizations_and_shapes_are_in_the_comparison():
    assert {network.parametrization for network in NETWORKS} == set(NAMES)
    assert {network.widths.depth for network in NETWORKS} >= {2, 3, 4, 8}
    assert {network.widths.n_min for network in NETWORKS} >= {1, 3, 5}
    assert max(max(network.sizes) for network in NETWORKS) > 50


def test_law_is_that_of_the_dense_engines(record_property):
    """Kolmogorov-Smirnov, 2000 trials and 715 of ``dense.one_step`` against 10,000 dense, float64.

    Every layer and quantity of every network, one family under Holm's correction; false alarm 1e-3.
    They tell as much as 3333 against 3333, and 1000 against 2000.
    """
    table = one_step_family("law")
    record_property("p_values", table.to_csv(index=False))
    assert len(table) == 2 * len(QUANTITIES) * sum(network.widths.depth for network in NETWORKS)
    assert table["holm"].min() > FALSE_ALARM, table[table["holm"] < FALSE_ALARM].to_string()


@pytest.mark.parametrize("name", WRONG_STEPS)
def test_a_forgotten_component_is_noticed(name, record_property):
    """The same test on a wrong conditioning rejects on every network with room for the error.

    Behind a layer of a single unit the change of h is parallel to h, and W p needs no conditioning.
    """
    table = wrong_step_family(name)
    record_property("p_values", table.to_csv(index=False))
    rejected = table[table["holm"] < FALSE_ALARM]
    assert set(rejected["network"]) >= {str(network) for network in NETWORKS if network.widths.n_min > 1}
    assert table["holm"].min() < 1e-12


@pytest.mark.parametrize("name", WRONG_SECOND)
def test_a_forgotten_component_of_the_second_gradient_is_noticed(name, record_property):
    """What is known of W^T d2 besides W^T d is of the order of 1/width: narrow networks show it."""
    table = wrong_step_family(name)
    record_property("p_values", table.to_csv(index=False))
    assert set(table.loc[table["holm"] < FALSE_ALARM, "quantity"]) == {"gradient_overlap"}
    assert table["holm"].min() < 1e-9


def test_the_second_gradient_changes_nothing_else():
    """It is drawn last: all other numbers are equal to the bit."""
    widths = Widths((6, 9, 3, 8, 2))
    scales = layer_scales("mup", widths)
    arguments = (widths, scales, np.ones(5), np.tile([1.0, 0.0], (5, 1)), 0.3)
    once, twice = (
        asdict(take_steps(*arguments, [torch_generator(0, k) for k in range(5)], twice=twice))
        for twice in (False, True)
    )
    assert once.pop("gradient_overlap") is None
    assert twice.pop("gradient_overlap").shape == (5, 4)
    for quantity, values in once.items():
        np.testing.assert_array_equal(values, twice[quantity])


def test_silent_layers_are_among_the_trials():
    """All units of a hidden layer silent: with one, three or four units that is frequent."""
    for network in NETWORKS[1:5]:
        for sampler in (law_steps, dense_steps):
            found = samples(sampler, network)
            dead = (found["preactivation_rms"] == 0).any(axis=1)
            assert dead.mean() > 0.01
            assert (found["alignment"][dead, 0] == 0).all(), "nothing is carried back through it"
            assert (found["gradient_norm"][dead, -1] == 1).all(), "f = 0 is left with the target"


@pytest.mark.parametrize("name", NAMES)
def test_dense_trials_in_a_stack_are_those_of_the_dense_program(name):
    """The reference above computes what ``network.sgd_step`` does; one trial has a silent layer."""
    widths = Widths((6, 9, 3, 8, 2))
    network = Network(widths.sizes, name, 0.3)
    trials = [
        draw_weights(widths, network.scales, torch_generator(4, trial), torch.float64)
        for trial in range(3)
    ]
    trials[1][1] = -trials[1][1].abs()
    (x,), (y,) = (part[0] for part in network.data())
    stacks = [torch.stack(layer) for layer in zip(*trials, strict=True)]
    found = stacked_steps(stacks, network.scales, x, y, network.learning_rate)
    for trial, weights in enumerate(trials):
        expected = two_steps(list(map(DenseMap, weights)), network, x, y)
        for quantity in QUANTITIES:
            theirs = np.array(getattr(expected, quantity))
            np.testing.assert_allclose(
                found[quantity][trial], theirs, rtol=EXACT, atol=EXACT * theirs.max(), err_msg=quantity
            )


@pytest.mark.parametrize("columns", [1, 7])
def test_small_blocks_have_the_same_law(columns):
    """Sums over many blocks: the comparison again on four networks; false alarm 1e-3 each."""
    with patch.object(scaled_rows, "COLUMNS", columns):
        blocked = {network: law_steps(network, 715) for network in NETWORKS[2:6]}
    table = with_holm(
        [
            p_values("blocks", network, found, samples(dense_steps, network))
            for network, found in blocked.items()
        ]
    )
    assert table["holm"].min() > FALSE_ALARM


@pytest.mark.parametrize("sizes", [(4, 5, 2), (6, 9, 3, 8, 2), (6, 300, 17, 16, 300, 2), SIZES])
def test_trials_do_not_depend_on_those_beside_them(sizes):
    """Equal to the bit, however many are computed together and whatever the workspace held before."""
    workspace = Workspace()
    workspace.reset(10**6, torch.float32)
    workspace.take(1, 10**6).fill_(float("nan"))
    together = take(sizes, 7, workspace=workspace)
    for count in (1, 2, 3):
        for first in range(0, 7 - count, count):
            found = take(sizes, count, first=first, workspace=workspace if count == 2 else None)
            for quantity, values in found.items():
                np.testing.assert_array_equal(values, together[quantity][first : first + count])


def test_one_unit_leaves_nothing_to_be_drawn_for_the_second_gradient():
    """Widths 3-1-1: all of it follows from what is recorded, by arithmetic.

    What the unit's change has across its activation is rounding. It was taken for a direction once, in
    which the transposed product was off by as much as it is long.
    """
    trials, rate = 400, 0.3
    widths = Widths((3, 1, 1))
    scales = layer_scales("ntk", widths)
    generators = [torch_generator(0, "one unit", trial) for trial in range(trials)]
    found = take_steps(
        widths, scales, np.full(trials, 1.5), np.ones((trials, 1)), rate, generators, twice=True
    )
    size, error = found.preactivation_rms[:, 1], found.gradient_norm[:, 1]
    h, f = found.preactivation_rms[:, 0], (size**2 - error**2 + 1) / 2
    active = size > 0
    h, f = h[active], f[active]
    slope = f / h
    delta = slope * (f - 1)
    moved = np.maximum(h - rate * scales.multiplier[0] ** 2 * 1.5**2 * delta, 0)
    after = slope - rate * scales.multiplier[1] ** 2 * h * (f - 1)
    second = np.where(moved > 0, after * (after * moved - 1), 0)
    assert 150 < active.sum() < 250
    np.testing.assert_allclose(
        found.gradient_overlap[active, 0], np.abs(delta * second), rtol=1e-4, atol=1e-6
    )


def test_a_layer_that_the_step_silences_leaves_zeros_above():
    """Widths 3-2-5-1 at a large rate: with h + p = 0 all above are zero after the step, not rounding.

    Rounding has a sign, by which units were taken for active ones, and gradients went through them.
    """
    trials = 2000
    widths = Widths((3, 2, 5, 1))
    generators = [torch_generator(0, "silenced", trial) for trial in range(trials)]
    found = take_steps(
        widths,
        layer_scales("ntk", widths),
        np.full(trials, 1.5),
        np.ones((trials, 1)),
        3.0,
        generators,
        twice=True,
    )
    silenced = (found.preactivation_rms[:, 1] > 0) & np.isclose(
        found.update_rms[:, 1], found.preactivation_rms[:, 1], rtol=1e-5
    )
    assert 100 < silenced.sum() < 1500
    assert (found.gradient_overlap[silenced, :2] == 0).all()
    np.testing.assert_allclose(
        found.update_rms[silenced, 1:], found.preactivation_rms[silenced, 1:], rtol=1e-6
    )


def test_trials_differ():
    """The trials above are not all the same, or their equality would say little."""
    assert len(set(take(SIZES, 7)["preactivation_rms"][:, 0])) == 7


def wide_means(n, blocks=scaled_rows.blocks):
    """Difference of means, law less dense, in standard errors: (quantities, L), at widths n-3-n."""
    widths = Widths((5, n, 3, n, 2))
    scales = layer_scales("dynamic", widths)
    x, y = torch.full((5,), 0.6, dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
    with patch.object(law_step, "blocks", blocks):
        generators = [torch_generator(1, "wide", n, trial) for trial in range(400)]
        norms, targets = np.full(400, x.norm().item()), np.tile(y.numpy(), (400, 1))
        law = asdict(take_steps(widths, scales, norms, targets, 0.1, generators, twice=True))
    generator = torch_generator(1, "wide dense", n)
    steps = []
    for _ in range(150):
        maps = list(map(DenseMap, draw_weights(widths, scales, generator, torch.float32)))
        step = sgd_step(maps, scales, x.float(), y.float(), 0.1)
        steps.append(one_step.record(step, second_gradient(maps, scales, step, 0.1)))
    return np.array([in_errors(law[q], [getattr(step, q) for step in steps]) for q in QUANTITIES])


def in_errors(first, second):
    """Difference of two samples' means (trials, L), in its standard errors."""
    errors = [np.var(sample, axis=0, ddof=1) / len(sample) for sample in (first, second)]
    return (np.mean(first, axis=0) - np.mean(second, axis=0)) / np.sqrt(sum(errors))


@pytest.mark.parametrize("n", [scaled_rows.COLUMNS, scaled_rows.COLUMNS + 1, 70_000])
def test_means_beyond_one_block(n):
    """24 means against dense ones within 4 standard errors; false alarm 1.5e-3. At most three blocks."""
    assert np.abs(wide_means(n)).max() < 4


def test_a_lost_block_would_be_noticed():
    def first_block_only(size):
        yield slice(0, min(size, scaled_rows.COLUMNS))

    assert np.abs(wide_means(70_000, first_block_only)).max() > 8


def test_means_at_a_network_of_the_thesis():
    """n = 1000, n_min = 200: 200 dense trials in float32; 36 means within 4 standard errors.

    False alarm 2.3e-3.
    """
    widths = bottleneck(1000, 200)
    scales = layer_scales("spectral", widths)
    x, y = torch.full((3072,), 0.5), torch.tensor([0.0, 1.0])
    generator, workspace = torch_generator(2, "thesis"), Workspace()
    dense = [
        probe.one_step(widths, scales, x, y, 0.1, generator, workspace, twice=True) for _ in range(200)
    ]
    generators = [torch_generator(2, "thesis law", trial) for trial in range(1000)]
    norms, targets = np.full(1000, x.double().norm().item()), np.tile(y.double().numpy(), (1000, 1))
    law = asdict(gaussian_law.one_steps(widths, scales, norms, targets, 0.1, generators, twice=True))
    for quantity in QUANTITIES:
        found = in_errors(law[quantity], [getattr(trial, quantity) for trial in dense])
        assert np.abs(found).max() < 4, quantity


def test_first_layer_is_exact():
    """<delta^1, Delta htilde^1> = -eta g_1^2 ||x||^2 ||delta^1||^2, whatever was drawn."""
    widths = Widths((6, 9, 3, 8, 2))
    found = take(widths.sizes, 50, name="mup", rate=0.3)
    g, norms = layer_scales("mup", widths).multiplier[0], 1.0 + np.arange(50) % 3
    expected = 0.3 * g**2 * norms**2 * found["gradient_norm"][:, 0] ** 2
    np.testing.assert_allclose(found["alignment"][:, 0], expected, rtol=1e-10)


def test_divergence_is_silent_until_asked_for():
    """No warning; the values say it."""
    found = take((6, 9, 3, 2), 4, rate=1e200)
    assert not np.isfinite(found["update_rms"]).all()
