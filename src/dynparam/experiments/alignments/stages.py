"""The stages of Figs. 3.2 and 3.3: measure, expect, fit, compare, draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.alignments.settings import (
    ComparisonStage,
    FigureStage,
    FitStage,
    WideFigureStage,
    for_comparison,
    for_exact,
    for_figure,
    for_fit,
    for_wide,
    for_wide_figure,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable, titled
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Parameter, Stage, images_read
from dynparam.settings.base import named
from dynparam.settings.shared import Errors, panels_of, shown_curves
from dynparam.trials.settings import Engine, ProbeStage, for_curve

if TYPE_CHECKING:
    import pandas as pd

    from dynparam.support.tables import Form

CURVE = Parameter("curve", "Name of a curve in probe.curves.", names=lambda config: config.probe.curves)
ENGINE = Parameter(
    "engine",
    "dense draws the weights; law draws what is seen of them, in O(n).",
    "--engine",
    Engine,
    "dense",
)
TRIALS = Parameter("trials", "Trials of one curve (results/probe/*.csv).", kind=Path)
SMALLEST = Parameter("smallest", "Smallest width that counts.", "--from", int, 1)
ERRORS = Parameter(
    "errors", "Intervals by bootstrap, or linearized (many trials).", "--errors", Errors, "bootstrap"
)
FIGURE = Parameter("figure", "Name of a figure in panels.", names=lambda config: config.panels)
WIDE = Parameter("figure", "Name of a figure in law.figures.", names=lambda config: config.law.figures)

WINDOW_PLACES = ("fits", "expected", "law/fits/exact")
"""What is known of a curve at the thesis's widths, below the directory of results."""

WIDE_PLACES = ("law/fits/wide", "law/expected")
"""The same at the widths of the law engine."""

DRAWN_PLACES = ("probe", "fits", "expected")
DRAWN_WIDE_PLACES = ("law/probe/wide", "probe", "law/expected")
"""What the figures are drawn from."""

CurveFiles = Mapping[str, list[Path]]
"""Files of each curve, in the order of the places above."""


def probe_alignment(settings: ProbeStage, files: Path, output: Path, curve: str, engine: Engine) -> Made:
    """Measure the one-step alignments of a curve; an interrupted measurement resumes."""
    from dynparam.data.images import load_pair
    from dynparam.support.tables import write_csv
    from dynparam.trials import one_step
    from dynparam.trials.images import TrialImages

    images = TrialImages(settings, load_pair(files))
    log = one_step.log_of_curve(output, settings, curve, files, engine)
    write_csv(one_step.measure_curve(settings, curve, images, log, engine), output)
    return Made([output], said=f"Trials: {output}", finished=[log.path])


def expect_slopes(settings: ProbeStage, files: Path, output: Path, curve: str) -> Made:
    """Compute the mean-field alignments of a curve at its widths."""
    from dynparam.data.images import load_pair, square_norms
    from dynparam.experiments.alignments.expected import expected_values
    from dynparam.support.tables import write_csv

    norms = square_norms(load_pair(files).train_images, settings.inputs.normalization)
    write_csv(expected_values(settings, curve, norms), output)
    return Made([output])


def trials_read(settings: FitStage, trials: Path) -> Path:
    """The trials of a curve."""
    return trials


def fit_slopes(settings: FitStage, files: Path, output: Path, smallest: int, errors: Errors) -> Made:
    """Fit the slopes of a curve's layers, with intervals over trials."""
    from dynparam.experiments.alignments.fits import fit_curve
    from dynparam.support.tables import read_csv, write_csv
    from dynparam.trials.tables import ONE_STEP_TRIALS

    trials = read_csv(files, ONE_STEP_TRIALS)
    write_csv(fit_curve(trials, settings.fit, smallest=smallest, errors=errors), output)
    return Made([output])


def compared_files(settings: ComparisonStage, results: Path) -> tuple[CurveFiles, CurveFiles]:
    """Of each curve what is known at the thesis's widths, and at those of the law engine."""
    continued = [panels_of(settings.panels, shown) for shown in settings.law.figures.values()]
    return (
        _files(results, WINDOW_PLACES, shown_curves(settings.panels)),
        _files(results, WIDE_PLACES, chain.from_iterable(continued)),
    )


