"""The verdicts of an experiment's table of verdicts, for the claims of the source documents."""

from __future__ import annotations

from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_message import verdicts_of
from dynparam.provenance.judged_page import PLACE
from dynparam.statistics.judged import FORM


class Verdicts:
    """What claims ask of a table of verdicts.

    Attributes:
        evidence: the table's file.
    """

    def __init__(self, files: Files, folder: str) -> None:
        """Answer from the table in a folder of results. Raises ``DataError`` if there is none."""
        self.evidence = (files.results / folder / f"{PLACE}.csv").as_posix()
        self._table = files.table(f"{folder}/{PLACE}", FORM)

    def of(self, *quantities: str, part: str = "", setting: str = "") -> tuple[str, ...]:
        """The verdicts on quantities that begin so, in a part of the experiment, on such settings.

        Args:
            quantities: how the quantities' names begin.
            part: the part of the experiment; all of them if it is empty.
            setting: what the setting contains.
        """
        return verdicts_of(self._table, quantities, part, setting)
