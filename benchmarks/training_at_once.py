"""Time one run of training on all threads against as many runs at once, each on a thread of its own.

    python -m benchmarks.training_at_once             3 rounds of 2 epochs
    python -m benchmarks.training_at_once --rounds 1  a third of that
    python -m benchmarks.training_at_once --quick     a small network, to see whether it runs

Both ways train the network of Figs. 3.4 and 3.5 and take turns, so that a change in the machine's speed
meets both. Compared are the seconds of an epoch of one run; those of several at once are shared among
them.
"""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks import record
from benchmarks.training_epoch import TASK, engine_version, invented_pair
from dynparam.configuration.config import Config
from dynparam.training.settings import for_run

RESULTS = Path(__file__).with_name("training_at_once.json")
EPOCHS = 2


def main() -> None:
    """Run the benchmark, print its table and write it to ``training_at_once.json``."""
    parser = record.parser("Time one run on all threads, and several runs at once.", RESULTS)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    threads = torch.get_num_threads()
    ways = {"one run on all threads": (1, threads), "a run on each thread": (threads, 1)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, (runs, each) in ways.items():
            seconds[name].append(run_at_once(runs, each, quick=arguments.quick))
    table = pd.DataFrame(
        {"way": name, "runs": ways[name][0], "seconds": float(np.median(found))}
        for name, found in seconds.items()
    )
    table["ratio"] = table["seconds"] / table["seconds"].iloc[0]
    print(table.to_markdown(index=False, floatfmt=".3g"))
    tables = {"rounds": arguments.rounds, "epochs": EPOCHS, "ways": table.to_dict("records")}
    record.write(arguments.output, f"training_at_once --rounds {arguments.rounds}", tables)


def run_at_once(runs: int, threads: int, *, quick: bool) -> float:
    """Seconds of an epoch of one run where ``runs`` of them train at once on ``threads`` each."""
    # Threads of one process would share torch's; a fresh process has its own number of them.
    context = multiprocessing.get_context("spawn")
    ready, told = context.Barrier(runs), context.Queue()
    processes = [context.Process(target=train, args=(threads, quick, ready, told)) for _ in range(runs)]
    for process in processes:
        process.start()
    slowest = max(told.get() for _ in processes)
    for process in processes:
        process.join()
    return float(slowest) / EPOCHS / runs


def train(threads: int, quick: bool, ready: Barrier, told: Any) -> None:
    """Train in a process of its own, beside others that begin at the same moment; tell the seconds."""
    torch.set_num_threads(threads)
    config = record.settings(Config, quick=quick)
    settings = for_run(config, TASK, config.protocol.network_name)
    version = engine_version(settings, invented_pair(settings), {})
    ready.wait()
    started = time.perf_counter()
    for epoch in range(1, EPOCHS + 1):
        version.run_epoch(epoch)
    told.put(time.perf_counter() - started)


if __name__ == "__main__":
    main()
