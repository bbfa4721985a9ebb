"""The stages of the open choices: measure them, compare them, write their page, draw them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dynparam.experiments.open_choices.settings import OpenChoicesStage, for_open_choices
from dynparam.provenance.experiment import Experiment, ShownDocument, ShownFigure
from dynparam.provenance.stage import IMAGES, RESULTS, THREADS, Made, Parameter, Stage, images_read
from dynparam.trials.settings import Engine, ProbeStage

DEFAULT_ENTRIES = Path("config/open_choices.yaml")

ENTRIES = Parameter("entries", "The open choices (YAML).", "--choices", Path, DEFAULT_ENTRIES)
CHANGES = Parameter("changes", "Changes of slopes (results/open_choices/changes.csv).", kind=Path)
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
    from dynparam.experiments.open_choices.tables import CHANGES
    from dynparam.presentation.figure_style import save
    from dynparam.support.tables import read_csv

    table = read_csv(files, CHANGES)
    picture = open_choices_figure(table, settings.figures.titles, settings.comparison.tolerance)
    return Made(save(picture, table, output, settings.figures.dpi))


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
    """What every alternative changes."""
    yield ShownFigure(
        config.open_choices.figure,
        "What the open choices change",
        "Figs. 3.2 and 3.3",
        ("open_choices/changes.csv",),
    )


def documents(config: Any) -> Iterator[ShownDocument]:
    """The page of all open choices."""
    chosen = config.open_choices
    title = "What the thesis leaves open"
    yield ShownDocument(chosen.page, chosen.figure, "open-choices", title, "Open choices")


EXPERIMENT = Experiment(
    name="open_choices",
    title="What the thesis leaves open",
    source="Figs. 3.2 and 3.3",
    stages=(MEASURE, COMPARE, PLOT),
    figures=figures,
    documents=documents,
    quoted=lambda config, files: (files.results / "open_choices" / "changes.csv",),
)
