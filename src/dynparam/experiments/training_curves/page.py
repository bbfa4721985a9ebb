"""The claims on training curves as pages a person reads: Markdown and self-contained HTML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from dynparam.experiments.training_curves.columns import CLAIMS
from dynparam.experiments.training_curves.settings import ClaimsStage
from dynparam.presentation import verdicts
from dynparam.presentation.numbers import percent
from dynparam.presentation.pages import Section, write_pages
from dynparam.presentation.sentences import counted


def write_claims(
    table: pd.DataFrame, csv: Path, audits: Mapping[str, str], settings: ClaimsStage
) -> list[Path]:
    """Write the claims as CSV, Markdown and HTML side by side; returns the three paths.

    ``table`` has the columns of ``claims.COLUMNS``; ``audits`` maps task/parametrization to a sentence.
    """
    return write_pages(table, csv, CLAIMS.title, claims_sections(table, audits, settings))


def claims_sections(
    table: pd.DataFrame, audits: Mapping[str, str], settings: ClaimsStage
) -> list[Section]:
    """What holds where, how it was judged, a table for each claim, and the audits if there are any."""
    sections = [
        Section(
            listed=summary_sentences(table),
            paragraphs=[explanation(table, settings)],
            view=CLAIMS,
            table=table,
        )
    ]
    if audits:
        sentences = [f"{name}: {sentence}" for name, sentence in audits.items()]
        sections.append(Section("Audits of the curves", listed=sentences))
    return sections


def summary_sentences(table: pd.DataFrame) -> list[str]:
    """For each task and source, one sentence that says where each of its claims holds and where not."""
    sentences = []
    tasks = table["claim"].str.partition(": ")[0].rename("task")
    for (task, source), rows in table.groupby([tasks, "source"], sort=False):
        clauses = [
            f'"{str(claim).partition(": ")[2]}" {_where(mine)}'
            for claim, mine in rows.groupby("claim", sort=False)
        ]
        sentences.append(f"{task} ({source}): {'; '.join(clauses)}.")
    return sentences


def explanation(table: pd.DataFrame, settings: ClaimsStage) -> str:
    """How the claims were judged, and what the number of comparisons means."""
    summary = verdicts.tally(table["verdict"], verdicts.CLAIMS)
    first, second = settings.training.parametrizations
    level = percent(settings.fit.confidence)
    return (
        f"{len(table)} comparisons: {summary}. The difference is {second} minus {first}, averaged over "
        f"pairs of runs that share initial normals and batch order. {_endpoints(table, settings)} Of "
        f"the others a claim holds if the whole {level} interval lies on its side of zero, and fails if "
        f"it lies wholly on the other; nothing corrects for their number, so that of those without any "
        f"difference about one in {round(1 / (1 - settings.fit.confidence))} gets a definite verdict "
        f"all the same. The area is the mean of the quantity over the epochs, the best epoch each run's "
        f"own, and a jump an epoch in which the loss rises by more than {percent(settings.claims.jump)}."
    )


def _endpoints(table: pd.DataFrame, settings: ClaimsStage) -> str:
    """Which comparisons count, and how they were corrected."""
    count = int((table["role"] == "primary").sum())
    if not count:
        return "None of them is primary."
    named = " and ".join(name.replace("_", " ") for name in settings.claims.endpoints)
    return (
        f"The verdict rests on {counted(count, 'primary comparison')}, {named}: their p-values are "
        f"corrected for their number after Holm."
    )


def _where(rows: pd.DataFrame) -> str:
    """Where one claim has which verdict: ``holds at epochs 1, 5, is undecided for the area``."""
    if rows["verdict"].nunique() == 1:
        return f"{_verb(rows['verdict'].iloc[0])} everywhere"
    parts = []
    for verdict in verdicts.CLAIMS:
        metrics = rows.loc[rows["verdict"] == verdict, "metric"]
        if not metrics.empty:
            parts.append(f"{_verb(verdict)} {_places(metrics)}")
    return ", ".join(parts)


def _verb(verdict: str) -> str:
    return {"undecided": "is undecided"}.get(verdict, verdict)


PLACES = {"area": "for the area", "best": "at the best epoch", "jumps": "everywhere"}


def _places(metrics: pd.Series[str]) -> str:
    """``at epochs 1, 5 and for the area`` from ``test_loss epoch 1``, ``test_loss area``."""
    places = [metric.partition(" ")[2] for metric in metrics]
    epochs = [place.removeprefix("epoch ") for place in places if place not in PLACES]
    named = [f"at epoch{'s' if len(epochs) > 1 else ''} {', '.join(epochs)}"] if epochs else []
    return " and ".join([*named, *(PLACES[place] for place in places if place in PLACES)])
