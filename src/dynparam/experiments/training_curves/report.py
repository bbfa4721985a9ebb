"""The tables of claims and audits in the report."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dynparam.experiments.training_curves.page import readable as readable_claims
from dynparam.presentation.cells import Cell, Column, Table, _number, _reach, _rows, interval, verdict
from dynparam.training.audit_result import AuditResult


def claims_table(table: pd.DataFrame) -> Table:
    """The claims (``claims.COLUMNS``), each interval drawn on its own scale around zero."""
    text = readable_claims(table)
    pictures = [
        interval(low, value, high, _reach((low, value, high, 0.0)))
        for low, value, high in table[["ci_low", "value", "ci_high"]].to_numpy(float)
    ]
    columns = (
        Column("claim", "what the thesis says"),
        Column("source", "where it says so"),
        Column("metric", "what is compared, and at which epoch; area: the mean over all epochs"),
        Column(
            "difference", "dynamic less spectral over pairs of runs, with its interval", numeric=True
        ),
        Column(
            "interval",
            "bar: interval; dot: difference; upright line: zero; each on its own scale",
            sortable=False,
        ),
        Column("verdict", "whether the whole interval lies on the claim's side of zero"),
        Column("note", "pairs of runs, and the effect size d_z: mean over deviation of the differences"),
    )
    numbers = {"difference": "value"}
    rows = _rows(text, table, columns, numbers, {"interval": pictures}, ("verdict",))
    return Table("claims", "Claims on training curves", columns, rows, ("source", "verdict"))


def audits_table(audits: Mapping[str, AuditResult]) -> Table:
    """The audits, by the place of their run: task/network/parametrization."""
    columns = (
        Column("run", "pair of classes, n-n_min, parametrization"),
        Column("seed", "the archived run that was trained again", numeric=True),
        Column("epochs", numeric=True),
        Column("loss differs by", "largest relative difference of a loss", numeric=True),
        Column("allowed", "derived in docs/statistics.md", numeric=True),
        Column("accuracy differs by", "largest difference of an accuracy", numeric=True),
        Column("device"),
        Column("verdict"),
    )
    rows = tuple(
        (
            Cell(name),
            Cell(str(one.seed)),
            Cell(str(one.epochs)),
            _number(one.loss_difference),
            _number(one.tolerance),
            _number(one.accuracy_difference),
            Cell(one.device),
            verdict("passed" if one.passed else "failed"),
        )
        for name, one in audits.items()
    )
    return Table("audits", "Audits of archived curves", columns, rows)
