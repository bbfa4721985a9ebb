"""The reduced workflow, killed at random moments and started again until it is done.

It must end with the bytes of a run in peace, and leave nothing behind. By hand, on the archive of
CIFAR-10 that ``DYNPARAM_CIFAR10_ARCHIVE`` names:

    python -m tests.workflow.kills --kills 10
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import yaml

from tests.workflow.sandbox import REPOSITORY, CifarData, Sandbox

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
COMPARED = (".csv", ".png", ".pdf", ".md", ".html")
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
        peaceful, killed = (_sandbox(Path(place) / name) for name in ("peaceful", "killed"))
        started = time.monotonic()
        _finish(peaceful)
        kills = _kill(killed, given.kills, given.seed, time.monotonic() - started)
        _finish(killed)
        differing = _differences(peaceful.root, killed.root)
        left = _leftovers(killed.root)
    told = ", ".join(f"{count} by {name}" for name, count in sorted(kills.items()))
    print(f"{kills.total()} kills ({told}); files that differ: {differing}; left over: {left}")
    raise SystemExit(1 if differing or left else 0)


def _sandbox(root: Path) -> Sandbox:
    reduced = yaml.safe_load((REPOSITORY / "config/reduced.yaml").read_text(encoding="utf-8"))
    places = {"data": "data", "results": "results", "figures": "figures"}
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


def _kill(sandbox: Sandbox, count: int, seed: int, seconds: float) -> Counter[str]:
    """Kill one process of the run, or all of them, at random moments; a run that ends is not counted."""
    draw, kills = random.Random(seed), Counter[str]()
    while kills.total() < count:
        running = _start(sandbox)
        time.sleep(draw.uniform(2, seconds / 3))
        processes = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
        how = draw.choice(SIGNALS)
        if running.poll() is None:
            for process in processes if draw.random() < 0.5 else [draw.choice(processes)]:
                process.send_signal(how)
            kills[how.name] += 1
        running.wait()
        for process in psutil.wait_procs(processes, timeout=60)[1]:
            process.kill()
    return kills


def _differences(first: Path, second: Path) -> list[str]:
    """Files of results and figures that are not the same bytes in both."""
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
        top in ("results", "figures")
        and path.suffix in COMPARED
        and path.name not in TOLD_APART
        and not any(part in (".runs", ".unfinished", "benchmarks", "logs") for part in path.parts)
    )


def _leftovers(root: Path) -> list[str]:
    """Locks, parts of files, checkpoints, states and logs of trials that nobody needs any more."""
    found = [
        path
        for place in ("results", "figures", "data")
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
