"""One step of a network with two trillion weights, exact in law: how much each layer lowers the loss.

Four hidden layers have n = 10^6 units and one between them 1000, a network that no memory holds. The
law engine draws only the products of its weights that the step needs. With dynamic parametrization
every layer has its share in the decrease of the loss; with spectral almost nothing is left of it.
Run it with

    python -m examples.exact_law
"""

from __future__ import annotations

import time

import torch

from dynparam import Widths, layer_scales
from dynparam.engines.law import one_step


def main() -> None:
    """Print the alignment of update and gradient (eq. 2.31) of every layer, and the seconds it took."""
    wide, narrow = 10**6, 1000
    widths = Widths((3072, wide, wide, narrow, wide, wide, 2))
    image, target = torch.ones(3072), torch.tensor([1.0, 0.0])
    print(f"{widths.weight_count:,} weights; alignment of layers 1 to {widths.depth}")
    for name in ("dynamic", "spectral"):
        started = time.perf_counter()
        random = torch.Generator().manual_seed(0)
        found = one_step(widths, layer_scales(name, widths), image, target, 0.01, random)
        shown = "  ".join(f"{alignment:.2e}" for alignment in found.alignment)
        print(f"{name:8}  {shown}  in {time.perf_counter() - started:.1f} seconds")


if __name__ == "__main__":
    main()
