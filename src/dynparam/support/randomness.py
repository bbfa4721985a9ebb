"""Explicit randomness: every trial's generator follows from what the trial is.

A generator is derived from a seed and the trial's own coordinates (experiment, curve, width, trial)
through ``numpy.random.SeedSequence`` spawn keys, so a result does not depend on sharding, on order, or
on which other trials ran.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def seed_sequence(seed: int, *coordinates: str | int) -> np.random.SeedSequence:
    """The seed sequence of the coordinates; names count by their SHA-256, numbers by themselves."""
    key = [
        int.from_bytes(hashlib.sha256(part.encode()).digest()[:8], "big")
        if isinstance(part, str)
        else part
        for part in coordinates
    ]
    return np.random.SeedSequence(entropy=seed, spawn_key=key)


def torch_generator(seed: int, *coordinates: str | int) -> torch.Generator:
    """A CPU torch generator for the coordinates."""
    import torch

    state = seed_sequence(seed, *coordinates).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


@contextmanager
def global_randomness(seed: int | None = None, gpus: Sequence[int] | None = None) -> Iterator[None]:
    """The global states of torch, numpy and ``random``, set to ``seed`` inside and as before after it.

    Without a seed they go on from where they are. ``gpus`` are those that may draw; ``None`` is all.
    """
    import torch

    kept = np.random.get_state(), random.getstate()
    with torch.random.fork_rng(gpus):
        try:
            if seed is not None:
                torch.manual_seed(seed)
                np.random.seed(seed % 2**32)
                random.seed(seed)
            yield
        finally:
            np.random.set_state(kept[0])
            random.setstate(kept[1])
