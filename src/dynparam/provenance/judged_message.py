"""What a figure says whose experiment results in a table of verdicts: clauses with their verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from dynparam.provenance.source_claims import decided
from dynparam.statistics.judged import CLAIM, RIGHT, WRONG
from dynparam.support.errors import DataError


@dataclass(frozen=True)
class Clause:
    """A part of a message, and which verdicts decide it.

    Attributes:
        right: what is said if all verdicts are for it; a clause.
        wrong: what is said if all are against it.
        quantities: how the quantities' names begin whose verdicts decide.
        part: the part of the experiment they belong to; all of them if it is empty.
        setting: what their settings contain.
    """

    right: str
    wrong: str
    quantities: tuple[str, ...]
    part: str = ""
    setting: str = ""

    def verdicts(self, table: pd.DataFrame) -> tuple[str, ...]:
        """Those of a table of verdicts that decide it."""
        return verdicts_of(table, self.quantities, self.part, self.setting)


def message(table: pd.DataFrame, clauses: Iterable[Clause]) -> str:
    """What clauses say of a table of verdicts (``statistics.judged``), as one sentence.

    A clause without verdicts is left out if another has some.
    """
    found = list(clauses)
    tested = [clause for clause in found if clause.verdicts(table)]
    said = "; ".join(told(clause, clause.verdicts(table)) for clause in tested or found)
    return said[:1].upper() + said[1:]


def drawn_message(judge: Callable[[], pd.DataFrame], clauses: Iterable[Clause]) -> str:
    """The same of verdicts that ``judge`` finds; a run too small for any is drawn all the same."""
    try:
        return message(judge(), clauses)
    except DataError:
        return "Nothing is judged: this run cannot tell what is right from what is known to be wrong"


def told(clause: Clause, verdicts: Sequence[str]) -> str:
    """A clause as the verdicts on it have it: said, denied, counted, or left open.

    >>> clause = Clause("it rains", "it is dry", ("rain",))
    >>> told(clause, ["holds"]), told(clause, ["fails"]), told(clause, ["holds", "fails", "undecided"])
    ('it rains', 'it is dry', 'it rains in 1 of 3 cases, not in 1')
    >>> told(clause, ["undecided"]), told(clause, [])
    ('whether it rains is undecided', 'whether it rains is not tested')
    """
    right, wrong = (sum(word in these for word in verdicts) for these in (RIGHT, WRONG))
    if not right and not wrong:
        return f"whether {clause.right} is {'undecided' if verdicts else 'not tested'}"
    if len(verdicts) in (right, wrong):
        return clause.right if right else clause.wrong
    against = f", not in {wrong}" if wrong else ""
    return f"{clause.right} in {right} of {len(verdicts)} cases{against}"


def verdicts_of(
    table: pd.DataFrame, quantities: tuple[str, ...], part: str = "", setting: str = ""
) -> tuple[str, ...]:
    """The verdicts in a table (``statistics.judged``) on claims.

    ``quantities`` are how the names of what was measured begin, ``part`` is the part of the experiment
    (all if it is empty), ``setting`` what the settings contain.
    """
    rows = table[(table["role"] == CLAIM) & table["quantity"].str.startswith(quantities)]
    if part:
        rows = rows[rows["experiment"] == part]
    return decided(rows.loc[rows["setting"].str.contains(setting, regex=False), "verdict"])