def compare_slopes(
    settings: ComparisonStage, files: tuple[CurveFiles, CurveFiles], output: Path
) -> Made:
    """Compare measured with expected slopes: the table as CSV, Markdown and HTML beside each other."""
    from dynparam.experiments.alignments import comparison, page
    from dynparam.experiments.alignments.tables import EXPECTED, FITS

    forms = ((FITS, EXPECTED, FITS), (FITS, EXPECTED))
    window, wide = (
        {curve: comparison.CurveResults(*tables) for curve, tables in _read(paths, kinds).items()}
        for paths, kinds in zip(files, forms, strict=True)
    )
    table = comparison.compare(settings, window, wide)
    written = page.write_comparison(table, output, settings)
    verdicts = {str(key): int(count) for key, count in table["verdict"].value_counts().items()}
    summary = page.summary_sentence(table, settings)
    return Made(written, said=summary, values={"verdicts": verdicts, "summary": summary})


def drawn_files(settings: FigureStage, results: Path, figure: str) -> CurveFiles:
    """Trials, slopes and expected values of each panel."""
    return _files(results, DRAWN_PLACES, panels_of(settings.panels, figure))


def plot_figure(settings: FigureStage, files: CurveFiles, output: Path) -> Made:
    """Draw a figure of the one-step probe (Figs. 3.2 and 3.3)."""
    from dynparam.experiments.alignments import message
    from dynparam.experiments.alignments.figure import plotted_data, probe_figure
    from dynparam.experiments.alignments.tables import EXPECTED, FITS
    from dynparam.presentation.figure_style import stack
    from dynparam.provenance.drawing import drawn
    from dynparam.trials.tables import ONE_STEP_TRIALS

    tables = _read(files, (ONE_STEP_TRIALS, FITS, EXPECTED))
    plotted = {curve: plotted_data(*known) for curve, known in tables.items()}
    tolerance = settings.comparison.tolerance
    courses = [message.courses(plotted[curve], tables[curve][1], tolerance) for curve in plotted]
    panels = {settings.figures.titles[curve]: table for curve, table in plotted.items()}
    said, data = message.probe_message(courses), stack(plotted)
    return drawn(partial(probe_figure, panels), said, data, output, settings.figures)


def drawn_wide_files(settings: WideFigureStage, results: Path, figure: str) -> CurveFiles:
    """Trials at great and at the thesis's widths, and expected values, of each panel."""
    shown = named(settings.law.figures, figure, "law.figures")
    return _files(results, DRAWN_WIDE_PLACES, panels_of(settings.panels, shown))


def plot_wide(settings: WideFigureStage, files: CurveFiles, output: Path) -> Made:
    """Draw a figure of the one-step probe at the widths of the law engine."""
    from dynparam.experiments.alignments import message, wide_figure
    from dynparam.experiments.alignments.tables import EXPECTED
    from dynparam.presentation.figure_style import stack
    from dynparam.provenance.drawing import drawn
    from dynparam.trials.networks import asymptotic_exponents
    from dynparam.trials.tables import ONE_STEP_TRIALS

    plotted = {}
    for curve, tables in _read(files, (ONE_STEP_TRIALS, ONE_STEP_TRIALS, EXPECTED)).items():
        exponents = asymptotic_exponents(settings.network, settings.probe.curve(curve))
        law, dense, expected = tables
        known = wide_figure.WideCurve(law, dense, expected, exponents)
        plotted[curve] = wide_figure.plotted_data(known, settings.law.sliding, settings.fit.confidence)
    said = message.wide_message(plotted.values(), settings.comparison.tolerance)
    panels = {settings.figures.titles[curve]: table for curve, table in plotted.items()}
    draw = partial(wide_figure.wide_figure, panels)
    return drawn(draw, said, stack(plotted), output, settings.figures)


def _files(results: Path, places: Iterable[str], curves: Iterable[str]) -> dict[str, list[Path]]:
    return {curve: [results / place / f"{curve}.csv" for place in places] for curve in curves}


def _read(files: CurveFiles, forms: Sequence[Form]) -> dict[str, list[pd.DataFrame]]:
    """The tables of each curve, each of its form, and of no other curve."""
    from dynparam.support.tables import read_csv

    return {
        curve: [read_csv(path, form, curve=curve) for path, form in zip(paths, forms, strict=True)]
        for curve, paths in files.items()
    }


