"""The stages of the open choices: measured on slopes and on training curves, compared, drawn.

Their page is a stage of the report's: it quotes the whole configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.open_choices.settings import (
    ChoiceCurvesStage,
    ChoiceRun,
    OpenChoicesStage,
    for_choice_curves,
    for_open_choices,
)
from dynparam.provenance.experiment import Experiment, ShownDocument, ShownFigure
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Parameter, Stage, images_read
from dynparam.settings.base import pick
from dynparam.training.settings import Device, RunStage
from dynparam.training.stages import AT_ONCE, CHECKPOINTS, DEVICE, RUNS, SEEDS, TASK
from dynparam.trials.settings import Engine, ProbeStage

DEFAULT_ENTRIES = Path("config/open_choices.yaml")

ENTRIES = Parameter("entries", "The open choices (YAML).", "--choices", Path, DEFAULT_ENTRIES)
CHANGES = Parameter("changes", "Changes of slopes (results/open_choices/changes.csv).", kind=Path)
TRAINED = Parameter(
    "trained", "Changes in training curves (results/open_choices/training.csv).", kind=Path
)
ENGINE = Parameter(
    "engine",
    "dense draws the weights; law draws what is seen of them, in O(n).",
    "--engine",
    Engine,
    "law",
)


def measure_choice(settings: ProbeStage, files: Path, output: Path, engine: Engine) -> Made:
    """Measure probe.trials trials of every curve of the probe, under the configuration as given."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.open_choices import trials
    from dynparam.support.tables import write_csv
    from dynparam.trials.images import TrialImages

    images = TrialImages(settings, load_pair(files))
    write_csv(trials.measure_choice(settings, images, engine), output)
    return Made([output], {"engine": engine})


def trial_files(
    settings: OpenChoicesStage, results: Path, entries: Path
) -> tuple[dict[tuple[str, str], Path], Path]:
    """The trials of every choice on the engines it needs, and the file that states the choices."""
    from dynparam.experiments.open_choices.entries import read_open_choices

    needed = read_open_choices(entries).needed_trials()
    folder = results / "open_choices" / "trials"
    return {one: folder / f"{one[0]}-{one[1]}.csv" for one in needed}, entries


def compare_choices(
    settings: OpenChoicesStage, files: tuple[dict[tuple[str, Engine], Path], Path], output: Path
) -> Made:
    """What every alternative changes in every slope, with intervals."""
    from dynparam.experiments.open_choices.changes import all_changes
    from dynparam.experiments.open_choices.entries import read_open_choices
    from dynparam.experiments.open_choices.tables import TRIALS
    from dynparam.support.tables import read_csv, write_csv

    paths, entries = files
    trials = {choice: read_csv(path, TRIALS) for choice, path in paths.items()}
    write_csv(all_changes(settings, read_open_choices(entries), trials), output)
    return Made([output])


def changes_read(settings: OpenChoicesStage, changes: Path) -> Path:
    """The changes of slopes."""
    return changes


def plot_ledger(settings: OpenChoicesStage, files: Path, output: Path) -> Made:
    """Draw what every alternative changes in every slope."""
    from dynparam.experiments.open_choices.figure import open_choices_figure
    from dynparam.experiments.open_choices.message import changes_message
    from dynparam.experiments.open_choices.tables import CHANGES
    from dynparam.provenance.drawing import drawn
    from dynparam.support.tables import read_csv

    table = read_csv(files, CHANGES)
    draw = partial(open_choices_figure, table, settings.figures.titles, settings.comparison.tolerance)
    return drawn(draw, changes_message(table), table, output, settings.figures)


def train_choice(
    settings: ChoiceRun,
    files: Path,
    output: Path,
    task: str,
    seeds: str,
    runs_directory: Path,
    device: Device,
    seeds_at_once: int,
    checkpoint_epochs: int,
) -> Made:
    """Train seeds of both parametrizations under the configuration as given; resumes as train does."""
    from dynparam.data.images import load_pair
    from dynparam.experiments.open_choices.arms import arms
    from dynparam.support.tables import write_csv
    from dynparam.training import runs
    from dynparam.training.devices import resolve_device
    from dynparam.training.run_files import RunFiles
    from dynparam.training.seeds import parse_seeds
    from dynparam.training.stack_run import Plan

    run, pair = pick(RunStage, settings).of_task(task), load_pair(files)
    trained = []
    for name in settings.training.parametrizations:
        plan = Plan(run, name, resolve_device(device), seeds_at_once, checkpoint_epochs)
        kept = RunFiles(runs_directory, run, name, files)
        trained.append((name, runs.train_seeds(plan, parse_seeds(seeds), pair, kept)))
    first, second = (runs.curve_table(task, name, records) for name, records in trained)
    write_csv(arms(first, second), output)
    return Made([output], {"runs": [one for _, records in trained for one in runs.origins(records)]})


