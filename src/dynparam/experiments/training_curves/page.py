"""The claims on training curves as pages a person reads: Markdown and self-contained HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
from great_tables import GT, html, loc, style

from dynparam.experiments.training_curves.settings import ClaimsStage
from dynparam.presentation.pages import coloured, page, write_beside
from dynparam.presentation.verdicts import CLAIM_COLOURS, CLAIM_MARKS

TITLE = "Claims on training curves"


ALIGNED = ("left", "left", "right", "left", "left")
"""How the columns of one claim's table are aligned in Markdown."""


def write_claims(
    table: pd.DataFrame, csv: Path, audits: Mapping[str, str], settings: ClaimsStage
) -> list[Path]:
    """Write the claims as CSV, Markdown and HTML side by side; returns the three paths.

    ``table`` has the columns of ``claims.COLUMNS``; ``audits`` maps task/parametrization to a sentence.
    """
    markdown = claims_markdown(table, audits, settings)
    return write_beside(table, csv, markdown, claims_html(table, audits, settings))


def claims_markdown(table: pd.DataFrame, audits: Mapping[str, str], settings: ClaimsStage) -> str:
    """The claims as Markdown: what holds where, how it was judged, one table per claim, the audits."""
    lines = [f"# {TITLE}", ""]
    lines += [f"- {sentence}" for sentence in summary_sentences(table)]
    lines += ["", explanation(table, settings), ""]
    for heading, rows in readable(table).groupby("claim", sort=False):
        shown = rows.drop(columns="claim")
        cells = shown.to_markdown(index=False, disable_numparse=True, colalign=ALIGNED)
        lines += [f"## {heading}", "", cells, ""]
    if audits:
        lines += ["## Audits of the curves", ""]
        lines += [f"- {name}: {sentence}" for name, sentence in audits.items()]
        lines += [""]
    return "\n".join(lines)


def claims_html(table: pd.DataFrame, audits: Mapping[str, str], settings: ClaimsStage) -> str:
    """The claims as one self-contained HTML page, in the order of the Markdown."""
    summaries = _list(summary_sentences(table))
    made = (
        GT(readable(table), groupname_col="claim", id="claims")
        .tab_header(
            title=TITLE,
            subtitle=html(f"{summaries}<p>{escape(explanation(table, settings))}</p>"),
        )
        .cols_align(align="right", columns=["difference"])
        .cols_label(difference=html(f"difference<br>[{_level(settings)} interval]"))
        .tab_options(
            table_font_size="14px",
            container_width="100%",
            table_width="100%",
            heading_align="left",
            heading_subtitle_font_size="14px",
            row_group_font_weight="bold",
        )
        .tab_style(
            style.css("white-space: nowrap;"), loc.body(columns=["metric", "difference", "verdict"])
        )
    )
    if audits:
        sentences = [f"{name}: {sentence}" for name, sentence in audits.items()]
        made = made.tab_source_note(html(f"Audits of the curves:{_list(sentences)}"))
    return page(coloured(made, table["verdict"], CLAIM_COLOURS))


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
    counts = table["verdict"].value_counts()
    summary = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in CLAIM_MARKS)
    first, second = settings.training.parametrizations
    return (
        f"{len(table)} comparisons: {summary}. The difference is {second} minus {first}, averaged over "
        f"pairs of runs that share initial normals and batch order. A claim holds if the whole "
        f"{_level(settings)} interval lies on its side of zero, and fails if it lies wholly on the "
        f"other. Nothing corrects for the number of comparisons: of those without any difference, about "
        f"one in {round(1 / (1 - settings.fit.confidence))} gets a definite verdict all the same. The "
        f"area is the mean of the quantity over the epochs."
    )


def _where(rows: pd.DataFrame) -> str:
    """Where one claim has which verdict: ``holds at epochs 1, 5, is undecided for the area``."""
    if rows["verdict"].nunique() == 1:
        return f"{_verb(rows['verdict'].iloc[0])} everywhere"
    parts = []
    for verdict in CLAIM_MARKS:
        metrics = rows.loc[rows["verdict"] == verdict, "metric"]
        if not metrics.empty:
            parts.append(f"{_verb(verdict)} {_places(metrics)}")
    return ", ".join(parts)


def _verb(verdict: str) -> str:
    return {"undecided": "is undecided"}.get(verdict, verdict)


def _places(metrics: pd.Series[str]) -> str:
    """``at epochs 1, 5 and for the area`` from ``test_loss epoch 1``, ``test_loss area``."""
    epochs = [metric.rpartition(" ")[2] for metric in metrics if " epoch " in metric]
    named = f"at epoch{'s' if len(epochs) > 1 else ''} {', '.join(epochs)}" if epochs else ""
    area = "for the area" if len(epochs) < len(metrics) else ""
    return " and ".join(part for part in (named, area) if part)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The claims as text, a row each: what a person reads of ``claims.COLUMNS``."""
    return pd.DataFrame(
        {
            "claim": table["claim"],
            "source": table["source"],
            "metric": [metric.replace("_", " ") for metric in table["metric"]],
            "difference": [
                f"{_signed(value)} [{_signed(low)}, {_signed(high)}]" if np.isfinite(value) else "none"
                for value, low, high in table[["value", "ci_low", "ci_high"]].to_numpy(float)
            ],
            "verdict": [CLAIM_MARKS[verdict] for verdict in table["verdict"]],
            "note": table["note"],
        }
    )


def _signed(value: float) -> str:
    """Three significant digits with their sign: late differences of losses are tiny."""
    return f"{value + 0.0:+#.3g}".rstrip(".")


def _level(settings: ClaimsStage) -> str:
    return f"{settings.fit.confidence * 100:g}%"


def _list(sentences: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"
