"""What the report claims of approximate natural gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.natural_gradient.judge import EXPONENT, FALLS, METHODS, RATIO
from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import Paper, SourceClaim

PAPER = Paper(
    "Karakida and Osawa, NeurIPS 2020",
    "Sec. 4 (2)",
    "The paper's networks and its training of convolutions; its Forster transform for widths below "
    "the number of samples, which we refuse.",
)


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims, in the report's order."""
    found = Verdicts(files, "natural_gradient")
    shown = found.evidence, config.natural_gradient.figure
    blocks = (METHODS[name] for name in ("exact", "block_diagonal", "block_tridiagonal"))
    yield PAPER.claim(
        "With the right hyperparameters, approximate natural gradients train as the exact one does.",
        "The residual after some steps over (1 - c)^t of exact natural gradient, with blocks and with "
        "blocks and their neighbours, on Gaussian inputs and on images. Gradient descent, and blocks "
        "at a wrong learning rate, are the controls.",
        tuple(word for name in blocks for word in found.of(RATIO, setting=f"{name}, ")),
        *shown,
    )
    kfac = f"{METHODS['kfac']}, "
    yield PAPER.claim(
        "K-FAC too reaches the rate of convergence of the exact natural gradient.",
        "The same residual with K-FAC, and its error in the widest network less that in the narrowest.",
        found.of(RATIO, FALLS, setting=kfac),
        *shown,
    )
    yield PAPER.claim(
        "This is a property of the NTK regime, where parameters move little.",
        "What one full step leaves of the residual, against the width: it falls where theory's "
        "laziness index falls, and does not fall elsewhere.",
        found.of(EXPONENT),
        *shown,
    )
    yield PAPER.untested(
        "A general condition says which approximations converge fast.",
        "Not tested: single methods were measured, not the condition.",
    )
