"""The workflow on a real Slurm, as docs/cluster.md says: submitted, routed, cancelled, resumed.

Seen with ``scontrol show job``, as this Slurm keeps no accounts; it declares memory and enforces none.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from tests.slurm import slurm
from tests.training_runs import run_files
from tests.workflow.sandbox import PAIR, SMALL, Sandbox

PATIENCE_SECONDS = 400
OPTIONS = (
    "--workflow-profile",
    "workflow/profiles/slurm",
    # A node of its own answers at once.
    "--slurm-init-seconds-before-status-checks",
    "2",
    # No GPU is here to train on; Slurm believes in one.
    "--set-resources",
    "train_seeds:gpu=1",
)

pytestmark = pytest.mark.skipif(slurm.obstacle() is not None, reason=f"no Slurm: {slurm.obstacle()}")


@pytest.fixture(scope="module")
def cluster() -> Iterator[slurm.Slurm]:
    with slurm.running(cpus=4) as running:
        yield running


def submit(sandbox: Sandbox, *targets: str) -> subprocess.Popen[bytes]:
    """``snakemake`` with the profile, started; its words go to snakemake.log."""
    with (sandbox.root / "snakemake.log").open("wb") as log:
        return subprocess.Popen(
            sandbox.command(*targets, *OPTIONS),
            cwd=sandbox.root,
            env=sandbox.environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def finish(sandbox: Sandbox, running: subprocess.Popen[bytes]) -> None:
    """Wait for success; whatever happens, nothing is left running."""
    try:
        code = running.wait(timeout=PATIENCE_SECONDS)
    finally:
        running.kill()
        running.wait()
    assert code == 0, (sandbox.root / "snakemake.log").read_text()


def wait_for(condition: Callable[[], bool], what: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert running.poll() is None, "snakemake has ended"
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def jobs_of(cluster: slurm.Slurm, sandbox: Sandbox) -> list[dict[str, str]]:
    """The jobs that this sandbox submitted, in order."""
    jobs = cluster.jobs()
    return [jobs[key] for key in sorted(jobs, key=int) if jobs[key]["WorkDir"] == str(sandbox.root)]


def test_figures_go_through_sbatch(cluster, invented, tmp_path):
    """Figs. 3.3 and 3.4 at small widths: 13 jobs in 7 submissions, 3 more on this side."""
    sandbox = Sandbox.create(tmp_path / "repository", invented)
    finish(sandbox, submit(sandbox, "fig3_3", "fig3_4"))
    figures = sandbox.root / "results/figures"
    assert {path.name for path in figures.glob("*.png")} == {"fig3_3.png", "fig3_4.png"}

    jobs = {job["Comment"].removeprefix("rule_"): job for job in jobs_of(cluster, sandbox)}
    trainings = {name for name in jobs if name.startswith("train_seeds")}
    groups = {name.split("_")[0] for name in jobs.keys() - trainings}
    assert groups == {"images", "probe", "theory", "curves", "pages"}
    assert len(jobs) == 7
    for name, job in jobs.items():
        assert job["JobState"] == "COMPLETED", job
        asks_for_gpu = name in trainings
        assert job["Partition"] == (slurm.GPU_PARTITION if asks_for_gpu else slurm.CPU_PARTITION)
        assert job.get("TresPerJob") == ("gres:gpu:1" if asks_for_gpu else None)


EPOCHS = 300
SHARD = f"results/training/shards/{PAIR}/300-8/dynamic/0-0.csv"
LONG: dict[str, Any] = {
    **SMALL,
    "protocol": {**SMALL["protocol"], "n": 300, "n_min": 8, "batch_size": 2, "epochs": EPOCHS},
    # No checkpoint but that of a signal.
    "training": {**SMALL["training"], "seeds_per_job": 1, "checkpoint_epochs": 10 * EPOCHS},
}


def run_file(sandbox: Sandbox, suffix: str) -> Path | None:
    """The checkpoint, status or record of the only run."""
    found = run_files(sandbox.root / "results/training/.runs", f"seed-0000.{suffix}")
    return found[0] if found else None


def status(sandbox: Sandbox) -> dict[str, Any]:
    """What the run says of itself; nothing before it began, or in the moment of a change."""
    try:
        return json.loads(run_file(sandbox, "status").read_text())
    except (AttributeError, OSError, ValueError):
        return {}


def state(sandbox: Sandbox) -> str | None:
    return status(sandbox).get("state")


def saved_epoch(sandbox: Sandbox) -> int:
    """The epochs behind the checkpoint."""
    with safe_open(run_file(sandbox, "safetensors"), framework="pt") as file:
        return json.loads(file.metadata()["place"])["epoch"]


def minutes(limit: str) -> int:
    """A time limit of Slurm, hours:minutes:seconds."""
    hours, rest, _ = limit.split(":")
    return 60 * int(hours) + int(rest)


def test_a_cancelled_training_resumes_with_more_time_and_gives_the_same_bytes(cluster, extracted):
    """It saves what it has, is sent again by Snakemake, and goes on from there."""
    extracted.write_overlay(LONG)
    running = submit(extracted, SHARD)
    try:
        wait_for(lambda: status(extracted).get("epoch", 0) >= 2, "no epochs are trained", running)
        (cancelled,) = jobs_of(cluster, extracted)
        cluster.ask("scancel", cancelled["JobId"])
        wait_for(lambda: state(extracted) == "interrupted", "it does not end", running)
        stopped, saved = status(extracted), saved_epoch(extracted)
        wait_for(lambda: state(extracted) == "running", "it is not sent again", running)
        resumed = status(extracted)
    except BaseException:
        running.kill()
        raise
    finish(extracted, running)

    assert stopped["message"].startswith(f"SIGTERM in epoch {saved + 1} of seeds [0]; all is saved")
    assert 2 <= saved < EPOCHS
    assert resumed["epoch"] > saved, "no epoch is trained twice"
    first, second = jobs_of(cluster, extracted)
    assert (first["JobState"], second["JobState"]) == ("CANCELLED", "COMPLETED")
    assert minutes(second["TimeLimit"]) == 2 * minutes(first["TimeLimit"])
    assert int(second["MinMemoryNode"][:-1]) == 2 * int(first["MinMemoryNode"][:-1])
    assert run_file(extracted, "safetensors") is None

    table = (extracted.root / SHARD).read_bytes()
    shutil.rmtree(extracted.root / "results/training")
    extracted.make(SHARD)
    assert (extracted.root / SHARD).read_bytes() == table
