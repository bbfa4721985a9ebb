"""The stages: networks beside their linearizations, kernels, index, identities; verdicts, figure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.lazy_or_rich.settings import (
    LINEARIZED,
    LazinessStage,
    LazyOrRichStage,
    LinearizationStage,
    for_laziness,
    for_linearization,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import (
    IMAGES,
    RESULTS,
    THREADS,
    Made,
    Parameter,
    Stage,
    images_read,
    whole,
)

if TYPE_CHECKING:
    from dynparam.experiments.lazy_or_rich.judge import Tables
    from dynparam.trials.log import TrialLog

TITLE = "Lazy or rich: the neural tangent kernel and linearization"

SOURCE = "Table 1.1; Sec. 1.1.2; eqs. 1.8-1.12"

PLACE = "lazy_or_rich"

TARGET = "companion_laziness"
"""The target of the table of verdicts."""

PARAMETRIZATION = Parameter(
    "parametrization", "One that is compared with its linearization.", names=lambda config: LINEARIZED
)
FAMILY = Parameter(
    "family",
    "Name of a family in lazy_or_rich.families.",
    names=lambda config: config.lazy_or_rich.families,
)

Files = dict[str, list[Path]]
"""The tables of trials by kind."""


def measure_linearization(
    settings: LinearizationStage, files: Path, output: Path, parametrization: str
) -> Made:
    """Train networks on real images beside their linearizations; resumes if interrupted."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.lazy_or_rich import linearization
    from dynparam.settings.base import digest, named
    from dynparam.support.files import sha256
    from dynparam.support.tables import write_csv

    name = named({one: one for one in LINEARIZED}, parametrization, "the linearized parametrizations")
    log = _log(output, name, linearization.__name__, digest(settings), sha256(files))
    write_csv(linearization.measure(settings, name, load_pair(files), log), output)
    return Made([output], finished=[log.path])


def measure_kernel_change(
    settings: LazyOrRichStage, files: tuple[Path, ...], output: Path, family: str
) -> Made:
    """Measure how far training moves the kernel along a family of widths; resumes if interrupted."""
    from dynparam.experiments.lazy_or_rich import kernel_change
    from dynparam.settings.base import digest
    from dynparam.support.tables import write_csv

    settings.lazy_or_rich.rule(family)
    log = _log(output, family, kernel_change.__name__, digest(settings))
    write_csv(kernel_change.measure(settings.lazy_or_rich, family, log), output)
    return Made([output], finished=[log.path])


def measure_index(settings: LazyOrRichStage, files: tuple[Path, ...], output: Path, family: str) -> Made:
    """Measure the laziness index along a family of widths, on both engines; resumes if interrupted."""
    from dynparam.experiments.lazy_or_rich import indices
    from dynparam.settings.base import digest
    from dynparam.support.tables import write_csv

    settings.lazy_or_rich.rule(family)
    log = _log(output, family, indices.__name__, digest(settings))
    write_csv(indices.measure(settings.lazy_or_rich, family, log), output)
    return Made([output], finished=[log.path])


def measure_identities(settings: LazyOrRichStage, files: tuple[Path, ...], output: Path) -> Made:
    """Compare dynamic parametrization with ntk and an output scale, draw by draw."""
    from dynparam.experiments.lazy_or_rich import identities
    from dynparam.support.tables import write_csv

    write_csv(identities.measure(settings.lazy_or_rich), output)
    return Made([output])


def trial_files(settings: LazinessStage, results: Path) -> Files:
    """The tables of all trials."""
    return {
        kind: [results / path for path in paths] for kind, paths in places(settings.lazy_or_rich).items()
    }


def judge_laziness(settings: LazinessStage, files: Files, output: Path) -> Made:
    """Judge all of it: exponents, values and identities beside theory's, with negative controls."""
    from dynparam.experiments.lazy_or_rich.judge import judged
    from dynparam.presentation.judged import write

    return Made(write(judged(_read(files), settings), output, TITLE, "laziness"))


def plot_laziness(settings: LazinessStage, files: Files, output: Path) -> Made:
    """Draw discrepancies, kernel changes and the laziness index against width."""
    from dynparam.experiments.lazy_or_rich.figure import laziness_figure, plotted_data
    from dynparam.experiments.lazy_or_rich.judge import judged
    from dynparam.experiments.lazy_or_rich.message import CLAUSES
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message

    tables = _read(files)
    data = plotted_data(tables, settings)
    said = drawn_message(lambda: judged(tables, settings), CLAUSES)
    return drawn(partial(laziness_figure, data, settings), said, data, output, settings.figures)


