"""The draw of images, and the inputs and targets made of them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.data import images, torchvision_reader
from dynparam.support.errors import ConfigError, DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 3, 32, 32), dtype=np.uint8)


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    portion=st.floats(0, 1),
)
def test_stratified_draw_is_equal_and_without_repetition(
    sizes: list[int], seed: int, portion: float
) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    each = round(portion * min(sizes))
    chosen = images.draw_subset(labels, each * len(sizes), True, np.random.default_rng(seed))
    assert len(set(chosen.tolist())) == len(chosen)
    assert np.bincount(labels[chosen], minlength=len(sizes)).tolist() == [each] * len(sizes)


@given(size=st.integers(1, 60), seed=st.integers(0, 2**32), portion=st.floats(0, 1))
def test_pooled_draw_is_without_repetition(size: int, seed: int, portion: float) -> None:
    count = round(portion * size)
    labels = np.zeros(size, dtype=np.int64)
    chosen = images.draw_subset(labels, count, False, np.random.default_rng(seed))
    assert len(set(chosen.tolist())) == count
    assert set(chosen.tolist()) <= set(range(size))


def test_draw_takes_every_image_equally_often_and_mixes_classes() -> None:
    labels = np.repeat([0, 1], 5)
    generator = np.random.default_rng(0)
    draws = [images.draw_subset(labels, 4, True, generator) for _ in range(5000)]
    np.testing.assert_allclose(np.bincount(np.concatenate(draws)) / 5000, 0.4, atol=0.03)
    first = [labels[draw[0]] for draw in draws]
    assert np.mean(first) == pytest.approx(0.5, abs=0.03)


def test_impossible_draws() -> None:
    labels, generator = np.repeat([0, 1], [5, 9]), np.random.default_rng(0)
    with pytest.raises(ConfigError, match="7 images cannot be shared equally by 2 classes"):
        images.draw_subset(labels, 7, True, generator)
    with pytest.raises(DataError, match=r"6 images per class .* 5 are available; .* at most 10"):
        images.draw_subset(labels, 12, True, generator)
    with pytest.raises(DataError, match="15 images are asked for and 14 are available"):
        images.draw_subset(labels, 15, False, generator)


def test_half_range_agrees_with_torchvision() -> None:
    torchvision_reader.import_datasets()
    from torchvision import transforms

    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
    expected = np.stack([transform(image.transpose(1, 2, 0)).numpy() for image in IMAGES])
    inputs = images.normalize(IMAGES, "half_range")
    assert inputs.dtype == np.float64
    # torchvision computes in float32: a few units in the last place of numbers up to 1.
    np.testing.assert_allclose(inputs, expected.reshape(7, 3072), rtol=0, atol=3e-7)


def test_ranges_reach_their_ends() -> None:
    ends = np.stack([np.zeros((3, 32, 32)), np.full((3, 32, 32), 255)]).astype(np.uint8)
    np.testing.assert_array_equal(images.normalize(ends, "half_range")[:, 0], [-1, 1])
    np.testing.assert_array_equal(images.normalize(ends, "unit_range")[:, 0], [0, 1])


def test_standardizations_have_zero_mean_and_unit_variance() -> None:
    per_channel = images.normalize(IMAGES, "per_channel").reshape(7, 3, 1024)
    np.testing.assert_allclose(per_channel.mean(axis=(0, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(per_channel.std(axis=(0, 2)), 1)
    per_image = images.normalize(IMAGES, "per_image")
    np.testing.assert_allclose(per_image.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(per_image.std(axis=1), 1)


def test_test_images_are_standardized_by_the_training_images() -> None:
    train, test = IMAGES[:5], IMAGES[5:]
    together = np.concatenate([train, test])
    inputs = images.normalize(together, "per_channel", reference=train)
    np.testing.assert_array_equal(inputs[:5], images.normalize(train, "per_channel"))
    np.testing.assert_array_equal(inputs[5:], images.normalize(test, "per_channel", reference=train))


@pytest.mark.parametrize("normalization", ["per_image", "per_channel"])
def test_constant_images_cannot_be_standardized(normalization: Any) -> None:
    with pytest.raises(DataError, match="constant and cannot be standardized"):
        images.normalize(np.full((1, 3, 32, 32), 9, np.uint8), normalization)


def test_one_constant_image_or_channel_is_enough_to_refuse() -> None:
    """Among others that are not; a constant image does not harm the channels' deviations."""
    one_image, one_channel = IMAGES.copy(), IMAGES.copy()
    one_image[3] = 9
    one_channel[:, 1] = 9
    for bad, normalization in ((one_image, "per_image"), (one_channel, "per_channel")):
        with pytest.raises(DataError, match="constant and cannot be standardized"):
            images.normalize(bad, normalization)  # type: ignore[arg-type]
    images.normalize(one_image, "per_channel")
    images.normalize(one_channel, "per_image")
    images.normalize(one_channel, "per_channel", reference=IMAGES)
    with pytest.raises(DataError, match="constant and cannot be standardized"):
        images.normalize(IMAGES, "per_channel", reference=one_channel)


def test_one_hot() -> None:
    targets = images.one_hot(np.array([1, 0, 1], np.uint8))
    assert targets.dtype == np.float64
    np.testing.assert_array_equal(targets, [[0, 1], [1, 0], [0, 1]])
    assert images.one_hot(np.array([2]), classes=4).tolist() == [[0, 0, 1, 0]]


def test_square_norms() -> None:
    expected = [np.linalg.norm(x) ** 2 for x in images.normalize(IMAGES, "unit_range")]
    np.testing.assert_allclose(images.square_norms(IMAGES, "unit_range"), expected)
