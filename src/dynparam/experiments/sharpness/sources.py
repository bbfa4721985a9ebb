"""What the report claims of sharpness and normalized outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.sharpness.judge import RATE, RATIO, SLOPE
from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import Paper, SourceClaim

PAPER = Paper(
    "Karakida et al., NeurIPS 2019",
    "Sec. 4 (1)",
    "The widths, depths and data of the paper's own figures; only its abstract was at hand.",
)


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims, in the report's order."""
    found = Verdicts(files, "sharpness")
    shown = found.evidence, config.sharpness.figure
    yield PAPER.claim(
        "The largest eigenvalue of the Fisher information follows from the widths alone in wide "
        "random networks.",
        "The largest eigenvalue of drawn networks over that of the wide limit, and its slope against "
        "the width, under every parametrization, at constant and at sharpening bottlenecks.",
        found.of(SLOPE, RATIO, part="widths"),
        *shown,
    )
    yield PAPER.claim(
        "With batch normalization the largest eigenvalue is small: the parameter space is flatter.",
        "The slope of the largest eigenvalue against the width, with as many inputs as units: beside "
        "1 without normalization, beside 0 if the mean is taken from the outputs. A fixed number of "
        "inputs is the control.",
        found.of(SLOPE, part="normalization", setting="proportional inputs, none")
        + found.of(SLOPE, part="normalization", setting="proportional inputs, mean")
        + found.of(SLOPE, part="normalization", setting="proportional inputs, batch"),
        *shown,
    )
    yield PAPER.claim(
        "Layer normalization does not have this effect.",
        "The same slope with layer normalization of the outputs, which has to stay above a bound.",
        found.of(SLOPE, part="normalization", setting="proportional inputs, layer"),
        *shown,
    )
    yield PAPER.claim(
        "The learning rate can then be large, whatever the size of the model.",
        "The largest learning rate at which gradient descent stays bounded, times the largest "
        "eigenvalue, beside 2, under every parametrization; and the slope of that eigenvalue where "
        "the mean is taken from the outputs. Networks with normalized outputs were not trained.",
        found.of(RATE) + found.of(SLOPE, part="normalization", setting="proportional inputs, mean"),
        *shown,
    )
    yield PAPER.untested(
        "The effect does not depend on the number of layers or on the activation.",
        "Not tested: normalization was measured at one depth and with ReLU.",
    )
