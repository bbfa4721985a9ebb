"""What theory expects of a configured curve: exponents, and mean-field values at its widths."""

from __future__ import annotations

from fractions import Fraction

import pandas as pd

from dynparam.settings.widths import Curve, Network
from dynparam.support.arrays import FloatArray
from dynparam.theory.mean_field import mean_field
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import layer_scales
from dynparam.trials.networks import family_exponents, family_networks, uncrossed
from dynparam.trials.settings import ProbeStage


def asymptotic_exponents(network: Network, curve: Curve) -> tuple[Fraction, ...]:
    """Exponents of the alignments of layers 1 ... L as n grows and n_0, n_L stay (``orders``)."""
    exponents = family_exponents(network, curve.narrow)
    return orders(curve.parametrization, exponents, curve.r).alignment


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
                layer_scales(curve.parametrization, shape, curve.r),
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
