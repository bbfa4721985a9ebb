"""Losses of gradient descent beside autograd, and the two kinds of weights beside each other."""

from itertools import islice

import numpy as np
import pytest
import torch
from scipy import stats
from torch.autograd import grad

from dynparam.engines.descent import (
    WAITING,
    StoredMap,
    law_maps,
    law_memory_bytes,
    losses,
    stored_maps,
)
from dynparam.engines.network import MLP, DenseMap, draw_weights
from dynparam.engines.trajectory import TrainedMap
from dynparam.support.errors import ConfigError
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths

WIDTHS = Widths((6, 30, 8, 30, 2))

SCALES = layer_scales("spectral", WIDTHS)


def drawn(seed=0):
    return draw_weights(WIDTHS, SCALES, torch.Generator().manual_seed(seed), torch.float64)


def batch(count):
    random = torch.Generator().manual_seed(7)
    x = torch.randn(count, 6, generator=random, dtype=torch.float64)
    return x, torch.eye(2, dtype=torch.float64)[torch.arange(count) % 2]


def by_autograd(steps, x, y, learning_rate, momentum):
    network = MLP(drawn(), SCALES.multiplier)
    weights = list(network.parameters())
    velocity = [torch.zeros_like(weight) for weight in weights]
    found = []
    for _ in range(steps):
        loss = (network(x) - y).square().sum(1).mean() / 2
        with torch.no_grad():
            for weight, v, slope in zip(weights, velocity, grad(loss, weights), strict=True):
                weight -= learning_rate * v.mul_(momentum).add_(slope)
        found.append(loss.item())
    return found


MAPS = {
    "stored": lambda: [StoredMap(weight) for weight in drawn()],
    "trained": lambda: [TrainedMap(DenseMap(weight)) for weight in drawn()],
}


@pytest.mark.parametrize("kind", MAPS)
@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_losses_are_those_of_autograd(kind, images, momentum):
    x, y = batch(images)
    found = list(islice(losses(MAPS[kind](), SCALES, x, y, 0.05, momentum), 15))
    expected = by_autograd(15, x, y, 0.05, momentum)
    assert found == pytest.approx(expected, rel=1e-9)
    assert found[-1] < found[0]


@pytest.mark.parametrize("images", [1, 3])
def test_moves_that_wait_count_in_every_product(images):
    random = torch.Generator().manual_seed(3)
    stored = StoredMap(drawn()[1].clone())
    dense = drawn()[1]
    for _ in range(2 * WAITING + 3):
        a, b, u, v = (torch.randn(images, n, generator=random).double() for n in (8, 30, 30, 8))
        assert torch.allclose(stored.times(u[0]), dense @ u[0], rtol=1e-12, atol=1e-12)
        assert torch.allclose(stored.transpose_times(v[0]), dense.T @ v[0], rtol=1e-12, atol=1e-12)
        stored.accelerate(0.0, list(zip(a, b, strict=True)))
        stored.move(0.3)
        dense = dense - 0.3 * a.T @ b


def test_weights_in_law_lose_as_stored_ones():
    """Kolmogorov and Smirnov's test of the loss after three steps; 1 in 1000 fails if it is so."""
    x, y = batch(1)
    widths = Widths((6, 20, 5, 20, 2))
    scales = layer_scales("spectral", widths)

    def after(maps, seed):
        random = torch.Generator().manual_seed(seed)
        return next(islice(losses(maps(widths, scales, random), scales, x, y, 0.4), 3, None))

    stored = [after(stored_maps, seed) for seed in range(100)]
    in_law = [after(law_maps, 1000 + seed) for seed in range(100)]
    assert stats.ks_2samp(stored, in_law).pvalue > 1e-3
    assert np.std(stored) > 1e-4


def test_stored_weights_are_drawn_as_others_are():
    random = torch.Generator().manual_seed(3)
    maps = stored_maps(WIDTHS, SCALES, random, torch.float64)
    one = torch.ones(WIDTHS.sizes[0], dtype=torch.float64)
    assert torch.equal(maps[0].times(one), drawn(3)[0] @ one)


def test_vectors_keep_their_precision():
    single = StoredMap(drawn()[0].float())
    assert single.times(torch.ones(6, dtype=torch.float64)).dtype == torch.float64
    assert single.transpose_times(torch.ones(30, dtype=torch.float64)).dtype == torch.float64


def test_a_step_is_taken_when_the_next_loss_is_asked_for():
    class Counted(StoredMap):
        moves = 0

        def move(self, learning_rate):
            Counted.moves += 1
            super().move(learning_rate)

    x, y = batch(1)
    found = losses([Counted(weight) for weight in drawn()], SCALES, x, y, 0.1)
    next(found)
    assert Counted.moves == 0
    next(found)
    assert Counted.moves == WIDTHS.depth


@pytest.mark.parametrize("images", [1, 3])
def test_memory_in_law_is_bounded_by_what_is_asked_for(images):
    x, y = batch(images)
    maps = law_maps(WIDTHS, SCALES, torch.Generator().manual_seed(0))
    steps = 5
    list(islice(losses(maps, SCALES, x, y, 0.05), steps))
    held = [
        rows
        for one in maps
        for known in (one._initial._left, one._initial._right)
        for rows in (known._vectors, known._images)
    ]
    held += [rows for one in maps for rows in (one._left, one._right)]
    kept = 8 * sum(rows._rows.numel() for rows in held)
    bound = law_memory_bytes(WIDTHS, steps, images)
    assert bound / 4 < kept <= bound


def test_weights_beyond_memory_are_refused():
    widths = Widths((64, 10**7, 10**6, 10**7, 2))
    with pytest.raises(ConfigError, match="GiB are free"):
        stored_maps(widths, layer_scales("spectral", widths), torch.Generator())


def test_shapes_that_do_not_fit_are_told():
    x, y = batch(2)
    with pytest.raises(ConfigError, match="with the same steps and batch"):
        next(losses(MAPS["stored"](), SCALES, x, y[:1], 0.1))
