"""A tiny training experiment that tests share: settings, invented images, and what runs need."""

import os
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dynparam.data.images import Pair
from dynparam.training.protocol import Task
from dynparam.training.run_files import RunFiles
from dynparam.training.settings import RunStage
from dynparam.training.stack_run import Plan

TASK = "airplane-automobile"
TRAIN, TEST = 22, 14
"""Images; in batches of 5 the last batch of an epoch holds 2."""
ORIGIN = {
    "git": {"commit": "abc", "dirty": False},
    "versions": {"torch": "2"},
    "hardware": {"system": "Linux", "processor": "x", "cores": 2, "memory_gib": 7.5, "torch_threads": 1},
    "device": "cpu, 1 threads",
}
"""Where a run comes from, as its record tells it."""


def run_values(
    hidden: Sequence[str] = ("wide", "narrow", "wide"),
    images: tuple[int, int] = (TRAIN, TEST),
    **protocol: Any,
) -> dict[str, Any]:
    """The blocks of a run at widths of some tens; ``protocol`` overrides keys of that block."""
    return {
        "data": {
            "seed": 0,
            "pairs": {TASK: ["airplane", "automobile"]},
            "train_images": images[0],
            "test_images": images[1],
            "train_split": "train",
            "test_split": "train",
            "stratified": True,
        },
        "inputs": {"normalization": "half_range"},
        "network": {"hidden": list(hidden)},
        "protocol": {
            "seed": 0,
            "n": 24,
            "n_min": 7,
            "r": "1/2",
            "learning_rate": 0.05,
            "momentum": 0.9,
            "dampening": 0,
            "batch_size": 5,
            "last_batch": "kept",
            "epochs": 4,
            "training_loss": "evaluated",
            "dtype": "float32",
            "products": "exact",
            "first_layer": "dual",
            **protocol,
        },
    }


def run_stage(**changes: Any) -> RunStage:
    """The same, validated; takes the arguments of ``run_values``."""
    return RunStage.model_validate(run_values(**changes))


def invented_pair(train: int = TRAIN, test: int = TEST, seed: int = 0) -> Pair:
    """Noise whose brightness tells the class, so that there is something to learn."""
    generator = np.random.default_rng(seed)
    labels = [generator.permutation(np.arange(count, dtype=np.uint8) % 2) for count in (train, test)]
    pictures = [
        (generator.integers(0, 216, (len(each), 3, 32, 32)) + 40 * each[:, None, None, None]).astype(
            np.uint8
        )
        for each in labels
    ]
    return Pair(pictures[0], labels[0], pictures[1], labels[1])


def write_pair(path: Path, pair: Pair | None = None) -> Path:
    """Write a pair as ``dynparam data extract`` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **vars(pair or invented_pair()))
    return path


def task_of(settings: RunStage) -> Task:
    """The invented images as tensors on the CPU."""
    data = settings.data
    pair = invented_pair(data.train_images, data.test_images)
    dtype = getattr(torch, settings.protocol.dtype)
    return Task.of_pair(pair, settings.inputs.normalization, dtype, torch.device("cpu"))


def plan_of(settings: RunStage, parametrization: str = "dynamic", checkpoint_epochs: int = 1) -> Plan:
    """A plan for the CPU."""
    return Plan(settings, parametrization, torch.device("cpu"), 8, checkpoint_epochs)


def files_of(root: Path, settings: RunStage, parametrization: str = "dynamic") -> RunFiles:
    """The run's files below ``root``, where the invented pair is written too."""
    data = settings.data
    images = root / "pair.npz"
    if not images.exists():
        write_pair(images, invented_pair(data.train_images, data.test_images))
    return RunFiles(root / "runs", settings, parametrization, images)


def run_files(runs: Path, pattern: str = "*") -> list[Path]:
    """The files of runs, hidden ones too; runs may be trained meanwhile.

    Trainings write in directories of their own, which vanish; ``Path.rglob`` fails on those.
    """
    walked = (Path(place) / name for place, _, names in os.walk(runs) for name in names)
    return sorted(path for path in walked if fnmatch(path.name, pattern) and path.is_file())
