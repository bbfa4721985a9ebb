"""The columns of the table of shares."""

from __future__ import annotations

from dynparam.experiments.coin.settings import Coin
from dynparam.presentation.intervals import Interval
from dynparam.presentation.numbers import fixed, with_interval
from dynparam.presentation.tables import Column, TableView


def view(coin: Coin) -> TableView:
    """What a person sees of the shares (``judge.judged``)."""
    columns = (
        Column("coin"),
        Column("expected", "the share of heads it is said to have", show=fixed, numeric=True),
        Column(
            "measured",
            "the share of heads, with its interval",
            ("share", "ci_low", "ci_high"),
            with_interval,
            numeric=True,
        ),
        Column(
            "interval",
            "bar: interval; dot: measured; band: expected and tolerance",
            picture=Interval("share", expected=("expected",), tolerance=coin.tolerance),
        ),
        Column("verdict", verdict=True),
    )
    return TableView("shares", "Shares of heads", columns)
