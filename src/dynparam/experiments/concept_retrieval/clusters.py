"""Data in clusters: patterns to train on, their concepts, and new patterns that are disturbed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynparam.experiments.concept_retrieval.settings import ConceptRetrieval
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.theory.concept_retrieval import Modes, away, concept_means, principal_modes


class Clusters(NamedTuple):
    """Patterns of c clusters, less the mean of those to train on.

    Attributes:
        data: to train on, (n, D); their mean is zero.
        concepts: means of their clusters, (c, D).
        labels: the clusters of new patterns, (p,).
        clean: the new patterns, (p, D).
        starts: the same with noise, (p, D), which inference begins with.
    """

    data: FloatArray
    concepts: FloatArray
    labels: NDArray[np.integer[Any]]
    clean: FloatArray
    starts: FloatArray

    @property
    def covariance(self) -> FloatArray:
        """Of the data, (D, D)."""
        found: FloatArray = self.data.T @ self.data / len(self.data)
        return found


def drawn(own: ConceptRetrieval, generator: np.random.Generator) -> Clusters:
    """Every pattern is of a random cluster: its centre, a normal vector in the space within, and noise.

    Raises ``DataError`` for a cluster that no pattern to train on is of.
    """
    block = own.clusters
    axes = np.linalg.qr(generator.standard_normal((block.dimensions, block.dimensions)))[0].T
    between = axes[: block.centre_dimensions]
    within = axes[block.centre_dimensions : block.centre_dimensions + block.within_dimensions]
    centres = block.centre_sd * generator.standard_normal((block.clusters, len(between))) @ between

    def patterns(labels: NDArray[np.integer[Any]]) -> FloatArray:
        """One pattern of each of these clusters, drawn anew."""
        inside = block.within_sd * generator.standard_normal((len(labels), len(within))) @ within
        noise = block.noise * generator.standard_normal((len(labels), block.dimensions))
        found: FloatArray = centres[labels] + inside + noise
        return found

    trained = generator.integers(block.clusters, size=block.samples)
    data = patterns(trained)
    mean = data.mean(axis=0)
    data -= mean
    labels = generator.integers(block.clusters, size=own.inference.patterns)
    clean = patterns(labels) - mean
    starts = clean + own.inference.noise * generator.standard_normal(clean.shape)
    return Clusters(data, concept_means(data, trained, block.clusters), labels, clean, starts)


def modes_above(found: Clusters, variance: float) -> Modes:
    """The principal modes of the data. Raises ``DataError`` if none has more than this variance."""
    modes = principal_modes(found.covariance)
    if modes.eigenvalues[0] <= variance:
        raise DataError(
            f"no principal mode of the data has more variance ({modes.eigenvalues[0]:.3g} at most) than "
            f"the decoder ({variance:g}), so that the posterior collapses and every pattern goes to the "
            f"mean; lower concept_retrieval.variance"
        )
    return modes


def radius(found: Clusters) -> float:
    """The root mean square distance of clean patterns from their concept.

    Raises ``DataError`` if concepts are no farther from the mean of all: a wrong one is no control then.
    """
    within = away(found.clean, found.concepts, found.labels).own
    apart = float(np.sqrt(np.square(found.concepts).sum(axis=1).mean()))
    if apart <= within:
        raise DataError(
            f"clusters overlap: their concepts lie {apart:.3g} from the mean of all, patterns "
            f"{within:.3g} from their concept; raise concept_retrieval.clusters.centre_sd"
        )
    return within


def one_gaussian(found: Clusters, generator: np.random.Generator) -> FloatArray:
    """As many normal vectors of the data's covariance, around zero, (n, D): data without clusters."""
    count, dimensions = found.data.shape
    zero = np.zeros(dimensions)
    return generator.multivariate_normal(zero, found.covariance, size=count, method="eigh")
