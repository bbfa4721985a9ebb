"""How many steps pass before a network learns, under SGD and under Adam, as bottlenecks sharpen?

    python -m examples.delay_under_adam             minutes on two cores
    python -m examples.delay_under_adam --quick     seconds

Networks with two bottlenecks of 6 sqrt(n) units learn one example. Counted are the steps until the loss
is halved. Under SGD spectral parametrization waits ever longer (docs/theory/delay.md). A step of
Adam has the size of its rate, whatever the gradient, so that its wait should not grow.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import BaseModel

import dynparam
from dynparam.models.coordinate_check import half_squared_error
from dynparam.presentation.figure_style import STYLE, Sheet
from dynparam.presentation.numbers import fixed, signed, with_interval
from dynparam.presentation.parametrization_style import look
from dynparam.statistics.slopes import slope_of_log_means
from dynparam.statistics.verdicts import Verdict, equivalence
from examples.frame import Picture, run, told
from examples.networks import bottleneck, chain

NAME = "example_delay_under_adam"

OPTIMIZERS = {"sgd": "SGD", "adam": "Adam"}
"""As they are written."""

COLUMNS = ("optimizer", "parametrization", "n", "seed", "delay")


class Settings(BaseModel, frozen=True):
    """All that the numbers depend on."""

    widths: tuple[int, ...] = (250, 500, 1000, 2000, 4000, 8000)
    seeds: int = 10
    inputs: int = 64
    rates: dict[str, dict[str, float]] = {
        "sgd": {"spectral": 0.004, "dynamic": 0.0005},
        "adam": {"spectral": 0.002, "dynamic": 0.002},
    }
    steps: int = 2000
    tolerance: float = 0.1
    confidence: float = 0.95


FULL = Settings()
QUICK = Settings(widths=(50, 100), seeds=2)


def delay(optimizer: str, parametrization: str, n: int, seed: int, settings: Settings) -> float:
    """Steps until the loss is half of what it was, between two by its logarithm; inf if never."""
    rate = settings.rates[optimizer][parametrization]
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(1, settings.inputs, generator=random)
    model = chain(settings.inputs, n, bottleneck(n), n, bottleneck(n), n, 2)
    applied = dynparam.apply(
        model, parametrization, learning_rate=rate, optimizer=optimizer, sample_input=x, seed=seed
    )
    moved, target = applied.optimizer(), torch.tensor([[1.0, 0.0]])
    losses: list[float] = []
    for step in range(settings.steps):
        loss = half_squared_error(model(x), target)
        losses.append(loss.item())
        if losses[-1] <= losses[0] / 2:
            over, under = (math.log(2 * one / losses[0]) for one in losses[-2:])
            return step - 1 + over / (over - under)
        moved.zero_grad()
        loss.backward()
        moved.step()
    return math.inf


def measure(settings: Settings, _: None = None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row per training. Columns: optimizer, parametrization, n, seed, delay."""
    rows = []
    for optimizer, rates in settings.rates.items():
        for name in rates:
            for n in settings.widths:
                print(f"{optimizer}, {name}, n = {n}", file=sys.stderr)
                for seed in range(settings.seeds):
                    rows.append((optimizer, name, n, seed, delay(optimizer, name, n, seed, settings)))
    return pd.DataFrame(rows, columns=list(COLUMNS)), {}


