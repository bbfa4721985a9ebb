"""Time the wide kernel against the plain way and neural-tangents, and that of given weights.

    python -m benchmarks.kernels                            5 rounds, every version once in each
    python -m benchmarks.kernels --neural-tangents PYTHON   with an interpreter that has neural-tangents
    python -m benchmarks.kernels --quick                    few inputs, to see whether it runs

From 2000 inputs of an image's size to their kernel in a network of six layers; inner products of the
inputs included. The versions take turns, so that a change in the machine's speed meets all. Beside the
times stand the machine's own limits, measured in the same run: how fast one thread takes square roots
and arc cosines of numbers in cache, and how fast all threads multiply matrices.
"""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, cast

import numpy as np
import pandas as pd
import torch

from benchmarks import plain_kernel, record
from benchmarks.one_step import RATE_SECONDS, rate, seconds
from dynparam.engines import empirical_ntk
from dynparam.engines.network import draw_weights
from dynparam.support.arrays import FloatArray
from dynparam.theory import kernels
from dynparam.theory.inner_products import inner_products
from dynparam.theory.parametrization import LayerScales, layer_scales, relu_gains
from dynparam.theory.relu_kernels import layer_shapes, relu_ntk
from dynparam.theory.widths import Widths, bottleneck

RESULTS = Path(__file__).with_name("kernels.json")
INPUTS, QUICK_INPUTS = 2000, 60
PLAIN, THEIRS, OURS = "plain numpy", "neural-tangents", "`theory.kernels.ntk`"


