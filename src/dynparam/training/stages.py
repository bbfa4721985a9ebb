"""The stages of training: train seeds, audit the archive, collect curves, extend the archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dynparam.provenance.stage import IMAGES, THREADS, Made, Parameter, Stage, images_read
from dynparam.settings.base import pick
from dynparam.theory.parametrization import ParametrizationName
from dynparam.training.settings import (
    AuditedRun,
    CollectedRun,
    Device,
    RunStage,
    all_runs,
    for_audit,
    for_collection,
    for_run,
)

TASK = Parameter("task", "Name of a pair in data.pairs.", names=lambda config: config.data.pairs)
PARAMETRIZATION = Parameter("parametrization", "Name of a parametrization.", kind=ParametrizationName)
SEEDS = Parameter("seeds", "Such as 0-9 or 0-2,7.", "--seeds", default="0")
RUNS = Parameter("runs_directory", "Directory for checkpoints and records.", "--runs", Path)
DEVICE = Parameter("device", "Where to train.", "--device", Device, "auto")
AT_ONCE = Parameter("seeds_at_once", "Runs trained together on a GPU.", "--seeds-at-once", int, 8)
CHECKPOINTS = Parameter(
    "checkpoint_epochs", "Epochs between checkpoints.", "--checkpoint-epochs", int, 10
)
ARCHIVED = Parameter("curves", "Archived table of curves.", "--curves", Path)
CURVES = Parameter("curves", "Tables of curves (.csv).", kind=list[Path])
AUDIT = Parameter("audit", "Result of the audit of archived curves.", "--audit", Path | None, None)


def train_seeds(
    settings: RunStage,
    files: Path,
    output: Path,
    task: str,
    parametrization: ParametrizationName,
    seeds: str,
    runs_directory: Path,
    device: Device,
    seeds_at_once: int,
    checkpoint_epochs: int,
) -> Made:
    """Train the runs of some seeds; an interrupted training resumes, finished runs are not repeated."""
    from dynparam.data.images import load_pair
    from dynparam.support.tables import write_csv
    from dynparam.training import runs
    from dynparam.training.devices import resolve_device
    from dynparam.training.run_files import RunFiles
    from dynparam.training.seeds import parse_seeds
    from dynparam.training.stack_run import Plan

    plan = Plan(settings, parametrization, resolve_device(device), seeds_at_once, checkpoint_epochs)
    kept = RunFiles(runs_directory, settings, parametrization, files)
    records = runs.train_seeds(plan, parse_seeds(seeds), load_pair(files), kept)
    write_csv(runs.curve_table(task, parametrization, records), output)
    return Made([output], {"runs": runs.origins(records)})


def audited_files(settings: AuditedRun, curves: Path, images: Path) -> tuple[Path, Path]:
    """The archived curves, and the extracted pair. Raises ``DataError`` if there are no such curves."""
    from dynparam.training.archive import require_archived

    require_archived(curves)
    return curves, images


def audit_archive(
    settings: AuditedRun,
    files: tuple[Path, Path],
    output: Path,
    task: str,
    parametrization: ParametrizationName,
    device: Device,
) -> Made:
    """Train the first epochs of an archived run again, and compare. Exit code 4 if they differ."""
    from dynparam.support.files import sha256
    from dynparam.support.progress import say
    from dynparam.training.archive import read_archive, require_parametrization
    from dynparam.training.audit import audit
    from dynparam.training.audit_result import audited
    from dynparam.training.devices import resolve_device
    from dynparam.training.task_file import read_task

    curves, images = files
    run, limits = pick(RunStage, settings), settings.training.audit
    archived = read_archive(curves, run, images)
    require_parametrization(curves, archived, parametrization)
    subject = audited(archived, settings, sha256(images))
    where = resolve_device(device)
    result = audit(archived, run, parametrization, read_task(run, images, where), limits, where)
    say(result.sentence())
    values = {**asdict(result), "passed": result.passed}
    details = {"audit": asdict(result), "audited": asdict(subject)}
    return Made([], details, values=values, sidecar=output)


def collected_files(
    settings: CollectedRun, curves: Sequence[Path], images: Path, audit: Path | None
) -> tuple[Sequence[Path], Path, list[Path]]:
    """Tables of curves, the extracted pair, and the audit if there is one."""
    return curves, images, [] if audit is None else [audit]


def collect_curves(
    settings: CollectedRun, files: tuple[Sequence[Path], Path, list[Path]], output: Path
) -> Made:
    """Collect curves of one task and parametrization, from shards or from the archive."""
    from dynparam.support.tables import write_csv
    from dynparam.training.archive import merge_curves, read_trained, require_named
    from dynparam.training.audit_result import read_audited
    from dynparam.training.origins import source_details

    curves, images, audits = files
    if audits:
        merged, result = read_audited(curves, settings, images, audits[0])
    else:
        run = pick(RunStage, settings)
        merged, result = merge_curves([read_trained(path, run, images) for path in curves]), None
    require_named(output, merged.parametrization)
    write_csv(merged.table, output)
    return Made([output], source_details(merged, result))


def extend_archive(settings: RunStage, files: Path, output: Path, curves: Sequence[Path]) -> Made:
    """Add runs to the archived curves of a task and parametrization."""
    from dynparam.support.tables import write_csv
    from dynparam.training.archive import merge_curves, read_archive, require_named

    old = [read_archive(output, settings, files)] if output.exists() else []
    new = [read_archive(path, settings, files) for path in curves]
    if not new:
        return Made(
            [], said=f"{output}: {sum(len(one.seeds) for one in old)} seeds, 0 new", recorded=False
        )
    merged = merge_curves([*old, *new])
    require_named(output, merged.parametrization)
    added = sum(len(part.seeds) for part in new)
    said = f"{output}: {len(merged.seeds)} seeds, {added} new"
    write_csv(merged.table, output)
    return Made([output], {"runs": list(merged.origins)}, said=said)


def _jobs(config: Any) -> Iterator[RunStage]:
    for run in all_runs(config).values():
        yield for_run(config, run.task, run.network)


TRAIN = Stage(
    "train",
    RunStage,
    train_seeds,
    images_read,
    (TASK, PARAMETRIZATION, SEEDS, IMAGES, RUNS, DEVICE, THREADS, AT_ONCE, CHECKPOINTS),
    jobs=_jobs,
    remedy="dynparam data pair PAIR",
)
AUDIT_ARCHIVE = Stage(
    "audit",
    AuditedRun,
    audit_archive,
    audited_files,
    (TASK, PARAMETRIZATION, ARCHIVED, IMAGES, DEVICE, THREADS),
    jobs=lambda config: (for_audit(config, run.task, run.network) for run in all_runs(config).values()),
    remedy="dynparam data pair PAIR",
)
COLLECT = Stage(
    "collect",
    CollectedRun,
    collect_curves,
    collected_files,
    (CURVES, IMAGES, AUDIT),
    jobs=lambda config: (
        for_collection(config, run.task, run.network) for run in all_runs(config).values()
    ),
)
EXTEND = Stage("archive", RunStage, extend_archive, images_read, (CURVES, IMAGES), jobs=_jobs)
STAGES = (TRAIN, AUDIT_ARCHIVE, COLLECT, EXTEND)
