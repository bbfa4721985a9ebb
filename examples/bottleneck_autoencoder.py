"""How fast does an autoencoder train when its layers become wider and its code stays narrow?

    python -m examples.bottleneck_autoencoder             a few minutes on two cores
    python -m examples.bottleneck_autoencoder --quick     seconds, but too small to conclude from

Networks 192 - n - 16 - n - 192 learn to reproduce small images of two classes of CIFAR-10, under several
parametrizations, each over a grid of learning rates. Prints the loss after a fixed number of steps at
the best learning rate of each width, at that of the narrowest, and at a common one; writes the losses
(.csv), a figure (.png, .svg, .pdf) and their provenance (.json).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from pydantic import BaseModel
from torch import Tensor, nn

import dynparam
from dynparam.data.images import Pair
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, STYLE, Sheet
from dynparam.presentation.sentences import joined
from examples.frame import Picture, inputs, run

NAME = "example_bottleneck_autoencoder"
TOP = 1.25
"""Losses beyond TOP times that of an output of zero, or infinite, are drawn at the upper edge."""


class Settings(BaseModel, frozen=True):
    """All that the numbers depend on, the images aside."""

    exponents: dict[str, tuple[int, int]]
    """By parametrization: learning rates are 2^k, for k from the first to the second."""
    widths: tuple[int, ...]
    seeds: int
    steps: int
    every: int
    """Steps from one evaluation to the next."""
    code: int = 16
    side: int = 8
    """Images are averaged to side x side pixels, so n_0 = n_L = 3 side^2."""
    batch: int = 64
    momentum: float = 0.9
    evaluated: int = 500
    """Training images that the loss is evaluated on."""
    common: float = 1.0
    """The learning rate that all parametrizations are compared at, besides their own best."""


FULL = Settings(
    exponents={
        "dynamic": (0, 6),
        "spectral": (-3, 2),
        "mup": (-2, 4),
        "ntk": (0, 7),
        "standard": (-7, 0),
    },
    widths=(64, 256, 1024),
    seeds=3,
    steps=300,
    every=20,
)
QUICK = Settings(
    exponents={"dynamic": (0, 1), "spectral": (-1, 0)}, widths=(32, 64), seeds=2, steps=10, every=5
)


def autoencoder(pixels: int, n: int, code: int) -> nn.Sequential:
    """Four ordinary linear layers without biases; the narrow one in the middle is the code."""
    return nn.Sequential(
        nn.Linear(pixels, n, bias=False),
        nn.ReLU(),
        nn.Linear(n, code, bias=False),
        nn.ReLU(),
        nn.Linear(code, n, bias=False),
        nn.ReLU(),
        nn.Linear(n, pixels, bias=False),
    )


def train(
    parametrization: str, n: int, rate: float, seed: int, x: Tensor, settings: Settings
) -> Iterator[tuple[int, float]]:
    """Train on images x (N, n_0); yields steps and loss, the mean square error of a pixel.

    The loss is inf from where the training diverged.
    """
    model = autoencoder(x.shape[1], n, settings.code)
    applied = dynparam.apply(model, parametrization, learning_rate=rate, sample_input=x[:1], seed=seed)
    optimizer = torch.optim.SGD(applied.parameter_groups, lr=rate, momentum=settings.momentum)
    random = torch.Generator().manual_seed(seed)
    shown, diverged = x[: settings.evaluated], False
    for step in range(settings.steps + 1):
        if step % settings.every == 0:
            with torch.no_grad():
                loss = math.inf if diverged else nn.functional.mse_loss(model(shown), shown).item()
            diverged = not math.isfinite(loss)
            yield step, math.inf if diverged else loss
        if not diverged:
            batch = x[torch.randint(len(x), (settings.batch,), generator=random)]
            optimizer.zero_grad()
            nn.functional.mse_loss(model(batch), batch).backward()
            optimizer.step()


def references(x: Tensor, settings: Settings) -> dict[str, float]:
    """Losses to compare with, on the evaluated images: of simple codes fitted to the training images.

    zero: an output of zero. mean: the mean image. pca: the mean image and as many principal components
    as the code has units.
    """
    mean = x.mean(dim=0)
    _, _, directions = torch.linalg.svd(x - mean, full_matrices=False)
    shown = x[: settings.evaluated]
    rest = shown - mean
    kept = directions[: settings.code]
    losses = {"zero": shown, "mean": rest, "pca": rest - rest @ kept.T @ kept}
    return {name: values.square().mean().item() for name, values in losses.items()}


def measure(settings: Settings, pair: Pair) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row per evaluation, and the losses of simple codes.

    Columns: parametrization, n, learning_rate, seed, step, loss.
    """
    x = inputs(pair.train_images, settings.side)
    rows = []
    for name, (first, last) in settings.exponents.items():
        for n in settings.widths:
            print(f"{name}, n = {n}", file=sys.stderr)
            for k in range(first, last + 1):
                for seed in range(settings.seeds):
                    curve = train(name, n, 2.0**k, seed, x, settings)
                    rows += [(name, n, 2.0**k, seed, step, loss) for step, loss in curve]
    columns = ["parametrization", "n", "learning_rate", "seed", "step", "loss"]
    return pd.DataFrame(rows, columns=columns), references(x, settings)


