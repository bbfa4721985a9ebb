"""A small probe experiment that tests share: settings, and invented images."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynparam.data.images import Pair
from dynparam.trials.settings import ProbeStage

CURVES = {
    "constant": {
        "parametrization": "spectral",
        "r": "1/2",
        "narrow": {"coefficient": "1/5", "exponent": 1},
        "claim": "flat",
    },
    "sharpening": {
        "parametrization": "dynamic",
        "r": "1/2",
        "narrow": {"coefficient": 3, "exponent": "1/2"},
        "claim": "flat",
    },
}


def probe_stage(hidden: Sequence[str] = ("wide", "narrow", "wide"), **probe: Any) -> ProbeStage:
    """Settings of the probe at widths of some tens; ``probe`` overrides keys of that block."""
    return ProbeStage.model_validate(
        {
            "data": {
                "seed": 0,
                "pairs": {"airplane-automobile": ["airplane", "automobile"]},
                "train_images": 20,
                "test_images": 20,
                "train_split": "train",
                "test_split": "train",
                "stratified": True,
            },
            "inputs": {"normalization": "half_range"},
            "network": {"hidden": hidden},
            "probe": {
                "seed": 0,
                "pair": "airplane-automobile",
                "learning_rate": 0.1,
                "trials": 3,
                "widths": {"smallest": 30, "largest": 90, "count": 3},
                "rounding": "nearest",
                "subset": "fixed",
                "dtype": "float32",
                "first_layer": "written",
                "curves": CURVES,
                **probe,
            },
        }
    )


def invented_pair(images: int = 40, seed: int = 0) -> Pair:
    """Random training images of two classes, no test images."""
    generator = np.random.default_rng(seed)
    pictures = generator.integers(0, 256, (images, 3, 32, 32), dtype=np.uint8)
    labels = generator.permutation(np.arange(images, dtype=np.uint8) % 2)
    return Pair(pictures, labels, pictures[:0], labels[:0])
