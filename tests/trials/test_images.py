"""The images that trials see: their normalization, expectation, and draw."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from dynparam.data.images import normalize, square_norms
from dynparam.trials.images import TrialImages
from tests.networks import invented_pair, probe_stage


def unequal_pair(images=40):
    """Three images of the second class to one of the first, and that one brighter."""
    pair = invented_pair(images)
    labels = (np.arange(images) % 4 != 0).astype(np.uint8)
    pictures = np.where(labels[:, None, None, None] == 0, 200 + pair.train_images // 8, 100)
    return replace(pair, train_images=pictures.astype(np.uint8), train_labels=labels)


def images_of(pair, normalization="half_range", stratified=True, train_images=20, **probe):
    stage = probe_stage(**probe)
    data = {"stratified": stratified, "train_images": train_images}
    changes = {
        "inputs": stage.inputs.model_copy(update={"normalization": normalization}),
        "data": stage.data.model_copy(update=data),
    }
    return TrialImages(stage.model_copy(update=changes), pair)


@pytest.mark.parametrize("normalization", ["half_range", "unit_range", "per_channel", "per_image"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_are_the_normalized_images(normalization, dtype):
    pair = invented_pair()
    found = images_of(pair, normalization, dtype=dtype)
    assert found.inputs.dtype == found.targets.dtype == getattr(torch, dtype)
    expected = normalize(pair.train_images, normalization).astype(dtype)
    np.testing.assert_array_equal(found.inputs.numpy(), expected)


@pytest.mark.parametrize(
    ("subset", "stratified", "equal"),
    [
        ("redrawn", True, True),
        ("redrawn", False, False),
        ("fixed", True, False),
        ("fixed", False, False),
    ],
)
def test_the_expected_square_is_that_of_the_draw(subset, stratified, equal):
    """Classes count equally if a subset is redrawn with as many of both, else by their images."""
    pair = unequal_pair()
    squares = square_norms(pair.train_images, "half_range")
    first, second = (squares[pair.train_labels == label].mean() for label in (0, 1))
    expected = (first + second) / 2 if equal else first / 4 + 3 * second / 4
    assert abs(first - second) > 0.3 * expected
    found = images_of(pair, subset=subset, stratified=stratified).mean_square()
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("stratified", "share"), [(True, 0.5), (False, 0.75)])
def test_a_redrawn_subset_is_stratified_as_the_data_are(stratified, share):
    """1000 draws, each from a subset of its own; five standard errors (false alarm 6e-7)."""
    images = images_of(unequal_pair(), subset="redrawn", stratified=stratified)
    generator = torch.Generator().manual_seed(3)
    second = [images.draw(generator, "c", 1, trial)[1][1].item() for trial in range(1000)]
    assert abs(np.mean(second) - share) < 5 * np.sqrt(share * (1 - share) / 1000)


def test_an_image_comes_with_its_own_target():
    images = images_of(invented_pair())
    known = {tuple(x.tolist()): y.tolist() for x, y in zip(images.inputs, images.targets, strict=True)}
    generator = torch.Generator().manual_seed(0)
    for trial in range(50):
        x, y = images.draw(generator, "c", 1, trial)
        assert known[tuple(x.tolist())] == y.tolist()


@pytest.mark.parametrize("subset", ["fixed", "redrawn"])
def test_every_image_is_drawn_equally_often(subset):
    """Chi-squared of 4000 draws of 40 images, redrawn all of them at once; false alarm 1e-6."""
    images = images_of(invented_pair(40), subset=subset, stratified=False, train_images=40)
    places = {x.sum().item(): place for place, x in enumerate(images.inputs)}
    assert len(places) == 40
    generator = torch.Generator().manual_seed(5)
    drawn = [images.draw(generator, "c", 1, trial)[0] for trial in range(4000)]
    counts = np.bincount([places[x.sum().item()] for x in drawn], minlength=40)
    assert chisquare(counts).pvalue > 1e-6


@pytest.mark.parametrize("other", [("d", 1, 0), ("c", 2, 0), ("c", 1, 1)])
def test_subsets_follow_from_curve_width_and_trial(other):
    """200 draws of 20 images: as good as all of them."""
    images = images_of(invented_pair(), subset="redrawn")

    def subset(*trial):
        draws = [images.draw(torch.Generator().manual_seed(k), *trial)[0] for k in range(200)]
        return {tuple(x.tolist()) for x in draws}

    assert subset("c", 1, 0) == subset("c", 1, 0)
    assert subset("c", 1, 0) != subset(*other)


def test_subsets_follow_from_the_seed_of_the_data():
    pair, drawn = invented_pair(), []
    for seed in (0, 1):
        stage = probe_stage(subset="redrawn")
        stage = stage.model_copy(update={"data": stage.data.model_copy(update={"seed": seed})})
        images = TrialImages(stage, pair)
        draws = [images.draw(torch.Generator().manual_seed(k), "c", 1, 0)[0] for k in range(200)]
        drawn.append({tuple(x.tolist()) for x in draws})
    assert drawn[0] != drawn[1]
