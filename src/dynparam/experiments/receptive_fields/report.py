"""What the report shows of local receptive fields: the table of verdicts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.provenance.experiment import Files, Page
from dynparam.provenance.judged_page import judged_page

QUESTION = Markup(
    "Kernel regression on images that are disturbed, with the kernels of networks whose first layer has "
    'windows or correlated weights (<a href="#figure-{}">figure</a>). Qualitative, on few draws of '
    "images: a claim is that a disturbance displaces the predictor less, and it may fail. Changes are "
    "relative, beside a dense network unless another is named. A control must not agree."
)


def page(config: Any, files: Files) -> Page:
    """The verdicts, and how they fall."""
    return judged_page(
        files,
        "receptive_fields",
        anchor="fields",
        title="Local receptive fields",
        short="Receptive fields",
        question=QUESTION.format(config.receptive_fields.figure),
        meaning="are kernels those of theory, and do windows or correlated weights make robust?",
    )
