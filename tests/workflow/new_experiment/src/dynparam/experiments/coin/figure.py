"""The figure of the coins: the share of heads, expected and measured."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from dynparam.presentation.figure_style import LAYER_COLOURS, PAGE, STYLE, Sheet


def coin_figure(table: pd.DataFrame, sheet: Sheet = PAGE) -> Figure:
    """One point a coin with its interval, and a line where it is expected."""
    with mpl.rc_context(STYLE):
        figure = sheet.figure(2.5)
        axis = figure.subplots()
        errors = [table["share"] - table["ci_low"], table["ci_high"] - table["share"]]
        axis.errorbar(table["coin"], table["share"], yerr=errors, fmt="o", color=LAYER_COLOURS[0])
        axis.plot(table["coin"], table["expected"], "_", markersize=20, color=LAYER_COLOURS[1])
        axis.set_ylabel("share of heads")
    return figure
