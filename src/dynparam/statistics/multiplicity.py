"""Several tests at once: Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynparam.support.arrays import FloatArray


def holm(p_values: Sequence[float]) -> FloatArray:
    """P-values corrected for their number (Holm, 1979); each at most alpha keeps the family at alpha.

    A p-value that is nan tells nothing: it counts as 1 in the family and stays nan.

    >>> tuple(round(p, 3) for p in holm([0.01, 0.04, 0.03, 0.5]).tolist())
    (0.04, 0.09, 0.09, 0.5)
    """
    p = np.asarray(p_values, dtype=float)
    known = np.where(np.isnan(p), 1.0, p)
    order = np.argsort(known, kind="stable")
    factors = np.arange(len(p), 0, -1)
    stepped = np.minimum(np.maximum.accumulate(factors * known[order]), 1.0)
    corrected = np.empty_like(known)
    corrected[order] = stepped
    return np.where(np.isnan(p), np.nan, corrected)
