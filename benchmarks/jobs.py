"""Time the workflow's longest jobs with the code of an earlier commit and with today's, side by side.

    python -m benchmarks.jobs --before 4832a02                2 rounds
    python -m benchmarks.jobs --before 4832a02 --rounds 5     more
    python -m benchmarks.jobs --before HEAD --quick           one short job, to see whether it runs

Every job is the command that the workflow runs, word for word, in a folder of its own: with the earlier
code, then with today's, round by round. Seconds are those of all processors; memory is the most that
the process ever held. Needs the images of a finished run.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import record
from benchmarks.dry_run import READ, SNAKEMAKE
from benchmarks.record import ROOT

RESULTS = Path(__file__).with_name("jobs.json")
JOBS = (
    "probe_orders/spectral_equal",
    "probe_orders/spectral_square_root",
    "probe_law/wide/fig3_3_dynamic",
    "measure_choice/per_image-law",
    "sweep_r/n_min",
    "measure_delays/series_1",
)
"""Of each kind of job that the law engines decide, one; named as its log is."""

QUICK = ("probe_law/wide/fig3_3_dynamic",)
LOG = re.compile(r"> \S+/logs/(\S+)\.log 2>&1")
WRITTEN = re.compile(r"(?:--output|>) (\S+)")


@dataclass(frozen=True)
class Used:
    """What a job used: processor seconds, and peak memory in GiB, of which this process is the least."""

    seconds: float
    gib: float


def main() -> None:
    """Run the benchmark, print its numbers and write them to ``jobs.json``."""
    parser = record.parser("Time the workflow's longest jobs.", RESULTS)
    parser.add_argument("--before", required=True, help="the earlier commit")
    parser.add_argument("--rounds", type=int, default=2, help="times that a job runs with either code")
    arguments = parser.parse_args()
    names, rounds = (QUICK, 1) if arguments.quick else (JOBS, arguments.rounds)
    with TemporaryDirectory() as place:
        old = Path(place) / "code"
        git("worktree", "add", "--detach", str(old), arguments.before)
        try:
            rows = compare(Path(place), old, names, rounds, quick=arguments.quick)
        finally:
            git("worktree", "remove", "--force", str(old))
    for row in rows:
        print(row)
    tables = {"before": git("rev-parse", arguments.before), "rounds": rounds, "jobs": rows}
    record.write(arguments.output, f"jobs --before {arguments.before}", tables)


def compare(
    place: Path, old: Path, names: Iterable[str], rounds: int, *, quick: bool
) -> list[dict[str, str | float]]:
    """A row for each job: medians over rounds with either code, and their ratio."""
    folder = workplace(place)
    commands = planned(folder, ["--configfile", "config/reduced.yaml"] if quick else [])
    rows: list[dict[str, str | float]] = []
    for name in names:
        pairs = [
            (run(folder, commands[name], old), run(folder, commands[name], ROOT)) for _ in range(rounds)
        ]
        before, after = (statistics.median(u.seconds for u in used) for used in zip(*pairs, strict=True))
        memory = [max(used.gib for used in side) for side in zip(*pairs, strict=True)]
        rows.append(
            {
                "job": name,
                "before (s)": before,
                "after (s)": after,
                "ratio": after / before,
                "memory before (GiB)": memory[0],
                "memory after (GiB)": memory[1],
            }
        )
    return rows


def workplace(place: Path) -> Path:
    """A folder in which the workflow is as in a fresh clone that has the images."""
    folder = place / "run"
    (folder / "results").mkdir(parents=True)
    for name in (*READ, "data"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def planned(folder: Path, options: list[str]) -> dict[str, str]:
    """The commands of all jobs of the workflow, by the names of their logs."""
    told = subprocess.run(
        [SNAKEMAKE, "--cores", "1", "-n", "-p", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (line.split("Shell command: ", 1) for line in told.stdout.splitlines())
    commands = [parts[1] for parts in lines if len(parts) == 2]
    return {found[1]: command for command in commands if (found := LOG.search(command))}


def run(folder: Path, command: str, code: Path) -> Used:
    """One job with the code of a checkout, from no finished trial."""
    *outputs, log = WRITTEN.findall(command)
    for name in (*outputs, log):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(code / "src"),
        "PATH": f"{SNAKEMAKE.parent}{os.pathsep}{os.environ['PATH']}",
    }
    process = subprocess.Popen(["bash", "-c", command], cwd=folder, env=environment)
    _, status, used = os.wait4(process.pid, 0)  # Popen's own wait tells nothing of memory
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit((folder / log).read_text())
    return Used(used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)


def git(*words: str) -> str:
    """What git says in the repository."""
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
