"""Settings of sharpness at widths of some tens, and invented images."""

from dynparam.experiments.sharpness.settings import (
    NormalizationPart,
    RatesStage,
    SharpnessVerdicts,
    WidthsStage,
)
from tests.networks import invented_pair
from tests.thesis import figures_block

SHARPNESS = {
    "seed": 0,
    "pool": 4,
    "parametrizations": ["ntk", "mup", "spectral", "dynamic", "standard"],
    "families": {
        "constant": {"coefficient": "1/4", "exponent": 1},
        "sharpening": {"coefficient": 3, "exponent": "1/2"},
    },
    "widths": {
        "widths": {"smallest": 64, "largest": 256, "count": 3},
        "images": 20,
        "trials": 6,
    },
    "thesis": {
        "families": {"square_root": {"coefficient": 6, "exponent": "1/2"}},
        "widths": {"smallest": 1000, "largest": 10**7, "count": 9},
        "window": 10000,
        "images": 10,
    },
    "normalization": {
        "widths": [12, 24, 48],
        "fixed_widths": [12, 24, 48],
        "layers": 3,
        "outputs": 8,
        "fixed_images": 12,
        "trials": 4,
    },
    "rates": {"n": [64], "images": 12, "steps": 60},
    "tolerances": {
        "slope": 0.15,
        "ratio": 0.12,
        "ratio_from": 200,
        "normalized_slope": 0.15,
        "flat": 0.2,
        "growth": 0.3,
        "normalized_ratio": 0.3,
        "rate": 0.15,
    },
    "figure": "companion_sharpness",
}

PAIR = invented_pair(images=60)

DATA = {
    "seed": 0,
    "pairs": {"airplane-automobile": ["airplane", "automobile"]},
    "train_images": 60,
    "test_images": 20,
    "train_split": "train",
    "test_split": "train",
    "stratified": True,
}


def _on_images(**sharpness):
    return {
        "data": DATA,
        "inputs": {"normalization": "half_range"},
        "network": {"hidden": ["wide", "narrow", "wide", "narrow", "wide"]},
        "sharpness": {**SHARPNESS, **sharpness},
    }


def widths_stage(**sharpness):
    """Settings of sharpness against width; ``sharpness`` replaces blocks of them."""
    return WidthsStage.model_validate(_on_images(**sharpness))


def rates_stage(**sharpness):
    """Those of the largest stable rates."""
    return RatesStage.model_validate(_on_images(**sharpness))


def normalization_part(**sharpness):
    """Those of normalized outputs."""
    return NormalizationPart.model_validate({**SHARPNESS, **sharpness})


def verdicts(**sharpness):
    """Settings of the verdicts and the figure; ``sharpness`` replaces blocks of it."""
    return SharpnessVerdicts.model_validate(
        {
            "network": {"hidden": ["wide", "narrow", "wide", "narrow", "wide"]},
            "sharpness": {**SHARPNESS, **sharpness},
            "fit": {"confidence": 0.95, "resamples": 1000, "seed": 0},
            "figures": figures_block(),
        }
    )
