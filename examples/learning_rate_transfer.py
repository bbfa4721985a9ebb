"""Does the best learning rate stay put when a network becomes wider?

    python -m examples.learning_rate_transfer             a few minutes on two cores
    python -m examples.learning_rate_transfer --quick     seconds, but too small to conclude from

Networks with hidden layers of widths n, n/4, n learn to tell two classes of CIFAR-10 apart, under
several parametrizations and over a grid of learning rates. Prints the best learning rate at each width
and how it grows with the width; writes the losses (.csv), a figure (.png, .svg, .pdf) and their
provenance (.json).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import BaseModel
from scipy import stats
from torch import Tensor, nn

import dynparam
from dynparam.data.images import Pair, one_hot
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, STYLE, Sheet
from dynparam.presentation.numbers import signed, with_interval
from dynparam.statistics.slopes import log_slope
from dynparam.statistics.verdicts import Verdict, equivalence
from dynparam.theory.mean_field import mean_field
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from examples.frame import Picture, inputs, run, told

NAME = "example_learning_rate_transfer"


class Case(BaseModel, frozen=True):
    """A panel of the figure: a parametrization, its inputs, its widths and its learning rates."""

    parametrization: str
    side: int
    """Images are averaged to side x side pixels, so n_0 = 3 side^2."""
    widths: tuple[int, ...]
    exponents: tuple[int, int]
    """Learning rates are 2^k, for k from the first to the second."""


class Settings(BaseModel, frozen=True):
    """All that the numbers depend on, the images aside."""

    cases: tuple[Case, ...]
    seeds: int
    steps: int
    batch: int = 64
    momentum: float = 0.9
    tolerance: float = 0.25
    """A slope within it moves the best rate by less than a factor of 2 over widths from 64 to 1024."""
    confidence: float = 0.95


WIDTHS = (64, 128, 256, 512, 1024)
FULL = Settings(
    cases=(
        Case(parametrization="dynamic", side=8, widths=WIDTHS, exponents=(-5, 2)),
        Case(parametrization="spectral", side=8, widths=WIDTHS, exponents=(-6, 1)),
        Case(parametrization="standard", side=8, widths=WIDTHS, exponents=(-10, -1)),
        Case(parametrization="standard", side=32, widths=WIDTHS[:-1], exponents=(-10, -4)),
    ),
    seeds=5,
    steps=100,
)
QUICK = Settings(
    cases=(
        Case(parametrization="dynamic", side=8, widths=(32, 64), exponents=(-2, 1)),
        Case(parametrization="standard", side=8, widths=(32, 64), exponents=(-6, -3)),
    ),
    seeds=2,
    steps=10,
)


def network(widths: Sequence[int]) -> nn.Sequential:
    """Ordinary linear layers without biases, ReLU between them; ``widths`` are n_0 ... n_L."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths[:-1]):
        layers += [nn.Linear(fan_in, fan_out, bias=False), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1], bias=False))


def half_square_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean over a batch of 1/2 ||f - y||^2; both are (batch, n_L)."""
    return (outputs - targets).square().sum(dim=1).mean() / 2


def train(
    parametrization: str, n: int, rate: float, seed: int, x: Tensor, y: Tensor, settings: Settings
) -> float:
    """Train on images x (N, n_0) with targets y (N, n_L); the loss on all; inf if it diverged."""
    model = network([x.shape[1], n, n // 4, n, y.shape[1]])
    applied = dynparam.apply(model, parametrization, learning_rate=rate, sample_input=x[:1], seed=seed)
    optimizer = torch.optim.SGD(applied.parameter_groups, lr=rate, momentum=settings.momentum)
    random = torch.Generator().manual_seed(seed)
    for _ in range(settings.steps):
        batch = torch.randint(len(x), (settings.batch,), generator=random)
        loss = half_square_error(model(x[batch]), y[batch])
        if not torch.isfinite(loss):
            return math.inf
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        final = half_square_error(model(x), y).item()
    return final if math.isfinite(final) else math.inf


def measure(settings: Settings, pair: Pair) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row per training, and the mean of ||x||^2 for each number of inputs n_0.

    Columns: parametrization, n_0, n, learning_rate, seed, train_loss.
    """
    y = torch.tensor(one_hot(pair.train_labels), dtype=torch.float32)
    rows, norms = [], {}
    for case in settings.cases:
        x = inputs(pair.train_images, case.side)
        n_0 = x.shape[1]
        norms[str(n_0)] = x.square().sum(dim=1).mean().item()
        for n in case.widths:
            print(f"{case.parametrization}, n_0 = {n_0}, n = {n}", file=sys.stderr)
            for k in range(case.exponents[0], case.exponents[1] + 1):
                for seed in range(settings.seeds):
                    loss = train(case.parametrization, n, 2.0**k, seed, x, y, settings)
                    rows.append((case.parametrization, n_0, n, 2.0**k, seed, loss))
    columns = ["parametrization", "n_0", "n", "learning_rate", "seed", "train_loss"]
    return pd.DataFrame(rows, columns=columns), {"mean_square_norms": norms}


