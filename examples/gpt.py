"""Which learning rate of AdamW is best for a small GPT, and does it stay as the GPT becomes wider?

    python -m examples.gpt             minutes on two cores
    python -m examples.gpt --quick     seconds, but too small to conclude from

A decoder-only transformer with bottlenecks in its feed-forward branches learns a text that this script
writes: sums of two numbers, character by character. Prints the best learning rate at each width under
several parametrizations; writes the losses (.csv), a figure (.png, .svg, .pdf) and their provenance
(.json).
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
from torch import Tensor
from torch.nn import functional

import dynparam
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS, STYLE, Sheet
from dynparam.presentation.numbers import signed, with_interval
from examples.frame import Picture, run, told
from examples.learning_rate_transfer import best_rates, courses, mean_losses, slopes
from examples.networks import GPT, LENGTH, TOKENS

NAME = "example_gpt"

CHARACTERS = "0123456789+=."

TITLES = {"dynamic": "dynamic", "spectral": "spectral", "standard": "standard, one rate for all"}
"""Of the panels. Under Adam the rates of ``standard`` are all the same."""


class Settings(BaseModel, frozen=True):
    """All that the numbers depend on."""

    exponents: dict[str, tuple[int, int]]
    """Learning rates are 2^k, for k from the first to the second, by parametrization."""
    widths: tuple[int, ...]
    seeds: int
    steps: int
    batch: int = 32
    weight_decay: float = 0.1
    evaluated: int = 512
    """Windows of a text that was not trained on."""
    tolerance: float = 0.25
    confidence: float = 0.95


FULL = Settings(
    exponents={"dynamic": (-8, -1), "spectral": (-8, -1), "standard": (-12, -5)},
    widths=(32, 64, 128, 256),
    seeds=3,
    steps=100,
)
QUICK = Settings(
    exponents={"dynamic": (-6, -4), "standard": (-9, -7)}, widths=(16, 32), seeds=2, steps=5
)


def text(sums: int, seed: int) -> Tensor:
    """Sums such as ``27+08=035.``, one after another, as tokens (10 sums)."""
    numbers = np.random.default_rng(seed).integers(0, 100, (sums, 2))
    characters = "".join(f"{a:02d}+{b:02d}={a + b:03d}." for a, b in numbers)
    return torch.tensor([CHARACTERS.index(one) for one in characters])


def windows(tokens: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pieces of a text (count, 16), and the same one character later."""
    last = len(tokens) - LENGTH - 1
    starts = torch.randint(0, last, (count, 1), generator=torch.Generator().manual_seed(seed))
    places = starts + torch.arange(LENGTH)
    return tokens[places], tokens[places + 1]


def loss_of(model: GPT, before: Tensor, after: Tensor) -> Tensor:
    """The mean cross-entropy of the next character, in nats."""
    return functional.cross_entropy(model(before).flatten(0, 1), after.flatten())


def train(parametrization: str, n: int, rate: float, seed: int, settings: Settings) -> float:
    """Train a GPT of width n with AdamW; its loss on a text of its own; inf if it diverged."""
    learned, other = text(2000, seed=1), text(200, seed=2)
    model = GPT(n)
    applied = dynparam.apply(
        model,
        parametrization,
        learning_rate=rate,
        optimizer="adamw",
        sample_input=learned[None, :LENGTH],
        seed=seed,
    )
    optimizer = applied.optimizer(weight_decay=settings.weight_decay)
    for step in range(settings.steps):
        loss = loss_of(model, *windows(learned, settings.batch, seed=settings.steps * seed + step))
        if not torch.isfinite(loss):
            return math.inf
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        final = loss_of(model, *windows(other, settings.evaluated, seed=0)).item()
    return final if math.isfinite(final) else math.inf


