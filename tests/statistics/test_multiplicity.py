"""Holm's correction against the closed test that it is a shortcut of."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dynparam.statistics.multiplicity import holm


def closed_bonferroni(p_values):
    """The greatest Bonferroni p-value of every intersection that a hypothesis is part of."""
    count = len(p_values)
    corrected = np.zeros(count)
    for size in range(1, count + 1):
        for chosen in combinations(range(count), size):
            of_all = min(1.0, size * min(p_values[k] for k in chosen))
            for k in chosen:
                corrected[k] = max(corrected[k], of_all)
    return corrected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p_values):
    assert holm(p_values) == pytest.approx(closed_bonferroni(p_values))


def test_an_unknown_p_value_counts_and_stays_unknown():
    found = holm([0.01, float("nan"), 0.02])
    assert found[[0, 2]] == pytest.approx([0.03, 0.04])
    assert np.isnan(found[1])


def test_the_family_keeps_its_level():
    """Four true nulls that depend on each other: at least one rejected in at most 5 % (+- 0.5 %)."""
    generator = np.random.default_rng(0)
    common = generator.normal(size=(2000, 1))
    values = np.sqrt(0.5) * common + np.sqrt(0.5) * generator.normal(size=(2000, 4))
    p_values = 2 * stats.norm.sf(np.abs(values))
    rejected = np.mean([(holm(row) <= 0.05).any() for row in p_values])
    assert 0.02 < rejected < 0.065
    assert np.mean((p_values <= 0.05).any(axis=1)) > 0.1  # without the correction
