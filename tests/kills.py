"""``dynparam train``, killed at random moments and started again until it is done.

It must end with the bytes of a training in peace, and leave nothing behind. Many kills, by hand:

    python -m tests.kills --kills 50
    python -m tests.kills --kills 50 --at-once 3 --seed 7
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynparam.cli import main as command_line
from dynparam.support.locks import is_held
from dynparam.training.run_files import statuses
from tests.training_processes import CONTEXT, PATIENCE_SECONDS, wait_for
from tests.training_runs import TASK, run_files, run_values, write_pair

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SEEDS = (0, 1)
CHANGES = {"epochs": 12, "training_loss": "running"}


@dataclass(frozen=True)
class Outcome:
    """What happened.

    Attributes:
        kills: how many processes each signal ended.
        trainings: how many came to their end.
    """

    kills: Counter[str]
    trainings: int

    def __str__(self) -> str:
        kills = ", ".join(f"{count} by {name}" for name, count in sorted(self.kills.items()))
        return f"{self.kills.total()} kills ({kills}), {self.trainings} trainings ended, all as in peace"


class _Kills:
    """The state of one ``kill_again_and_again``."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.random = root, random.Random(seed)
        write_pair(root / "pair.npz")
        self.kills: Counter[str] = Counter()
        self.trainings = 0
        started = time.monotonic()
        process = self.start(root / "whole", 0)
        self.until_it_trains(root / "whole", process)
        begun = time.monotonic()
        assert self.code(process) == 0, said(root / "whole")
        self.before, self.whole = begun - started, time.monotonic() - begun
        self.expected = (root / "whole" / "curves-0.csv").read_bytes()

    def start(self, place: Path, number: int) -> Any:
        place.mkdir(exist_ok=True)
        process = CONTEXT.Process(target=train, args=(self.root, place, number))
        process.start()
        return process

    def code(self, process: Any) -> int:
        process.join(PATIENCE_SECONDS)
        assert process.exitcode is not None, "it does not end"
        return int(process.exitcode)

    def until_it_trains(self, place: Path, process: Any) -> None:
        """Return once files of runs change, or it ends."""
        before = run_files(place / "runs")
        wait_for(
            lambda: not process.is_alive() or run_files(place / "runs") != before, "it does not train"
        )

    def one_place(self, place: Path, at_once: int, most: int) -> None:
        """Trainings of the same seeds, killed until ``most`` kills are reached; then in peace."""
        running = {number: self.start(place, number) for number in range(at_once)}
        while running:
            number = self.random.choice(list(running))
            process = running.pop(number)
            number_of_signal = self.random.choice(SIGNALS)
            if self.kills.total() < most:
                self.await_a_moment(place, process)
                if process.is_alive():
                    os.kill(process.pid, number_of_signal)
            code = self.code(process)
            if code == 0:
                self.trainings += 1
                continue
            assert self.kills.total() < most, said(place)
            assert code in ends_by(number_of_signal), f"exit code {code}: {said(place)}"
            self.kills[number_of_signal.name] += 1
            if not running:
                assert_nobody_trains(place)
            running[number] = self.start(place, number)
        for number in range(at_once):
            table = (place / f"curves-{number}.csv").read_bytes()
            assert table == self.expected, f"curves differ: {place}\n{said(place)}"
        names = [path.name for path in run_files(place / "runs")]
        assert names == [f"seed-{seed:04d}.json" for seed in SEEDS], f"left over: {names}\n{said(place)}"

    def await_a_moment(self, place: Path, process: Any) -> None:
        """Mostly one of training, at times one before it."""
        if self.random.random() < 0.1:
            time.sleep(self.random.uniform(0, self.before))
        else:
            self.until_it_trains(place, process)
            time.sleep(self.random.uniform(0, self.whole / 2))


def kill_again_and_again(root: Path, kills: int, seed: int = 0, at_once: int = 1) -> Outcome:
    """Train in new directories below ``root`` until ``kills`` processes have been killed.

    Args:
        root: an empty directory.
        kills: how many.
        seed: decides signals and moments; the moments hit other steps on another machine.
        at_once: processes that train the same seeds in the same directory.

    Raises:
        AssertionError: if curves differ from those of a training in peace, anything is left over, or a
            run is taken for running that nobody trains.
    """
    all_of_it = _Kills(root, seed)
    number = 0
    while all_of_it.kills.total() < kills:
        all_of_it.one_place(root / f"place-{number}", at_once, kills)
        number += 1
    return Outcome(all_of_it.kills, all_of_it.trainings)


def train(root: Path, place: Path, number: int) -> None:
    """What a process does: ``dynparam train``, with what it says in a file."""
    log = (place / f"{number}.log").open("a", buffering=1, encoding="utf-8")
    sys.stdout = sys.stderr = log
    options = {
        "--config": f"only={json.dumps(run_values(**CHANGES))}",
        "--seeds": f"{SEEDS[0]}-{SEEDS[-1]}",
        "--images": root / "pair.npz",
        "--runs": place / "runs",
        "--output": place / f"curves-{number}.csv",
        "--device": "cpu",
        "--threads": 1,
        "--checkpoint-epochs": 1,
    }
    words = [str(word) for option in options.items() for word in option]
    sys.argv = ["dynparam", "train", TASK, "dynamic", *words]
    command_line.main()


def ends_by(number: signal.Signals) -> tuple[int, ...]:
    """Exit codes of a process that a signal ended, caught or not; Python's own for Ctrl-C is 1."""
    return (-number, 128 + number, *([1] if number == signal.SIGINT else []))


def said(place: Path) -> str:
    """What the processes said."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(place.glob("*.log")))


def assert_nobody_trains(place: Path) -> None:
    """No run looks as if it were being trained."""
    for directory in {path.parent for path in run_files(place / "runs")}:
        assert [status for status in statuses(directory) if status.state == "running"] == []
        assert not any(is_held(path) for path in directory.glob("*.lock"))


def main() -> None:
    """Kill as often as asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        print(kill_again_and_again(Path(root), asked.kills, asked.seed, asked.at_once))


if __name__ == "__main__":
    main()
