"""Rows of a table of verdicts: what theory expects, what was measured, and whether the two agree.

A control is a row that must not agree: the measurement is set beside an expectation known to be wrong.
One that agrees says that the measurement cannot tell right from wrong, and no table is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynparam.statistics.estimates import Estimate
from dynparam.statistics.verdicts import ClaimVerdict, Verdict, claim_verdict, equivalence
from dynparam.support.errors import DataError
from dynparam.support.tables import GAPS, NOTE, TEXT, Form

RIGHT = (str(Verdict.AGREES), str(ClaimVerdict.HOLDS))
"""Verdicts by which theory and measurement agree."""

WRONG = (str(Verdict.DISAGREES), str(ClaimVerdict.FAILS))
"""Those by which they do not."""

CLAIM, CONTROL, SHOWN = "claim", "control", "shown"
"""What a row is there for: it should agree, it must not, or it is told without a verdict."""

ROLES = (CLAIM, CONTROL, SHOWN)

COLUMNS = (
    "experiment",
    "quantity",
    "setting",
    "role",
    "expected",
    "measured",
    "ci_low",
    "ci_high",
    "verdict",
    "note",
)

FORM = Form(
    {
        "experiment": TEXT,
        "quantity": TEXT,
        "setting": TEXT,
        "role": ROLES,
        "expected": GAPS,
        "measured": GAPS,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "verdict": NOTE,
        "note": NOTE,
    },
    key=("experiment", "quantity", "setting", "role"),
)
"""A table of such rows, as it is read."""


@dataclass(frozen=True)
class Row:
    """One line of a table of verdicts.

    Attributes:
        experiment: the part of the experiment it belongs to.
        quantity: what was measured.
        setting: on what.
        role: one of ``ROLES``.
        expected: the expected value, or the bound of a claim.
        measured: the measured one.
        verdict: one of ``verdicts``, or empty.
        note: what else is to be said.
    """

    experiment: str
    quantity: str
    setting: str
    role: str
    expected: float
    measured: Estimate
    verdict: str = ""
    note: str = ""

    def cells(self) -> dict[str, object]:
        """The row under ``COLUMNS``."""
        return {
            "experiment": self.experiment,
            "quantity": self.quantity,
            "setting": self.setting,
            "role": self.role,
            "expected": self.expected,
            **self.measured.row("measured"),
            "verdict": self.verdict,
            "note": self.note,
        }


def within(expected: float, measured: Estimate, tolerance: float) -> str:
    """Whether the measured value equals the expected one up to ``tolerance`` (``equivalence``)."""
    return str(equivalence(*measured.interval, expected, tolerance))


def beyond(bound: float, measured: Estimate) -> str:
    """Whether the measured value is above the bound."""
    return str(claim_verdict(*measured.shifted(-bound).interval, better="higher"))


def below(bound: float, measured: Estimate) -> str:
    """Whether the measured value is below the bound."""
    return str(claim_verdict(*measured.shifted(-bound).interval, better="lower"))


def within_errors(expected: float, measured: Estimate, errors: float) -> str:
    """Whether the measured value is within so many standard errors of the expected one.

    For an expectation that is exact: an unknown bias would not be seen if it were smaller than that.
    Undecided if no error is known.
    """
    if not np.isfinite(measured.standard_error):
        return str(Verdict.UNDECIDED)
    near = abs(measured.value - expected) <= errors * measured.standard_error
    return str(Verdict.AGREES if near else Verdict.DISAGREES)


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """The rows as a table. Raises ``DataError`` naming the first control that agrees."""
    found = list(rows)
    for row in found:
        if row.role == CONTROL and row.verdict in RIGHT:
            raise DataError(
                f"the control {row.quantity!r} ({row.setting}) {row.verdict} with what is known to be "
                f"wrong, {row.expected:.4g}, so that nothing is judged; measure with more trials"
            )
    return pd.DataFrame([row.cells() for row in found], columns=list(COLUMNS))


def outcomes(judged: pd.DataFrame, *roles: str) -> Iterator[str]:
    """How the rows of these roles came out: passed, failed or undecided; a control passes if refuted."""
    for role, verdict in zip(judged["role"], judged["verdict"], strict=True):
        if role in roles and isinstance(verdict, str) and verdict:
            right = WRONG if role == CONTROL else RIGHT
            sure = verdict in (*RIGHT, *WRONG)
            yield ("passed" if verdict in right else "failed") if sure else "undecided"
