"""Data in clusters: what they are drawn as."""

import numpy as np
import pytest

from dynparam.experiments.concept_retrieval.clusters import (
    drawn,
    modes_above,
    one_gaussian,
    radius,
)
from dynparam.support.errors import DataError
from tests import concepts

CLUSTERS, INFERENCE = concepts.SMALL["clusters"], concepts.SMALL["inference"]


def made(seed=0, disturbed=1.0, patterns=30, **changes):
    inference = INFERENCE | {"noise": disturbed, "patterns": patterns}
    own = concepts.settings(clusters=CLUSTERS | changes, inference=inference)
    return drawn(own, np.random.default_rng(seed))


def test_shapes_and_the_mean():
    found = made()
    assert found.data.shape == (120, 8)
    assert found.concepts.shape == (3, 8)
    assert found.clean.shape == found.starts.shape == (30, 8)
    assert set(found.labels) == {0, 1, 2}
    assert np.allclose(found.data.mean(axis=0), 0, atol=1e-14)
    assert np.allclose(found.covariance, np.cov(found.data.T, bias=True))


@pytest.mark.parametrize(("clusters", "between"), [(2, 1), (3, 2), (6, 3)])
def test_clusters_lie_in_their_space_and_vary_in_another(clusters, between):
    """Without noise: c centres less their mean span c - 1 dimensions, of at most three."""
    found = made(clusters=clusters, noise=0.0, within_sd=1e-3)
    eigenvalues = modes_above(found, 0.5).eigenvalues
    assert (eigenvalues > 0.05).sum() == between
    assert (eigenvalues > 1e-8).sum() == between + 4


def test_concepts_are_where_clean_patterns_gather():
    """The mean of some 1000 new ones of a cluster is within six standard errors, 6 sqrt(5/1000)."""
    found = made(patterns=3000, samples=3000)
    for one in range(3):
        mean = found.clean[found.labels == one].mean(axis=0)
        assert np.linalg.norm(mean - found.concepts[one]) < 0.4
    apart = [np.linalg.norm(found.concepts[a] - found.concepts[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert min(apart) > 1.0


@pytest.mark.parametrize(
    ("changes", "size"),
    [({}, 4 + 8 * 0.09), ({"within_sd": 2}, 16 + 8 * 0.09), ({"noise": 2.0}, 4 + 8 * 4.0)],
)
def test_patterns_vary_within_by_their_deviations(changes, size):
    """Mean square distances of 3000 patterns, to 10 %."""
    found = made(patterns=3000, samples=3000, **changes)
    squares = np.square(found.clean - found.concepts[found.labels]).sum(axis=1)
    assert squares.mean() == pytest.approx(size, rel=0.1)


@pytest.mark.parametrize("sd", [2.0, 6.0])
def test_centres_vary_by_theirs(sd):
    """200 centres in three dimensions, to 20 %: the error is sqrt(2/600) of the variance."""
    found = made(clusters=200, samples=4000, centre_sd=sd)
    assert np.square(found.concepts).sum(axis=1).mean() == pytest.approx(3 * sd**2, rel=0.2)


@pytest.mark.parametrize("noise", [0.0, 1.0, 3.0])
def test_starts_have_noise_in_all_dimensions(noise):
    found = made(disturbed=noise, patterns=2000)
    assert (found.starts - found.clean).std() == pytest.approx(noise, rel=0.05)
    assert np.abs((found.starts - found.clean).mean(axis=0)).max() <= 0.1 * noise


def test_an_empty_cluster_is_told():
    with pytest.raises(DataError, match=r"cluster \d+ of 100 has no pattern, hence no concept"):
        made(clusters=100, samples=110)


@pytest.mark.parametrize(("factor", "collapses"), [(1.001, True), (0.999, False)])
def test_a_posterior_that_collapses_is_told(factor, collapses):
    found = made()
    largest = np.linalg.eigvalsh(found.covariance)[-1]
    if collapses:
        with pytest.raises(DataError, match=r"posterior collapses .* lower concept_retrieval\.variance"):
            modes_above(found, factor * largest)
    else:
        assert modes_above(found, factor * largest).eigenvalues[0] == pytest.approx(largest)


def test_the_radius_is_that_of_clean_patterns():
    found = made()
    squares = np.square(found.clean - found.concepts[found.labels]).sum(axis=1)
    assert radius(found) == pytest.approx(np.sqrt(squares.mean()))


@pytest.mark.parametrize(("size", "overlap"), [(1.01, False), (0.99, True)])
def test_clusters_that_overlap_are_told(size, overlap):
    """The concepts are moved to so many radii from the mean, with their patterns."""
    found = made()
    scale = size * radius(found) / np.sqrt(np.square(found.concepts).sum(axis=1).mean())
    concepts_ = scale * found.concepts
    inside = found.clean - found.concepts[found.labels]
    moved = found._replace(concepts=concepts_, clean=concepts_[found.labels] + inside)
    if overlap:
        with pytest.raises(DataError, match=r"clusters overlap: .* raise concept_retrieval\.clusters"):
            radius(moved)
    else:
        assert radius(moved) == pytest.approx(radius(found))


def test_one_gaussian_has_the_covariance_and_no_clusters():
    """Of 4000 vectors: a kurtosis of three along the axis between two clusters, which have less."""
    found = made(clusters=2, samples=4000, centre_sd=6)
    data = one_gaussian(found, np.random.default_rng(2))
    assert data.shape == found.data.shape
    modes = modes_above(found, 0.5)
    assert np.allclose(data.T @ data / 4000, found.covariance, atol=0.15 * modes.eigenvalues[0])
    for values, low, high in ((found.data, 0.9, 1.5), (data, 2.7, 3.3)):
        along = values @ modes.axes[:, 0]
        assert low < np.mean(along**4) / np.mean(along**2) ** 2 < high
