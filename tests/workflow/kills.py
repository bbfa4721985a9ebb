"""The reduced workflow, killed at random moments and started again until it is done.

It must end with the bytes of a run in peace, and leave nothing behind. By hand, on the archive of
CIFAR-10 that ``DYNPARAM_CIFAR10_ARCHIVE`` names:

    python -m tests.workflow.kills --kills 10
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import yaml

from tests.workflow.sandbox import REPOSITORY, CifarData, Sandbox

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
COMPARED = (".csv", ".png", ".svg", ".pdf", ".md", ".html")
ARCHIVE = "DYNPARAM_CIFAR10_ARCHIVE"
# What tells when, where or in how many pieces it was made, and so differs between any two runs.
TOLD_APART = ("report.html", "findings.md")


def main() -> None:
    """Compare a run in peace with one that is killed; exits with 1 if they differ."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        peaceful, started = _sandbox(Path(place) / "peaceful"), time.monotonic()
        _finish(peaceful)
        seconds = time.monotonic() - started
        draw, kills, wrong, runs = random.Random(given.seed), Counter[str](), list[str](), 0
        while kills.total() < given.kills:
            killed, runs = _sandbox(Path(place) / f"killed{runs}"), runs + 1
            kills += _killed_run(killed, given.kills - kills.total(), draw, seconds)
            wrong += _differences(peaceful.root, killed.root) + _leftovers(killed.root)
            shutil.rmtree(killed.root)
    told = ", ".join(f"{count} by {name}" for name, count in sorted(kills.items()))
    print(f"{runs} runs, {kills.total()} kills ({told}); files that differ or are left over: {wrong}")
    raise SystemExit(1 if wrong else 0)


def _sandbox(root: Path) -> Sandbox:
    reduced = yaml.safe_load((REPOSITORY / "config/reduced.yaml").read_text(encoding="utf-8"))
    places = {"data": "data", "results": "results", "figures": "results/figures"}
    data = CifarData({ARCHIVE: os.environ[ARCHIVE]}, {"paths": places})
    return Sandbox.create(root, data, {k: v for k, v in reduced.items() if k != "paths"})


def _start(sandbox: Sandbox) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        sandbox.command("--cores", "2", "--rerun-incomplete", "--nolock"),
        cwd=sandbox.root,
        env=sandbox.environment(),
        stdout=subprocess.DEVNULL,
        stderr=(sandbox.root / "snakemake.log").open("ab"),
        start_new_session=True,
    )


def _finish(sandbox: Sandbox) -> None:
    if _start(sandbox).wait():
        raise SystemExit((sandbox.root / "snakemake.log").read_text(encoding="utf-8")[-3000:])


def _killed_run(sandbox: Sandbox, most: int, draw: random.Random, seconds: float) -> Counter[str]:
    """Run to the end, killed at random moments at most so often, where peace takes so many seconds."""
    kills = Counter[str]()
    while kills.total() < most:
        running = _start(sandbox)
        if _ends_within(running, draw.uniform(2, seconds / 3)):
            break
        processes = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
        how = draw.choice(SIGNALS)
        for process in processes if draw.random() < 0.5 else [draw.choice(processes)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(how)
        kills[how.name] += 1
        running.wait()
        for process in psutil.wait_procs(processes, timeout=60)[1]:
            process.kill()
    _finish(sandbox)
    return kills


def _ends_within(running: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        return running.wait(seconds) is not None
    except subprocess.TimeoutExpired:
        return False


def _differences(first: Path, second: Path) -> list[str]:
    """Files of results that are not the same bytes in both."""
    found = [
        {path.relative_to(root): path for path in root.rglob("*") if _is_compared(path, root)}
        for root in (first, second)
    ]
    names = set(found[0]) ^ set(found[1])
    names |= {
        name
        for name in set(found[0]) & set(found[1])
        if found[0][name].read_bytes() != found[1][name].read_bytes()
    }
    return sorted(map(str, names))


def _is_compared(path: Path, root: Path) -> bool:
    top = path.relative_to(root).parts[0]
    return (
        top == "results"
        and path.suffix in COMPARED
        and path.name not in TOLD_APART
        and not any(part in (".runs", ".unfinished", "benchmarks", "logs") for part in path.parts)
    )


def _leftovers(root: Path) -> list[str]:
    """Locks, parts of files, checkpoints, states and logs of trials that nobody needs any more."""
    found = [
        path
        for place in ("results", "data")
        for path in (root / place).rglob("*")
        if path.is_file()
        and (
            path.name.startswith(".")
            or path.suffix in (".lock", ".safetensors", ".status", ".part", ".jsonl")
        )
    ]
    return sorted(str(path.relative_to(root)) for path in found)


if __name__ == "__main__":
    main()
