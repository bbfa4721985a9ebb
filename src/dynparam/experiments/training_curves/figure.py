"""The figures of training: curves in, Figs. 3.4 and 3.5 and the domain of their claims out."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from dynparam.presentation.few_seeds import draw_seeds, is_few, means_of, seeds_key, singles_of
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, PAGE, STYLE, Sheet, grid
from dynparam.presentation.sentences import counted

QUANTITIES = {"train_loss": "training loss", "test_loss": "test loss"}
"""The losses that are drawn, with the names of their panels and rows."""

COLUMNS = ("task", "parametrization", "quantity", "epoch", "mean", "std", "seeds", "seed")
"""The columns of the plotted data. ``seed`` is empty in the rows of means."""

EDGES = ("-", "--", ":", "-.")
"""One line style a parametrization besides its colour, for black-and-white print: of its band's edges,
or of its single seeds."""

LINEAR_DECADES = 5
"""A symmetric logarithmic axis has at most so many decades on either side of its linear part."""


def plotted_curves(curves: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What Figs. 3.4 and 3.5 show, in ``COLUMNS``, from parametrization -> curves of all seeds.

    Args:
        curves: tables with columns task, parametrization, seed, epoch, train_loss, test_loss.

    Returns:
        A row for every task, parametrization, quantity (train_loss or test_loss) and epoch, with mean,
        std (sample standard deviation) and seeds: the number of finite values, of which mean and std
        are taken. A run that diverged counts up to the epoch before. Where seeds are few, a row for
        each of them too: its loss is its mean.
    """
    return pd.concat([_over_seeds(table) for table in curves.values()], ignore_index=True)


def training_figure(title: str, plotted: pd.DataFrame, sheet: Sheet = PAGE) -> Figure:
    """Figs. 3.4 and 3.5 (Sec. 3.3): losses of one task against the epoch, mean and spread over seeds.

    The spread is a band of one standard deviation, of few seeds each of them.

    The losses (dimensionless) are on log axes that cover the epochs from 1 on; the loss at
    initialization (epoch 0) is written where it lies above.

    Args:
        title: of the key.
        plotted: result of ``plotted_curves``, of one task.
        sheet: in a column the test loss stands below the training loss.
    """
    rows, columns = sheet.grid(len(QUANTITIES), across=2)
    with mpl.rc_context(STYLE):
        figure = sheet.figure(0.7 + 2.6 * rows)
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis, (quantity, name) in zip(axes.flat, QUANTITIES.items(), strict=True):
            _curve_panel(axis, name, plotted[plotted["quantity"] == quantity])
        for axis in axes[:, 0]:
            axis.set_ylabel(r"loss $\frac{1}{2}\|f-y\|^2$ (mean over images)")
        key = _curve_key(plotted)
        figure.legend(
            handles=key,
            title=title,
            title_fontsize=8,
            loc="outside lower center",
            ncols=1 if sheet.is_column else min(len(key), 3),
            frameon=False,
        )
    return figure


def seeds_of(plotted: pd.DataFrame, wanted: int) -> str:
    """How many runs the curves are means of, where a configuration wants ``wanted``: ``5 of 100 seeds``.

    The fewest, if curves differ. ``plotted`` is the result of ``plotted_curves``.
    """
    fewest = int(plotted.groupby("parametrization")["seeds"].max().min())
    return counted(wanted, "seed") if fewest >= wanted else f"{fewest} of {counted(wanted, 'seed')}"


def _over_seeds(curves: pd.DataFrame) -> pd.DataFrame:
    tidy = curves.melt(
        id_vars=["task", "parametrization", "epoch", "seed"],
        value_vars=list(QUANTITIES),
        var_name="quantity",
        value_name="loss",
    )
    tidy["loss"] = tidy["loss"].where(np.isfinite(tidy["loss"]))
    grouped = tidy.groupby(["task", "parametrization", "quantity", "epoch"], sort=True)["loss"]
    means = grouped.agg(mean="mean", std="std", seeds="count").reset_index()
    if not is_few(curves["seed"].nunique()):
        return means.reindex(columns=list(COLUMNS))
    singles = tidy.dropna(subset="loss").rename(columns={"loss": "mean"}).assign(seeds=1)
    shown = pd.concat([means, singles.astype({"seed": "Int64"})], ignore_index=True)
    return shown.reindex(columns=list(COLUMNS))