def curve_files(
    settings: ChoiceCurvesStage, results: Path, entries: Path
) -> tuple[dict[str, Path], Path]:
    """The curves under every choice, and the file that states the choices."""
    from dynparam.experiments.open_choices.entries import read_open_choices

    folder = results / "open_choices" / "curves"
    return {one: folder / f"{one}.csv" for one in read_open_choices(entries).needed_curves()}, entries


def compare_trained(
    settings: ChoiceCurvesStage, files: tuple[dict[str, Path], Path], output: Path
) -> Made:
    """What every alternative changes in the difference of training curves, with verdicts."""
    from dynparam.experiments.open_choices.entries import read_open_choices
    from dynparam.experiments.open_choices.tables import CURVES
    from dynparam.experiments.open_choices.trained import all_trained
    from dynparam.support.tables import read_csv, write_csv

    paths, entries = files
    curves = {choice: read_csv(path, CURVES) for choice, path in paths.items()}
    write_csv(all_trained(settings, read_open_choices(entries), curves), output)
    return Made([output])


def trained_read(settings: ChoiceCurvesStage, trained: Path) -> Path:
    """The changes in training curves."""
    return trained


def plot_trained(settings: ChoiceCurvesStage, files: Path, output: Path) -> Made:
    """Draw the difference of training curves under every alternative."""
    from dynparam.experiments.open_choices.message import trained_message
    from dynparam.experiments.open_choices.tables import TRAINED as FORM
    from dynparam.experiments.open_choices.trained_figure import trained_figure
    from dynparam.provenance.drawing import drawn
    from dynparam.support.tables import read_csv

    table = read_csv(files, FORM)
    draw = partial(trained_figure, table, settings.training.parametrizations)
    return drawn(draw, trained_message(table), table, output, settings.figures)


MEASURE = Stage(
    "choices measure",
    ProbeStage,
    measure_choice,
    images_read,
    (IMAGES, ENGINE, THREADS),
    examples=(
        "dynparam choices measure --images data/processed/airplane-automobile.npz --output trials.csv",
    ),
    remedy="dynparam data pair PAIR",
)
COMPARE = Stage(
    "choices compare",
    OpenChoicesStage,
    compare_choices,
    trial_files,
    (RESULTS, ENTRIES),
    jobs=lambda config: (for_open_choices(config),),
    examples=("dynparam choices compare --results results --output changes.csv",),
    repeatable=True,
)
TRAIN = Stage(
    "choices train",
    ChoiceRun,
    train_choice,
    images_read,
    (TASK, SEEDS, IMAGES, RUNS, DEVICE, THREADS, AT_ONCE, CHECKPOINTS),
    examples=(
        "dynparam choices train airplane-automobile --seeds 0-1 --runs runs --output curves.csv"
        " --images data/processed/airplane-automobile.npz",
    ),
    remedy="dynparam data pair PAIR",
)
COMPARE_TRAINED = Stage(
    "choices curves",
    ChoiceCurvesStage,
    compare_trained,
    curve_files,
    (RESULTS, ENTRIES),
    jobs=lambda config: (for_choice_curves(config),),
    examples=("dynparam choices curves --results results --output training.csv",),
    repeatable=True,
)
PLOT_TRAINED = Stage(
    "plot trained",
    ChoiceCurvesStage,
    plot_trained,
    trained_read,
    (TRAINED,),
    jobs=lambda config: (for_choice_curves(config),),
    examples=("dynparam plot trained results/open_choices/training.csv --output trained.png",),
    repeatable=True,
)
PLOT = Stage(
    "plot choices",
    OpenChoicesStage,
    plot_ledger,
    changes_read,
    (CHANGES,),
    jobs=lambda config: (for_open_choices(config),),
    examples=("dynparam plot choices results/open_choices/changes.csv --output open_choices.png",),
    repeatable=True,
)


def figures(config: Any) -> Iterator[ShownFigure]:
    """What every alternative changes in slopes, and in training."""
    yield ShownFigure(
        config.open_choices.figure,
        "What the open choices change",
        "Figs. 3.2 and 3.3",
        ("open_choices/changes.csv",),
    )
    yield ShownFigure(
        config.open_choices.training.figure,
        "What the open choices change in training",
        "Figs. 3.4 and 3.5",
        ("open_choices/training.csv",),
    )


def documents(config: Any) -> Iterator[ShownDocument]:
    """The page of all open choices."""
    chosen = config.open_choices
    title = "What the thesis leaves open"
    yield ShownDocument(chosen.page, chosen.figure, "open-choices", title, "Open choices")


EXPERIMENT = Experiment(
    name="open_choices",
    title="What the thesis leaves open",
    source="Figs. 3.2 to 3.5",
    stages=(MEASURE, COMPARE, PLOT, TRAIN, COMPARE_TRAINED, PLOT_TRAINED),
    figures=figures,
    documents=documents,
    quoted=lambda config, files: (
        files.results / "open_choices" / "changes.csv",
        files.results / "open_choices" / "training.csv",
    ),
)
