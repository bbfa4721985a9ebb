# What the rules share: the validated configuration, file names, settings and code digests.

from snakemake.exceptions import WorkflowError
from snakemake.io import expand

import shlex
import shutil
from pathlib import Path

from dynparam.cluster.requests import read_needs
from dynparam.configuration.config import Config
from dynparam.configuration.loading import build
from dynparam.data.official import FOLDER, MEMBERS
from dynparam.data.settings import for_pair, for_source
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.provenance.kept_digests import PLACE, kept_digests
from dynparam.report.contents import SOURCES, all_tables, table_caption
from dynparam.report.ending import ending
from dynparam.report.stages import STAGES
from dynparam.settings.reading import merge, read
from dynparam.support.errors import DynparamError
from dynparam.support.files import require_writable
from dynparam.training.curve_record import content
from dynparam.training.seeds import archived_seeds, parse_seeds, shards
from dynparam.training.settings import all_runs, for_audit, for_collection, for_run

try:
    # Snakemake takes the last of two equal keys, and 010 for 8, in silence.
    for path in workflow.overwrite_configfiles:
        if Path(path).suffix != ".json":
            read(path)
    # Snakemake puts an overlay's keys before those of the file it overlays; merging anew keeps the
    # file's order, which is that of panels and table rows.
    CONFIG = build(Config, merge(read(THESIS), config), "configuration")
    for place in CONFIG.paths.all():
        require_writable(place)
    NEEDS = read_needs("workflow/resources.yaml")
    DIGESTS = kept_digests(STAGES.values(), PLACE)
except DynparamError as error:
    raise WorkflowError(str(error)) from None

DATA = CONFIG.paths.data
RESULTS = CONFIG.paths.results
PICTURES = CONFIG.paths.figures
LOGS = RESULTS / "logs"
BENCHMARKS = RESULTS / "benchmarks"

SOURCE = for_source(CONFIG).model_dump_json()

RUNS = all_runs(CONFIG)
# Checkpoints and records of runs: not an output, so that Snakemake never deletes them.
RUNS_DIRECTORY = RESULTS / "training" / ".runs"
# A job that may use a GPU asks for one, so that a profile can say how many there are.
GPU = int(
    CONFIG.jobs.training_device == "cuda"
    or (
        CONFIG.jobs.training_device == "auto" and shutil.which("nvidia-smi") is not None
    )
)

RAW = expand(f"{DATA}/raw/{FOLDER}/{{member}}", member=MEMBERS)

# Every figure and table of every experiment, by name: nothing here knows one of them.
FIGURES = {
    shown.name: shown
    for experiment in EXPERIMENTS
    for shown in experiment.figures(CONFIG)
}
TABLES = {table.place: table for table in all_tables()}
TABLE_CAPTIONS = {table.place: str(table_caption(table)) for table in all_tables()}
DOCUMENTS = [
    shown for experiment in EXPERIMENTS for shown in experiment.documents(CONFIG)
]


wildcard_constraints:
    pair="|".join(CONFIG.data.pairs),
    curve="|".join(CONFIG.probe.curves),
    task="|".join(CONFIG.data.pairs),
    network=r"\d+-\d+(\.draw-\d+)?",
    draw=r"(\.draw-\d+)?",
    parametrization="|".join(CONFIG.training.parametrizations),
    seeds=r"\d+-\d+",


def needs(rule):
    """The memory (MB) and time (minutes) that a job of the rule asks for, more at each attempt."""
    NEEDS.of(rule)
    return {
        "mem_mb": lambda wildcards, attempt: NEEDS.mem_mb(rule, attempt),
        "runtime": lambda wildcards, attempt: NEEDS.minutes(rule, attempt),
    }


def training_needs(rule):
    """The same for a rule that trains, by its network and seeds; and a GPU, if there is one."""
    stack = CONFIG.jobs.seeds_at_once if GPU else 1

    def mem_mb(wildcards, attempt):
        run = for_run(CONFIG, wildcards.task, wildcards.network)
        return NEEDS.training_mem_mb(rule, run, stack, attempt)

    def runtime(wildcards, attempt):
        run = for_run(CONFIG, wildcards.task, wildcards.network)
        seeds = len(parse_seeds(wildcards.get("seeds", "0")))
        return NEEDS.training_minutes(rule, run, seeds, attempt)

    return {"mem_mb": mem_mb, "runtime": runtime, "gpu": GPU}


def code(stage):
    """The digest of all code that a stage can reach."""
    return DIGESTS[stage]


def any_of(names):
    """A wildcard's constraint: one of some names; what no file is called if there are none."""
    return "|".join(names) or "none"


def results(pattern, **wildcards):
    """Files below the directory of results."""
    return expand(f"{RESULTS}/{pattern}", **wildcards)


def figure_files(figure):
    return expand(
        f"{PICTURES}/{figure}.{{kind}}", kind=["png", "svg", "pdf", "csv", "json"]
    )


