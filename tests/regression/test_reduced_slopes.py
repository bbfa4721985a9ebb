"""Reduced-width slopes against committed references, on the official data."""

import os

import numpy as np
import pandas as pd
import pytest

from dynparam.statistics.verdicts import Verdict, equivalence
from tests.regression import reduced

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(
        not reduced.ARCHIVE.exists() or "DYNPARAM_CIFAR10_HASHES" in os.environ,
        reason="DYNPARAM_CIFAR10_ARCHIVE does not name the official archive",
    ),
    pytest.mark.xdist_group("regression"),
]


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    config = reduced.configuration()
    place = tmp_path_factory.mktemp("reduced")
    return reduced.measure(config, reduced.extract(config, place, config.probe.pair), place)


def test_slopes_are_those_of_many_trials(trials):
    """Within four standard errors of references from 400 trials and another seed.

    24 slopes, strongly correlated within a curve: a false alarm in less than 24 * 6e-5 = 0.2 % of the
    seeds. A half-power of n anywhere moves a slope by 0.2 to 1, four to twenty of these errors.
    """
    reference = pd.read_csv(reduced.SLOPES)
    found = reduced.slopes(trials, reduced.configuration().fit)
    assert found[["curve", "layer"]].equals(reference[["curve", "layer"]])
    error = np.hypot(found["error"], reference["error"])
    assert (np.abs(found["slope"] - reference["slope"]) < 4 * error).all()
    assert (error < 0.12).all(), "the experiment must be able to tell"


@pytest.mark.skipif(
    not reduced.same_numbers_expected(),
    reason=f"the committed numbers were drawn by {reduced.MADE_WITH}",
)
def test_same_seeds_give_the_same_numbers(trials):
    """To 1e-4: sums of float32 in another order, on another processor, differ by some 1e-6."""
    reference = pd.read_csv(reduced.ALIGNMENTS)
    found = reduced.mean_alignments(trials)
    pd.testing.assert_frame_equal(found, reference, rtol=1e-4)


@pytest.mark.skipif(
    not reduced.same_numbers_expected(),
    reason=f"the committed numbers were drawn by {reduced.MADE_WITH}",
)
def test_same_seeds_give_the_same_orders(tmp_path):
    """Updates, own parts and overlaps of two gradients on the law engine, in float64."""
    config = reduced.configuration()
    found = reduced.measure_orders(
        config, reduced.extract(config, tmp_path, config.probe.pair), tmp_path
    )
    reference = pd.read_csv(reduced.ORDERS)
    pd.testing.assert_frame_equal(reduced.mean_orders(found), reference, rtol=1e-6)


def test_dynamic_and_spectral_are_told_apart(trials):
    """The contrast of Fig. 3.3: the dynamic reference slope disagrees with the spectral measurement."""
    reference = pd.read_csv(reduced.SLOPES).set_index(["curve", "layer"])["slope"]
    spectral = reduced.slopes(trials[trials["curve"] == "fig3_3_spectral"], reduced.configuration().fit)
    for row in spectral.itertuples():
        low, high = row.slope - 2 * row.error, row.slope + 2 * row.error
        expected = reference["fig3_3_dynamic", row.layer]
        assert equivalence(low, high, expected, 0.2) is Verdict.DISAGREES
