"""Rows of a table of verdicts: what theory expects, what was measured, and whether the two agree.

A row says what it accepts: the range that the whole interval of the measured value has to lie in. A
control is a row that must not agree: the measurement is set beside an expectation known to be wrong. One
that agrees says that the measurement cannot tell right from wrong, and no table is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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

OUTCOMES = ("passed", "failed", "undecided")
"""How a row comes out; a control passes if it is refuted."""

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
        "accepted_low": GAPS,
        "accepted_high": GAPS,
        "verdict": NOTE,
        "note": NOTE,
    },
    key=("experiment", "quantity", "setting", "role"),
)
"""A table of such rows, as it is read. An end of what is accepted is missing where it is open."""

COLUMNS = tuple(FORM.columns)


class Accepted(NamedTuple):
    """The range that a whole interval has to lie in; an end that is infinite is open."""

    low: float = -np.inf
    high: float = np.inf

    def verdict(self, measured: Estimate) -> str:
        """Whether the interval lies inside, outside or across an end; empty if both ends are open.

        With two ends the value agrees or disagrees, with one a claim holds or fails. An interval that is
        not known is undecided.
        """
        if np.isfinite(self.low) and np.isfinite(self.high):
            middle, reach = (self.low + self.high) / 2, (self.high - self.low) / 2
            return str(equivalence(*measured.interval, middle, reach))
        if np.isfinite(self.low):
            return str(claim_verdict(*measured.shifted(-self.low).interval, better="higher"))
        if np.isfinite(self.high):
            return str(claim_verdict(*measured.shifted(-self.high).interval, better="lower"))
        return ""

    def cells(self) -> dict[str, float]:
        """Both ends as columns; nan where one is open."""
        ends = {"accepted_low": self.low, "accepted_high": self.high}
        return {name: end if np.isfinite(end) else np.nan for name, end in ends.items()}


OPEN = Accepted()
"""Of a row that is shown, or whose verdict is not that of an interval."""


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
        accepted: where its interval has to lie.
        note: what else is to be said; of a control, what wrong thing it is held against.
        given: the verdict of a row whose verdict is not that of its interval.
    """

    experiment: str
    quantity: str
    setting: str
    role: str
    expected: float
    measured: Estimate
    accepted: Accepted = OPEN
    note: str = ""
    given: str = ""

    @property
    def verdict(self) -> str:
        """The one that is given, or that of the interval; empty if it is only shown."""
        return self.given or self.accepted.verdict(self.measured)

    def cells(self) -> dict[str, object]:
        """The row under ``COLUMNS``."""
        return {
            "experiment": self.experiment,
            "quantity": self.quantity,
            "setting": self.setting,
            "role": self.role,
            "expected": self.expected,
            **self.measured.row("measured"),
            **self.accepted.cells(),
            "verdict": self.verdict,
            "note": self.note,
        }


def within(expected: float, tolerance: float) -> Accepted:
    """The expected value up to ``tolerance``."""
    return Accepted(expected - tolerance, expected + tolerance)


def beyond(bound: float) -> Accepted:
    """Above the bound."""
    return Accepted(low=bound)


def below(bound: float) -> Accepted:
    """Below the bound."""
    return Accepted(high=bound)


def equal(
    experiment: str,
    quantity: str,
    setting: str,
    expected: float,
    measured: Estimate,
    tolerance: float,
    note: str = "",
    role: str = CLAIM,
) -> Row:
    """A row whose value has to be the expected one up to ``tolerance``; of a control, must not be."""
    accepted = within(expected, tolerance)
    return Row(experiment, quantity, setting, role, expected, measured, accepted, note)


def within_errors(expected: float, measured: Estimate, errors: float) -> str:
    """Whether the measured value is within so many standard errors of the expected one.

    For an expectation that is exact: an unknown bias would not be seen if it were smaller than that.
    Undecided if no error is known.
    """
    if not np.isfinite(measured.standard_error):
        return str(Verdict.UNDECIDED)
    near = abs(measured.value - expected) <= errors * measured.standard_error
    return str(Verdict.AGREES if near else Verdict.DISAGREES)


def known(value: float) -> Estimate:
    """A value that no scatter enters."""
    return Estimate(value, value, value, 0.0, 0)


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """The rows as a table. Raises ``DataError`` naming the first control that agrees."""
    found = list(rows)
    for row in found:
        if row.role == CONTROL and row.verdict in RIGHT:
            wrong = f"{row.expected:.4g}" + (f" ({row.note})" if row.note else "")
            raise DataError(
                f"the control {row.quantity!r} ({row.setting}) {row.verdict}, held against what is "
                f"known to be wrong, {wrong}, so that nothing is judged; measure with more trials"
            )
    return pd.DataFrame([row.cells() for row in found], columns=list(COLUMNS))


def outcomes(judged: pd.DataFrame, *roles: str) -> pd.Series[str]:
    """How the rows of these roles came out, in ``OUTCOMES``; a control passes if refuted.

    Rows without a verdict are left out; the index is that of the others.
    """
    rows = judged[judged["role"].isin(roles) & judged["verdict"].notna() & (judged["verdict"] != "")]
    control, verdict = rows["role"] == CONTROL, rows["verdict"]
    passed = verdict.isin(RIGHT) & ~control | verdict.isin(WRONG) & control
    found = pd.Series("failed", index=rows.index, dtype=object)
    return found.mask(passed, "passed").mask(~verdict.isin([*RIGHT, *WRONG]), "undecided")


class Judged:
    """What sentences ask of a table of verdicts.

    Attributes:
        table: all rows.
        claims: those that should agree.
        controls: those that must not.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        """Answer from a table of ``FORM``."""
        self.table = table
        self.claims = table[table["role"] == CLAIM]
        self.controls = table[table["role"] == CONTROL]

    def counts(self) -> Mapping[str, int]:
        """Claims by how they came out, and ``all`` of them."""
        words = list(outcomes(self.claims, CLAIM))
        return {word: words.count(word) for word in OUTCOMES} | {"all": len(words)}

    def controls_refuted(self) -> bool:
        """Whether every control is refuted, and there is one."""
        return not self.controls.empty and set(self.controls["verdict"]) <= set(WRONG)

    def undecided_controls(self) -> list[dict[str, Any]]:
        """The controls that are not refuted; had one agreed, there would be no table."""
        return records(self.controls[~self.controls["verdict"].isin(WRONG)])

    def surprises(self) -> list[str]:
        """Claims that failed, in words."""
        return [
            f"{row['quantity']}, {row['setting']}: {row['measured']:.3g}, expected {row['expected']:.3g}"
            for row in records(self.claims[self.claims["verdict"].isin(WRONG)])
        ]


def all_right(rows: pd.DataFrame) -> bool:
    """Whether these rows all agree, and there is one."""
    return not rows.empty and set(rows["verdict"]) <= set(RIGHT)


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows by their columns."""
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
