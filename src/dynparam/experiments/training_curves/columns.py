"""The columns of the tables of claims and audits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd

from dynparam.presentation.intervals import Interval
from dynparam.presentation.numbers import scientific, to_its_error
from dynparam.presentation.tables import Column, TableView, shortened
from dynparam.training.audit_result import AuditResult


def _metric(name: str) -> str:
    return name.replace("_", " ")


# Late differences of losses are tiny: significant digits, and an axis for every row.
CLAIMS = TableView(
    "claims",
    "Claims on training curves",
    (
        Column("claim", "what the thesis says"),
        Column(
            "metric",
            "what is compared, and at which epoch; area: the mean over all epochs; best: each run's own "
            "best epoch; jumps: epochs in which the loss rises, for every 50",
            show=_metric,
        ),
        Column(
            "difference",
            "dynamic less spectral over pairs of runs, with its interval",
            ("value", "ci_low", "ci_high"),
            to_its_error,
            missing="none",
            numeric=True,
        ),
        Column(
            "verdict",
            "on the claim's side of zero: by Holm's p where primary, else by the whole interval",
            verdict=True,
        ),
        Column(
            "interval",
            "bar: interval; dot: difference; upright line: zero; each on its own scale",
            picture=Interval("value", own_scale=True),
        ),
        Column(
            "role", "primary: the verdict rests on such rows, and they are corrected for their number"
        ),
        Column(
            "Holm's p",
            "chance of such a difference if there were none, corrected for the primary rows (Holm)",
            ("p_holm",),
            scientific,
            numeric=True,
        ),
        Column("source", "where the thesis says so"),
        Column(
            "note",
            "pairs of runs, and the effect size d_z: mean over deviation of the differences",
            prose=True,
            code=shortened,
        ),
    ),
    filters=("source", "role", "verdict"),
    group="claim",
    numbers_right=True,
)
"""What a person sees of the claims (``claims.COLUMNS``)."""

AUDITS = TableView(
    "audits",
    "Audits of archived curves",
    (
        Column("run", "pair of classes, n-n_min, parametrization"),
        Column(
            "loss differs by",
            "largest relative difference of a loss",
            ("loss_difference",),
            scientific,
            missing="nan",
            numeric=True,
        ),
        Column("allowed", "derived in docs/statistics.md", ("tolerance",), scientific, numeric=True),
        Column(
            "accuracy differs by",
            "largest difference of an accuracy",
            ("accuracy_difference",),
            scientific,
            missing="nan",
            numeric=True,
        ),
        Column("verdict", verdict=True),
        Column("device"),
        Column("seed", "the archived run that was trained again", numeric=True),
        Column("epochs", numeric=True),
    ),
)
"""What a person sees of the audits (``audits_frame``)."""


def audits_frame(audits: Mapping[str, AuditResult]) -> pd.DataFrame:
    """The audits, a row each, by the place of their run: task/network/parametrization."""
    rows = [
        {"run": place, **asdict(one), "verdict": "passed" if one.passed else "failed"}
        for place, one in audits.items()
    ]
    names = ["run", *AuditResult.__dataclass_fields__, "verdict"]
    return pd.DataFrame(rows, columns=names)
