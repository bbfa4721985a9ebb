"""The stages of the r-sweep: measure it, find its edges, draw it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.r_sweep.settings import EdgesStage, SweepStage, for_edges, for_sweep
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Parameter, Stage, images_read

REFERENCE = Parameter(
    "reference",
    "Name of a reference in sweep.references.",
    names=lambda config: config.sweep.references,
)


def sweep_reference(settings: SweepStage, files: Path, output: Path, reference: str) -> Made:
    """Take steps of SGD with updates of size m^r for one reference width m; resumes if interrupted."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.r_sweep import measure
    from dynparam.settings.base import named
    from dynparam.support.tables import write_csv
    from dynparam.trials.images import TrialImages

    known = named({name: name for name in settings.sweep.references}, reference, "sweep.references")
    log = measure.log_of_sweep(output, settings, known, files)
    write_csv(
        measure.measure_sweep(settings, known, TrialImages(settings, load_pair(files)), log), output
    )
    return Made([output], finished=[log.path])


def sweep_files(settings: EdgesStage, results: Path) -> list[Path]:
    """The trials of all references."""
    return [results / "sweep" / f"{reference}.csv" for reference in settings.sweep.references]


def find_edges(settings: EdgesStage, files: list[Path], output: Path) -> Made:
    """Find the r beyond which gradients grow; the exponents it follows from go to exponents.csv."""
    from dynparam.experiments.r_sweep import edges
    from dynparam.support.tables import write_csv

    trials = edges.read_trials(files)
    exponents = output.with_name("exponents.csv")
    write_csv(edges.summary(trials, settings), output)
    write_csv(edges.exponents(trials, settings), exponents)
    return Made([output, exponents])


def plot_sweep(settings: EdgesStage, files: list[Path], output: Path) -> Made:
    """Draw the exponents of the drift against r, and the growth of gradients against m^r."""
    from dynparam.experiments.r_sweep import edges, figure
    from dynparam.experiments.r_sweep.message import sweep_message
    from dynparam.provenance.drawing import drawn

    trials = edges.read_trials(files)
    data = figure.plotted_data(trials, settings)
    said = sweep_message(edges.summary(trials, settings), settings.sweep.steps)
    draw = partial(figure.sweep_figure, data, settings)
    return drawn(draw, said, data, output, settings.figures)


SWEEP_REFERENCE = Stage(
    "sweep",
    SweepStage,
    sweep_reference,
    images_read,
    (REFERENCE, IMAGES, THREADS),
    jobs=lambda config: (for_sweep(config, name) for name in config.sweep.references),
    examples=(
        "dynparam sweep n_min --images data/processed/airplane-automobile.npz --output sweep.csv",
    ),
    remedy="dynparam data pair PAIR",
)
FIND_EDGES = Stage(
    "edges",
    EdgesStage,
    find_edges,
    sweep_files,
    (RESULTS,),
    jobs=lambda config: (for_edges(config),),
    examples=("dynparam edges --results results --output edges.csv",),
    remedy="snakemake --cores all r_sweep",
    repeatable=True,
)
PLOT_SWEEP = Stage(
    "plot sweep",
    EdgesStage,
    plot_sweep,
    sweep_files,
    (RESULTS,),
    jobs=lambda config: (for_edges(config),),
    examples=("dynparam plot sweep --results results --output r_sweep.png",),
    remedy="snakemake --cores all r_sweep",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of the sweep, if it is drawn."""
    if config.figures.sweep:
        sweeps = tuple(f"sweep/{reference}.csv" for reference in config.sweep.references)
        yield ShownFigure(
            config.figures.sweep,
            "The edge of stability in r",
            "Sec. 2.3.2; eqs. 2.54-2.67",
            sweeps,
        )


EXPERIMENT = Experiment(
    name="r_sweep",
    title="The edge of stability in r",
    source="Sec. 2.3.2; eqs. 2.54-2.67",
    stages=(SWEEP_REFERENCE, FIND_EDGES, PLOT_SWEEP),
    figures=figures,
    tables=(ShownTable("sweep/edges", "r_sweep", kinds=("csv", "json")),),
    quoted=lambda config, files: (
        files.results / "sweep" / "edges.csv",
        files.results / "sweep" / "exponents.csv",
    ),
)
