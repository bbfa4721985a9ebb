"""Dynamic beside ntk: what is identical, to rounding, and what a control finds."""

import pytest

from dynparam.experiments.sharpness import output_scale
from dynparam.support.errors import NonFiniteError
from dynparam.theory.output_scale import OutputScale
from tests.experiments.sharpness.small import PAIR, rates_stage


@pytest.fixture(scope="module")
def found():
    return output_scale.measure_output_scale(rates_stage(), PAIR)


def test_every_r_and_momentum_has_a_row(found):
    assert len(found) == 2 * len(output_scale.R) * len(output_scale.MOMENTUM)
    assert (found["n"] == 64).all()


def test_kernels_and_outputs_are_the_same_to_rounding(found):
    assert found[["kernels", "outputs"]].to_numpy().max() < 1e-12


def test_without_the_factor_in_the_rate_they_are_not(found):
    assert found["same_rate"].min() > 1e-2


def test_without_the_factor_of_the_output_they_are_not(monkeypatch):
    monkeypatch.setattr(output_scale, "output_scale", lambda widths, r: OutputScale(1.0, 1.0))
    found = output_scale.measure_output_scale(rates_stage(), PAIR)
    assert found["outputs"].min() > 1e-2


def test_what_diverges_is_told(monkeypatch):
    monkeypatch.setattr(output_scale, "RATE", 1e6)
    with pytest.raises(NonFiniteError, match=r"not finite; choose a larger sharpness\.rates\.n"):
        output_scale.measure_output_scale(rates_stage(), PAIR)