def mean_losses(runs: pd.DataFrame) -> pd.Series:
    """The mean loss over seeds at each learning rate; inf if one seed diverged."""
    return runs.groupby("learning_rate")["train_loss"].mean()


def best_rates(runs: pd.DataFrame) -> pd.DataFrame:
    """The learning rate of the least loss for each parametrization, n_0, n and seed."""
    least = runs.groupby(["parametrization", "n_0", "n", "seed"], sort=False)["train_loss"].idxmin()
    return runs.loc[least]


def slopes(runs: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """How log(best rate) grows with log(n): mean over seeds, Student's interval, verdict; by case.

    Each seed gives a slope of its own, by least squares over all widths.
    """
    rows = []
    for (name, n_0), table in best_rates(runs).groupby(["parametrization", "n_0"], sort=False):
        by_seed = np.array(
            [
                stats.linregress(np.log(of_seed["n"]), np.log(of_seed["learning_rate"])).slope
                for _, of_seed in table.groupby("seed")
            ]
        )
        reach = stats.t.ppf((1 + settings.confidence) / 2, len(by_seed) - 1) * stats.sem(by_seed)
        low, high = by_seed.mean() - reach, by_seed.mean() + reach
        rows.append((name, n_0, by_seed.mean(), low, high, verdict(low, high, settings.tolerance)))
    return pd.DataFrame(rows, columns=["parametrization", "n_0", "slope", "low", "high", "verdict"])


def expected_slope(parametrization: str, n_0: int, widths: Sequence[int], square_norm: float) -> float:
    """The slope of the rate whose first step lowers the loss by a given share, whatever that share.

    To leading order a step lowers it by the sum of all layers' contributions, which is proportional to
    the rate (eqs. 2.31 and 2.41); ``square_norm`` is the mean of ||x||^2.
    """
    rates = []
    for n in widths:
        sizes = Widths((n_0, n, n // 4, n, 2))
        found = mean_field(sizes, layer_scales(parametrization, sizes), 1.0, square_norm)
        rates.append(float(found.gradient[-1]) / found.alignment[-1])
    return float(log_slope(widths, rates))


def verdict(low: float, high: float, tolerance: float) -> str:
    """Stays if the interval lies within the tolerance around 0, moves if it lies outside."""
    words = {Verdict.AGREES: "stays", Verdict.DISAGREES: "moves", Verdict.UNDECIDED: "undecided"}
    return words[equivalence(low, high, 0.0, tolerance)]


def transferred(runs: pd.DataFrame) -> pd.DataFrame:
    """What the best rate of the narrowest network does in the widest one, beside that one's own best.

    Columns: parametrization, n_0, narrowest, widest, rate_narrow, rate_wide, loss_transferred, loss_own;
    a best rate is that of the least mean loss over seeds.
    """
    rows = []
    for (name, n_0), table in runs.groupby(["parametrization", "n_0"], sort=False):
        narrow, wide = table["n"].min(), table["n"].max()
        losses = mean_losses(table[table["n"] == wide])
        own = mean_losses(table[table["n"] == narrow])
        rates = own.index[int(own.argmin())], losses.index[int(losses.argmin())]
        rows.append((name, n_0, narrow, wide, *rates, *(losses[rate] for rate in rates)))
    columns = ["parametrization", "n_0", "narrowest", "widest", "rate_narrow", "rate_wide"]
    return pd.DataFrame(rows, columns=[*columns, "loss_transferred", "loss_own"])


def findings(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> pd.DataFrame:
    """``slopes`` and ``transferred`` side by side, with the columns square_norm and expected."""
    found = slopes(runs, settings).merge(transferred(runs))
    found["square_norm"] = [facts["mean_square_norms"][str(n_0)] for n_0 in found["n_0"]]
    found["expected"] = [
        expected_slope(row["parametrization"], row["n_0"], sorted(set(table["n"])), row["square_norm"])
        for row, (_, table) in zip(
            found.to_dict("records"), runs.groupby(["parametrization", "n_0"], sort=False), strict=True
        )
    ]
    return found


def report(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> str:
    """Two tables: best rates by width, and what follows from them."""
    best = best_rates(runs).assign(
        case=lambda table: table["parametrization"] + ", n_0 = " + table["n_0"].astype(str),
        k=lambda table: np.log2(table["learning_rate"]),
    )
    cells = best.groupby(["n", "case"], sort=False)["k"].agg(
        lambda k: f"{k.mean():.1f} [{k.min():.0f}, {k.max():.0f}]"
    )
    by_width = cells.unstack("case").fillna("").reset_index()
    found = findings(runs, settings, facts)
    summary = pd.DataFrame(
        {
            "parametrization": found["parametrization"],
            "n_0": found["n_0"],
            "slope": [
                with_interval(row.slope, row.low, row.high, partial(signed, digits=2))
                for row in found.itertuples()
            ],
            "best rate": found["verdict"],
            "expected": [signed(slope, 2) for slope in found["expected"]],
            "widest n": found["widest"],
            "loss there": [f"{loss:.3f}" for loss in found["loss_own"]],
            "with the narrowest's rate": [
                f"{loss:.3f}" if math.isfinite(loss) else "diverges"
                for loss in found["loss_transferred"]
            ],
        }
    )
    return "\n\n".join(
        [
            f"log2 of the best learning rate: mean over {settings.seeds} seeds [least, largest]",
            by_width.to_markdown(index=False, disable_numparse=True),
            f"Slope of log(best rate) against log(n), {settings.confidence:.0%} interval; within "
            f"+-{settings.tolerance} the rate stays",
            summary.to_markdown(index=False, disable_numparse=True),
        ]
    )


COURSES = {"stays": "stays", "moves": "moves", "undecided": "may stay or move"}
"""Of the best rate, as a message tells a verdict; in its order."""


def courses(found: pd.DataFrame) -> dict[str, str]:
    """The best rate's course by case, in the order of ``COURSES``. ``found`` is ``slopes``.

    A case is named by its parametrization, and by n_0 too if others have the same.
    """
    alike = found["parametrization"].value_counts()
    order = found["verdict"].map(list(COURSES).index)
    return {
        row.parametrization
        if alike[row.parametrization] == 1
        else f"{row.parametrization} (n_0 = {row.n_0})": COURSES[row.verdict]
        for row in found.loc[order.sort_values(kind="stable").index].itertuples()
    }


def message(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> str:
    """Where the best rate stays, by the verdicts of ``slopes``."""
    return f"As networks widen, the best learning rate {told(courses(slopes(runs, settings)))}"


def draw(runs: pd.DataFrame, facts: Mapping[str, Any], sheet: Sheet) -> Figure:
    """One panel a case: loss against learning rate, one line a width, its best rate ringed."""
    cases = list(runs.groupby(["parametrization", "n_0"], sort=False))
    rows = math.ceil(len(cases) / 2)
    with mpl.rc_context(STYLE):
        figure = sheet.figure(0.5 + 2.4 * rows)
        axes = figure.subplots(rows, 2, sharey=True, squeeze=False)
        for axis, ((name, n_0), table) in zip(axes.flat, cases, strict=False):
            panel(axis, table)
            axis.set_title(f"{name}, $n_0 = {n_0}$")
        for axis in axes[:, 0]:
            axis.set_ylabel(r"training loss, mean of $\frac{1}{2}\|f - y\|^2$")
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    return figure


def panel(axis: Axes, table: pd.DataFrame) -> None:
    """The losses of one case; those above the loss of an output of zero are drawn on its line."""
    for (n, of_width), colour, marker in zip(
        table.groupby("n"), LAYER_COLOURS, LAYER_MARKERS, strict=False
    ):
        mean = mean_losses(of_width)
        shown, best = mean.clip(upper=0.5), mean.nsmallest(1)
        axis.plot(shown.index, shown, color=colour, marker=marker, markersize=3.5, label=f"$n = {n}$")
        axis.plot(best.index, best, "o", color=colour, markersize=9, fillstyle="none")
    axis.axhline(0.5, color="0.4", linewidth=0.6, linestyle=":")
    where = axis.get_yaxis_transform()
    axis.text(0.02, 0.5, "output zero, or diverged", transform=where, va="bottom", fontsize=7)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set(ylim=(0.055, 0.65), xlabel=r"learning rate $\eta$")
    axis.set_yticks([0.06, 0.1, 0.2, 0.3, 0.5], ["0.06", "0.1", "0.2", "0.3", "0.5"])
    axis.set_yticks([], minor=True)
    axis.grid(True, which="major", linewidth=0.3, color="0.85")
    axis.set_axisbelow(True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the example with the options of the command line, or others."""
    run(NAME, FULL, QUICK, measure, report, Picture(message, draw), arguments)


if __name__ == "__main__":
    main()
