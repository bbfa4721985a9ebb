"""What repeated inference does to patterns: distances from concepts, beside theory if there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.concept_retrieval import training
from dynparam.experiments.concept_retrieval.clusters import (
    Clusters,
    drawn,
    modes_above,
    one_gaussian,
    radius,
)
from dynparam.experiments.concept_retrieval.settings import ConceptRetrieval
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import NonFiniteError
from dynparam.support.progress import progress
from dynparam.support.randomness import seed_sequence
from dynparam.theory.concept_retrieval import Away, Modes, away, concept_distances, retained

COLUMNS = ("part", "kind", "latent", "trial", "quantity", "at", "value", "expected")
"""The columns of ``results/concept_retrieval/measured.csv``."""

ACTIVE = 0.01
"""A singular value of the map above this is a latent unit that is used."""

NONE = float("nan")
"""Of a number that theory does not give."""

Rows = Iterator[tuple[Any, ...]]


def measure(own: ConceptRetrieval) -> pd.DataFrame:
    """All that is measured, in ``COLUMNS``, where ``expected`` is theory on the same data.

    Of both parts, "linear" and "nonlinear": "own" and "wrong", root mean square distances of patterns
    from the concept of their own cluster and from those of all others after ``at`` inferences. Linear:
    "eigenvalue" of the data's covariance by mode (``at``, from 1), "rate", the singular values of the
    map, which are what one inference multiplies modes by, "map", its distance from that of theory,
    "active", how many latent units are used, and "concept", the share of the concepts' squares in the
    first k modes. Nonlinear: "radius", the root mean square distance of patterns without noise; kind
    "gaussian" was trained on one Gaussian of the data's covariance, "clusters" on the data.

    Raises:
        DataError: a cluster is empty, clusters overlap, the posterior collapses, or a linear
            autoencoder has not learned.
        ConfigError: a latent width cuts between modes that tie.
        NonFiniteError: training or repeated inference diverges.
    """
    rows: list[tuple[Any, ...]] = []
    works = ((_linear, own.linear.trials), (_nonlinear, own.nonlinear.trials))
    with progress("concepts", float(sum(trials for _, trials in works))) as advance:
        for work, trials in works:
            for trial in range(trials):
                rows += work(own, trial)
                advance(1.0)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def distances(infer: Callable[[FloatArray], FloatArray], found: Clusters, steps: int) -> list[Away]:
    """Those of the patterns that inference begins with, after 0 to ``steps`` inferences.

    Raises ``NonFiniteError`` if they diverge beyond all numbers.
    """
    patterns, shown = found.starts, []
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps + 1):
            shown.append(away(patterns, found.concepts, found.labels))
            if not np.isfinite(shown[-1]).all():
                raise NonFiniteError(
                    f"patterns are not finite after {step} inferences; lower "
                    f"concept_retrieval.inference.steps"
                )
            patterns = infer(patterns)
    return shown


def _generator(own: ConceptRetrieval, *place: str | int) -> np.random.Generator:
    return np.random.default_rng(seed_sequence(own.seed, "concept_retrieval", *place))


def _linear(own: ConceptRetrieval, trial: int) -> Rows:
    """Every latent width on the same data."""
    found = drawn(own, _generator(own, "data", trial))
    modes = modes_above(found, own.variance)
    for latent in own.linear.latent:
        generator = _generator(own, "linear", latent, trial)
        vae = training.trained_linear(found.covariance, own.variance, own.linear, latent, generator)
        kept = retained(modes.eigenvalues, own.variance, latent)
        numbers = [
            *_map_numbers(vae.map, modes, kept),
            ("concept", 0, _share(found.concepts @ modes.axes, latent), NONE),
            *_linear_distances(own, found, modes, kept, vae.map),
        ]
        for quantity, at, value, expected in numbers:
            yield "linear", "clusters", latent, trial, quantity, at, value, expected


def _map_numbers(map_: FloatArray, modes: Modes, kept: FloatArray) -> Rows:
    rates = np.linalg.svd(map_, compute_uv=False)
    for at, (eigenvalue, rate, expected) in enumerate(
        zip(modes.eigenvalues, rates, kept, strict=True), start=1
    ):
        yield "eigenvalue", at, eigenvalue, NONE
        yield "rate", at, rate, expected
    apart = np.linalg.norm(map_ - (modes.axes * kept) @ modes.axes.T, 2)
    yield "map", 0, float(apart), 0.0
    yield "active", 0, float((rates > ACTIVE).sum()), float((kept > 0).sum())


def _linear_distances(
    own: ConceptRetrieval, found: Clusters, modes: Modes, kept: FloatArray, map_: FloatArray
) -> Rows:
    steps = own.inference.steps
    measured = distances(lambda patterns: patterns @ map_.T, found, steps)
    starts, concepts = found.starts @ modes.axes, found.concepts @ modes.axes
    theory = concept_distances(starts, concepts, found.labels, kept, steps)
    for at, (one, expected) in enumerate(zip(measured, theory, strict=True)):
        yield "own", at, one.own, expected.own
        yield "wrong", at, one.wrong, expected.wrong


def _share(concepts: FloatArray, latent: int) -> float:
    """Of the concepts' squares in the first modes, of concepts in principal coordinates (c, D)."""
    return float(np.square(concepts[:, :latent]).sum() / np.square(concepts).sum())


def _nonlinear(own: ConceptRetrieval, trial: int) -> Rows:
    """The same patterns put into two autoencoders: trained on the clusters, and on one Gaussian."""
    found = drawn(own, _generator(own, "data", trial))
    modes_above(found, own.variance)
    size = radius(found)
    latent = own.nonlinear.latent
    for kind in ("clusters", "gaussian"):
        generator = _generator(own, "nonlinear", kind, trial)
        data = found.data if kind == "clusters" else one_gaussian(found, generator)
        vae = training.trained_nonlinear(data, own.variance, own.nonlinear, generator)
        yield "nonlinear", kind, latent, trial, "radius", 0, size, NONE
        for at, one in enumerate(distances(vae.infer, found, own.inference.steps)):
            yield "nonlinear", kind, latent, trial, "own", at, one.own, NONE
            yield "nonlinear", kind, latent, trial, "wrong", at, one.wrong, NONE