def _probe_jobs(config: Any) -> Iterator[ProbeStage]:
    """Every configured curve, by itself, at the widths of the law engine, and for its exact slopes."""
    for curve in config.probe.curves:
        yield from (for_curve(config, curve), for_exact(config, curve), for_wide(config, curve))


PROBE = Stage(
    "probe",
    ProbeStage,
    probe_alignment,
    images_read,
    (CURVE, IMAGES, THREADS, ENGINE),
    jobs=_probe_jobs,
    examples=(
        "dynparam probe fig3_3_dynamic",
        "dynparam probe fig3_3_dynamic --engine law --output alignments.csv",
    ),
    remedy="dynparam data pair PAIR",
)
EXPECT = Stage(
    "expect",
    ProbeStage,
    expect_slopes,
    images_read,
    (CURVE, IMAGES),
    jobs=_probe_jobs,
    examples=("dynparam expect fig3_3_dynamic",),
    remedy="dynparam data pair PAIR",
)
FIT = Stage(
    "fit",
    FitStage,
    fit_slopes,
    trials_read,
    (TRIALS, SMALLEST, ERRORS),
    jobs=lambda config: (for_fit(config),),
    examples=("dynparam fit results/own/probe/fig3_3_dynamic.csv --output slopes.csv",),
    remedy="dynparam probe CURVE",
    repeatable=True,
)
COMPARE = Stage(
    "compare",
    ComparisonStage,
    compare_slopes,
    compared_files,
    (RESULTS,),
    jobs=lambda config: (for_comparison(config),),
    examples=("dynparam compare", "dynparam compare --results results --json"),
    remedy="snakemake --cores all comparison",
    repeatable=True,
)
PLOT = Stage(
    "plot probe",
    FigureStage,
    plot_figure,
    drawn_files,
    (FIGURE, RESULTS),
    jobs=lambda config: (for_figure(config, figure) for figure in config.panels),
    examples=("dynparam plot probe fig3_2 --results results --output fig3_2.png",),
    remedy="snakemake --cores all FIGURE",
    repeatable=True,
)
PLOT_WIDE = Stage(
    "plot wide",
    WideFigureStage,
    plot_wide,
    drawn_wide_files,
    (WIDE, RESULTS),
    jobs=lambda config: (for_wide_figure(config, figure) for figure in config.law.figures),
    examples=("dynparam plot wide fig3_2_wide --results results --output wide.png",),
    remedy="snakemake --cores all FIGURE",
    repeatable=True,
)

TITLES = {
    "fig3_2": ("Fig. 3.2: spectral parametrization", "Fig. 3.2; eqs. 2.31, 3.3-3.5"),
    "fig3_2_wide": ("Fig. 3.2 at great widths", "Fig. 3.2; eqs. 2.31, 3.3-3.5"),
    "fig3_3": ("Fig. 3.3: spectral and dynamic", "Fig. 3.3; eqs. 2.73-2.77, 3.3-3.5"),
    "fig3_3_wide": ("Fig. 3.3 at great widths", "Fig. 3.3; eqs. 2.73-2.77, 3.3-3.5"),
}
"""The thesis's figures; others go by their name."""


def figures(config: Any) -> Iterator[ShownFigure]:
    """The configured figures of panels, each followed by those that continue it at great widths.

    One that shows several parametrizations may lead the report.
    """
    for name, curves in config.panels.items():
        compared = len({config.probe.curve(curve).parametrization for curve in curves}) > 1
        yield replace(titled(TITLES, name, _results(DRAWN_PLACES, curves)), leading=compared)
        for wide, shown in config.law.figures.items():
            if shown == name:
                yield titled(TITLES, wide, _results(DRAWN_WIDE_PLACES, curves))


def _results(places: Iterable[str], curves: Sequence[str]) -> Iterator[str]:
    return (f"{place}/{curve}.csv" for place in places for curve in curves)


EXPERIMENT = Experiment(
    name="alignments",
    title="One step: how much each layer lowers the loss",
    source="Figs. 3.2 and 3.3; eqs. 3.3-3.5",
    stages=(PROBE, EXPECT, FIT, COMPARE, PLOT, PLOT_WIDE),
    figures=figures,
    tables=(ShownTable("comparison/slopes", "comparison"),),
    quoted=lambda config, files: (
        files.results / "comparison" / "slopes.csv",
        files.results / "open_choices" / "changes.csv",
        *(files.figures / f"{figure}.csv" for figure in config.law.figures),
    ),
)
