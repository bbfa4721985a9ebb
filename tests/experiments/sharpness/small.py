"""Settings of sharpness at widths of some tens, and invented images."""

from dynparam.experiments.sharpness.settings import SharpnessStage, SharpnessVerdicts
from tests.networks import invented_pair

SHARPNESS = {
    "seed": 0,
    "pool": 4,
    "widths": {
        "parametrizations": ["ntk", "mup", "spectral", "dynamic", "standard"],
        "families": {
            "constant": {"coefficient": "1/4", "exponent": 1},
            "sharpening": {"coefficient": 3, "exponent": "1/2"},
        },
        "widths": {"smallest": 64, "largest": 256, "count": 3},
        "images": 20,
        "trials": 6,
        "slope_tolerance": 0.15,
        "ratio_tolerance": 0.12,
        "ratio_from": 200,
    },
    "normalization": {
        "widths": [12, 24, 48],
        "layers": 3,
        "outputs": 8,
        "fixed_images": 12,
        "trials": 4,
        "slope_tolerance": 0.15,
        "flat_tolerance": 0.2,
        "ratio_tolerance": 0.3,
    },
    "rates": {"n": [64], "images": 12, "steps": 60, "tolerance": 0.15},
}

PAIR = invented_pair(images=60)


def stage(**sharpness):
    """Settings of the measurement; ``sharpness`` replaces blocks of it."""
    return SharpnessStage.model_validate(
        {
            "data": {
                "seed": 0,
                "pairs": {"airplane-automobile": ["airplane", "automobile"]},
                "train_images": 60,
                "test_images": 20,
                "train_split": "train",
                "test_split": "train",
                "stratified": True,
            },
            "inputs": {"normalization": "half_range"},
            "network": {"hidden": ["wide", "narrow", "wide", "narrow", "wide"]},
            "sharpness": {**SHARPNESS, **sharpness},
        }
    )


def verdicts():
    """Settings of the verdicts."""
    fit = {"confidence": 0.95, "resamples": 1000, "seed": 0}
    return SharpnessVerdicts.model_validate({"sharpness": SHARPNESS, "fit": fit})
