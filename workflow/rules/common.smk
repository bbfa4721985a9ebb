# What the rules share: the validated configuration, file names, settings and code digests.

from snakemake.exceptions import WorkflowError
from snakemake.io import expand

from dynparam.config import Config
from dynparam.errors import DynparamError
from dynparam.files import require_writable
from dynparam.loading import build, merge, read
from dynparam.official import FOLDER, MEMBERS
from dynparam.stages import stage_digest

try:
    # Snakemake puts an overlay's keys before those of the file it overlays; merging anew keeps the
    # file's order, which is that of panels and table rows.
    CONFIG = build(Config, merge(read(THESIS), config), "configuration")
    for place in CONFIG.paths.all():
        require_writable(place)
except DynparamError as error:
    raise WorkflowError(str(error)) from None

DATA = CONFIG.paths.data
RESULTS = CONFIG.paths.results
PICTURES = CONFIG.paths.figures
LOGS = RESULTS / "logs"
BENCHMARKS = RESULTS / "benchmarks"

SOURCE = CONFIG.for_source().model_dump_json()

FIGURES = [*CONFIG.figures.architecture, *CONFIG.panels]
RAW = expand(f"{DATA}/raw/{FOLDER}/{{member}}", member=MEMBERS)
COMPARISON = expand(
    f"{RESULTS}/comparison/slopes.{{kind}}", kind=["csv", "md", "html", "json"]
)


wildcard_constraints:
    pair="|".join(CONFIG.data.pairs),
    curve="|".join(CONFIG.probe.curves),


def figure_files(figure):
    return expand(f"{PICTURES}/{figure}.{{kind}}", kind=["png", "pdf", "csv", "json"])


def probe_images(wildcards):
    """The images of the probe's trials: the drawn pair, or all of its classes' to redraw from."""
    kind = ".pool" if CONFIG.probe.subset == "redrawn" else ""
    return f"{DATA}/processed/{CONFIG.probe.pair}{kind}.npz"


def panels_of(kind):
    """A figure's results of one kind (probe, fits, expected), a file per panel."""
    return lambda wildcards: [
        f"{RESULTS}/{kind}/{curve}.csv" for curve in CONFIG.panels[wildcards.figure]
    ]
