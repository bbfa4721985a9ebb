"""The networks of a configured family, and how they grow."""

from fractions import Fraction

import pytest

from dynparam.settings.widths import NarrowWidth, Network, WidthGrid
from dynparam.support.errors import ConfigError
from dynparam.theory.widths import Widths
from dynparam.trials.networks import (
    asymptotic_exponents,
    family_exponents,
    family_networks,
    hidden_exponents,
    ratio_rule,
    uncrossed,
    wide_widths,
)
from tests.networks import probe_stage

NETWORK = Network(hidden=("wide", "narrow", "narrow"))
GRID = WidthGrid(smallest=100, largest=10_000, count=3)
ROOT = NarrowWidth(coefficient=3, exponent="1/2")


def test_networks_lie_on_the_grid_in_order():
    found = family_networks(NETWORK, ROOT, "nearest", GRID)
    assert list(found) == list(wide_widths(GRID)) == [100, 1000, 10_000]
    assert [one.sizes for one in found.values()] == [
        (3072, 100, 30, 30, 2),
        (3072, 1000, 95, 95, 2),
        (3072, 10_000, 300, 300, 2),
    ]


def test_rounding_is_that_of_the_settings():
    """3 sqrt(1000) = 94.87."""
    assert family_networks(NETWORK, ROOT, "floor", GRID)[1000].n_min == 94


def test_a_rule_that_gives_no_width_is_refused():
    with pytest.raises(ConfigError, match=r"wider than the wide layers"):
        family_networks(NETWORK, NarrowWidth(coefficient=20, exponent="1/2"), "nearest", GRID)


def test_exponents_are_those_of_the_rule():
    fifth = NarrowWidth(coefficient=3, exponent="1/5")
    assert hidden_exponents(NETWORK, fifth) == (1, Fraction(1, 5), Fraction(1, 5))
    assert family_exponents(NETWORK, fifth) == (0, 1, Fraction(1, 5), Fraction(1, 5), 0)
    assert str(ratio_rule(fifth)) == "3 n^(1/5)"


@pytest.mark.parametrize("r", ["1/2", 0])
def test_alignments_of_a_curve_follow_from_its_own_parametrization(r):
    """Dynamic keeps them whatever r is; spectral, at n, n^(1/5), n, loses one factor n_min/n."""
    network = Network(hidden=("wide", "narrow", "wide"))
    narrow = NarrowWidth(coefficient=3, exponent="1/5")
    changes = {"narrow": narrow, "r": Fraction(r)}
    dynamic = probe_stage().probe.curve("sharpening").model_copy(update=changes)
    assert asymptotic_exponents(network, dynamic) == (0,) * 4
    spectral = dynamic.model_copy(update={"parametrization": "spectral"})
    assert asymptotic_exponents(network, spectral) == (Fraction(-4, 5),) * 4


@pytest.mark.parametrize(("smallest", "first"), [(100, 100), (3072, 3072), (5000, 3072)])
def test_no_width_of_a_window_passes_the_input_that_is_lowered(smallest, first):
    widths = Widths((3072, 5000, 70, 5000, 2))
    assert uncrossed(widths, smallest).sizes == (first, 5000, 70, 5000, 2)