def slopes(runs: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """How the mean delay grows with n: slope of its logarithm, interval, and whether it stays."""
    rows = []
    for (optimizer, name), of_one in runs.groupby(["optimizer", "parametrization"], sort=False):
        values = [of_width["delay"].to_numpy(float)[:, None] for _, of_width in of_one.groupby("n")]
        found = slope_of_log_means(settings.widths, values, confidence=settings.confidence)
        judged = equivalence(*found.interval, 0.0, settings.tolerance)
        delays = of_one.groupby("n")["delay"].mean()
        rows.append((optimizer, name, delays.iloc[0], delays.iloc[-1], found, judged))
    columns = ["optimizer", "parametrization", "first", "last", "slope", "equal to 0"]
    return pd.DataFrame(rows, columns=columns)


def report(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> str:
    """A table: delays at the least and the largest width, and their slope."""
    found = slopes(runs, settings)
    show = partial(signed, digits=2)
    found["slope"] = [with_interval(one.value, *one.interval, show) for one in found["slope"]]
    for column in ("first", "last"):
        found[column] = found[column].map("{:.1f}".format)
    named = {"first": f"steps at n = {settings.widths[0]}", "last": f"at n = {settings.widths[-1]}"}
    table = found.rename(columns=named).to_markdown(index=False, disable_numparse=True)
    return f"{table}\n\n{_end_of_growth(runs)}"


def _end_of_growth(runs: pd.DataFrame) -> str:
    """Spectral's delays under Adam as a (c - R^(-1/2)), R = n/n_min, by least squares."""
    chosen = (runs["optimizer"] == "adam") & (runs["parametrization"] == "spectral")
    delays = runs[chosen].groupby("n")["delay"].mean()
    gains = np.array([(bottleneck(n) / n) ** 0.5 for n in delays.index])
    slope, intercept = np.polyfit(gains, delays, 1)
    misfit = np.abs(np.polyval([slope, intercept], gains) / delays - 1).max()
    return (
        f"Under Adam the delays of spectral are {-slope:.0f} ({-intercept / slope:.2f} - R^(-1/2)) to "
        f"{misfit:.1%}, R = n/n_min: they end at {intercept:.0f} steps as R grows"
    )


GROWS, FALLS = "grows", "falls"


def course(row: pd.Series) -> str:
    """What a delay does as n grows: it stays if its slope is 0 to within the tolerance (``slopes``).

    Else it grows or falls if the whole interval is on that side of 0.
    """
    low, high = row["slope"].interval
    if row["equal to 0"] is Verdict.AGREES:
        return "stays"
    if low <= 0 <= high:
        return "may grow or fall"
    return GROWS if low > 0 else FALLS


def message(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> str:
    """Whether delays grow with n under each optimizer, with the exponents of those that change."""
    parts = []
    for optimizer, rows in slopes(runs, settings).groupby("optimizer", sort=False):
        courses = {_named(row): course(row) for _, row in rows.iterrows()}
        parts.append(f"{told(courses)} with {OPTIMIZERS[str(optimizer)]}")
    return f"The delay {'; it '.join(parts)}"


def _named(row: pd.Series) -> str:
    """A parametrization, with the exponent of its delay if that changes."""
    exponent = f" (n^{fixed(row['slope'].value, 2)})" if course(row) in (GROWS, FALLS) else ""
    return f"{row['parametrization']}{exponent}"


def draw(runs: pd.DataFrame, facts: Mapping[str, Any], sheet: Sheet) -> Figure:
    """Delay against width: a panel for each optimizer, a line for each parametrization."""
    with mpl.rc_context(STYLE):
        figure = sheet.figure(2.8)
        panels = figure.subplots(1, len(OPTIMIZERS))
        for axis, (optimizer, title) in zip(panels, OPTIMIZERS.items(), strict=True):
            of_one = runs[runs["optimizer"] == optimizer]
            for name, table in of_one.groupby("parametrization", sort=False):
                drawn = look(str(name))
                found = table.groupby("n")["delay"].agg(["mean", "sem"])
                axis.errorbar(
                    found.index, found["mean"], yerr=2 * found["sem"], color=drawn.colour,
                    marker=drawn.marker, markersize=3, label=name,
                )  # fmt: skip
            axis.set_xscale("log")
            widths = sorted(of_one["n"].unique())
            axis.set_xticks(widths, [str(n) for n in widths])
            axis.set_xticks([], minor=True)
            axis.set(title=title, xlabel="width $n$, bottlenecks of $6\\sqrt{n}$", ylim=(0, None))
        panels[0].set_ylabel("steps until the loss is halved")
        handles, labels = panels[0].get_legend_handles_labels()
        # Below the panels: within them it would lie on error bars.
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the example with the options of the command line, or others."""
    run(NAME, FULL, QUICK, measure, report, Picture(message, draw), arguments, needs_images=False)


if __name__ == "__main__":
    main()
