"""The table in docs/own-model/architectures.md: ``python -m examples.architectures``, some minutes.

A coordinate check of each under AdamW, with the rates of ``dynamic`` and with one rate for all. The
slopes of every layer go into ``figures/architectures.csv``, a picture beside it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import torch
from matplotlib.figure import Figure
from pydantic import BaseModel
from torch import Tensor, nn
from torch.nn import functional

import dynparam
from dynparam.models.coordinate_check import half_squared_error
from dynparam.presentation.figure_style import STYLE, Sheet
from dynparam.presentation.numbers import signed, with_interval
from dynparam.presentation.sentences import joined
from dynparam.provenance.record import write_sidecar
from dynparam.statistics.verdicts import ClaimVerdict
from dynparam.support.errors import ModelError
from dynparam.support.files import write_text
from dynparam.support.tables import read_csv
from examples import networks
from examples.frame import Picture, between, redraw, table_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "own-model" / "architectures.md"
PNG = ROOT / "figures" / "architectures.png"
BEGIN, END = "<!-- architectures: python -m examples.architectures -->", "<!-- end of architectures -->"

ONE_RATE = "standard"
"""Under Adam its learning rate is eta for every parameter."""


class Settings(BaseModel, frozen=True):
    """All that the numbers depend on."""

    widths: tuple[int, ...] = (64, 256, 1024)
    seeds: int = 10
    batch: int = 4
    learning_rate: float = 1e-4
    tolerance: float = 0.2
    parametrizations: tuple[str, ...] = ("dynamic", ONE_RATE)


@dataclass(frozen=True)
class Architecture:
    """A model by its width, with one batch.

    Attributes:
        make: builds it.
        sample_input: what it is called with.
        target: what ``loss`` compares its output with.
        loss: of (output, target).
    """

    make: Callable[[int], nn.Module]
    sample_input: Tensor
    target: Tensor
    loss: Callable[[Any, Any], Tensor] = half_squared_error


def next_token_loss(logits: Tensor, text: Tensor) -> Tensor:
    """Cross-entropy of logits (N, T, V) for the tokens (N, T)."""
    return functional.cross_entropy(logits.flatten(0, 1), text.flatten())


def architectures(batch: int) -> dict[str, Architecture]:
    """Those of the table that are not refused, by name."""
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(batch, 64, generator=generator)
    images = torch.randn(batch, 3, 8, 8, generator=generator)
    text = torch.randint(0, networks.TOKENS, (batch, networks.LENGTH + 1), generator=generator)
    two = torch.ones(batch, networks.OUTPUTS)
    return {
        "MLP": Architecture(networks.mlp, vectors, two),
        "bottleneck MLP": Architecture(networks.bottleneck_mlp, vectors, two),
        "autoencoder": Architecture(networks.autoencoder, vectors, vectors),
        "CNN": Architecture(networks.cnn, images, two),
        "ResNet, BatchNorm": Architecture(networks.resnet, images, two),
        "ViT": Architecture(networks.VisionTransformer, images, two),
        "GPT": Architecture(networks.GPT, text[:, :-1], text[:, 1:], next_token_loss),
    }


def measure(settings: Settings) -> pd.DataFrame:
    """The slopes of all: a row for each architecture, parametrization, layer and quantity.

    Columns: architecture, parametrization, widths, why_no_orders, overall, and those of
    ``CoordinateCheck.slopes``.
    """
    tables = []
    for name, found in architectures(settings.batch).items():
        for parametrization in settings.parametrizations:
            print(f"{name}, {parametrization}", file=sys.stderr)
            check = dynparam.coordinate_check(
                found.make,
                settings.widths,
                sample_input=found.sample_input,
                target=found.target,
                loss=found.loss,
                parametrization=parametrization,
                optimizer="adamw",
                learning_rate=settings.learning_rate,
                seeds=settings.seeds,
                tolerance=settings.tolerance,
            )
            facts = {
                "architecture": name,
                "parametrization": parametrization,
                "widths": " ".join(map(str, settings.widths)),
                "why_no_orders": check.why_no_orders or "",
                "overall": check.verdict,
            }
            tables.append(check.slopes.assign(**facts))
    table = pd.concat(tables, ignore_index=True)
    table["expected"] = [None if one is None else float(one) for one in table["expected"]]
    return table[[*facts, *check.slopes.columns]]


def refusal() -> str:
    """What ``apply`` says of a recurrent layer."""
    model = networks.Recurrent(8)
    try:
        dynparam.apply(
            model, "dynamic", learning_rate=0.1, optimizer="adamw", sample_input=torch.ones(1, 3, 4)
        )
    except ModelError as error:
        return str(error)
    raise AssertionError("a recurrent layer is not refused")


def rows(slopes: pd.DataFrame) -> list[list[str]]:
    """The rows of the page's table, from the slopes."""
    found = []
    for name, of_one in slopes.groupby("architecture", sort=False):
        ours = of_one[of_one["parametrization"] != ONE_RATE]
        others = of_one[of_one["parametrization"] == ONE_RATE]
        exact = not ours["why_no_orders"].any()
        found.append(
            [
                str(name),
                "exact" if exact else "runs, measured here",
                _updates(ours, exact=exact),
                _farthest(ours, "alignment"),
                ours["overall"].iloc[0],
                _farthest(others, "alignment"),
            ]
        )
    return [*found, ["RNN, LSTM, GRU", "refused; freeze it, or list it in `unchanged`", *["-"] * 4]]