def places(lazy: Any) -> dict[str, list[str]]:
    """Where the tables of trials lie, below the directory of results."""
    return {
        "linearization": [f"{PLACE}/linearization/{name}.csv" for name in LINEARIZED],
        "kernel_change": [f"{PLACE}/kernel_change/{family}.csv" for family in lazy.families],
        "index": [f"{PLACE}/index/{family}.csv" for family in lazy.families],
        "identities": [f"{PLACE}/identities.csv"],
    }


def _log(output: Path, name: str, module: str, *identity: str) -> TrialLog:
    """The log of the finished trials of an interrupted measurement."""
    from dynparam.provenance.code_digest import module_digest
    from dynparam.trials.log import TrialLog

    return TrialLog(output, name, *identity, name, module_digest(module))


def _read(files: Files) -> Tables:
    """The tables of all trials, each in its form. Raises ``DataError``."""
    import pandas as pd

    from dynparam.experiments.lazy_or_rich import tables
    from dynparam.experiments.lazy_or_rich.judge import Tables
    from dynparam.support.tables import read_csv

    def read(kind: str, form: Any, named_by: str) -> pd.DataFrame:
        """All tables of a kind in one; ``named_by`` is the column that a file's name gives."""
        found = [read_csv(path, form, **{named_by: path.stem}) for path in files[kind]]
        return pd.concat(found, ignore_index=True)

    return Tables(
        linearization=read("linearization", tables.LINEARIZATION, "parametrization"),
        kernel_change=read("kernel_change", tables.KERNEL_CHANGE, "family"),
        index=read("index", tables.INDEX, "family"),
        identities=read_csv(files["identities"][0], tables.IDENTITIES),
    )


LINEARIZE = Stage(
    "lazy linearization",
    LinearizationStage,
    measure_linearization,
    images_read,
    (PARAMETRIZATION, IMAGES, THREADS),
    jobs=lambda config: (for_linearization(config),),
    examples=(
        "dynparam lazy linearization ntk --images data/processed/airplane-automobile.npz "
        "--output ntk.csv",
    ),
    remedy="dynparam data pair PAIR",
)
KERNELS = Stage(
    "lazy kernels",
    LazyOrRichStage,
    measure_kernel_change,
    parameters=(FAMILY, THREADS),
    jobs=whole(LazyOrRichStage),
    examples=("dynparam lazy kernels sharpening --output kernels.csv",),
)
INDEX = Stage(
    "lazy index",
    LazyOrRichStage,
    measure_index,
    parameters=(FAMILY, THREADS),
    jobs=whole(LazyOrRichStage),
    examples=("dynparam lazy index sharpening --output index.csv",),
)
IDENTITIES = Stage(
    "lazy identities",
    LazyOrRichStage,
    measure_identities,
    parameters=(THREADS,),
    jobs=whole(LazyOrRichStage),
    examples=("dynparam lazy identities --output identities.csv",),
)
JUDGE = Stage(
    "lazy judge",
    LazinessStage,
    judge_laziness,
    trial_files,
    (RESULTS,),
    jobs=lambda config: (for_laziness(config),),
    examples=("dynparam lazy judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all companion_laziness",
    repeatable=True,
)
PLOT = Stage(
    "plot laziness",
    LazinessStage,
    plot_laziness,
    trial_files,
    (RESULTS,),
    jobs=lambda config: (for_laziness(config),),
    examples=("dynparam plot laziness --results results --output companion_laziness.png",),
    remedy="snakemake --cores all companion_laziness",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of all three."""
    kinds = places(config.lazy_or_rich)
    drawn = [path for paths in kinds.values() for path in paths]
    yield ShownFigure(config.lazy_or_rich.figure, TITLE, SOURCE, tuple(drawn))


EXPERIMENT = Experiment(
    name="lazy_or_rich",
    title=TITLE,
    source=SOURCE,
    stages=(LINEARIZE, KERNELS, INDEX, IDENTITIES, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable(f"{PLACE}/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / PLACE / "verdicts.csv",),
)
