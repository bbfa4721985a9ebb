"""Time the exact-law engine against the dense one, side by side, and against width.

    python -m benchmarks.law             6 rounds per width: a dense trial, then a block of law trials
    python -m benchmarks.law --rounds 2  a third of that
    python -m benchmarks.law --quick     at small widths, to see whether it runs

Both engines run as ``trials.one_step`` runs them, over the 4 curves and 10 widths of Figs. 3.2 and 3.3:
the dense one on all threads, the law engine on one. They alternate, so that a change in the machine's
speed meets both. Beside the times stands the law engine's limit, measured in the same run: how fast one
thread draws normal numbers into cached memory, and the time a trial would take at that rate.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import stats

from benchmarks import record
from benchmarks.one_step import CONSTANT_RATIO, RATE_SECONDS, rate, seconds
from benchmarks.record import ROOT
from dynparam.data.images import Pair
from dynparam.engines import law as gaussian_law
from dynparam.engines.gaussian_columns import Workspace
from dynparam.engines.scaled_rows import COLUMNS
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths, bottleneck, log_spaced
from dynparam.trials.images import TrialImages
from dynparam.trials.networks import family_networks
from dynparam.trials.one_step import CurveTrials
from dynparam.trials.settings import Engine, ProbeStage

RESULTS = Path(__file__).with_name("law.json")
LARGEST = 10**7
QUICK = 10**4
"""The largest width of ``--quick``."""
STEPS = (1, 2, 4, 8, 16)


def main() -> None:
    """Run the benchmark, print its tables and write them to ``law.json``."""
    parser = record.parser("Time the exact-law engine.", RESULTS)
    parser.add_argument("--rounds", type=int, default=6, help="dense trials per curve and width")
    arguments = parser.parse_args()
    largest = QUICK if arguments.quick else LARGEST
    normals = measure_normals_per_second(record.QUICK_SECONDS if arguments.quick else RATE_SECONDS)
    curves = time_curves(record.settings(ProbeStage, quick=arguments.quick), arguments.rounds)
    summary, widest = summarize(curves, normals)
    widths = time_widths(normals, largest)
    growth = stats.linregress(np.log(widths["n"]), np.log(widths["law (s)"]))
    steps = time_steps(largest)
    tables = {
        "rounds": arguments.rounds,
        "curves": summary.to_dict("records"),
        "n = 10^4, constant ratio": widest,
        "widths": widths.to_dict("records"),
        "exponent of the cost in n": {"value": growth.slope, "standard error": growth.stderr},
        "steps": steps.to_dict("records"),
        "normal_numbers_per_second_of_one_thread": normals,
        "dense_threads": torch.get_num_threads(),
        "largest_n": largest,
        "peak_memory_gib at the largest n": peak_memory_gib(largest),
    }
    for table in (summary, widths, steps):
        print(table.to_markdown(index=False, floatfmt=".3g"), end="\n\n")
    print(json.dumps({key: tables[key] for key in tables if key not in ("curves", "widths", "steps")}))
    record.write(arguments.output, f"law --rounds {arguments.rounds}", tables)


def time_curves(settings: ProbeStage, rounds: int) -> pd.DataFrame:
    """Seconds per trial of both engines: curve, n, dense, law, and what the law engine draws."""
    images = TrialImages(settings, invented_pair())
    rows = []
    for name, curve in settings.probe.curves.items():
        dense, law = (CurveTrials(settings.probe, name, images, engine) for engine in _ENGINES)
        grid = family_networks(
            settings.network, curve.narrow, settings.probe.rounding, settings.probe.widths
        )
        for n, widths in grid.items():
            block = law.engine.blocks(widths, range(10**6))[0]
            on_one_thread(law, n, widths, block)
            for number in range(rounds):
                following = range(len(block) * (number + 1), len(block) * (number + 2))
                rows.append(
                    {
                        "curve": name,
                        "n": n,
                        "dense": seconds(partial(dense, n, widths, [number])),
                        "law": on_one_thread(law, n, widths, following) / len(block),
                        "drawn": drawn_numbers(widths),
                    }
                )
        print(f"timed {name}", file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


_ENGINES: tuple[Engine, Engine] = ("dense", "law")


def on_one_thread(law: CurveTrials, n: int, widths: Widths, trials: Sequence[int]) -> float:
    """Wall-clock seconds of these trials on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    taken = seconds(partial(law, n, widths, trials))
    torch.set_num_threads(threads)
    return taken


