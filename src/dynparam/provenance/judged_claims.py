"""The verdicts of an experiment's table of verdicts, for the claims of the source documents."""

from __future__ import annotations

from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_page import PLACE
from dynparam.provenance.source_claims import decided
from dynparam.statistics.judged import CLAIM, FORM


class Verdicts:
    """What claims ask of a table of verdicts.

    Attributes:
        evidence: the table's file.
    """

    def __init__(self, files: Files, folder: str) -> None:
        """Answer from the table in a folder of results. Raises ``DataError`` if there is none."""
        self.evidence = (files.results / folder / f"{PLACE}.csv").as_posix()
        table = files.table(f"{folder}/{PLACE}", FORM)
        self._claims = table[table["role"] == CLAIM]

    def of(self, *quantities: str, part: str = "", setting: str = "") -> tuple[str, ...]:
        """The verdicts on quantities that begin so, in a part of the experiment, on such settings.

        Args:
            quantities: how the quantities' names begin.
            part: the part of the experiment; all of them if it is empty.
            setting: what the setting contains.
        """
        rows = self._claims[self._claims["quantity"].str.startswith(quantities)]
        if part:
            rows = rows[rows["experiment"] == part]
        return decided(rows.loc[rows["setting"].str.contains(setting, regex=False), "verdict"])
