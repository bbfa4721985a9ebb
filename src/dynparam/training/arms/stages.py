"""The stages of arms: train them, audit their archive, collect what is asked for, extend the archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dynparam.provenance.stage import IMAGES, THREADS, Made, Parameter, Stage
from dynparam.settings.base import pick
from dynparam.training.arms.settings import ArmsStage, AuditedArms
from dynparam.training.settings import Device, VariedRun
from dynparam.training.stages import ARCHIVED, AT_ONCE, AUDIT, CHECKPOINTS, DEVICE, RUNS

if TYPE_CHECKING:
    from dynparam.training.table_archive import KeptTable

BESIDE = Parameter(
    "archive", "Archived table, whose runs are not trained again.", "--archive", Path | None, None
)
TABLES = Parameter("tables", "Tables of arms (.csv).", kind=list[Path])
TABLE = Parameter("curves", "Table of arms (.csv).", kind=Path)


def images_and_archive(settings: ArmsStage, images: Path, archive: Path | None) -> tuple[Path, ...]:
    """The extracted pair, and the archived table if there is one: what it lacks is trained."""
    return (images,) if archive is None or not archive.exists() else (images, archive)


def train_arms(
    settings: ArmsStage,
    files: Sequence[Path],
    output: Path,
    runs_directory: Path,
    device: Device,
    seeds_at_once: int,
    checkpoint_epochs: int,
) -> Made:
    """Train the runs of all arms that an archived table lacks; an interrupted training resumes."""
    from dynparam.data.images import load_pair
    from dynparam.support.tables import write_csv
    from dynparam.training.arms import measure, table
    from dynparam.training.devices import resolve_device
    from dynparam.training.table_archive import read_archived

    images, *archived = files
    wanted = {arm: list(range(settings.seeds)) for arm in settings.arms}
    if archived:
        kept = read_archived(archived[0], table.KIND, pick(VariedRun, settings), images)
        wanted = table.without(kept.table, settings.arms, settings.seeds)
    if not wanted:
        return Made([], said=f"{archived[0]} has all of these runs", recorded=False)
    found, made = measure.train(
        settings,
        wanted,
        load_pair(images),
        images,
        runs_directory,
        resolve_device(device),
        seeds_at_once,
        checkpoint_epochs,
    )
    write_csv(found, output)
    return Made([output], {"runs": list(made)})


def archived_arms(settings: AuditedArms, curves: Path, images: Path) -> tuple[Path, Path]:
    """An archived table, and the extracted pair. Raises ``DataError`` if there is no such table."""
    from dynparam.training.archive import require_archived

    require_archived(curves)
    return curves, images


def audit_arms(settings: AuditedArms, files: tuple[Path, Path], output: Path, device: Device) -> Made:
    """Train the first epochs of one run of an archived table again, and compare. Exit code 4."""
    from dataclasses import asdict

    from dynparam.support.progress import say
    from dynparam.training.arms import measure, table
    from dynparam.training.devices import resolve_device
    from dynparam.training.table_archive import read_archived
    from dynparam.training.table_audit import compare
    from dynparam.training.task_file import read_task

    curves, images = files
    archived = read_archived(curves, table.KIND, pick(VariedRun, settings), images)
    where = resolve_device(device)
    task = read_task(pick(VariedRun, settings), images, where)
    mine = measure.repeat(settings, archived.table, task, where)
    key, tolerance = (*table.VARIED, "seed", "epoch"), settings.training.audit.tolerance
    result = compare(archived, mine.table, key, mine.what, tolerance, images, mine.moved)
    say(result.sentence())
    values = {**asdict(result), "passed": result.passed}
    return Made([], {"audit": asdict(result)}, values=values, sidecar=output)


def collected_arms(
    settings: AuditedArms, curves: Path, images: Path, audit: Path | None
) -> tuple[Path, Path, list[Path]]:
    """A table of arms, the extracted pair, and the audit if there is one."""
    return curves, images, [] if audit is None else [audit]


def collect_arms(settings: AuditedArms, files: tuple[Path, Path, list[Path]], output: Path) -> Made:
    """Collect the runs that are asked for from a table trained here, or archived and audited."""
    from dynparam.support.tables import write_csv
    from dynparam.training.arms import table
    from dynparam.training.table_archive import read_measured
    from dynparam.training.table_audit import details, read_audited

    curves, images, audits = files
    run = pick(VariedRun, settings)
    if audits:
        kept, result = read_audited(curves, table.KIND, run, settings, images, audits[0])
    else:
        kept, result = read_measured(curves, table.KIND, run, images), None
    write_csv(table.chosen(kept.table, settings.arms, settings.seeds, curves), output)
    return Made([output], details(kept, result))


def arms_to_add(settings: ArmsStage, tables: Sequence[Path], images: Path) -> Path:
    """The extracted pair: the tables, of which there may be none, are read by themselves."""
    return images


def extend_arms(settings: ArmsStage, files: Path, output: Path, tables: Sequence[Path]) -> Made:
    """Add runs to an archived table of arms."""
    from dynparam.support.tables import write_csv
    from dynparam.training.arms import table
    from dynparam.training.table_archive import read_archived, read_measured, require_committed

    run = pick(VariedRun, settings)
    old: list[KeptTable] = []
    if output.exists():
        old = [read_archived(output, table.KIND, run, files)]
    new = [read_measured(path, table.KIND, run, files) for path in tables if path.exists()]
    for kept in new:
        require_committed(kept)
    found, made = table.merged([(kept.table, kept.runs) for kept in (*old, *new)])
    added = sum(kept.table["run"].nunique() for kept in new)
    said = f"{output}: {found['run'].nunique()} runs, {added} new"
    if not added:
        return Made([], said=said, recorded=False)
    write_csv(found, output)
    return Made([output], {"runs": list(made)}, said=said)


TRAIN = Stage(
    "arms train",
    ArmsStage,
    train_arms,
    images_and_archive,
    (IMAGES, BESIDE, RUNS, DEVICE, THREADS, AT_ONCE, CHECKPOINTS),
    examples=(
        "dynparam arms train --config arms.json --images data/processed/bird-cat.validation-1000.npz"
        " --runs runs --output curves.csv",
    ),
    remedy="dynparam data extract PAIR --validation COUNT",
)
AUDIT_ARMS = Stage(
    "arms audit",
    AuditedArms,
    audit_arms,
    archived_arms,
    (ARCHIVED, IMAGES, DEVICE, THREADS),
    examples=(
        "dynparam arms audit --config arms.json --curves curves.csv --output audit.json"
        " --images data/processed/bird-cat.validation-1000.npz",
    ),
    remedy="dynparam data extract PAIR --validation COUNT",
)
COLLECT = Stage(
    "arms collect",
    AuditedArms,
    collect_arms,
    collected_arms,
    (TABLE, IMAGES, AUDIT),
    examples=(
        "dynparam arms collect curves.csv --config arms.json --audit audit.json --output collected.csv"
        " --images data/processed/bird-cat.validation-1000.npz",
    ),
)
EXTEND = Stage(
    "arms archive",
    ArmsStage,
    extend_arms,
    arms_to_add,
    (TABLES, IMAGES),
    examples=(
        "dynparam arms archive more.csv --config arms.json --output archive.csv"
        " --images data/processed/bird-cat.validation-1000.npz",
    ),
)
STAGES = (TRAIN, AUDIT_ARMS, COLLECT, EXTEND)
