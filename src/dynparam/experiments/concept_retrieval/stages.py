"""The stages: train autoencoders, repeat inference and judge it; draw it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.concept_retrieval.settings import (
    ConceptStage,
    ConceptTrials,
    for_concept_trials,
    for_concepts,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import RESULTS, Made, Stage
from dynparam.settings.base import pick

TITLE = "Repeated inference in a variational autoencoder"

SOURCE = "not in it; Nagano, Karakida and Okada (2020)"

MEASURED = "concept_retrieval/measured.csv"

TARGET = "companion_concepts"
"""The target of the table of verdicts."""


def measure_concepts(settings: ConceptTrials, files: tuple[Path, ...], output: Path) -> Made:
    """Repeat inference in trained autoencoders and judge it; measured.csv has all numbers."""
    from dynparam.experiments.concept_retrieval.judge import judged
    from dynparam.experiments.concept_retrieval.measure import measure
    from dynparam.presentation.judged import write
    from dynparam.support.tables import write_csv

    # One job: judging takes less time than starting another would.
    measured, table = measure(settings.concept_retrieval), output.with_name("measured.csv")
    write_csv(measured, table)
    return Made([*write(judged(measured, settings), output, TITLE, "concepts"), table])


def measured_read(settings: ConceptStage, results: Path) -> Path:
    """What was measured."""
    return results / MEASURED


def plot_concepts(settings: ConceptStage, files: Path, output: Path) -> Made:
    """Draw what an inference makes of modes, and distances from concepts as it is repeated."""
    from dynparam.experiments.concept_retrieval import figure
    from dynparam.experiments.concept_retrieval.judge import judged
    from dynparam.experiments.concept_retrieval.message import CLAUSES
    from dynparam.experiments.concept_retrieval.tables import MEASURED as FORM
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message
    from dynparam.support.tables import read_csv

    measured = read_csv(files, FORM)
    data = figure.plotted_data(measured, settings)
    said = drawn_message(lambda: judged(measured, pick(ConceptTrials, settings)), CLAUSES)
    draw = partial(figure.concepts_figure, data)
    return drawn(draw, said, data, output, settings.figures, caption=figure.told(settings))


MEASURE = Stage(
    "concepts measure",
    ConceptTrials,
    measure_concepts,
    jobs=lambda config: (for_concept_trials(config),),
    examples=("dynparam concepts measure --output verdicts.csv",),
)
PLOT = Stage(
    "plot concepts",
    ConceptStage,
    plot_concepts,
    measured_read,
    (RESULTS,),
    jobs=lambda config: (for_concepts(config),),
    examples=("dynparam plot concepts --results results --output companion_concepts.png",),
    remedy="snakemake --cores all companion_concepts",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of distances from concepts."""
    yield ShownFigure(config.concept_retrieval.figure, TITLE, SOURCE, (MEASURED,))


EXPERIMENT = Experiment(
    name="concept_retrieval",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, PLOT),
    figures=figures,
    tables=(ShownTable("concept_retrieval/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / "concept_retrieval" / "verdicts.csv",),
)
