"""The stages: networks looked at while they train, their archive and its audit, verdicts, figure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.through_training.settings import (
    AuditedThrough,
    CollectedThrough,
    ThroughRun,
    ThroughStage,
    ThroughTraining,
    for_through,
    for_through_audit,
    for_through_collection,
    for_through_run,
    probed_runs,
)
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Parameter, Stage, images_read
from dynparam.settings.base import pick
from dynparam.theory.parametrization import ParametrizationName
from dynparam.training.stages import AUDIT, PARAMETRIZATION, SEEDS, TASK

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Through training: kernels, contributions, weights and features"

SOURCE = "Table 1.1; Sec. 3.3; eqs. 1.9 and 2.41"

PLACE = "through_training"

TARGET = "through_training"
"""The target of the table of verdicts."""

TABLE = Parameter("table", "Measured or archived table.", kind=Path)

Tables = dict[tuple[str, str, str], "pd.DataFrame"]
"""The tables by task, network and parametrization."""


def measure_through(
    settings: ThroughRun,
    files: Path,
    output: Path,
    task: str,
    parametrization: ParametrizationName,
    seeds: str,
) -> Made:
    """Train networks and look at them meanwhile; resumes after the last finished run."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.through_training import measure
    from dynparam.provenance.code_digest import module_digest
    from dynparam.settings.base import digest
    from dynparam.support.files import sha256
    from dynparam.support.tables import write_csv
    from dynparam.training import runs
    from dynparam.training.seeds import parse_seeds
    from dynparam.trials.log import TrialLog

    run = settings.of_task(task)
    subject = measure.Subject(run, task, parametrization, load_pair(files))
    code = module_digest(measure.__name__)
    name = f"{task}-{run.protocol.network_name}-{parametrization}"
    log = TrialLog(output, name, digest(run), sha256(files), parametrization, code)
    found = measure.measure(subject, parse_seeds(seeds), log)
    write_csv(measure.table((row for run in found for row in run.rows), parametrization), output)
    return Made([output], {"runs": runs.origins(found)}, finished=[log.path])


def archived_table_and_images(settings: ThroughRun, table: Path, images: Path) -> tuple[Path, Path]:
    """An archived table, and the extracted pair. Raises ``DataError`` if there is no such table."""
    from dynparam.training.archive import require_archived

    require_archived(table)
    return table, images


def archive_through(settings: ThroughRun, files: Path, output: Path, table: Path) -> Made:
    """Put a measured table into the archive; the code that measured it has to be committed."""
    from dynparam.experiments.through_training.tables import KIND
    from dynparam.support.tables import write_csv
    from dynparam.training.table_archive import read_measured, require_committed

    kept = read_measured(table, KIND, settings, files)
    require_committed(kept)
    write_csv(kept.table, output)
    return Made([output], {"runs": list(kept.runs)}, said=f"{output}: archived")


def audit_through(
    settings: AuditedThrough,
    files: tuple[Path, Path],
    output: Path,
    task: str,
    parametrization: ParametrizationName,
) -> Made:
    """Make the first steps of an archived run again, and compare. Exit code 4 if they differ."""
    from dataclasses import asdict

    from dynparam.data.images import load_pair
    from dynparam.experiments.through_training.audit import audit
    from dynparam.experiments.through_training.measure import Subject
    from dynparam.experiments.through_training.tables import KIND
    from dynparam.support.progress import say
    from dynparam.training.table_archive import read_archived

    table, images = files
    run = pick(ThroughRun, settings).of_task(task)
    archived = read_archived(table, KIND, run, images)
    subject = Subject(run, task, parametrization, load_pair(images))
    result = audit(archived, subject, settings.through_training.audit, images)
    say(result.sentence())
    values = {**asdict(result), "passed": result.passed}
    return Made([], {"audit": asdict(result)}, values=values, sidecar=output)


def collected_files(
    settings: CollectedThrough, table: Path, images: Path, audit: Path | None
) -> tuple[Path, Path, list[Path]]:
    """A measured or archived table, the extracted pair, and the audit if there is one."""
    return table, images, [] if audit is None else [audit]


def collect_through(
    settings: CollectedThrough, files: tuple[Path, Path, list[Path]], output: Path
) -> Made:
    """Take a table over from where it was measured, or from the archive with its audit."""
    from dynparam.experiments.through_training.tables import KIND
    from dynparam.support.tables import write_csv
    from dynparam.training.table_archive import read_measured
    from dynparam.training.table_audit import details, read_audited

    table, images, audits = files
    run = pick(ThroughRun, settings)
    if audits:
        limits = pick(AuditedThrough, settings)
        kept, result = read_audited(table, KIND, run, limits, images, audits[0])
    else:
        kept, result = read_measured(table, KIND, run, images), None
    write_csv(kept.table, output)
    return Made([output], details(kept, result))