def _band(rows: pd.DataFrame) -> tuple[pd.Series[float], pd.Series[float]]:
    """One standard deviation about the mean; for log axes it ends at a tenth of the mean."""
    spread = rows["std"].fillna(0.0)
    return rows["mean"] - np.minimum(spread, 0.9 * rows["mean"]), rows["mean"] + spread


def _banded(rows: pd.DataFrame) -> pd.DataFrame:
    """The means that have a band: those of parametrizations whose seeds are not drawn one by one."""
    means, few = means_of(rows), singles_of(rows)["parametrization"].unique()
    banded: pd.DataFrame = means[~means["parametrization"].isin(few)]
    return banded


def _spread(axis: Axes, rows: pd.DataFrame, colour: str, style: str) -> None:
    """Of one parametrization: a band about its means, or each of its few seeds."""
    means, singles = means_of(rows).sort_values("epoch"), singles_of(rows)
    if len(singles):
        draw_seeds(axis, singles, "epoch", "mean", color=colour, linestyle=style)
        return
    axis.fill_between(
        means["epoch"],
        *_band(means),
        facecolor=(colour, 0.25),
        edgecolor=(colour, 0.8),
        linewidth=0.4,
        linestyle=style,
    )


def _curve_panel(axis: Axes, name: str, rows: pd.DataFrame) -> None:
    parametrizations = list(rows["parametrization"].unique())
    for place, parametrization in enumerate(parametrizations):
        own = rows[rows["parametrization"] == parametrization]
        curve = means_of(own).sort_values("epoch")
        colour = LAYER_COLOURS[place % len(LAYER_COLOURS)]
        _spread(axis, own, colour, EDGES[place % len(EDGES)])
        step = max(1, len(curve) // 10)
        axis.plot(
            curve["epoch"],
            curve["mean"],
            color=colour,
            marker=LAYER_MARKERS[place % len(LAYER_MARKERS)],
            markersize=3.2,
            # Markers of two curves lie at different epochs, so that none hides another.
            markevery=(place * step // len(parametrizations), step),
        )
    axis.set(yscale="log", xlabel="epoch", title=name)
    axis.set_xlim(0, max(1, rows["epoch"].max()))
    _loss_axis(axis, rows)
    grid(axis)


def _loss_axis(axis: Axes, rows: pd.DataFrame) -> None:
    """Limits from the epochs from 1 on; where epoch 0 lies above them its loss is written."""
    later = rows[(rows["epoch"] > 0) & (rows["mean"] > 0)]
    if later.empty:
        return
    drawn = pd.concat([later["mean"], *_band(_banded(later))])
    bottom, top = float(drawn.min()), float(drawn.max())
    margin = (top / bottom) ** 0.05
    axis.set_ylim(bottom / margin, top * margin)
    first = means_of(rows[rows["epoch"] == 0])["mean"]
    if (first > top * margin).any():
        values = " and ".join(dict.fromkeys(f"{value:.2f}" for value in first))
        text = rf"$\uparrow$ {values} at epoch 0"
        axis.annotate(text, (0, 1), (6, -4), "axes fraction", "offset points", va="top", fontsize=7)
    if top / bottom < 10:  # within a decade, powers of ten leave an axis without numbers
        axis.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.yaxis.set_minor_locator(NullLocator())


def _curve_key(plotted: pd.DataFrame) -> list[Artist]:
    means, singles = means_of(plotted), singles_of(plotted)
    handles: list[Artist] = [
        Line2D(
            [],
            [],
            color=LAYER_COLOURS[place % len(LAYER_COLOURS)],
            marker=LAYER_MARKERS[place % len(LAYER_MARKERS)],
            markersize=3.2,
            label=f"{name}, {_seeds(means[means['parametrization'] == name])}",
        )
        for place, name in enumerate(means["parametrization"].unique())
    ]
    if len(singles):
        handles.append(seeds_key())
    if _banded(plotted)["std"].notna().any():
        label = r"mean $\pm$ standard deviation over seeds"
        handles.append(Patch(facecolor="0.8", edgecolor="0.4", linewidth=0.4, label=label))
    return handles


def _seeds(rows: pd.DataFrame) -> str:
    """The number of seeds, and how many were left at the end if some diverged."""
    first, last = int(rows["seeds"].max()), int(rows["seeds"].min())
    seeds = "1 seed" if first == 1 else f"{first} seeds"
    return seeds if first == last else f"{seeds}, {last} to the end"
