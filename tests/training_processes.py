"""Trainings in processes of their own, forked from a server that has torch loaded already.

A training can be held in one of its batches until the test lets it go on, so that no test depends on
which process is faster.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from dynparam.support import files as support_files
from dynparam.support.errors import DynparamError
from dynparam.support.tables import write_csv
from dynparam.training import run_files, runs
from dynparam.training.protocol import Stack
from dynparam.training.stack_run import Plan
from tests.fork_server import CONTEXT
from tests.training_runs import TASK, files_of, invented_pair, plan_of, run_stage

PATIENCE_SECONDS = 60
"""Nothing here takes a second on an idle machine; a test that waits so long has found a defect."""


def wait_for(condition: Callable[[], Any], what: str) -> None:
    """Return once something holds. Raises ``AssertionError`` with ``what`` if it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


@dataclass
class Training:
    """A process that trains, and the files it writes for the test."""

    root: Path
    name: str
    process: Any

    @property
    def table(self) -> Path:
        return self.root / f"{self.name}.csv"

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def told(self) -> str:
        """What it has said on standard error."""
        path = self.root / f"{self.name}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def batches(self) -> int:
        """How many batches it has trained."""
        path = self.root / f"{self.name}.batches"
        return len(path.read_bytes()) if path.exists() else 0

    def waits_in_its_batch(self) -> Training:
        """Return once it has come to the batch that it is held in."""
        reached = self.root / f"{self.name}.reached"
        wait_for(lambda: reached.exists() or not self.process.is_alive(), "it never comes to its batch")
        assert reached.exists(), self.told()
        return self

    def waits_for_another(self) -> Training:
        """Return once it has said that another process trains a run it wants."""
        wait_for(
            lambda: "trained elsewhere" in self.told() or not self.process.is_alive(), "it says nothing"
        )
        assert "trained elsewhere" in self.told(), self.told()
        return self

    def goes_on(self) -> Training:
        """Let it leave the batch that it is held in."""
        (self.root / f"{self.name}.go").touch()
        return self

    def signal(self, number: int) -> Training:
        os.kill(self.pid, number)
        return self

    def ended(self) -> int:
        """Its exit code; minus the signal's number if one killed it."""
        self.process.join(PATIENCE_SECONDS)
        assert self.process.exitcode is not None, f"{self.name} does not end: {self.told()}"
        return int(self.process.exitcode)

    def succeeded(self) -> bytes:
        """The bytes of its table of curves."""
        assert self.ended() == 0, self.told()
        return self.table.read_bytes()

    def end(self) -> None:
        """Kill it if it is still there, stopped or not."""
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self.pid).kill()
        self.process.join()


def start(
    root: Path,
    name: str,
    seeds: Sequence[int],
    *,
    held_in_batch: int = 0,
    stack_size: int = 1,
    checkpoint_epochs: int = 1,
    **changes: Any,
) -> Training:
    """Start a training of ``seeds`` on the runs below ``root``; ``changes`` are keys of the protocol."""
    files_of(root, run_stage(**changes))  # the images, before several processes want to write them
    given = (root, name, list(seeds), held_in_batch, stack_size, checkpoint_epochs, changes)
    process = CONTEXT.Process(target=train, args=given)
    process.start()
    return Training(root, name, process)


def train(
    root: Path,
    name: str,
    seeds: list[int],
    held_in_batch: int,
    stack_size: int,
    checkpoint_epochs: int,
    changes: dict[str, Any],
) -> None:
    """What a process of ``start`` does: train, write the table, exit as the command line does."""
    sys.stderr = (root / f"{name}.log").open("a", buffering=1, encoding="utf-8")
    _be_quick()
    Plan.stack_size = stack_size  # type: ignore[assignment, method-assign]
    _watch_batches(root, name, held_in_batch)
    stage = run_stage(**changes)
    plan = plan_of(stage, checkpoint_epochs=checkpoint_epochs)
    try:
        records = runs.train_seeds(plan, seeds, invented_pair(), files_of(root, stage))
    except DynparamError as error:
        print(f"dynparam: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    write_csv(runs.curve_table(TASK, "dynamic", records), root / f"{name}.csv")


def _be_quick() -> None:
    """As the fixture ``quick_runs`` of conftest.py, for good."""
    torch.set_num_threads(1)
    run_files.module_digest = lambda module: f"code of {module}"  # type: ignore[assignment]
    runs.git_state = lambda: {"commit": "abc", "dirty": False}  # type: ignore[assignment]
    runs.versions = lambda: {"torch": "2"}  # type: ignore[assignment]
    support_files._flush_to_disk = lambda path: None  # type: ignore[assignment]


def _watch_batches(root: Path, name: str, held_in: int) -> None:
    """Count the batches that are trained, and wait in one of them for the test."""
    original, count = Stack.train_batch, 0

    def train_batch(self: Stack, images: Any) -> Any:
        nonlocal count
        count += 1
        with (root / f"{name}.batches").open("ab") as file:
            file.write(b".")
        if count == held_in:
            (root / f"{name}.reached").touch()
            while not (root / f"{name}.go").exists():
                time.sleep(0.005)
        return original(self, images)

    Stack.train_batch = train_batch  # type: ignore[method-assign]
