"""What the report shows of the coins: the shares of heads."""

from __future__ import annotations

from typing import Any

from dynparam.experiments.coin.columns import view
from dynparam.experiments.coin.tables import SHARES
from dynparam.presentation.pages import Section
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown


def page(config: Any, files: Files) -> Page:
    """The shares, and how their verdicts fall."""
    table = files.table("coin/shares", SHARES)
    counted = count("Coins", "coins", "do they fall as they are said to?", table["verdict"])
    section = Section(view=view(config.coin), table=table)
    file = files.results / "coin" / "shares.csv"
    return Page([counted], [Shown("coins", "Shares of heads", "Coins", [section], file)])