def outcomes(runs: pd.DataFrame) -> pd.DataFrame:
    """The mean loss over seeds after the last step, inf if a seed diverged, for every learning rate.

    Columns: parametrization, n, learning_rate, loss, least, largest.
    """
    final = runs[runs["step"] == runs["step"].max()]
    grouped = final.groupby(["parametrization", "n", "learning_rate"], sort=False)["loss"]
    table: pd.DataFrame = grouped.agg(loss="mean", least="min", largest="max").reset_index()
    return table


def best(runs: pd.DataFrame) -> pd.DataFrame:
    """The row of ``outcomes`` with the least mean loss, for each parametrization and width."""
    table = outcomes(runs)
    least: pd.DataFrame = table.loc[table.groupby(["parametrization", "n"], sort=False)["loss"].idxmin()]
    return least


def at_rate_of_narrowest(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``outcomes`` with the learning rate that is best for the narrowest network."""
    found = best(runs)
    rates = found.loc[found["n"] == found["n"].min(), ["parametrization", "learning_rate"]]
    return outcomes(runs).merge(rates, on=["parametrization", "learning_rate"])


def of_widest(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the widest network."""
    rows: pd.DataFrame = table[table["n"] == table["n"].max()]
    return rows


def steps_to(runs: pd.DataFrame, goal: float) -> dict[str, float]:
    """By parametrization, the first evaluated step with a mean loss below ``goal``; inf if none.

    Of the widest network at its best learning rate.
    """
    chosen = of_widest(best(runs))[["parametrization", "n", "learning_rate"]]
    means = runs.merge(chosen).groupby(["parametrization", "step"])["loss"].mean().reset_index()
    reached = means[means["loss"] < goal].groupby("parametrization")["step"].min()
    return {str(name): float(reached.get(name, math.inf)) for name in chosen["parametrization"]}


def report(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> str:
    """Two tables: the best rates and losses by width; what the widest network does at other rates."""
    found = best(runs).assign(title=lambda table: "n = " + table["n"].astype(str))
    found["cell"] = [_cell(row, settings) for row in found.itertuples()]
    by_width = found.pivot(index="parametrization", columns="title", values="cell")
    by_width = by_width.loc[list(settings.exponents), list(found["title"].unique())].reset_index()
    losses = ", ".join(
        f"{name} {facts[key]:.3f}"
        for key, name in (("zero", "output zero"), ("mean", "mean image"), ("pca", "PCA"))
    )
    return "\n\n".join(
        [
            f"Loss after {settings.steps} steps at the best learning rate (edge: of the grid): mean "
            f"over {settings.seeds} seeds [least, largest]",
            by_width.to_markdown(index=False, disable_numparse=True),
            f"For comparison: {losses} with {settings.code} components",
            f"The widest network, n = {settings.widths[-1]}",
            _widest(runs, settings, facts).to_markdown(index=False, disable_numparse=True),
        ]
    )


def _cell(row: Any, settings: Settings) -> str:
    """Loss and learning rate of a row of ``best``."""
    k = round(math.log2(row.learning_rate))
    edge = " (edge)" if k in settings.exponents[row.parametrization] else ""
    return f"{row.loss:.3f} [{row.least:.3f}, {row.largest:.3f}] at 2^{k}{edge}"


def _widest(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> pd.DataFrame:
    table = outcomes(runs)
    columns = {
        "best rate": best(runs),
        f"best rate of n = {settings.widths[0]}": at_rate_of_narrowest(runs),
        f"rate {settings.common:g}": table[table["learning_rate"] == settings.common],
    }
    shown = pd.DataFrame({"parametrization": list(settings.exponents)})
    for title, rows in columns.items():
        losses = of_widest(rows).set_index("parametrization")["loss"]
        shown[title] = [loss_text(float(losses[name])) for name in settings.exponents]
    steps = steps_to(runs, facts["mean"] / 2)
    shown["steps to half the mean image's loss"] = [
        f"{steps[name]:.0f}" if math.isfinite(steps[name]) else "not reached"
        for name in settings.exponents
    ]
    return shown


def loss_text(loss: float) -> str:
    """Three decimals, or that it diverged."""
    return f"{loss:.3f}" if math.isfinite(loss) else "diverges"


def message(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> str:
    """What trains farthest in the widest network, and where the narrowest's rate does worse there.

    Losses whose ranges over seeds overlap are not told apart.
    """
    own, narrow = (
        of_widest(table).set_index("parametrization")
        for table in (best(runs), at_rate_of_narrowest(runs))
    )
    least = own.loc[own["loss"].idxmin()]
    leading = own.index[own["least"] <= least["largest"]]
    worse = narrow.index[(narrow["least"] > own["largest"]) | ~np.isfinite(narrow["loss"])]
    rate = f"the best rate of n = {runs['n'].min()} is"
    kept = f"worse there under {joined(list(worse))}" if len(worse) else "no worse there under any"
    return f"At n = {runs['n'].max()} {joined(list(leading))} reach the least loss; {rate} {kept}"


def draw(runs: pd.DataFrame, facts: Mapping[str, Any], sheet: Sheet) -> Figure:
    """Loss against steps in the widest network; against width; against learning rate for dynamic."""
    names = list(runs["parametrization"].unique())
    styles = dict(zip(names, zip(LAYER_COLOURS, LAYER_MARKERS, strict=True), strict=False))
    with mpl.rc_context(STYLE):
        figure = sheet.figure(3.1)
        left, middle, right = figure.subplots(1, 3, sharey=True)
        _curves(left, runs, styles)
        _against_width(middle, runs, styles, facts["zero"])
        _against_rate(right, outcomes(runs[runs["parametrization"] == "dynamic"]), facts["zero"])
        for axis in (left, middle, right):
            _frame(axis, facts, named=axis is not left)
        left.set_ylabel("mean square error of a pixel")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    return figure


Styles = Mapping[str, tuple[str, str]]


def _curves(axis: Axes, runs: pd.DataFrame, styles: Styles) -> None:
    chosen = of_widest(best(runs))[["parametrization", "n", "learning_rate"]]
    shown = runs.merge(chosen)
    for name, (colour, marker) in styles.items():
        curves = shown[shown["parametrization"] == name].groupby("step")["loss"]
        axis.plot(curves.mean(), color=colour, marker=marker, markersize=3, label=name)
        axis.fill_between(curves.min().index, curves.min(), curves.max(), color=colour, alpha=0.15)
    axis.set(xlabel="steps", title=f"$n = {runs['n'].max()}$, best rate")


def _against_width(axis: Axes, runs: pd.DataFrame, styles: Styles, zero: float) -> None:
    own, narrow = best(runs), at_rate_of_narrowest(runs)
    for name, (colour, marker) in styles.items():
        for table, line, fill in ((own, "-", "full"), (narrow, "--", "none")):
            rows = table[table["parametrization"] == name]
            losses = rows["loss"].clip(upper=TOP * zero)
            axis.plot(rows["n"], losses, line, color=colour, marker=marker, markersize=4, fillstyle=fill)
    axis.set_xscale("log", base=2)
    axis.set(xlabel="$n$ (neurons)", title="full: best rate of each $n$\nopen: best rate of least $n$")


def _against_rate(axis: Axes, table: pd.DataFrame, zero: float) -> None:
    """One grey a width, darker the wider."""
    greys = np.linspace(0.7, 0, table["n"].nunique()).astype(str)
    for (n, rows), grey, marker in zip(table.groupby("n"), greys, LAYER_MARKERS, strict=False):
        shown = rows["loss"].clip(upper=TOP * zero)
        style = {"color": grey, "marker": marker, "label": f"$n = {n}$"}
        axis.plot(rows["learning_rate"], shown, markersize=3.5, **style)
    axis.set_xscale("log", base=2)
    axis.set(xlabel=r"learning rate $\eta$", title="dynamic")
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.0, 0.83))


def _frame(axis: Axes, facts: Mapping[str, Any], *, named: bool) -> None:
    """Scale, grid and the losses of simple codes, which curves leave room to name on some axes."""
    where = axis.get_yaxis_transform()
    for key, line, name in (("mean", ":", "mean image"), ("pca", "-.", "PCA")):
        axis.axhline(facts[key], color="0.4", linewidth=0.6, linestyle=line)
        if named:
            axis.text(0.02, facts[key], name, transform=where, va="top", fontsize=7, color="0.3")
    axis.set_yscale("log")
    axis.set_ylim(0.8 * facts["pca"], 1.1 * TOP * facts["zero"])
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())
    axis.grid(True, which="major", linewidth=0.3, color="0.85")
    axis.set_axisbelow(True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the example with the options of the command line, or others."""
    run(NAME, FULL, QUICK, measure, report, Picture(message, draw), arguments)


if __name__ == "__main__":
    main()
