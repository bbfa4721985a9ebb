"""Commands around the open choices: measure them, compare them, write its page, draw it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EngineOption,
    FigureOption,
    ImagesOption,
    OutputOption,
    ThreadsOption,
    examples,
)
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.open_choices.settings import OpenChoicesStage
from dynparam.trials.settings import ProbeStage

app = typer.Typer(help="Weigh the choices that the thesis leaves open.", no_args_is_help=True)


plot = typer.Typer()


EntriesOption = Annotated[
    Path, typer.Option("--choices", help="The entries of the open choices (YAML).")
]


ChangesArgument = Annotated[
    Path, typer.Argument(help="Changes of slopes (results/open_choices/changes.csv).")
]


DEFAULT_ENTRIES = Path("config/open_choices.yaml")


@app.command(
    "measure",
    epilog=examples(
        "dynparam choices measure --images data/processed/airplane-automobile.npz --output trials.csv"
    ),
)
def measure_choice(
    images: ImagesOption,
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    engine: EngineOption = "law",
    threads: ThreadsOption = 1,
) -> None:
    """Measure probe.trials trials of every curve of the probe, under the configuration as given."""
    import torch

    from dynparam.data.images import load_pair
    from dynparam.experiments.open_choices import trials as choice_trials
    from dynparam.provenance import record
    from dynparam.support import tables
    from dynparam.trials.images import TrialImages

    started = time.monotonic()
    settings = load(ProbeStage, config)
    torch.set_num_threads(threads)
    trial_images = TrialImages(settings, load_pair(images))
    tables.write_csv(choice_trials.measure_choice(settings, trial_images, engine), output)
    record.write_sidecar(
        output.with_suffix(".json"), [output], settings, inputs=[images], started=started, engine=engine
    )


@app.command(
    "compare", epilog=examples("dynparam choices compare --results results --output changes.csv")
)
def compare_choices(
    results: Annotated[Path, typer.Option("--results", help="Directory with open_choices/trials/.")],
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    entries: EntriesOption = DEFAULT_ENTRIES,
) -> None:
    """What every alternative changes in every slope, with intervals."""
    from dynparam.experiments.open_choices import changes as choice_changes
    from dynparam.experiments.open_choices import entries as open_choices
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(OpenChoicesStage, config)
    known = open_choices.read_open_choices(entries)
    paths = {
        (choice, engine): results / "open_choices" / "trials" / f"{choice}-{engine}.csv"
        for choice, engine in known.needed_trials()
    }
    trials = {choice: tables.read_csv(path) for choice, path in paths.items()}
    tables.write_csv(choice_changes.all_changes(settings, known, trials), output)
    record.write_sidecar(
        output.with_suffix(".json"),
        [output],
        settings,
        inputs=[*paths.values(), entries],
        started=started,
    )


@app.command(
    "page", epilog=examples("dynparam choices page results/open_choices/changes.csv --output page.md")
)
def write_ledger(
    changes: ChangesArgument,
    output: OutputOption,
    config: ConfigOption = DEFAULT_CONFIG,
    entries: EntriesOption = DEFAULT_ENTRIES,
) -> None:
    """Write the page of all open choices and what their alternatives change."""
    from dynparam.configuration import choices
    from dynparam.experiments.open_choices import page
    from dynparam.provenance import record
    from dynparam.support import tables
    from dynparam.support.files import write_text

    started = time.monotonic()
    settings = load(Config, config)
    known = choices.load_open_choices(entries, settings)
    write_text(output, page.page(known, settings, tables.read_csv(changes)))
    record.write_sidecar(
        output.with_suffix(".json"), [output], settings, inputs=[changes, entries], started=started
    )


@plot.command(
    "choices",
    epilog=examples("dynparam plot choices results/open_choices/changes.csv --output open_choices.png"),
)
def plot_ledger(
    changes: ChangesArgument,
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw what every alternative changes in every slope."""
    from dynparam.experiments.open_choices import figure
    from dynparam.presentation import figure_style
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(OpenChoicesStage, config)
    table = tables.read_csv(changes)
    tolerance = settings.comparison.tolerance
    picture = figure.open_choices_figure(table, settings.figures.titles, tolerance)
    written = figure_style.save(picture, table, output, settings.figures.dpi)
    record.write_sidecar(
        output.with_suffix(".json"), written, settings, inputs=[changes], started=started
    )
