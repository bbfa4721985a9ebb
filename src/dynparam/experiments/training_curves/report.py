"""What the report shows of Figs. 3.4 and 3.5: the claims on training curves, and the audits."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from dynparam.experiments.training_curves.columns import AUDITS, CLAIMS, audits_frame
from dynparam.experiments.training_curves.page import explanation, summary_sentences
from dynparam.experiments.training_curves.settings import for_claims
from dynparam.experiments.training_curves.stages import audit_files
from dynparam.experiments.training_curves.tables import CLAIMS as FORM
from dynparam.presentation.pages import Section
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown
from dynparam.training.audit_result import AuditResult, read_result

UNITS = " Losses are mean losses per image, accuracies shares of images."

AUDITED = (
    "The curves come from the archive, and reach no figure without an audit: of each curve a run is "
    "picked at random and its first epochs are trained again on this machine. Losses may differ by "
    "rounding only."
)

UNAUDITED = Markup(
    "Nothing to audit: all curves of this run were trained by it (<code>training.reuse: {}</code>)."
)


def page(config: Any, files: Files) -> Page:
    """The claims and the audits, and how their verdicts fall."""
    claims = files.table("comparison/claims", FORM)
    audits = {place: read_result(path) for place, path in audit_files(config, files).items()}
    counts = [
        count(
            "Claims on training curves",
            "claims",
            "does dynamic train faster, and generalize better, than spectral?",
            claims["verdict"],
        ),
        count(
            "Audits of archived curves",
            "audits",
            "does training again on this machine give the archived losses?",
            pd.Series(["passed" if one.passed else "failed" for one in audits.values()], dtype=object),
        ),
    ]
    judged = Section(
        listed=summary_sentences(claims),
        paragraphs=[explanation(claims, for_claims(config)) + UNITS],
        view=CLAIMS,
        table=claims,
    )
    title, file = "Claims on training curves", files.results / "comparison" / "claims.csv"
    return Page(counts, [Shown("claims", title, "Training", [judged], file), _audits(config, audits)])


def _audits(config: Any, audits: dict[str, AuditResult]) -> Shown:
    section = (
        Section(paragraphs=[AUDITED], view=AUDITS, table=audits_frame(audits))
        if audits
        else Section(paragraphs=[UNAUDITED.format(config.training.reuse)])
    )
    return Shown("audits", "Audits of archived curves", "Audits", [section], wide=False)
