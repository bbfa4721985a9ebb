"""Time the probe of Figs. 3.2 and 3.3 against the straightforward torch version, side by side.

    python -m benchmarks.one_step             all 4 curves x 10 widths x 30 trials, both versions
    python -m benchmarks.one_step --trials 3  a tenth of that

The two versions alternate trial by trial on the same widths, so that a change in the machine's speed
meets both. Beside the ratio stand the machine's own limits, measured in the same run: how fast its
cores draw normal numbers and read memory, and the time the probe would take at those rates.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from benchmarks import straightforward
from dynparam import probe
from dynparam.config import Config
from dynparam.curves import curve_widths, wide_widths
from dynparam.files import write_text
from dynparam.gaussian_columns import BLOCK_ELEMENTS, Workspace
from dynparam.loading import load
from dynparam.parametrization import layer_scales
from dynparam.provenance import git_state, hardware, versions
from dynparam.widths import Widths, bottleneck

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("one_step.json")


def main() -> None:
    """Run the benchmark, print its tables and write them to ``one_step.json``."""
    parser = argparse.ArgumentParser(description="Time the one-step probe.")
    parser.add_argument("--trials", type=int, default=30, help="trials per width (thesis: 30)")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    config = load(Config, [ROOT / "config" / "thesis.yaml"])
    table = time_curves(config, arguments.trials)
    limits = measure_limits()
    summary = summarize(table, limits)
    memory = {name: peak_memory_gib(name) for name in ("dynparam.probe", "benchmarks.straightforward")}
    print(summary.to_markdown(index=False, floatfmt=".3g"))
    print({**limits, "peak memory at n = 10^4, constant ratio (GiB)": memory})
    record = {
        "command": f"python -m benchmarks.one_step --trials {arguments.trials}",
        "curves": summary.to_dict("records"),
        "limits": limits,
        "peak_memory_gib": memory,
        "git": git_state(),
        "versions": versions(),
        "hardware": hardware(),
    }
    write_text(arguments.output, json.dumps(record, indent=2) + "\n")


def time_curves(config: Config, trials: int) -> pd.DataFrame:
    """Seconds of every trial of both versions: curve, n, probe, straightforward, drawn, weights."""
    rows = []
    workspace = Workspace()
    for name, curve in config.probe.curves.items():
        for n in wide_widths(config.probe):
            widths = curve_widths(config.network, config.probe, curve, n)
            scales = layer_scales(curve.parametrization, widths, curve.r)
            generator = torch.Generator().manual_seed(n)
            x = torch.randn(widths.sizes[0], generator=generator)
            y = torch.tensor([0.0, 1.0])
            ours = partial(probe.one_step, widths, scales, x, y, 0.1, generator, workspace=workspace)
            theirs = partial(straightforward.one_step, widths, scales, x, y, 0.1, generator)
            for _ in range(trials):
                rows.append(
                    {
                        "curve": name,
                        "n": n,
                        "probe": seconds(ours),
                        "straightforward": seconds(theirs),
                        "drawn": drawn_numbers(widths),
                        "weights": widths.weight_count,
                    }
                )
        print(f"timed {name}", file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def summarize(table: pd.DataFrame, limits: dict[str, float]) -> pd.DataFrame:
    """Per curve and in all: total seconds of both, their ratio, and the seconds at the limits."""
    totals = table.groupby("curve", sort=False)[["probe", "straightforward", "drawn", "weights"]].sum()
    totals.loc["all"] = totals.sum()
    draw = totals["drawn"] / (limits["normal_numbers_per_second"])
    # Two passes over the kept half of the weights: W^T delta and W Delta h.
    read = 2 * 4 * totals["drawn"] / limits["bytes_read_per_second"]
    return pd.DataFrame(
        {
            "curve": totals.index,
            "straightforward (s)": totals["straightforward"],
            "probe (s)": totals["probe"],
            "ratio": totals["probe"] / totals["straightforward"],
            "at the machine's rates (s)": draw + read,
        }
    )


def drawn_numbers(widths: Widths) -> float:
    """Numbers a trial draws on average: the first layer, and half of the columns of the others."""
    first = widths.sizes[0] * widths.sizes[1]
    return first + (widths.weight_count - first) / 2


def measure_limits() -> dict[str, float]:
    """Rates of all threads together: normal numbers into cached memory, and bytes read from memory."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    blocks = [torch.empty(BLOCK_ELEMENTS) for _ in range(threads)]
    generators = [torch.Generator().manual_seed(k) for k in range(threads)]
    matrices = [torch.ones(2000, 10_000) for _ in range(threads)]
    vector = torch.ones(10_000)
    normal = rate(threads, lambda k: blocks[k].normal_(generator=generators[k]), BLOCK_ELEMENTS)
    read = rate(threads, lambda k: matrices[k] @ vector, matrices[0].nbytes)
    torch.set_num_threads(threads)
    return {
        "threads": threads,
        "normal_numbers_per_second": normal,
        "bytes_read_per_second": read,
    }


def rate(threads: int, work: Callable[[int], object], amount: float, duration: float = 3.0) -> float:
    """Amount per second of ``work(k)`` repeated by all threads for ``duration`` seconds."""
    deadline = time.perf_counter() + duration

    def repeat(k: int) -> float:
        started, rounds = time.perf_counter(), 0
        while time.perf_counter() < deadline:
            work(k)
            rounds += 1
        return rounds * amount / (time.perf_counter() - started)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(repeat, range(threads)))


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_memory_gib(module: str) -> float:
    """Peak resident memory of a fresh process that runs one trial of the largest network."""
    code = f"from benchmarks.one_step import largest_trial; largest_trial({module!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return round(float(done.stdout), 2)


def largest_trial(module: str) -> None:
    """Run one trial at n = 10^4, constant ratio, and print this process's peak memory in GiB (Linux).

    ``VmHWM`` counts from the start of the program; ``getrusage`` would inherit the parent's peak.
    """
    one_step = {"dynparam.probe": probe.one_step}.get(module, straightforward.one_step)
    widths = bottleneck(10_000, 2_000)
    x, y = torch.ones(widths.sizes[0]), torch.tensor([0.0, 1.0])
    one_step(widths, layer_scales("spectral", widths), x, y, 0.1, torch.Generator())
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kibibytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    print(int(kibibytes) / 2**20)


if __name__ == "__main__":
    main()
