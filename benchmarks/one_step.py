"""Time the probe of Figs. 3.2 and 3.3 against the straightforward torch version, side by side.

    python -m benchmarks.one_step             all 4 curves x 10 widths x 30 trials, both versions
    python -m benchmarks.one_step --trials 3  a tenth of that
    python -m benchmarks.one_step --quick     at a tenth of the widths, to see whether it runs

The two versions alternate trial by trial on the same widths, so that a change in the machine's speed
meets both. Beside the ratio stand the machine's own limits, measured in the same run: how fast its
cores draw normal numbers and read memory, and the time the probe would take at those rates.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from benchmarks import record, straightforward
from benchmarks.record import ROOT
from dynparam.configuration.config import Config
from dynparam.engines import dense
from dynparam.engines.gaussian_columns import BLOCK_ELEMENTS, Workspace
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths, bottleneck
from dynparam.trials.networks import family_networks

RESULTS = Path(__file__).with_name("one_step.json")
CONSTANT_RATIO = "fig3_2_constant_ratio"
RATE_SECONDS = 3.0
"""How long a rate of the machine is measured."""


def main() -> None:
    """Run the benchmark, print its tables and write them to ``one_step.json``."""
    parser = record.parser("Time the one-step probe.", RESULTS)
    parser.add_argument("--trials", type=int, default=30, help="trials per width (thesis: 30)")
    arguments = parser.parse_args()
    table = time_curves(record.settings(Config, quick=arguments.quick), arguments.trials)
    limits = measure_limits(record.QUICK_SECONDS if arguments.quick else RATE_SECONDS)
    summary, widths = summarize(table, limits), against_width(table, limits)
    n = 1000 if arguments.quick else 10_000
    memory = {
        name: peak_memory_gib(name, n)
        for name in ("dynparam.engines.dense", "benchmarks.straightforward")
    }
    for shown in (summary, widths):
        print(shown.to_markdown(index=False, floatfmt=".3g"), end="\n\n")
    print({**limits, "peak memory at n = 10^4, constant ratio (GiB)": memory})
    tables = {
        "trials": arguments.trials,
        "curves": summary.to_dict("records"),
        "widths": widths.to_dict("records"),
        "limits": limits,
        "peak_memory_gib": memory,
    }
    record.write(arguments.output, f"one_step --trials {arguments.trials}", tables)


def time_curves(config: Config, trials: int) -> pd.DataFrame:
    """Seconds of every trial of both versions: curve, n, probe, straightforward, drawn, weights."""
    rows = []
    workspace = Workspace()
    for name, curve in config.probe.curves.items():
        grid = family_networks(config.network, curve.narrow, config.probe.rounding, config.probe.widths)
        for n, widths in grid.items():
            scales = layer_scales(curve.parametrization, widths, curve.r)
            generator = torch.Generator().manual_seed(n)
            x = torch.randn(widths.sizes[0], generator=generator)
            y = torch.tensor([0.0, 1.0])
            ours = partial(dense.one_step, widths, scales, x, y, 0.1, generator, workspace=workspace)
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
    return pd.DataFrame(
        {
            "curve": totals.index,
            "straightforward (s)": totals["straightforward"],
            "probe (s)": totals["probe"],
            "ratio": totals["probe"] / totals["straightforward"],
            "at the machine's rates (s)": at_limits(totals["drawn"], limits),
        }
    )


def against_width(table: pd.DataFrame, limits: dict[str, float]) -> pd.DataFrame:
    """Per width of the constant ratio: seconds of a trial of both, medians, and at the limits."""
    medians = table[table["curve"] == CONSTANT_RATIO].groupby("n").median(numeric_only=True)
    return pd.DataFrame(
        {
            "n": medians.index,
            "straightforward (s)": medians["straightforward"],
            "probe (s)": medians["probe"],
            "at the machine's rates (s)": at_limits(medians["drawn"], limits),
        }
    )


def at_limits(drawn: pd.Series, limits: dict[str, float]) -> pd.Series:
    """Seconds in which the machine draws so many numbers and reads the drawn weights twice more.

    The two passes over the kept half of the weights are W^T delta and W Delta h.
    """
    draw = drawn / limits["normal_numbers_per_second"]
    return draw + 2 * 4 * drawn / limits["bytes_read_per_second"]


def drawn_numbers(widths: Widths) -> float:
    """Numbers a trial draws on average: the first layer, and half of the columns of the others."""
    first = widths.sizes[0] * widths.sizes[1]
    return first + (widths.weight_count - first) / 2


def measure_limits(duration: float) -> dict[str, float]:
    """Rates of all threads together: normal numbers into cached memory, and bytes read from memory."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    blocks = [torch.empty(BLOCK_ELEMENTS) for _ in range(threads)]
    generators = [torch.Generator().manual_seed(k) for k in range(threads)]
    matrices = [torch.ones(2000, 10_000) for _ in range(threads)]
    vector = torch.ones(10_000)
    normal = rate(
        threads, lambda k: blocks[k].normal_(generator=generators[k]), BLOCK_ELEMENTS, duration
    )
    read = rate(threads, lambda k: matrices[k] @ vector, matrices[0].nbytes, duration)
    torch.set_num_threads(threads)
    return {
        "threads": threads,
        "normal_numbers_per_second": normal,
        "bytes_read_per_second": read,
    }


def rate(threads: int, work: Callable[[int], object], amount: float, duration: float) -> float:
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


def peak_memory_gib(module: str, n: int = 10_000) -> float:
    """Peak resident memory of a fresh process that runs one trial at n, constant ratio."""
    code = f"from benchmarks.one_step import one_trial; one_trial({module!r}, {n})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return round(float(done.stdout), 2)


def one_trial(module: str, n: int) -> None:
    """Run one trial at n, constant ratio, and print this process's peak memory in GiB (Linux).

    ``VmHWM`` counts from the start of the program; ``getrusage`` would inherit the parent's peak.
    """
    one_step = {"dynparam.engines.dense": dense.one_step}.get(module, straightforward.one_step)
    widths = bottleneck(n, n // 5)
    x, y = torch.ones(widths.sizes[0]), torch.tensor([0.0, 1.0])
    one_step(widths, layer_scales("spectral", widths), x, y, 0.1, torch.Generator())
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kibibytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    print(int(kibibytes) / 2**20)


if __name__ == "__main__":
    main()
