"""Commands around training: train, audit, collect, extend the archive, tell where runs stand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from dynparam.cli.help import RUN, App
from dynparam.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DeviceOption,
    ImagesOption,
    JsonOption,
    OutputOption,
    OwnImagesOption,
    OwnOutputOption,
    ParametrizationArgument,
    TaskArgument,
    ThreadsOption,
    examples,
)
from dynparam.cli.places import own_place, pair_images
from dynparam.cli.telling import tell
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.provenance.stage import run
from dynparam.settings.base import named
from dynparam.support.errors import AuditError, ConfigError, DataError
from dynparam.theory.parametrization import NAMES
from dynparam.training.settings import AuditedRun, CollectedRun, RunStage
from dynparam.training.stages import AUDIT_ARCHIVE, COLLECT, EXTEND, TRAIN

app = App()

Run = TypeVar("Run", bound=RunStage)

SeedsOption = Annotated[str, typer.Option("--seeds", help="Such as 0-9 or 0-2,7.")]


@app.command(
    "train",
    group=RUN,
    epilog=examples(
        "dynparam train airplane-automobile dynamic --seeds 0-2",
        "dynparam train bird-cat spectral --seeds 0 --device cuda --json",
    ),
)
def train(
    task: TaskArgument,
    parametrization: ParametrizationArgument,
    seeds: SeedsOption = "0",
    images: OwnImagesOption = None,
    runs_directory: Annotated[
        Path | None,
        typer.Option(
            "--runs",
            help="Directory for checkpoints and records.",
            show_default="results/training/.runs",
        ),
    ] = None,
    output: OwnOutputOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 2,
    seeds_at_once: Annotated[
        int,
        typer.Option("--seeds-at-once", min=1, metavar="RUNS", help="Runs trained together on a GPU."),
    ] = 8,
    checkpoint_epochs: Annotated[
        int,
        typer.Option("--checkpoint-epochs", min=1, metavar="EPOCHS", help="Epochs between checkpoints."),
    ] = 10,
    as_json: JsonOption = False,
) -> None:
    """Train the runs of some seeds; an interrupted training resumes, finished runs are not repeated."""
    from dynparam.support import tables
    from dynparam.training import summary

    settings = load(RunStage, config).of_task(task)
    pair = pair_images(config, task, images)
    place = output or own_place(config, "training", task, parametrization, f"{seeds}.csv")
    records = runs_directory or load(Config, config).paths.results / "training" / ".runs"
    run(
        TRAIN,
        settings,
        place,
        task=task,
        parametrization=parametrization,
        seeds=seeds,
        images=pair,
        runs_directory=records,
        device=device,
        threads=threads,
        seeds_at_once=seeds_at_once,
        checkpoint_epochs=checkpoint_epochs,
    )
    found = summary.summarize(tables.read_csv(place))
    if as_json:
        named_so = {"task": task, "parametrization": parametrization, "curves": str(place)}
        tell(json.dumps({**named_so, **found}, indent=2))
    else:
        tell(f"{task}, {parametrization}, {summary.sentence(found)}\nCurves: {place}")


@app.command(
    "audit",
    group=RUN,
    epilog=examples(
        "dynparam audit airplane-automobile dynamic",
        "dynparam audit bird-cat spectral dynamic --json",
    ),
)
def audit(
    task: TaskArgument,
    parametrizations: Annotated[
        list[str],
        typer.Argument(
            help=f"Of {', '.join(NAMES)}: one or several.",
            autocompletion=lambda incomplete: [n for n in NAMES if n.startswith(incomplete)],
        ),
    ],
    curves: Annotated[
        Path | None,
        typer.Option(
            "--curves",
            help="Archived table of curves (.csv), or the folder with one of each parametrization.",
            show_default="that of training.archive",
        ),
    ] = None,
    images: OwnImagesOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="File to write (.json), or the folder for one of each parametrization.",
            show_default="below results/own",
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Train the first epochs of an archived run again, and compare. Exit code 4 if they differ.

    Of several parametrizations, one run each, in one process that reads the images once.
    """
    for name in parametrizations:
        named(dict.fromkeys(NAMES), name, "the parametrizations")
    settings = load(AuditedRun, config).of_task(task)
    pair = pair_images(config, task, images)
    found: dict[str, Any] = {}
    failures: list[AuditError | DataError] = []
    for name in parametrizations:
        try:
            made = run(
                AUDIT_ARCHIVE,
                settings,
                _own(output, "--output", parametrizations, f"{name}.json")
                or own_place(config, "audit", task, f"{name}.json"),
                task=task,
                parametrization=name,
                curves=_own(curves, "--curves", parametrizations, f"{name}.csv")
                or _archived(config, settings, task, name),
                images=pair,
                device=device,
                threads=threads,
            )
        except (AuditError, DataError) as error:  # the others are audited too, so that all is told
            failures.append(error)
        else:
            found[name] = made.values
    if failures:
        raise type(failures[0])("; and ".join(map(str, failures)))
    if as_json:
        tell(json.dumps(found if len(found) > 1 else made.values, indent=2))


