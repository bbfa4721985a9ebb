"""Images made smaller and whiter: against torch's own pooling, and by what is left of them."""

import numpy as np
import pytest
import torch

from dynparam.data.pooling import about_the_mean, pooled
from dynparam.support.errors import ConfigError, DataError


def images(count=5):
    return np.random.default_rng(0).integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)


@pytest.mark.parametrize("block", [1, 4, 32])
def test_pooling_is_the_mean_over_blocks(block):
    expected = torch.nn.functional.avg_pool2d(torch.from_numpy(images()).double(), block)
    found = pooled(images(), block)
    assert found.shape == (5, 3, 32 // block, 32 // block)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-14)


@pytest.mark.parametrize("block", [0, 5, 64, -4])
def test_blocks_that_do_not_tile_are_refused(block):
    with pytest.raises(ConfigError, match=f"blocks of {block} pixels do not tile images of 32 by 32"):
        pooled(images(), block)


def test_inputs_about_their_mean_have_one_norm_and_the_directions_they_had():
    inputs = pooled(images()).reshape(5, -1)
    found = about_the_mean(inputs)
    np.testing.assert_allclose(np.square(found).sum(axis=1), 192, rtol=1e-13)
    centred = inputs - inputs.mean(axis=0)
    cosines = (found * centred).sum(axis=1) / np.linalg.norm(centred, axis=1) / np.sqrt(192)
    np.testing.assert_allclose(cosines, 1, rtol=1e-13)
    np.testing.assert_allclose(about_the_mean(3 * inputs - 7), found, rtol=1e-10)


def test_an_input_that_is_the_mean_is_refused():
    three = np.array([[0.1, 0.3], [0.2, 0.7], [0.15, 0.5]])
    with pytest.raises(DataError, match="input 2 is the mean of all"):
        about_the_mean(three)
    with pytest.raises(DataError, match="input 0 is the mean of all"):
        about_the_mean(np.full((4, 3), 0.1))
    with pytest.raises(DataError, match="1 inputs have no mean of their own"):
        about_the_mean(three[:1])


@pytest.mark.parametrize(("height", "width"), [(32, 30), (30, 32)])
def test_blocks_have_to_tile_both_sides(height, width):
    wide = np.random.default_rng(0).normal(size=(2, 3, height, width))
    with pytest.raises(ConfigError, match=f"do not tile images of {height} by {width}"):
        pooled(wide, 4)
    expected = torch.nn.functional.avg_pool2d(torch.from_numpy(wide), 2)
    np.testing.assert_allclose(pooled(wide, 2), expected.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("unit", [1e-15, 1.0, 1e8])
def test_inputs_in_other_units_have_the_same_directions(unit):
    """What counts as nothing left is a share of the largest number."""
    inputs = pooled(images()).reshape(5, -1)
    found = about_the_mean(unit * inputs)
    np.testing.assert_allclose(found, about_the_mean(inputs), rtol=1e-9, atol=1e-12)
    three = unit * np.array([[0.1, 0.3], [0.2, 0.7], [0.15, 0.5]])
    with pytest.raises(DataError, match="input 2 is the mean of all"):
        about_the_mean(three)
