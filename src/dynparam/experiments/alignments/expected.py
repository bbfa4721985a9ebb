"""What theory expects of a configured curve at its widths: mean-field values."""

from __future__ import annotations

import pandas as pd

from dynparam.support.arrays import FloatArray
from dynparam.theory.mean_field import mean_field
from dynparam.theory.parametrization import layer_scales
from dynparam.trials.networks import family_networks, uncrossed
from dynparam.trials.settings import ProbeStage


def expected_values(settings: ProbeStage, name: str, input_square_norms: FloatArray) -> pd.DataFrame:
    """Mean-field alignments of a curve at its widths, averaged over images of the given ||x||^2.

    Columns: curve, parametrization, layer, n, n_min, alignment, and alignment_uncrossed: the same if
    n_0 were the smallest n of the window, so that no width passes it. The two differ where the order
    of n_0 and n_1 matters to the parametrization (eq. 3.4).
    """
    probe = settings.probe
    curve, smallest = probe.curve(name), probe.widths.smallest
    grid = family_networks(settings.network, curve.narrow, probe.rounding, probe.widths)
    parts = []
    for n, widths in grid.items():
        alignment, alignment_uncrossed = (
            mean_field(
                shape,
                layer_scales(curve.parametrization, shape, curve.r, probe.first_layer),
                probe.learning_rate,
                input_square_norms,
            ).alignment
            for shape in (widths, uncrossed(widths, smallest))
        )
        parts.append(
            pd.DataFrame(
                {
                    "curve": name,
                    "parametrization": curve.parametrization,
                    "layer": range(1, widths.depth + 1),
                    "n": n,
                    "n_min": widths.n_min,
                    "alignment": alignment,
                    "alignment_uncrossed": alignment_uncrossed,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
