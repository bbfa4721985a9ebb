"""A run that is killed, by itself or with everything around it, and started again."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.training_runs import run_files
from tests.workflow.sandbox import BIN, PAIR, SMALL, Sandbox

CURVE = "fig3_3_dynamic"
RESULT = f"results/probe/{CURVE}.csv"
PATIENCE_SECONDS = 120
NETWORKS = {"smallest": 100, "largest": 2000, "count": 2}
TRIALS = 80  # of a few milliseconds at n = 100, tens at n = 2000: time enough to be interrupted twice


@pytest.fixture
def sandbox(extracted: Sandbox) -> Sandbox:
    probe = {**SMALL["probe"], "widths": NETWORKS, "trials": TRIALS}
    extracted.write_overlay({**SMALL, "probe": probe})
    return extracted


def trial_lines(sandbox: Sandbox) -> list[str]:
    """The finished trials of the interrupted job; a line without its end is not finished."""
    logs = list((sandbox.root / "results/probe/.unfinished").glob("*.jsonl"))
    assert len(logs) <= 1, "a job must take up its own trials"
    text = logs[0].read_text() if logs else ""
    return text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]


def start_and_wait_for(sandbox: Sandbox, lines: int) -> subprocess.Popen[bytes]:
    """Start the probe's job; return while it measures, when that many trials are finished."""
    log = (sandbox.root / "snakemake.log").open("wb")
    with log:
        running = subprocess.Popen(
            sandbox.command(RESULT, "--cores", "2"),
            cwd=sandbox.root,
            env=sandbox.environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(trial_lines(sandbox)) < lines:
        assert running.poll() is None, (sandbox.root / "snakemake.log").read_text()
        assert time.monotonic() < deadline, "the probe finishes no trials"
        time.sleep(0.005)
    return running


def descendants(running: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(running.pid).children(recursive=True)


def is_probe(process: psutil.Process) -> bool:
    arguments = process.cmdline()
    return any(Path(argument).name == "dynparam" for argument in arguments[:2]) and (
        "probe" in arguments
    )


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)


def test_killed_twice_it_resumes_and_gives_the_same_bytes(sandbox):
    job_killed = start_and_wait_for(sandbox, TRIALS // 2)
    kill([process for process in descendants(job_killed) if is_probe(process)])
    assert job_killed.wait(timeout=PATIENCE_SECONDS) != 0
    first = trial_lines(sandbox)
    assert TRIALS // 2 <= len(first) < 2 * TRIALS
    assert not (sandbox.root / RESULT).exists()

    all_killed = start_and_wait_for(sandbox, len(first) + TRIALS // 4)
    everything = [psutil.Process(all_killed.pid), *descendants(all_killed)]
    assert any(map(is_probe, everything))
    kill(everything)
    all_killed.wait(timeout=PATIENCE_SECONDS)
    second = trial_lines(sandbox)
    assert second[: len(first)] == first
    assert len(first) < len(second) < 2 * TRIALS
    trials = [tuple(json.loads(line)["content"][:2]) for line in second]
    assert len(set(trials)) == len(trials)

    assert sandbox.snakemake("--unlock").code == 0
    sandbox.make(RESULT)
    resumed = (sandbox.root / RESULT).read_bytes()
    assert list((sandbox.root / "results/probe/.unfinished").glob("*")) == []

    sandbox.make(RESULT, "--force")
    assert (sandbox.root / RESULT).read_bytes() == resumed
    assert list((sandbox.root / "results/probe/.unfinished").glob("*")) == []


RUNS = "results/training/.runs"
SHARD = f"results/training/shards/{PAIR}/40-8/dynamic/0-0.csv"
TRAINING = {
    **SMALL,
    "protocol": {**SMALL["protocol"], "epochs": 100},
    "training": {**SMALL["training"], "seeds_per_job": 1},
}


def wait_until(condition, running: subprocess.Popen[bytes], what: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert running.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"{what}: {log.read_text()}"
        time.sleep(0.005)


@contextmanager
def started(
    sandbox: Sandbox, command: Sequence[str | Path], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is killed with all below it if the test fails: else it would wait for ever."""
    with log.open("ab") as told:
        process = subprocess.Popen(
            command, cwd=sandbox.root, env=sandbox.environment(), stdout=told, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            kill([psutil.Process(process.pid), *descendants(process)])
        process.wait(timeout=PATIENCE_SECONDS)


def test_a_process_of_a_test_that_fails_is_killed(untouched):
    """With what it has started, also if it stands still."""
    begun = []

    def failing() -> None:
        with started(untouched, ("sh", "-c", "sleep 1000 & wait"), untouched.root / "log") as process:
            wait_until(
                lambda: descendants(process), process, "it starts nothing", untouched.root / "log"
            )
            begun.extend([psutil.Process(process.pid), *descendants(process)])
            process.send_signal(signal.SIGSTOP)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert len(begun) == 2
    assert not any(process.is_running() for process in begun)


def test_the_workflow_waits_for_a_training_by_hand_and_goes_on_when_that_is_killed(extracted):
    """Both train the same run in the same directory, as they do by default."""
    extracted.write_overlay(TRAINING)
    log, runs = extracted.root / "both.log", extracted.root / RUNS
    job_log = (extracted.root / SHARD.replace("training/shards", "logs/train_seeds")).with_suffix(".log")
    configuration = ("--config", "config/thesis.yaml", "--config", "overlay.yaml")
    by_hand = ("train", PAIR, "dynamic", "--output", "by_hand.csv", "--threads", "1", *configuration)
    with started(extracted, (BIN / "dynparam", *by_hand), log) as first:
        wait_until(lambda: run_files(runs, "*.safetensors"), first, "it trains nothing", log)
        first.send_signal(signal.SIGSTOP)
        assert not (extracted.root / "by_hand.csv").exists()
        with started(extracted, extracted.command(SHARD, "--cores", "1"), log) as second:
            said = f"being trained elsewhere: seed 0 (process {first.pid} on "
            wait_until(
                lambda: job_log.exists() and said in job_log.read_text(),
                second,
                "it does not wait",
                log,
            )
            assert "seed 0: running, epoch " in extracted.dynparam("status").stdout
            first.kill()
            assert second.wait(timeout=PATIENCE_SECONDS) == 0, log.read_text()
    assert [path.name for path in run_files(runs)] == ["seed-0000.json"]
    shared = (extracted.root / SHARD).read_bytes()

    # By hand again, without any of that.
    assert extracted.dynparam(*by_hand[:-4], "--runs", "others").code == 0
    assert (extracted.root / "by_hand.csv").read_bytes() == shared