def _updates(slopes: pd.DataFrame, *, exact: bool) -> str:
    """The slope of the update that is farthest from theory, or all there are."""
    if exact:
        return _farthest(slopes, "update")
    found = slopes.loc[slopes["quantity"] == "update", "slope"]
    return f"{found.min():+.2f} to {found.max():+.2f}"


def _farthest(slopes: pd.DataFrame, quantity: str) -> str:
    """The slope farthest from its exponent, with its interval; 0 is the promise of an alignment."""
    of_one = slopes[slopes["quantity"] == quantity].copy()
    of_one["goal"] = 0.0 if quantity == "alignment" else of_one["expected"]
    row = of_one.loc[(of_one["slope"] - of_one["goal"]).abs().idxmax()]
    goal = "" if quantity == "alignment" else f" for {row['goal']:g}"
    shown = with_interval(row["slope"], row["ci_low"], row["ci_high"], partial(signed, digits=2))
    return f"{shown}{goal}, `{row['name']}`"


def table(slopes: pd.DataFrame) -> str:
    """The page's table."""
    headers = [
        "architecture",
        "theory",
        "updates: farthest from theory",
        "alignments: farthest from 0",
        "kept",
        "with one rate for all",
    ]
    return table_of(rows(slopes), headers)


def _way(parametrization: str) -> str:
    """How rates are set, in words."""
    return "one rate for all" if parametrization == ONE_RATE else f"the rates of {parametrization}"


STAYS, GROWS, SHRINKS, OPEN = "stays", "grows", "shrinks", "is undecided"


def course(row: pd.Series) -> str:
    """What an alignment does over width, by its verdict and its interval."""
    if row["verdict"] == ClaimVerdict.HOLDS:
        return STAYS
    if row["verdict"] != ClaimVerdict.FAILS:
        return OPEN
    return GROWS if row["ci_low"] > 0 else SHRINKS


def told(alignments: pd.DataFrame) -> str:
    """``stays in 44 and is undecided in 2 of 46 layers``."""
    found = list(alignments.apply(course, axis=1))
    counts = {way: found.count(way) for way in (STAYS, GROWS, SHRINKS, OPEN) if way in found}
    if len(counts) == 1:
        return f"{found[0]} in all {len(found)} layers"
    ways = joined([f"{way} in {count}" for way, count in counts.items()])
    return f"{ways} of {len(found)} layers"


def message(slopes: pd.DataFrame, settings: Settings, facts: Mapping[str, Any]) -> str:
    """In how many layers alignments stay, with each way of setting rates."""
    kept = slopes[slopes["quantity"] == "alignment"]
    ways = kept.groupby("parametrization")
    parts = [f"{told(rows)} with {_way(str(name))}" for name, rows in ways]
    return f"As networks widen, the alignment {'; it '.join(parts)}"


def draw(slopes: pd.DataFrame, facts: Mapping[str, Any], sheet: Sheet) -> Figure:
    """The alignments' slopes of every layer, by architecture, with dynamic's rates and with one rate."""
    kept = slopes[slopes["quantity"] == "alignment"]
    names = list(dict.fromkeys(kept["architecture"]))
    with mpl.rc_context(STYLE):
        figure = sheet.figure(2.9)
        axes = figure.subplots()
        axes.axhline(0, color="black", linewidth=1)
        for (name, parametrization), of_one in kept.groupby(["architecture", "parametrization"]):
            ours = parametrization != ONE_RATE
            start = names.index(str(name)) + (-0.3 if ours else 0.1)
            places = [start + 0.25 * k / max(len(of_one) - 1, 1) for k in range(len(of_one))]
            reach = [of_one["slope"] - of_one["ci_low"], of_one["ci_high"] - of_one["slope"]]
            axes.errorbar(
                places,
                of_one["slope"],
                yerr=reach,
                fmt="o" if ours else "s",
                color="#0072B2" if ours else "#D55E00",
                markersize=3,
                linewidth=0.8,
                label=_way(str(parametrization)) if name == names[0] else None,
            )
        axes.set_xticks(range(len(names)), [name.replace(", ", ",\n") for name in names])
        axes.set_ylabel("slope of the alignment over width")
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


PICTURE = Picture(message, draw)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, or with ``--redraw`` read what was measured; write figure and table."""
    started, settings = time.monotonic(), Settings()
    again = "--redraw" in (sys.argv[1:] if arguments is None else arguments)
    if again:
        redraw(PNG, Settings, PICTURE)
        slopes = read_csv(PNG.with_suffix(".csv"))
    else:
        slopes = measure(settings)
        said, outputs = PICTURE.save(PNG, slopes, settings, {})
        sidecar = PNG.with_suffix(".json")
        write_sidecar(sidecar, outputs, settings, started=started, facts={}, message=said)
    write_text(PAGE, between(PAGE.read_text(encoding="utf-8"), BEGIN, END, table(slopes)))


if __name__ == "__main__":
    main()
