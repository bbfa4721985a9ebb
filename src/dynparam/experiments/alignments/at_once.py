"""Curves measured, fitted, judged and drawn in one go: what people call by hand.

Each step is the workflow's own stage, below a directory of its own, so that every file has its sidecar.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from dynparam.experiments.alignments.comparison import CurveResults, compare
from dynparam.experiments.alignments.settings import (
    ComparisonStage,
    CurvesStage,
    FigureStage,
    for_comparison,
    for_fit,
)
from dynparam.experiments.alignments.stages import EXPECT, FIT, PLOT, PROBE
from dynparam.experiments.alignments.tables import EXPECTED, FITS
from dynparam.presentation import terminal
from dynparam.presentation.numbers import bracketed, fraction, percent, signed
from dynparam.presentation.verdicts import mark
from dynparam.provenance.stage import run
from dynparam.settings.widths import Curve
from dynparam.support.tables import read_csv
from dynparam.trials.claims import Showing, showing
from dynparam.trials.settings import Engine, for_curve

CLAIMED = {"flat": "constant in n", "decreasing": "decreasing in n"}
"""What the thesis says of the slopes of a curve, in words."""


@dataclass(frozen=True)
class Figure:
    """A figure made at once.

    Attributes:
        picture: the PNG; PDF, plotted data and sidecar lie beside it.
        slopes: a row for each curve and layer, in ``comparison.COLUMNS``.
        trials: the tables of trials, in the order of the curves.
    """

    picture: Path
    slopes: pd.DataFrame
    trials: tuple[Path, ...]

    def places(self) -> str:
        """Where its files lie, a line each."""
        return "\n".join([*(f"Trials: {path}" for path in self.trials), f"Picture: {self.picture}"])

    def values(self) -> dict[str, Any]:
        """Slopes and places, for programs."""
        return {
            "trials": [str(path) for path in self.trials],
            "picture": str(self.picture),
            "slopes": json.loads(self.slopes.to_json(orient="records")),
        }


def make(
    settings: CurvesStage,
    name: str,
    curves: Sequence[str],
    images: Path,
    results: Path,
    *,
    engine: Engine,
    threads: int,
) -> Figure:
    """Measure ``curves`` and draw them as the panels of the figure ``name``, all below ``results``.

    ``images`` are those of an extracted pair. Trials of an interrupted call are taken up. Raises
    ``ConfigError`` for an unknown curve, ``DataError`` for images that cannot be read, and
    ``DynparamError`` as the stages do.
    """
    trials = []
    for curve in curves:
        mine = for_curve(settings, curve)
        table = results / "probe" / f"{curve}.csv"
        run(PROBE, mine, table, curve=curve, images=images, threads=threads, engine=engine)
        run(EXPECT, mine, results / "expected" / table.name, curve=curve, images=images)
        fits = results / "fits" / table.name
        run(FIT, for_fit(settings), fits, trials=table, smallest=1, errors="linearized")
        trials.append(table)
    picture = results / f"{name}.png"
    run(PLOT, _panels(settings, name, curves), picture, results=results, figure=name)
    return Figure(picture, _slopes(settings, name, curves, results), tuple(trials))


def _panels(settings: CurvesStage, name: str, curves: Sequence[str]) -> FigureStage:
    """The figure's panels; a curve without a title goes by its name."""
    titles = {curve: settings.figures.titles.get(curve, curve) for curve in curves}
    return FigureStage(
        comparison=settings.comparison,
        panels={name: tuple(curves)},
        figures=settings.figures.only(titles),
    )


def _slopes(settings: CurvesStage, name: str, curves: Sequence[str], results: Path) -> pd.DataFrame:
    known = {
        curve: CurveResults(
            read_csv(results / "fits" / f"{curve}.csv", FITS, curve=curve),
            read_csv(results / "expected" / f"{curve}.csv", EXPECTED, curve=curve),
        )
        for curve in curves
    }
    whole: ComparisonStage = for_comparison(settings)
    law = whole.law.model_copy(update={"figures": {}})
    alone = whole.model_copy(update={"law": law, "panels": {name: tuple(curves)}})
    return compare(alone, known, {})


def as_text(settings: CurvesStage, slopes: pd.DataFrame) -> str:
    """The slopes of ``make``, curve by curve, with what theory expects and what the thesis claims."""
    level, tolerance = percent(settings.fit.confidence), settings.comparison.tolerance
    parts = [
        _curve_text(settings, settings.probe.curve(str(name)), str(name), rows)
        for name, rows in slopes.groupby("curve", sort=False)
    ]
    legend = terminal.prose(
        "limit: the slope as n grows.",
        "theory: the slope at these widths, to leading order in 1/width, without a fitted parameter.",
        f"A measured slope agrees if its {level} interval lies within {tolerance:g} of theory's, and",
        "disagrees if it lies wholly outside.",
    )
    return "\n\n".join([*parts, legend])


def _curve_text(settings: CurvesStage, curve: Curve, name: str, rows: pd.DataFrame) -> str:
    probe, tolerance = settings.probe, settings.comparison.tolerance
    grid, narrow = probe.widths, curve.narrow
    heading = terminal.prose(
        f"{name}: {curve.parametrization} parametrization,",
        f"n_min = {narrow.coefficient} n^({narrow.exponent}). Slopes of log alignment against log n,",
        f"{probe.trials} networks at each of {grid.count} n from {grid.smallest} to {grid.largest}:",
    )
    shows = [
        showing(curve.claim, low, high, tolerance)
        for low, high in rows[["ci_low", "ci_high"]].to_numpy(float)
    ]
    table = _table(rows, shows, percent(settings.fit.confidence))
    claim = terminal.prose(
        f"The thesis says: {CLAIMED[curve.claim]}.",
        f"That shows in {shows.count(Showing.YES)} of {len(shows)} layers.",
    )
    return "\n\n".join([heading, table, claim])


def _table(rows: pd.DataFrame, shows: Sequence[Showing], level: str) -> str:
    heads = ("layer", "limit", "theory", "measured", f"{level} interval", "verdict", "claim")
    cells = [
        (
            row["layer"],
            fraction(row["asymptotic"]),
            signed(row["expected"], 2),
            signed(row["slope"], 2),
            bracketed(row["ci_low"], row["ci_high"], partial(signed, digits=2)),
            mark(row["verdict"]),
            claim,
        )
        for row, claim in zip(rows.to_dict("records"), shows, strict=True)
    ]
    return terminal.fitted(heads, cells, terminal.columns() or terminal.WIDTH_IN_A_PIPE)