def table_files(place):
    return [f"{RESULTS}/{place}.{kind}" for kind in TABLES[place].kinds]


def caption_of(wildcards):
    """A figure's caption: Snakemake's own report fills no wildcards into the name of a caption's file."""
    path = caption_file(wildcards.figure)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def caption_file(name):
    """The file of a figure's caption."""
    found = [experiment.caption(name) for experiment in EXPERIMENTS]
    return next((path for path in found if path.exists()), found[0])


def picture(figure="{figure}", caption="../report/figure.j2"):
    """A figure's picture, marked for Snakemake's own report (``snakemake --report``)."""
    return report(f"{PICTURES}/{figure}.png", caption=caption, category="Figures")


def marked_table(place):
    """A table's files, its page marked for Snakemake's own report."""
    files, caption = table_files(place), TABLE_CAPTIONS[place]
    page = next((path for path in files if path.endswith(".html")), files[0])
    marked = report(page, caption=caption, category="Tables")
    return [marked if path == page else path for path in files]


def draw_number(wildcards):
    """Which draw of a pair's images a file holds: 0 unless its name says another."""
    return int(wildcards.get("draw", "").rpartition("-")[2] or 0)


def probe_images(wildcards):
    """The images of the probe's trials: the drawn pair, or all of its classes' to redraw from."""
    kind = ".pool" if CONFIG.probe.subset == "redrawn" else ""
    return f"{DATA}/processed/{CONFIG.probe.pair}{kind}.npz"


def results_of(figure):
    """The results that a figure is drawn from."""
    return [f"{RESULTS}/{path}" for path in FIGURES[figure].results]


def targets():
    """The files of every target: its figure, its tables, its documents."""
    found = {name: figure_files(name) for name in FIGURES}
    for place, table in TABLES.items():
        found.setdefault(table.target, []).extend(table_files(place))
    for shown in DOCUMENTS:
        found.setdefault(shown.target, []).append(shown.path)
    return found


TARGETS = targets()


def drawn_from(wildcards):
    """The input of a rule that draws a figure."""
    return results_of(wildcards.figure)


def run_settings(run):
    """The blocks that runs of a task (wildcards, or a Run) depend on, as JSON text."""
    return for_run(CONFIG, run.task, run.network).model_dump_json()


def runs_of(wildcards):
    """The runs of a network on a task, one under each parametrization."""
    place = (wildcards.task, wildcards.network)
    found = [run for run in RUNS.values() if (run.task, run.network) == place]
    if not found:
        raise WorkflowError(
            f"{wildcards.network} is neither the network of protocol nor one of domain.networks"
        )
    return found


def run_of(wildcards):
    """The Run of these wildcards."""
    (run,) = [
        run
        for run in runs_of(wildcards)
        if run.parametrization == wildcards.parametrization
    ]
    return run


def run_images(wildcards):
    """The images that the runs of a network are trained on."""
    return f"{DATA}/processed/{runs_of(wildcards)[0].images}.npz"


def shard_files(run, seeds):
    """The tables that training ``seeds`` of a run writes."""
    names = shards(seeds, CONFIG.training.seeds_per_job)
    return [f"{RESULTS}/training/shards/{run.place}/{name}.csv" for name in names]


def archive_path(run):
    """Where curves of a run (wildcards, or a Run) are archived."""
    return (
        CONFIG.training.archive / run.task / run.network / f"{run.parametrization}.csv"
    )


def archived_files(run):
    """The archived curves of a run and their sidecar, those that exist: a job names a missing one."""
    path = archive_path(run)
    return [str(file) for file in (path, path.with_suffix(".json")) if file.exists()]


def archive_content(run):
    """What archived curves hold: a table that replaces them repeats their audit, whatever its time."""
    return content(archive_path(run))


def collected_settings(run):
    """The blocks that collected curves depend on, as JSON text."""
    return for_collection(CONFIG, run.task, run.network).model_dump_json()


def collected_content(run):
    """What the archive holds, if curves are collected from it."""
    return "" if CONFIG.training.reuse == "none" else archive_content(run)


def curve_sources(wildcards):
    """Where a run's curves come from: its shards, or the archive and its audit."""
    run = RUNS[wildcards.run]
    images = f"{DATA}/processed/{run.images}.npz"
    if CONFIG.training.reuse == "none":
        return {"curves": shard_files(run, run.seeds), "images": images}
    return {
        "archive": archived_files(run),
        "images": images,
        "audit": f"{RESULTS}/audit/{run.place}.json",
    }


def curve_arguments(wildcards, input):
    """The tables to collect, and the audit they need if they are archived."""
    if CONFIG.training.reuse == "none":
        return shlex.join(input.curves)
    return shlex.join([str(archive_path(RUNS[wildcards.run])), "--audit", input.audit])


def missing_shards(wildcards):
    """The tables of the seeds that the archive lacks."""
    run = run_of(wildcards)
    present = archived_seeds(archive_path(wildcards))
    return shard_files(run, set(run.seeds) - set(present))