def measure(settings: Settings, _: None = None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row per training. Columns: parametrization, n_0, n, learning_rate, seed, train_loss."""
    rows = []
    for name, (first, last) in settings.exponents.items():
        for n in settings.widths:
            print(f"{name}, n = {n}", file=sys.stderr)
            for k in range(first, last + 1):
                for seed in range(settings.seeds):
                    loss = train(name, n, 2.0**k, seed, settings)
                    rows.append((name, TOKENS, n, 2.0**k, seed, loss))
    columns = ["parametrization", "n_0", "n", "learning_rate", "seed", "train_loss"]
    return pd.DataFrame(rows, columns=columns), {}


def losses(runs: pd.DataFrame) -> pd.DataFrame:
    """By parametrization: the loss of the widest at its best rate, and at that of the narrowest."""
    rows = []
    for name, of_one in runs.groupby("parametrization", sort=False):
        narrow, wide = (
            mean_losses(of_one[of_one["n"] == n]) for n in (of_one["n"].min(), of_one["n"].max())
        )
        rows.append((name, wide.min(), wide[narrow.idxmin()], narrow.idxmin(), wide.idxmin()))
    return pd.DataFrame(rows, columns=["parametrization", "own", "transferred", "narrow", "wide"])


def report(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> str:
    """Two tables: best rates by width, and what follows from them."""
    best = best_rates(runs).assign(k=lambda table: np.log2(table["learning_rate"]))
    cells = best.groupby(["n", "parametrization"], sort=False)["k"].agg(
        lambda k: f"{k.mean():.1f} [{k.min():.0f}, {k.max():.0f}]"
    )
    found = slopes(runs, settings).merge(losses(runs), on="parametrization")
    summary = pd.DataFrame(
        {
            "parametrization": found["parametrization"],
            "slope": [
                with_interval(row.slope, row.low, row.high, partial(signed, digits=2))
                for row in found.itertuples()
            ],
            "best rate": found["verdict"],
            f"loss at n = {max(settings.widths)}": found["own"].map("{:.3f}".format),
            f"with the rate of n = {min(settings.widths)}": found["transferred"].map("{:.3f}".format),
        }
    )
    return "\n\n".join(
        [
            f"log2 of the best learning rate: mean over {settings.seeds} seeds [least, largest]",
            cells.unstack("parametrization")
            .reset_index()
            .to_markdown(index=False, disable_numparse=True),
            f"Slope of log(best rate) against log(n), {settings.confidence:.0%} interval; within "
            f"+-{settings.tolerance} the rate stays",
            summary.to_markdown(index=False, disable_numparse=True),
        ]
    )


def message(runs: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> str:
    """Where the best rate stays, by the verdicts that are printed."""
    return f"As the GPT widens, the best learning rate {told(courses(slopes(runs, settings)))}"


def draw(runs: pd.DataFrame, facts: Mapping[str, Any], sheet: Sheet) -> Figure:
    """A panel for each parametrization: loss against learning rate by width, best rates ringed."""
    names = list(dict.fromkeys(runs["parametrization"]))
    with mpl.rc_context(STYLE):
        figure = sheet.figure(2.6)
        panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axis, name in zip(panels, names, strict=True):
            of_one = runs[runs["parametrization"] == name]
            for (n, of_width), colour, marker in zip(
                of_one.groupby("n"), LAYER_COLOURS, LAYER_MARKERS, strict=False
            ):
                mean = mean_losses(of_width).clip(upper=math.log(TOKENS))
                best = mean.nsmallest(1)
                axis.plot(
                    mean.index, mean, color=colour, marker=marker, markersize=3, label=f"$n = {n}$"
                )
                axis.plot(best.index, best, "o", color=colour, markersize=9, fillstyle="none")
            axis.set_xscale("log", base=2)
            axis.set(xlabel=r"learning rate $\eta$", title=TITLES[name])
        panels[0].set_ylabel("loss of the next character, nats")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the example with the options of the command line, or others."""
    run(NAME, FULL, QUICK, measure, report, Picture(message, draw), arguments, needs_images=False)


if __name__ == "__main__":
    main()