def _own(given: Path | None, option: str, names: Sequence[str], own: str) -> Path | None:
    """The file of a parametrization, where ``option`` names it or the folder it lies in."""
    if given is None or given.suffix != Path(own).suffix:
        return None if given is None else given / own
    if len(names) > 1:
        raise ConfigError(
            f"{option} names one file, {given}, for {len(names)} parametrizations; name a folder"
        )
    return given


def _archived(config: list[str], settings: AuditedRun, task: str, parametrization: str) -> Path:
    """Where the curves of a parametrization are archived."""
    archive = load(Config, config).training.archive
    return archive / task / settings.protocol.network_name / f"{parametrization}.csv"


@app.command(
    "archive",
    epilog=examples(
        "dynparam archive --archive results/archive/bird-cat/10000-500/dynamic.csv"
        " --images data/processed/bird-cat.npz"
    ),
)
def extend(
    archive: Annotated[Path, typer.Option("--archive", help="Archived table to make or extend.")],
    images: ImagesOption,
    curves: Annotated[list[Path] | None, typer.Argument(help="Tables of curves to add.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Add runs to the archived curves of a task and parametrization."""
    from dynparam.support.locks import held

    added = curves or []
    settings = _of_their_task(load(RunStage, config), [*added, archive])
    # Until table and sidecar fit again, nobody else may read the archive to add to it.
    with held(archive):
        made = run(EXTEND, settings, archive, images=images, curves=added)
    tell(made.said)


@app.command(
    "collect",
    epilog=examples(
        "dynparam collect results/archive/bird-cat/10000-500/dynamic.csv"
        " --images data/processed/bird-cat.npz --audit audit.json --output dynamic.csv"
    ),
)
def collect(
    curves: Annotated[list[Path], typer.Argument(help="Tables of curves (.csv).")],
    images: ImagesOption,
    output: OutputOption,
    audit: Annotated[
        Path | None, typer.Option("--audit", help="Result of the audit of archived curves.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Collect curves of one task and parametrization, from shards or from the archive."""
    settings = _of_their_task(load(CollectedRun, config), curves)
    run(COLLECT, settings, output, curves=curves, images=images, audit=audit)


def _of_their_task(settings: Run, curves: Sequence[Path]) -> Run:
    """Settings of the task alone that the first of some tables is of; as they are if there is none."""
    from dynparam.training.archive import REMAKE
    from dynparam.training.curve_record import read_record

    found = next((csv for csv in curves if csv.exists()), None)
    if found is None or len(settings.data.pairs) == 1:
        return settings
    return settings.of_task(read_record(found, REMAKE)[0].task)


@app.command("status", group=RUN, epilog=examples("dynparam status", "dynparam status --json"))
def tell_status(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List which training runs are done, running, interrupted or failed, and the time left.

    A file that cannot be used hides no other: it is told below the table, and the exit code is 1.
    """
    from dynparam.training import status

    report = status.report_json if as_json else status.report
    text, sound = report(load(Config, config))
    tell(text, nl=False)
    if not sound:
        raise typer.Exit(1)
