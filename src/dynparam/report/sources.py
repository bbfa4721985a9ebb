"""What the two source documents claim, claim by claim, and how each comes out in a finished run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dynparam.configuration.config import Config
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.presentation.pages import Section, write_pages
from dynparam.presentation.sentences import counted, joined
from dynparam.presentation.tables import Column, TableView, shortened
from dynparam.presentation.verdicts import Count, count
from dynparam.provenance.experiment import Experiment, Shown
from dynparam.provenance.source_claims import (
    BEYOND,
    DOCUMENTS,
    FAILS,
    HOLDS,
    IN_PART,
    REPORT,
    THESIS,
    UNDECIDED,
    UNTESTED,
    VERDICTS,
    SourceClaim,
)
from dynparam.report.contents import files_of
from dynparam.support.tables import NOTE, TEXT, WHOLE, Form

FORM = Form(
    {
        "claim": TEXT,
        "document": DOCUMENTS,
        "source": TEXT,
        "experiment": NOTE,
        "verdict": VERDICTS,
        "right": WHOLE,
        "undecided": WHOLE,
        "wrong": WHOLE,
        "evidence": NOTE,
        "figure": NOTE,
        "measured": TEXT,
    },
    key=("document", "source", "claim"),
)

ELSEWHERE = (
    SourceClaim(
        THESIS,
        "Sec. 1.1.1",
        "Networks with many more parameters than samples can generalize well.",
        "Not tested: the thesis reports it from the literature.",
    ),
)
"""Claims that belong to no experiment."""

SECTIONS = {
    "Sec. 4 (1)": "The structure of parameter space",
    "Sec. 4 (2)": "Methods of deep learning",
    "Sec. 4 (3)": "Models with a structure",
}
"""The sections of the report's results."""


class Tested(NamedTuple):
    """A claim, and the experiment that tests it, if one does."""

    claim: SourceClaim
    experiment: Experiment | None

    @property
    def name(self) -> str:
        """The experiment's name; empty if there is none."""
        return self.experiment.name if self.experiment else ""


def all_claims(settings: Config) -> list[Tested]:
    """Every claim: those of the thesis in the order of experiments, then the report's by section.

    Raises ``DataError`` if a table that decides one is missing or not of its form.
    """
    found = [*_of_experiments(settings), *(Tested(one, None) for one in ELSEWHERE)]
    sections = list(SECTIONS)

    def place(one: Tested) -> tuple[int, int]:
        """Where it stands: document, then the section of the report."""
        claim = one.claim
        section = sections.index(claim.source) if claim.document == REPORT else 0
        return DOCUMENTS.index(claim.document), section

    return sorted(found, key=place)


def _of_experiments(settings: Config) -> Iterator[Tested]:
    for experiment in EXPERIMENTS:
        if experiment.has("sources"):
            yield from (Tested(claim, experiment) for claim in claims_of(experiment, settings))


def claims_of(experiment: Experiment, settings: Config) -> list[SourceClaim]:
    """What an experiment that has ``sources`` tests.

    Raises ``DataError`` if a table that decides a claim is missing or not of its form.
    """
    own = import_module(experiment.module("sources"))
    return list(own.claims(settings, files_of(settings)))


def table(claims: Sequence[Tested]) -> pd.DataFrame:
    """The claims in the columns of ``FORM``."""
    rows = [
        {
            "claim": claim.claim,
            "document": claim.document,
            "source": claim.source,
            "experiment": one.name,
            "verdict": claim.verdict,
            "right": claim.right,
            "undecided": claim.undecided,
            "wrong": claim.wrong,
            "evidence": claim.evidence,
            "figure": claim.figure,
            "measured": claim.measured,
        }
        for one in claims
        for claim in [one.claim]
    ]
    return pd.DataFrame(rows, columns=list(FORM.columns))


FORMS = {
    HOLDS: ("holds", "hold"),
    IN_PART: ("holds in part", "hold in part"),
    BEYOND: ("does not show in its window of widths", "do not show in their windows of widths"),
    FAILS: ("fails", "fail"),
    UNDECIDED: ("is undecided", "are undecided"),
    UNTESTED: ("is not tested", "are not tested"),
}
"""A verdict in a sentence: of one claim, of several."""


def tallied(verdicts: Sequence[str], of: str = "") -> str:
    """``Of 9 claims 5 hold, 2 hold in part, 1 fails, and 1 is not tested``.

    A verdict that no claim has is left out. ``of`` says whose claims they are.
    """
    return f"Of {counted(len(verdicts), 'claim')}{of} {outcomes(verdicts)}"


def outcomes(verdicts: Sequence[str]) -> str:
    """The same without their number: ``5 hold, 2 hold in part, 1 fails, and 1 is not tested``."""
    counts = {word: list(verdicts).count(word) for word in VERDICTS}
    return joined(
        [f"{counts[word]} {FORMS[word][counts[word] != 1]}" for word in VERDICTS if counts[word]]
    )


def summaries(claims: pd.DataFrame) -> list[str]:
    """How the claims of each document come out, a sentence for each."""
    names = {THESIS: "the thesis", REPORT: "the report"}
    return [
        f"{tallied(list(claims.loc[claims['document'] == one, 'verdict']), f' of {names[one]}')}."
        for one in DOCUMENTS
    ]


def summary(claims: pd.DataFrame) -> str:
    """The same in one paragraph."""
    return " ".join(summaries(claims))


EXPLANATION = (
    "A claim holds if every verdict that decides it is for it: one refuted case makes it hold in part "
    "only, one open case leaves it undecided. Where none is for it on the widths of its figure, and it "
    "holds at great widths, the answer is: not in this window."
)

EVIDENCE = Column("evidence", "the file that holds the verdicts, and the figure that shows them")
"""The column that the report turns into links."""

VIEW = TableView(
    "sources",
    "What the sources claim",
    (
        Column("claim", "in our words", prose=True),
        Column("answer", EXPLANATION, ("verdict",), verdict=True),
        Column("source", "the figure, section or equation that says so", prose=True),
        EVIDENCE,
        Column("measured", "what was measured, or why nothing was", prose=True, code=shortened),
        Column("for", "verdicts for it", ("right",), numeric=True),
        Column("undecided", "verdicts that are neither", numeric=True),
        Column("against", "verdicts against it", ("wrong",), numeric=True),
        Column("document", "the thesis, or the research report on random neural networks"),
        Column("experiment", "the one that tests it"),
    ),
    ("document", "answer", "experiment"),
)
"""What a person sees of the table."""


def write(claims: pd.DataFrame, csv: Path) -> list[Path]:
    """Write the table as CSV with its two pages beside it; returns the three paths."""
    section = Section(paragraphs=[f"{summary(claims)} {EXPLANATION}"], view=VIEW, table=claims)
    return write_pages(claims, csv, VIEW.title, [section])


def shown(claims: pd.DataFrame, file: Path) -> tuple[Count, Shown]:
    """The count of the claims, and the part of the report that lists them."""
    meaning = "does what the thesis and the research report say come out?"
    counts = count(VIEW.title, "sources", meaning, claims["verdict"])
    section = Section(paragraphs=[summary(claims)], view=VIEW, table=claims)
    return counts, Shown("sources", VIEW.title, "Sources", [section], file)