def main() -> None:
    """Run the benchmark, print its tables and write them to ``kernels.json``."""
    parser = record.parser("Time kernels of wide networks and of given weights.", RESULTS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--neural-tangents", metavar="PYTHON", help="an interpreter that has it")
    arguments = parser.parse_args()
    count = QUICK_INPUTS if arguments.quick else INPUTS
    duration = record.QUICK_SECONDS if arguments.quick else RATE_SECONDS
    widths = bottleneck(1000, 250, n_out=1)
    inputs = np.random.default_rng(0).normal(size=(count, widths.sizes[0]))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = None
        if arguments.neural_tangents:
            server = stack.enter_context(Server(arguments.neural_tangents, inputs, widths, Path(folder)))
        table = time_versions(inputs, widths, arguments.rounds, server)
    tables = {
        "rounds": arguments.rounds,
        "inputs": count,
        "widths": "-".join(map(str, widths.sizes)),
        "neural_tangents": server and server.versions,
        "wide": table.to_dict("records"),
        "limit of the wide kernel (s)": limit_of_wide(inputs, widths, duration),
        "another parametrization (s)": another_parametrization(inputs, widths, arguments.rounds),
        "given weights": given_weights(inputs, widths, duration),
    }
    print(table.to_markdown(index=False, floatfmt=".3g"))
    print({key: value for key, value in tables.items() if key != "wide"})
    record.write(arguments.output, f"kernels --rounds {arguments.rounds}", tables)


class Server:
    """neural-tangents in a process of its own, which takes its turns."""

    def __init__(self, python: str, inputs: FloatArray, widths: Widths, folder: Path) -> None:
        """Start it, and let it compile; ``python`` is an interpreter that has it."""
        np.save(folder / "inputs.npy", inputs)
        script = Path(__file__).with_name("neural_tangents_kernel.py")
        files = (folder / "inputs.npy", widths.depth, folder / "kernel.npy")
        self.process = subprocess.Popen(
            [python, str(script), *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        # Popen's type does not say that pipes were asked for.
        self.questions = cast(IO[str], self.process.stdin)
        self.answers = cast(IO[str], self.process.stdout)
        self.versions = self._line()
        if not self.versions:
            raise SystemExit(f"{python} cannot run neural-tangents; see what `{script.name}` says there")
        self.kernel: FloatArray = np.load(folder / "kernel.npy")

    def __enter__(self) -> Server:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.process.communicate()

    def seconds(self) -> float:
        """Of one more evaluation."""
        self.questions.write("again\n")
        self.questions.flush()
        return float(self._line())

    def _line(self) -> str:
        return self.answers.readline().strip()


def scales_of_neural_tangents(widths: Widths) -> LayerScales:
    """Its ntk parametrization: gains in the multipliers, standard normal weights."""
    layers = zip(relu_gains(widths.depth), widths.sizes, strict=False)
    return LayerScales(tuple(gain / math.sqrt(n) for gain, n in layers), (1.0,) * widths.depth)


def ours(inputs: FloatArray, widths: Widths, scales: LayerScales) -> FloatArray:
    """From inputs to the kernel by the library."""
    return kernels.ntk(inner_products(inputs), widths, scales)


def time_versions(
    inputs: FloatArray, widths: Widths, rounds: int, server: Server | None
) -> pd.DataFrame:
    """Seconds of every version, medians of the rounds, and how far its kernel is from ours."""
    scales = scales_of_neural_tangents(widths)
    mine = partial(ours, inputs, widths, scales)
    plain = partial(plain_kernel.ntk, inputs, widths.sizes, scales)
    expected = mine()
    timed: dict[str, Callable[[], float]] = {
        PLAIN: partial(seconds, plain),
        OURS: partial(seconds, mine),
    }
    found = {PLAIN: plain(), OURS: expected}
    if server is not None:
        timed[THEIRS], found[THEIRS] = server.seconds, server.kernel
    taken = pd.DataFrame([{name: run() for name, run in timed.items()} for _ in range(rounds)]).median()
    rows = [
        {
            "version": name,
            "seconds": taken[name],
            "ratio": taken[name] / taken[OURS],
            "difference": float(np.max(np.abs(found[name] / expected - 1))),
        }
        for name in timed
    ]
    return pd.DataFrame(rows)


def limit_of_wide(inputs: FloatArray, widths: Widths, duration: float) -> float:
    """Seconds of the inner products, and of a square root and an arc cosine for each pair of inputs.

    Those are of every hidden layer. The functions run on one thread, on numbers in its cache.
    """
    block = np.linspace(0.1, 0.9, 4096)

    def evaluate(_: int) -> None:
        np.sqrt(block)
        np.arccos(block)

    pairs = len(inputs) * (len(inputs) + 1) / 2 * len(widths.hidden)
    products = min(seconds(lambda: inputs @ inputs.T) for _ in range(3))
    return products + pairs / best_rate(evaluate, len(block), duration)


def best_rate(work: Callable[[int], object], amount: float, duration: float) -> float:
    """Of ten stretches, so that other work on the machine does not make its limit low."""
    return max(rate(1, work, amount, duration / 10) for _ in range(10))


def another_parametrization(inputs: FloatArray, widths: Widths, rounds: int) -> float:
    """Seconds of the kernel of other scales or widths, once the layers' shapes are known; a median."""
    shapes, scales = layer_shapes(inner_products(inputs), widths.depth), layer_scales("dynamic", widths)
    return float(np.median([seconds(partial(relu_ntk, shapes, widths, scales)) for _ in range(rounds)]))


def given_weights(inputs: FloatArray, widths: Widths, duration: float) -> dict[str, float]:
    """Seconds of the kernel of one draw, its operations in 10^9, and seconds at the rate of products."""
    scales = layer_scales("dynamic", widths)
    weights = draw_weights(widths, scales, torch.Generator().manual_seed(0), torch.float64)
    images = torch.from_numpy(inputs)
    work = partial(empirical_ntk.ntk, weights, scales.multiplier, images)
    count, sizes = len(inputs), widths.sizes
    gram = 2.0 * count**2 * (sum(sizes[:-1]) + sum(sizes[1:]))
    through = 2.0 * count * (2 * widths.weight_count - sizes[0] * sizes[1])
    square = torch.randn(1000, 1000, dtype=torch.float64)
    products = best_rate(lambda _: square @ square, 2.0 * 1000**3, duration)
    return {
        "seconds": min(seconds(work) for _ in range(2)),
        "operations (10^9)": (gram + through) / 1e9,
        "at the rate of products (s)": (gram + through) / products,
    }


if __name__ == "__main__":
    main()
