"""The companion experiments: a page for each, its slots the same, and an overview of all of them.

What an experiment says by itself is in its ``companion.py``; what a run fills in comes from its table of
verdicts, its claims, and the measured needs of its rules.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import pandas as pd

from dynparam.cluster.requests import Needs
from dynparam.cluster.work import Work, work
from dynparam.configuration.config import Config
from dynparam.presentation.plain_formulas import typeset
from dynparam.presentation.sentences import FILTERS
from dynparam.presentation.templates import template
from dynparam.presentation.verdicts import mark
from dynparam.provenance.companion import Companion
from dynparam.provenance.experiment import Experiment, ShownFigure
from dynparam.provenance.judged_message import message
from dynparam.provenance.judged_page import PLACE
from dynparam.provenance.source_claims import REPORT, SourceClaim
from dynparam.provenance.stage import IMAGES
from dynparam.report import brief_verdicts
from dynparam.report.contents import (
    COMPANIONS,
    FIGURE_KINDS,
    WrittenPage,
    companion,
    companion_pages,
    files_of,
)
from dynparam.report.documents import caption_as_markdown
from dynparam.report.sources import SECTIONS, Tested, all_claims, claims_of, outcomes, summary, table
from dynparam.statistics.judged import FORM
from dynparam.support.progress import duration

OVERVIEW, PAGE = "companions.md.j2", "companion.md.j2"


@dataclass(frozen=True)
class Answered:
    """A companion experiment, and what a run says of it.

    Attributes:
        experiment: which.
        words: what it says by itself.
        page: where its page lies.
        claims: what it tests of the thesis and of the research report.
        verdicts: its table of verdicts.
        work: what its jobs take.
    """

    experiment: Experiment
    words: Companion
    page: WrittenPage
    claims: Sequence[SourceClaim]
    verdicts: pd.DataFrame
    work: Work

    @property
    def result(self) -> str:
        """In one sentence, which its verdicts decide."""
        clauses = import_module(self.experiment.module("message")).CLAUSES
        return message(self.verdicts, clauses)

    @property
    def status(self) -> str:
        """How the report's claims come out, all of them counted."""
        return outcomes([one.verdict for one in self.claims if one.document == REPORT])

    @property
    def evidence(self) -> str:
        """The file of its verdicts, without its ending."""
        return f"{self.experiment.name}/{PLACE}"


def overview(settings: Config, needs: Needs) -> str:
    """The page of all of them, and of the report's claims one by one, as Markdown.

    Raises ``DataError`` if a table that decides a claim is missing or not of its form, and
    ``ConfigError`` if a rule was not measured.
    """
    claims = all_claims(settings)
    written = template("dynparam.report", OVERVIEW, filters=FILTERS).render(
        summary=summary(table(claims)),
        companions=[_answered(one, settings, needs) for one in COMPANIONS],
        sections=_papers(claims),
        mark=mark,
        settings=settings,
    )
    return typeset(written)


def page(settings: Config, name: str, needs: Needs) -> str:
    """The page of one of them, as Markdown.

    Raises ``ConfigError`` if there is none of that name or a rule was not measured, and ``DataError`` if
    its table of verdicts is missing or not of its form.
    """
    experiment = companion(name)
    own = _answered(experiment, settings, needs)
    (figure,) = experiment.figures(settings)
    caption = _caption(experiment, figure)
    written = template("dynparam.report", PAGE, filters={**FILTERS, "duration": duration}).render(
        own=own,
        figure=figure,
        picture=_picture(settings, own.page, figure),
        kinds=FIGURE_KINDS,
        caption=caption_as_markdown(caption),
        targets=dict.fromkeys([*(one.target for one in experiment.tables), figure.name]),
        images=any(IMAGES in stage.parameters for stage in experiment.stages),
        measured=brief_verdicts.claims(own.verdicts),
        controls=brief_verdicts.controls(own.verdicts),
        missing={one.paper: one.missing for one in own.claims if one.missing},
        said=_said,
        settings=settings,
    )
    return typeset(written)


def _answered(experiment: Experiment, settings: Config, needs: Needs) -> Answered:
    return Answered(
        experiment,
        import_module(experiment.module("companion")).COMPANION,
        companion_pages(settings)[experiment.name],
        claims_of(experiment, settings),
        files_of(settings).table(f"{experiment.name}/{PLACE}", FORM),
        work(experiment.stages, settings, needs),
    )


def _caption(experiment: Experiment, figure: ShownFigure) -> str:
    """What is said below the figure; nothing of one that has another name than the thesis's."""
    path = experiment.caption(figure.name)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _picture(settings: Config, page: WrittenPage, figure: ShownFigure) -> str:
    """The link to the figure from where the page is kept."""
    picture = settings.published.figures / f"{figure.name}.png"
    return posixpath.relpath(picture.as_posix(), (settings.published.pages / page.folder).as_posix())


def _papers(claims: Sequence[Tested]) -> dict[str, tuple[str, dict[str, list[Tested]]]]:
    """For each section of the report its title, and its claims by the work that it cites for them."""
    found: dict[str, tuple[str, dict[str, list[Tested]]]] = {
        source: (title, {}) for source, title in SECTIONS.items()
    }
    for one in claims:
        if one.claim.document == REPORT:
            found[one.claim.source][1].setdefault(one.claim.paper, []).append(one)
    return found


def _said(claim: SourceClaim) -> str:
    """How a claim comes out, and the verdicts that decide it; nothing if there are none.

    A space follows.
    """
    if not claim.decided_by:
        return ""
    parts = {"for it": claim.right, "undecided": claim.undecided, "against it": claim.wrong}
    told = ", ".join(f"{number} {what}" for what, number in parts.items() if number)
    return f"{mark(claim.verdict)}: {told}. "
