"""All stages of the workflow, and those that need a whole run: its pages, its report, its crate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynparam.configuration.config import Config
from dynparam.data.stages import STAGES as DATA_STAGES
from dynparam.experiments.open_choices.stages import CHANGES, ENTRIES, TRAINED
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.provenance.stage import Made, Parameter, Stage, whole
from dynparam.report import contents
from dynparam.training.arms.stages import STAGES as ARMS_STAGES
from dynparam.training.stages import STAGES as TRAINING_STAGES

SHOWING = tuple(one.module("report") for one in EXPERIMENTS if one.has("report"))
FINDING = tuple(one.module("findings") for one in EXPERIMENTS if one.has("findings"))
CLAIMING = tuple(one.module("sources") for one in EXPERIMENTS if one.has("sources"))
"""The modules of the experiments that the report, the findings and the claims of the sources ask."""

ANSWERING = tuple(one.module(name) for one in contents.COMPANIONS for name in ("companion", "message"))
"""The modules of the companion experiments that their pages ask besides."""

ROOT = Parameter("root", "The run's directory: the repository's.", "--root", Path, Path())

COMPANION = Parameter(
    "experiment",
    "One of the companion experiments.",
    names=lambda config: [one.name for one in contents.COMPANIONS],
)
NEEDS = Parameter(
    "needs",
    "What the rules were measured to need (.yaml).",
    "--needs",
    Path,
    Path("workflow/resources.yaml"),
)


def page_files(settings: Config, changes: Path, trained: Path, entries: Path) -> tuple[Path, Path, Path]:
    """The changes of slopes and in training, and the file that states the choices."""
    return changes, trained, entries


def write_ledger(settings: Config, files: tuple[Path, Path, Path], output: Path) -> Made:
    """Write the page of all open choices and what their alternatives change."""
    from dynparam.configuration.choices import load_open_choices
    from dynparam.experiments.open_choices import tables
    from dynparam.experiments.open_choices.page import page
    from dynparam.support.files import write_text
    from dynparam.support.tables import read_csv

    changes, trained, entries = files
    slopes, curves = read_csv(changes, tables.CHANGES), read_csv(trained, tables.TRAINED)
    write_text(output, page(load_open_choices(entries, settings), settings, slopes, curves))
    return Made([output])


def quoted_files(settings: Config) -> list[Path]:
    """The files that the findings are taken from."""
    return list(contents.quoted(settings))


def write_findings(settings: Config, files: list[Path], output: Path) -> Made:
    """Write the findings, their numbers filled in from finished tables and from the configuration."""
    from dynparam.report.findings import page
    from dynparam.support.files import write_text

    write_text(output, page(settings))
    return Made([output])


def write_summary(settings: Config, files: list[Path], output: Path) -> Made:
    """Write the summary of the findings in Japanese, for the thesis's author."""
    from dynparam.report.findings import page
    from dynparam.support.files import write_text

    write_text(output, page(settings, "ja"))
    return Made([output])


def write_sources(settings: Config, files: list[Path], output: Path) -> Made:
    """Judge what the thesis and the research report claim, claim by claim, as CSV, Markdown, HTML."""
    from dynparam.report import sources

    claims = sources.table(sources.all_claims(settings))
    return Made(sources.write(claims, output), said=f"{output}: {sources.summary(claims)}")


def overview_files(settings: Config, needs: Path) -> list[Path]:
    """The measured needs of all rules, then the files that decide claims."""
    return [needs, *quoted_files(settings)]


def write_companions(settings: Config, files: list[Path], output: Path, needs: Path) -> Made:
    """Write the overview of the companion experiments, and of the research report's claims."""
    from dynparam.cluster.requests import read_needs
    from dynparam.report.companions import overview
    from dynparam.support.files import write_text

    write_text(output, overview(settings, read_needs(needs)))
    return Made([output])


def companion_files(settings: Config, experiment: str, needs: Path) -> list[Path]:
    """The measured needs of all rules, then the files that decide the claims of one experiment."""
    own = contents.companion(experiment)
    return [needs, *own.quoted(settings, contents.files_of(settings))]


def write_companion(
    settings: Config, files: list[Path], output: Path, experiment: str, needs: Path
) -> Made:
    """Write the page of one companion experiment, filled in from its verdicts."""
    from dynparam.cluster.requests import read_needs
    from dynparam.report.companions import page
    from dynparam.support.files import write_text

    write_text(output, page(settings, experiment, read_needs(needs)))
    return Made([output])


