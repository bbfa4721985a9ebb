"""The wide kernel by neural-tangents, timed on request; runs in an environment that has it.

    PYTHON neural_tangents_kernel.py INPUTS.npy DEPTH KERNEL.npy

Imports nothing of this project. Compiles, writes the kernel and prints its versions; then prints the
seconds of one more evaluation for every line that it reads.
"""

from __future__ import annotations

import importlib.metadata
import sys
import time

import jax
import neural_tangents
import numpy as np
from neural_tangents import stax


def main() -> None:
    """Serve until the end of the input."""
    inputs, depth, output = np.load(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    jax.config.update("jax_enable_x64", True)
    hidden = [stax.Dense(1, W_std=2**0.5), stax.Relu()] * (depth - 1)
    _, _, kernel = stax.serial(*hidden, stax.Dense(1, W_std=1.0))
    compiled = jax.jit(lambda x: kernel(x, None, "ntk"))
    np.save(output, np.asarray(compiled(inputs)))
    print(f"{neural_tangents.__version__} on jax {importlib.metadata.version('jax')}", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        compiled(inputs).block_until_ready()
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
