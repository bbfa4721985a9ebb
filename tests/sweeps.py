"""A small r-sweep that tests share: its settings, and trials with a planted edge."""

import math
from typing import Any

import numpy as np
import pandas as pd

from dynparam.experiments.r_sweep.measure import EXPERIMENTS, grid_of, steps_of
from dynparam.experiments.r_sweep.settings import EdgesStage, SweepStage
from dynparam.theory.update_bound import reference_width
from dynparam.trials.networks import family_networks
from tests.networks import probe_stage
from tests.thesis import figures_block

HIDDEN = ("wide", "narrow", "wide", "narrow", "wide")


def sweep_stage(learning_rate: float = 0.1, **sweep: Any) -> SweepStage:
    """Settings at widths of some tens; ``sweep`` overrides keys of that block."""
    probe = probe_stage(HIDDEN, learning_rate=learning_rate).model_dump(mode="json")
    return SweepStage.model_validate({**probe, "sweep": sweep_block(**sweep)})


def edges_stage(**sweep: Any) -> EdgesStage:
    """Settings of the analysis, at the exponents and tolerance of the thesis's sweep."""
    eighths = [f"{k}/8" for k in range(9)]
    return EdgesStage.model_validate(
        {
            "network": {"hidden": HIDDEN},
            "sweep": sweep_block(
                **{
                    "r": eighths,
                    "second_step": {"widths": grid(1000, 100_000, 5), "trials": 20},
                    "training": {"widths": grid(1000, 30_000, 3), "trials": 8},
                    **sweep,
                }
            ),
            "fit": {"seed": 0, "confidence": 0.95, "resamples": 999},
            "figures": figures_block(sweep="r_sweep"),
        }
    )


def grid(smallest: int, largest: int, count: int) -> dict[str, int]:
    """A block of widths."""
    return {"smallest": smallest, "largest": largest, "count": count}


def sweep_block(**overrides: Any) -> dict[str, Any]:
    """The block of that name."""
    return {
        "seed": 0,
        "references": ["n_min", "geometric_mean", "n_max"],
        "r": [0, "1/2", 1],
        "narrow": {"coefficient": 2, "exponent": "1/2"},
        "second_step": {"widths": grid(30, 90, 2), "trials": 2},
        "training": {"widths": grid(30, 60, 2), "trials": 2},
        "steps": 4,
        "onset": 2,
        "tolerance": 0.0625,
        **overrides,
    }


def planted_sweep(
    settings: EdgesStage, edge: float = 0.25, scatter: float = 0.1, seed: int = 0
) -> pd.DataFrame:
    """Trials, as of ``measure.measure_sweep``, whose narrow drift and growth follow u / n^edge exactly.

    The wide layers' drift follows u / sqrt(n). A trial's drift and growth have one factor at all widths,
    large, and one more at each, lognormal with that scatter.
    """
    sweep = settings.sweep
    generator = np.random.default_rng([seed, round(1000 * edge)])
    rows = []
    for experiment in EXPERIMENTS:
        steps = steps_of(sweep, experiment)
        for trial in range(getattr(sweep, experiment).trials):
            common = math.exp(generator.normal(0, 0.5))
            networks = family_networks(
                settings.network, sweep.narrow, "nearest", grid_of(sweep, experiment)
            )
            for n, widths in networks.items():
                noise = math.exp(generator.normal(0, scatter))
                for reference in sweep.references:
                    for r in sweep.r:
                        u = reference_width(reference, widths) ** float(r)
                        narrow = 0.1 * common * noise * u / n**edge
                        wide = 0.1 * common * noise * u / math.sqrt(n)
                        drift = [wide, narrow, wide, narrow, wide, math.nan]
                        grown = 1 + (noise * u / n**edge) ** 2
                        at = {"experiment": experiment, "reference": reference, "r": float(r)}
                        at |= {"n": n, "n_min": widths.n_min, "update_norm": u, "trial": trial}
                        rows += [
                            {
                                **at,
                                "step": step,
                                "layer": layer,
                                "gradient_norm": grown if (layer, step) == (1, steps) else 1.0,
                                "drift": 0.0 if step == 1 else drift[layer - 1],
                                "diverged_at": math.nan,
                            }
                            for step in (1, 2, steps)[: 2 if steps == 2 else 3]
                            for layer in range(1, 7)
                        ]
    return pd.DataFrame(rows)
