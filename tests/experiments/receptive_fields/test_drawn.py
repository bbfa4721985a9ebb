"""The kernel of a drawn network: against gradients of the same network in torch."""

import math

import numpy as np
import pytest
import torch

from dynparam.experiments.receptive_fields.drawn import drawn_kernel
from dynparam.theory.receptive_fields import DENSE, Fields, field_kernel, profiles

IMAGES = np.random.default_rng(2).normal(size=(3, 2, 5, 5)) + 0.2


def by_gradients(fields, units, generator):
    """The same draws, in the same order, differentiated."""
    windows = profiles(5, fields)
    positions = [np.outer(down, across) for down in windows for across in windows]
    n = units * len(positions)
    first = [generator.standard_normal((50, units)) for _ in positions]
    drawn = [*first, generator.standard_normal((n, n)), generator.standard_normal(n)]
    weights = [torch.from_numpy(one).requires_grad_() for one in drawn]
    gradients = []
    for image in IMAGES:
        views = [torch.from_numpy((image * window).ravel()) for window in positions]
        hidden = torch.cat(
            [math.sqrt(2) * view @ one for view, one in zip(views, weights, strict=False)]
        )
        second = math.sqrt(2 / n) * torch.relu(hidden) @ weights[-2]
        output = torch.relu(second) @ weights[-1] / math.sqrt(n)
        found = torch.autograd.grad(output, weights)
        gradients.append(torch.cat([one.ravel() for one in found]))
    stacked = torch.stack(gradients)
    return (stacked @ stacked.T).numpy()


@pytest.mark.parametrize(("fields", "units"), [(Fields(2, 0.2), 3), (Fields(3, 0.3), 2), (DENSE, 6)])
def test_it_is_the_product_of_gradients(fields, units):
    found = drawn_kernel(IMAGES, fields, units, np.random.default_rng(7))
    expected = by_gradients(fields, units, np.random.default_rng(7))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_with_many_units_it_is_that_of_theory():
    """Means of 10 draws within four standard errors, all below 3 % of the diagonal, and 1 %."""
    fields, random = Fields(2, 0.2), np.random.default_rng(1)
    draws = np.array([drawn_kernel(IMAGES, fields, 150, random) for _ in range(10)])
    expected = field_kernel(IMAGES, fields=fields)
    error, size = draws.std(axis=0, ddof=1) / math.sqrt(10), expected.diagonal().mean()
    assert (error < 0.05 * size).all()
    assert (np.abs(draws.mean(axis=0) - expected) < 4 * error + 0.01 * size).all()
