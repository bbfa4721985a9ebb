"""All stages of the workflow, and those that need a whole run: its pages, its report, its crate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynparam.configuration.config import Config
from dynparam.data.stages import STAGES as DATA_STAGES
from dynparam.experiments.open_choices.stages import CHANGES, ENTRIES
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.provenance.experiment import Files
from dynparam.provenance.stage import Made, Parameter, Stage, whole
from dynparam.training.stages import STAGES as TRAINING_STAGES

SHOWING = tuple(one.module("report") for one in EXPERIMENTS if one.has("report"))
FINDING = tuple(one.module("findings") for one in EXPERIMENTS if one.has("findings"))
"""The modules of the experiments that the report and the findings ask."""

CAPTIONS = Parameter(
    "captions", "Directory with the figures' captions.", "--captions", Path, Path("workflow/report")
)
ROOT = Parameter("root", "The run's directory: the repository's.", "--root", Path, Path())


def files_of(settings: Config) -> Files:
    """The directories of a run."""
    return Files(settings.paths.results, settings.paths.figures)


def page_files(settings: Config, changes: Path, entries: Path) -> tuple[Path, Path]:
    """The changes of slopes, and the file that states the choices."""
    return changes, entries


def write_ledger(settings: Config, files: tuple[Path, Path], output: Path) -> Made:
    """Write the page of all open choices and what their alternatives change."""
    from dynparam.configuration.choices import load_ledger
    from dynparam.experiments.open_choices.page import page
    from dynparam.support.files import write_text
    from dynparam.support.tables import read_csv

    changes, entries = files
    write_text(output, page(load_ledger(entries, settings), settings, read_csv(changes)))
    return Made([output])
