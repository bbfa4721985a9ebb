"""Repeated inference in a linear variational autoencoder, in closed form.

The decoder is N(W z, s^2 I) and the encoder N(V x, diag v), with a standard normal prior of z. On
centred data the loss depends on their covariance C alone:

    loss = [tr (I - W V) C (I - W V)^T + sum_j v_j |W_j|^2] / 2 s^2
           + [tr V C V^T + sum_j (v_j - 1 - log v_j)] / 2.

At its minimum, which is probabilistic principal component analysis, x -> W V x multiplies the principal
mode of eigenvalue lambda_i by 1 - s^2/lambda_i, or by 0. So repeating it shrinks modes of small lambda
first, which are those within a cluster, and then the mean of the cluster too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError, NonFiniteError

TIE = 1e-9
"""Eigenvalues nearer than this, relative to the largest, count as equal."""


class LinearVae(NamedTuple):
    """A linear variational autoencoder of k latent units, or the gradients of its loss.

    Attributes:
        decoder: W, (D, k).
        encoder: V, (k, D).
        log_variance: log v of the encoder, (k,).
    """

    decoder: FloatArray
    encoder: FloatArray
    log_variance: FloatArray

    @property
    def map(self) -> FloatArray:
        """W V, what one inference makes of a pattern, (D, D)."""
        found: FloatArray = self.decoder @ self.encoder
        return found


class Modes(NamedTuple):
    """Principal modes of data.

    Attributes:
        eigenvalues: of their covariance, falling, (D,).
        axes: the eigenvectors as columns, (D, D).
    """

    eigenvalues: FloatArray
    axes: FloatArray


class Away(NamedTuple):
    """Root mean squares of distances.

    Attributes:
        own: of patterns from the concepts of their own clusters.
        wrong: from those of all others.
    """

    own: float
    wrong: float


class Approach(NamedTuple):
    """How near repeated inference comes to a concept.

    Attributes:
        time: the step t* of the least distance, the first of several.
        least: that distance over the one at the start.
        rise: the distance at the end over the least one.
    """

    time: int
    least: float
    rise: float


def loss(vae: LinearVae, covariance: FloatArray, variance: float) -> float:
    """The negative evidence lower bound of a vector, less (D/2) log 2 pi s^2.

    ``covariance`` is C (D, D), ``variance`` s^2. Raises ``ConfigError`` as ``retained`` does.
    """
    _require_variance(variance)
    left = np.eye(len(covariance)) - vae.map
    v = np.exp(vae.log_variance)
    error = np.trace(left @ covariance @ left.T) + np.sum(v * np.square(vae.decoder).sum(axis=0))
    spread = np.trace(vae.encoder @ covariance @ vae.encoder.T)
    return float(error / (2 * variance) + (spread + np.sum(v - 1 - vae.log_variance)) / 2)


def gradients(vae: LinearVae, covariance: FloatArray, variance: float) -> LinearVae:
    """Those of ``loss``, each of its parameter's shape."""
    w, v = vae.decoder, np.exp(vae.log_variance)
    seen = vae.encoder @ covariance
    gram = w.T @ w
    return LinearVae(
        (w @ (seen @ vae.encoder.T) - seen.T + w * v) / variance,
        (gram @ seen - w.T @ covariance) / variance + seen,
        (v * np.diag(gram) / variance + v - 1) / 2,
    )


def principal_modes(covariance: FloatArray) -> Modes:
    """The modes of a covariance (D, D). Raises ``DataError`` for a matrix that is none.

    Examples:
        >>> principal_modes(np.diag([1.0, 4.0])).eigenvalues.tolist()
        [4.0, 1.0]
    """
    shape = covariance.shape
    if len(shape) != 2 or shape[0] != shape[1] or not covariance.size:
        raise DataError(f"a matrix of shape {shape} is no covariance; give (D, D)")
    if not np.isfinite(covariance).all():
        raise NonFiniteError("the covariance of the data is not finite; leave out what is not")
    size = np.abs(covariance).max()
    if np.abs(covariance - covariance.T).max() > 1e-10 * size:
        raise DataError("a matrix that is not symmetric is no covariance; give X^T X / n")
    eigenvalues, axes = np.linalg.eigh(covariance)
    if eigenvalues[0] < -1e-10 * size:
        raise DataError(
            f"a matrix with the eigenvalue {eigenvalues[0]:g} is no covariance; give X^T X / n"
        )
    return Modes(np.maximum(eigenvalues[::-1], 0), axes[:, ::-1])


def retained(eigenvalues: ArrayLike, variance: float, latent: int) -> FloatArray:
    """What one inference multiplies every mode by, (D,): r_i = max(0, 1 - s^2/lambda_i), i <= k, else 0.

    Args:
        eigenvalues: lambda of the data's covariance, falling, (D,).
        variance: s^2 of the decoder.
        latent: k. Latent units beyond the modes with lambda > s^2 are not used: of these the posterior
            is the prior. Where all lambda are below s^2, it collapses whole, and the map is zero.

    Raises:
        ConfigError: s^2 is not positive and finite, k is not 1 to D, or eigenvalues are none of a
            covariance.

    Examples:
        >>> retained([5.0, 1.0, 1.0, 0.1], variance=0.5, latent=2).tolist()
        [0.9, 0.5, 0.0, 0.0]
    """
    lambdas = np.array(eigenvalues, dtype=float)
    _require_variance(variance)
    if lambdas.ndim != 1 or not np.isfinite(lambdas).all() or (lambdas < 0).any():
        raise ConfigError("eigenvalues of a covariance are finite and not negative; correct them")
    if (np.diff(lambdas) > 0).any():
        raise ConfigError("eigenvalues are not falling; list the largest first")
    _require_latent(latent, len(lambdas))
    # Division by an eigenvalue of zero is kept away from: it lies below s^2 whatever that is.
    found = np.where(lambdas > variance, 1 - variance / np.maximum(lambdas, variance), 0.0)
    found[latent:] = 0.0
    return found