def compared_files(settings: Config) -> list[Path]:
    """The figures' data and the pages of the run, with their sidecars."""
    from dynparam.report import published

    return published.compared_files(settings)


def compare_published(settings: Config, files: list[Path], output: Path) -> Made:
    """Compare the run's figures and pages with the published ones, as CSV, Markdown, HTML."""
    from dynparam.report import published

    table = published.compare(settings)
    details = {"published": published.published_hashes(settings)}
    return Made(published.write(table, output), details, said=published.summary(table))


def shown_files(settings: Config) -> list[Path]:
    """Every computed file that the report shows; captions and templates belong to the commit."""
    return [path for path, _ in contents.needed(settings)]


def assemble_report(settings: Config, files: list[Path], output: Path) -> Made:
    """Assemble the report, one HTML page that needs no network and no other file."""
    from dynparam.report.page import page
    from dynparam.support.files import write_text

    write_text(output, page(settings))
    return Made([output])


def export_crate(settings: Config, files: tuple[Path, ...], output: Path, root: Path) -> Made:
    """Export a finished run as an RO-Crate: figures, tables, sidecars, configuration, workflow."""
    from dynparam.provenance import crate

    pages = [shown.path for shown in contents.all_documents(settings)]
    run = crate.read_run(root.absolute(), settings.paths, pages)
    crate.write_crate(run, output)
    said = f"{output}: {sum(1 for _ in run.results())} files of {len(run.records)} stages"
    return Made([], said=said, recorded=False)


WRITE_LEDGER = Stage(
    "choices page",
    Config,
    write_ledger,
    page_files,
    (CHANGES, TRAINED, ENTRIES),
    jobs=whole(Config),
    examples=(
        "dynparam choices page results/open_choices/changes.csv results/open_choices/training.csv"
        " --output page.md",
    ),
)
WRITE_FINDINGS = Stage(
    "findings",
    Config,
    write_findings,
    quoted_files,
    jobs=whole(Config),
    examples=("dynparam findings --output findings.md",),
    remedy="snakemake --cores all findings",
    loads=FINDING,
)
WRITE_SUMMARY = Stage(
    "summary",
    Config,
    write_summary,
    quoted_files,
    jobs=whole(Config),
    examples=("dynparam summary --output findings.ja.md",),
    remedy="snakemake --cores all findings",
    loads=FINDING,
)
WRITE_SOURCES = Stage(
    "sources",
    Config,
    write_sources,
    quoted_files,
    jobs=whole(Config),
    examples=("dynparam sources --output sources.csv",),
    remedy="snakemake --cores all sources",
    loads=CLAIMING,
)
WRITE_COMPANIONS = Stage(
    "companions",
    Config,
    write_companions,
    overview_files,
    (NEEDS,),
    jobs=whole(Config),
    examples=("dynparam companions --output companions.md",),
    remedy="snakemake --cores all companions",
    loads=(*CLAIMING, *ANSWERING),
)
WRITE_COMPANION = Stage(
    "companion",
    Config,
    write_companion,
    companion_files,
    (COMPANION, NEEDS),
    jobs=whole(Config),
    examples=("dynparam companion sharpness --output sharpness.md",),
    remedy="snakemake --cores all companions",
    loads=(*CLAIMING, *ANSWERING),
)
COMPARE_PUBLISHED = Stage(
    "report published",
    Config,
    compare_published,
    compared_files,
    jobs=whole(Config),
    examples=("dynparam report published --output published.csv",),
    remedy="snakemake --cores all published",
)
ASSEMBLE = Stage(
    "report page",
    Config,
    assemble_report,
    shown_files,
    jobs=whole(Config),
    examples=("dynparam report page --output report.html",),
    remedy="snakemake --cores all report",
    loads=SHOWING,
)
EXPORT = Stage(
    "crate",
    Config,
    export_crate,
    parameters=(ROOT,),
    jobs=whole(Config),
    examples=("dynparam crate run.zip", "dynparam crate run --root ."),
)

EVERY: tuple[Stage[Any], ...] = (
    *DATA_STAGES,
    *TRAINING_STAGES,
    *ARMS_STAGES,
    *(stage for experiment in EXPERIMENTS for stage in experiment.stages),
    WRITE_LEDGER,
    WRITE_FINDINGS,
    WRITE_SUMMARY,
    WRITE_SOURCES,
    WRITE_COMPANIONS,
    WRITE_COMPANION,
    COMPARE_PUBLISHED,
    ASSEMBLE,
    EXPORT,
)

STAGES: Mapping[str, Stage[Any]] = {stage.name: stage for stage in EVERY}
"""Every stage of the workflow by its name."""
