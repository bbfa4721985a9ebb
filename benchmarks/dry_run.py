"""Time a dry run of the whole workflow against one of an empty workflow, side by side.

    python -m benchmarks.dry_run
    python -m benchmarks.dry_run --quick     one run of each, of the reduced configuration

What an empty workflow takes is Snakemake's own start, the least that any can take. Runs alternate. The
first of the whole workflow works out the digests of all code; the others find them kept.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import record
from benchmarks.record import ROOT

RESULTS = Path(__file__).with_name("dry_run.json")
RUNS = 5
READ = ("Snakefile", "workflow", "profiles", "config", "src", "results/archive")
SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def main() -> None:
    """Run the benchmark, print its numbers and write them to ``dry_run.json``."""
    arguments = record.parser("Time a dry run.", RESULTS).parse_args()
    with TemporaryDirectory() as place:
        taken = time_runs(Path(place), 1 if arguments.quick else RUNS, quick=arguments.quick)
    print(taken)
    record.write(arguments.output, "dry_run", taken)


def time_runs(place: Path, runs: int, *, quick: bool) -> dict[str, float | int]:
    """Processor seconds of dry runs in ``place``: medians, and the ratio of the whole to the empty."""
    whole, empty = place / "whole", place / "empty"
    for folder in (whole, empty):
        folder.mkdir()
    (empty / "Snakefile").write_text("rule all:\n")
    (whole / "results").mkdir()
    for name in READ:
        (whole / name).symlink_to(ROOT / name)
    overlay = ["--configfile", "config/reduced.yaml"] if quick else []
    first = dry_run(whole, *overlay)
    pairs = [(dry_run(whole, *overlay), dry_run(empty)) for _ in range(runs)]
    again, least = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    return {
        "runs": runs,
        "first (s)": first,
        "again (s)": again,
        "empty workflow (s)": least,
        "ratio": again / least,
    }


def dry_run(folder: Path, *options: str) -> float:
    """Processor seconds of ``snakemake -n`` in a directory."""
    before = _of_children()
    subprocess.run([SNAKEMAKE, "-n", *options], cwd=folder, capture_output=True, check=True)
    return _of_children() - before


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