def summarize(table: pd.DataFrame, normals: float) -> tuple[pd.DataFrame, dict[str, float]]:
    """Per curve and in all: a trial at each of its widths, medians of the rounds; and at n = 10^4."""
    medians = table.groupby(["curve", "n"], sort=False).median()
    totals = medians.groupby("curve", sort=False).sum()
    totals.loc["all"] = totals.sum()
    summary = pd.DataFrame(
        {
            "curve": totals.index,
            "dense (s)": totals["dense"],
            "law (s)": totals["law"],
            "ratio": totals["dense"] / totals["law"],
            "law at the rate of normal numbers (s)": totals["drawn"] / normals,
        }
    )
    widest = medians.loc[(CONSTANT_RATIO, table["n"].max())]
    return summary, {
        "dense (s)": widest["dense"],
        "law (s)": widest["law"],
        "ratio": widest["dense"] / widest["law"],
    }


def time_widths(normals: float, largest: int) -> pd.DataFrame:
    """Seconds of a trial alone on one thread, constant ratio, to ``largest``: medians of seven rounds.

    The widths take turns, after two rounds to warm, so that a change in the machine's speed meets all;
    small ones run several trials in a row, as in any experiment.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    workspace = Workspace()
    wide = log_spaced(largest // 1000, largest, 7)
    networks = [bottleneck(n, n // 5) for n in wide]
    rounds = [
        [
            seconds_per_trial(widths, workspace, max(1, largest // widths.sizes[1] // 20))
            for widths in networks
        ]
        for _ in range(2 + 7)
    ]
    torch.set_num_threads(threads)
    return pd.DataFrame(
        {
            "n": wide,
            "law (s)": np.median(rounds[2:], axis=0),
            "at the rate of numbers (s)": [drawn_numbers(widths) / normals for widths in networks],
        }
    )


def seconds_per_trial(widths: Widths, workspace: Workspace, trials: int) -> float:
    """Mean seconds of trials in a row."""

    def run() -> None:
        """All of them."""
        for _ in range(trials):
            one_trial(widths, workspace)

    return seconds(run) / trials


def one_trial(widths: Widths, workspace: Workspace) -> None:
    """A trial of the law engine under spectral parametrization."""
    x, y = torch.ones(widths.sizes[0]), torch.tensor([0.0, 1.0])
    scales = layer_scales("spectral", widths)
    gaussian_law.one_step(widths, scales, x, y, 0.1, torch.Generator().manual_seed(0), workspace)


def time_steps(largest: int) -> pd.DataFrame:
    """Seconds of several steps with momentum, batch 1, on one thread: against steps and width."""
    few, more, most = (largest // factor for factor in (1000, 100, 10))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cases = [(n, steps) for n in (few, more) for steps in STEPS] + [(most, 5)]
    rows = [{"n": n, "steps": steps, "sgd (s)": seconds_of_sgd(n, steps)} for n, steps in cases]
    torch.set_num_threads(threads)
    return pd.DataFrame(rows)


def seconds_of_sgd(n: int, steps: int) -> float:
    """Seconds of ``engines.law.sgd`` at n, constant ratio; the better of two."""
    widths = bottleneck(n, n // 5)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(steps, 1, widths.sizes[0], generator=generator)
    targets = torch.tensor([0.0, 1.0]).expand(steps, 1, 2)
    scales = layer_scales("spectral", widths)
    work = partial(gaussian_law.sgd, widths, scales, images, targets, 0.1, generator, 0.9)
    return min(seconds(work) for _ in range(2))


def drawn_numbers(widths: Widths) -> int:
    """Normal numbers of a trial: three per unit, two in the first and in the last layer."""
    return 3 * sum(widths.sizes[1:]) - widths.sizes[1] - widths.sizes[-1]


def measure_normals_per_second(duration: float) -> float:
    """Rate of one thread drawing normal numbers into cached memory."""
    block, generator = torch.empty(COLUMNS), torch.Generator().manual_seed(0)
    return rate(1, lambda _: block.normal_(generator=generator), COLUMNS, duration)


def invented_pair() -> Pair:
    """Random pictures of two classes; speed does not depend on what they show."""
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (2000, 3, 32, 32), dtype=np.uint8)
    labels = np.arange(2000, dtype=np.uint8) % 2
    return Pair(pictures, labels, pictures[:0], labels[:0])


def peak_memory_gib(largest: int) -> float:
    """Peak resident memory of a fresh process that runs one trial at n = ``largest``."""
    code = f"from benchmarks.law import largest_trial; largest_trial({largest})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return round(float(done.stdout), 2)


def largest_trial(largest: int) -> None:
    """Run one trial at n = ``largest`` and print this process's peak memory in GiB (Linux)."""
    one_trial(bottleneck(largest, largest // 5), Workspace())
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kibibytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    print(int(kibibytes) / 2**20)


if __name__ == "__main__":
    main()