def tables_read(settings: ThroughStage, results: Path) -> list[Path]:
    """The tables of all runs."""
    return [results / path for path in places(settings.through_training)]


def judge_through(settings: ThroughStage, files: list[Path], output: Path) -> Made:
    """Judge which network is the lazier and which the richer, with intervals over seeds."""
    from dynparam.experiments.through_training.judge import judged
    from dynparam.presentation.judged import write

    table = judged(_read(settings, files), settings)
    return Made(write(table, output, TITLE, "through-training"))


def plot_through(settings: ThroughStage, files: list[Path], output: Path) -> Made:
    """Draw kernels, weights and features against steps."""
    from dynparam.experiments.through_training import figure
    from dynparam.experiments.through_training.judge import judged
    from dynparam.experiments.through_training.message import CLAUSES
    from dynparam.provenance.drawing import drawn
    from dynparam.provenance.judged_message import drawn_message

    tables = _read(settings, files)
    data = figure.plotted_data(tables, settings)
    said = drawn_message(lambda: judged(tables, settings), CLAUSES)
    return drawn(partial(figure.through_figure, data, settings), said, data, output, settings.figures)


def places(through: ThroughTraining) -> list[str]:
    """Where the tables lie, below the directory of results."""
    return [f"{PLACE}/{runs.place}.csv" for runs in probed_runs(through)]


def _read(settings: ThroughStage, files: list[Path]) -> Tables:
    """The tables of all runs, each in its form. Raises ``DataError``."""
    from dynparam.experiments.through_training.tables import PROBES
    from dynparam.support.tables import read_csv

    found = probed_runs(settings.through_training)
    return {
        (runs.task, runs.network, runs.parametrization): read_csv(
            path, PROBES, parametrization=runs.parametrization
        )
        for runs, path in zip(found, files, strict=True)
    }


def _jobs(config: Any) -> Iterator[ThroughRun]:
    """The settings of all runs."""
    for runs in probed_runs(config.through_training):
        yield for_through_run(config, runs.task, runs.network)


MEASURE = Stage(
    "through measure",
    ThroughRun,
    measure_through,
    images_read,
    (TASK, PARAMETRIZATION, SEEDS, IMAGES, THREADS),
    jobs=_jobs,
    examples=(
        "dynparam through measure airplane-automobile dynamic --seeds 0-4 "
        "--images data/processed/airplane-automobile.npz --output dynamic.csv",
    ),
    remedy="dynparam data pair PAIR",
)
AUDIT_THROUGH = Stage(
    "through audit",
    AuditedThrough,
    audit_through,
    archived_table_and_images,
    (TASK, PARAMETRIZATION, TABLE, IMAGES, THREADS),
    jobs=lambda config: (
        for_through_audit(config, runs.task, runs.network)
        for runs in probed_runs(config.through_training)
    ),
    examples=(
        "dynparam through audit bird-cat dynamic dynamic.csv --images data/processed/bird-cat.npz "
        "--output audit.json",
    ),
    remedy="dynparam data pair PAIR",
)
ARCHIVE = Stage(
    "through archive",
    ThroughRun,
    archive_through,
    images_read,
    (TABLE, IMAGES),
    jobs=_jobs,
    examples=(
        "dynparam through archive dynamic.csv --images data/processed/bird-cat.npz "
        "--output results/archive/through_training/bird-cat/1000-50/dynamic.csv",
    ),
)
COLLECT = Stage(
    "through collect",
    CollectedThrough,
    collect_through,
    collected_files,
    (TABLE, IMAGES, AUDIT),
    jobs=lambda config: (
        for_through_collection(config, runs.task, runs.network)
        for runs in probed_runs(config.through_training)
    ),
    examples=(
        "dynparam through collect results/archive/through_training/bird-cat/1000-50/dynamic.csv "
        "--images data/processed/bird-cat.npz --audit audit.json --output dynamic.csv",
    ),
)
JUDGE = Stage(
    "through judge",
    ThroughStage,
    judge_through,
    tables_read,
    (RESULTS,),
    jobs=lambda config: (for_through(config),),
    examples=("dynparam through judge --results results --output verdicts.csv",),
    remedy="snakemake --cores all through_training",
    repeatable=True,
)
PLOT = Stage(
    "plot through",
    ThroughStage,
    plot_through,
    tables_read,
    (RESULTS,),
    jobs=lambda config: (for_through(config),),
    examples=("dynparam plot through --results results --output through_training.png",),
    remedy="snakemake --cores all through_training",
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of all four quantities."""
    through = config.through_training
    yield ShownFigure(through.figure, TITLE, SOURCE, tuple(places(through)))


EXPERIMENT = Experiment(
    name="through_training",
    title=TITLE,
    source=SOURCE,
    stages=(MEASURE, AUDIT_THROUGH, ARCHIVE, COLLECT, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable(f"{PLACE}/verdicts", TARGET),),
    quoted=lambda config, files: (files.results / PLACE / "verdicts.csv",),
)