def optimal_vae(covariance: FloatArray, variance: float, latent: int) -> LinearVae:
    """The minimum of ``loss`` whose latent units are principal modes, in their order.

    Any rotation of latent units with equal v gives the same map. Raises as ``principal_modes`` and
    ``retained`` do, and ``ConfigError`` where modes k and k + 1 tie, so that the map is not unique.
    """
    modes = principal_modes(covariance)
    lambdas = modes.eigenvalues
    kept = retained(lambdas, variance, latent)[:latent]
    if (
        latent < len(lambdas)
        and kept[-1] > 0
        and lambdas[latent - 1] - lambdas[latent] <= TIE * lambdas[0]
    ):
        raise ConfigError(
            f"eigenvalues {latent} and {latent + 1} of the data are equal, so that a latent width of "
            f"{latent} cuts between them at will; take another"
        )
    axes, sizes = modes.axes[:, :latent], lambdas[:latent]
    weights = np.sqrt(kept * sizes)
    encoder = axes * np.where(kept > 0, weights / np.maximum(sizes, variance), 0.0)
    return LinearVae(axes * weights, encoder.T, np.log1p(-kept))


def concept_means(data: FloatArray, labels: NDArray[np.integer[Any]], clusters: int) -> FloatArray:
    """The concepts: means of the clusters of ``data`` (n, D), (clusters, D).

    ``labels`` (n,) count from 0. Raises ``DataError`` for a cluster without a pattern.

    Examples:
        >>> concept_means(np.array([[0.0], [2.0], [5.0]]), np.array([0, 0, 1]), 2).tolist()
        [[1.0], [5.0]]
    """
    sizes = np.bincount(labels, minlength=clusters)
    if len(sizes) > clusters:
        raise DataError(f"a pattern is of cluster {labels.max()}, but there are {clusters}; correct it")
    if not sizes.all():
        raise DataError(
            f"cluster {int(np.argmin(sizes != 0))} of {clusters} has no pattern, hence no concept; draw "
            f"more samples or fewer clusters"
        )
    return np.stack([data[labels == one].mean(axis=0) for one in range(clusters)])


def away(patterns: FloatArray, concepts: FloatArray, labels: NDArray[np.integer[Any]]) -> Away:
    """How far patterns (n, D) are from concepts (c, D), their own by ``labels`` (n,), and the others.

    In any coordinates that are orthonormal. Raises ``DataError`` for fewer than two concepts.

    Examples:
        >>> concepts = np.array([[0.0, 0.0], [3.0, 4.0]])
        >>> away(np.array([[0.0, 1.0]]), concepts, np.array([0]))._asdict()
        {'own': 1.0, 'wrong': 4.242640687119285}
    """
    count = len(concepts)
    if count < 2:
        raise DataError("with fewer than two concepts there is no wrong one; take more clusters")
    squares = np.array([np.square(patterns - concept).sum(axis=1) for concept in concepts])
    own = squares[labels, np.arange(len(patterns))].sum()
    others = (squares.sum() - own) / (count - 1)
    return Away(*(float(np.sqrt(one / len(patterns))) for one in (own, others)))


def concept_distances(
    patterns: FloatArray,
    concepts: FloatArray,
    labels: NDArray[np.integer[Any]],
    kept: FloatArray,
    steps: int,
) -> list[Away]:
    """Distances after 0 to ``steps`` inferences: of own ones, |x_t - m|^2 = sum_i (r_i^t x_i - m_i)^2.

    Args:
        patterns: in principal coordinates, (n, D).
        concepts: likewise, (c, D).
        labels: the cluster of each pattern, from 0, (n,).
        kept: r_i of each mode, (D,).
        steps: how often inference is repeated.

    Raises:
        DataError: as ``away`` does.
    """
    return [away(kept**step * patterns, concepts, labels) for step in range(steps + 1)]


def approach(distances: ArrayLike) -> Approach:
    """How near distances (steps + 1,), from before the first step on, come to zero.

    Raises ``DataError`` where ratios are unknown: no step, or no distance at the start or at t*; and
    ``NonFiniteError`` for a distance that is not finite.

    Examples:
        >>> approach([4.0, 2.0, 1.0, 3.0])
        Approach(time=2, least=0.25, rise=3.0)
    """
    found = np.array(distances, dtype=float)
    if found.ndim != 1 or len(found) < 2:
        raise DataError(f"distances of shape {found.shape} show no approach; give two or more in a row")
    if not np.isfinite(found).all():
        raise NonFiniteError("a distance from the concept is not finite; repeat inference fewer times")
    time = int(np.argmin(found))
    if found[0] <= 0 or found[time] <= 0:
        raise DataError(
            f"patterns lie on their concept after {time} inferences, so that no distance is measured in "
            f"units of that one; take patterns that differ from it"
        )
    return Approach(time, float(found[time] / found[0]), float(found[-1] / found[time]))


def _require_variance(variance: float) -> None:
    if not (np.isfinite(variance) and variance > 0):
        raise ConfigError(f"a decoder of variance {variance} is none; make it positive and finite")


def _require_latent(latent: int, dimensions: int) -> None:
    if not 1 <= latent <= dimensions:
        raise ConfigError(
            f"a latent width of {latent} does not fit data of {dimensions} dimensions; take 1 to "
            f"{dimensions}"
        )
