"""The columns of the table of verdicts."""

from __future__ import annotations

from functools import partial

from dynparam.presentation.numbers import significant, to_its_error
from dynparam.presentation.tables import Column, TableView

VIEW = TableView(
    "laziness",
    "Lazy or rich, judged",
    (
        Column("experiment"),
        Column("quantity"),
        Column("setting", "the networks it was measured on"),
        Column(
            "expected",
            "theory's number; of a claim, its border",
            show=partial(significant, pad=False),
            numeric=True,
        ),
        Column(
            "measured",
            "with its interval",
            ("measured", "ci_low", "ci_high"),
            to_its_error,
            missing="none",
            numeric=True,
        ),
        Column(
            "accepted from",
            "the least that the whole interval may reach; nothing if there is no such end",
            ("accepted_low",),
            partial(significant, pad=False),
            numeric=True,
        ),
        Column(
            "accepted to",
            "the greatest that it may reach",
            ("accepted_high",),
            partial(significant, pad=False),
            numeric=True,
        ),
        Column("verdict", "whether the interval lies within what is accepted", verdict=True),
        Column(
            "control",
            "for a negative control, the verdict it should have; the opposite one stops the run",
        ),
        Column("note", prose=True),
    ),
    filters=("experiment", "verdict", "control"),
)
"""What a person sees of the verdicts (``judge.COLUMNS``)."""
