"""What one step records, and which value, shape or image is told as wrong."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from dynparam.engines.network import Step
from dynparam.engines.one_step import OneStep, check_trial, record
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory.widths import Widths

QUANTITIES = [field.name for field in fields(OneStep)]
STEP = Step(
    preactivation=(torch.tensor([1.0, -3.0, 2.0]), torch.tensor([4.0, 0.0])),
    gradient=(torch.tensor([2.0, 0.0, -1.0]), torch.tensor([0.5, 1.0])),
    update=(torch.tensor([-1.0, 5.0, 2.0]), torch.tensor([2.0, 3.0])),
    own=(torch.tensor([3.0, 0.0, -3.0]), torch.tensor([1.0, -1.0])),
)
SECOND_GRADIENT = (torch.tensor([-3.0, 7.0, 1.0]), torch.tensor([2.0, -1.0]))
"""Two layers of three and two units; the update lowers the loss in the first, not in the second."""


def test_each_quantity_is_that_of_its_layer():
    assert record(STEP).measured() == {
        "alignment": pytest.approx((4.0, 4.0)),
        "preactivation_rms": pytest.approx((np.sqrt(14 / 3), np.sqrt(8))),
        "update_rms": pytest.approx((np.sqrt(10), np.sqrt(6.5))),
        "gradient_norm": pytest.approx((np.sqrt(5), np.sqrt(1.25))),
        "own_rms": pytest.approx((np.sqrt(6), 1.0)),
    }
    assert record(STEP, SECOND_GRADIENT).gradient_overlap == pytest.approx((7.0, 0.0))


def test_sums_do_not_overflow_in_single_precision():
    large = replace(STEP, preactivation=tuple(1e30 * one for one in STEP.preactivation))
    assert record(large).preactivation_rms[1] == pytest.approx(1e30 * np.sqrt(8))


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("layers", [(1,), (2,), (3,), (2, 3)])
@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_the_first_value_that_is_not_finite_is_named(quantity, layers, value):
    found = OneStep(*[(1.0, 2.0, 3.0)] * len(QUANTITIES))
    assert found.checked() is found
    wrong = tuple(value if layer in layers else 1.0 for layer in (1, 2, 3))
    with pytest.raises(NonFiniteError, match=f"^{quantity} of layer {layers[0]} is {value}; lower the"):
        replace(found, **{quantity: wrong}).checked()


@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        (torch.ones(4), torch.ones(2), r"^x has the shape \(4,\); these widths need \(3,\)$"),
        (torch.ones(1, 3), torch.ones(2), r"^x has the shape \(1, 3\); these widths need \(3,\)$"),
        (torch.ones(3), torch.ones(3), r"^y has the shape \(3,\); these widths need \(2,\)$"),
        (torch.zeros(3), torch.ones(2), "^the image x is zero everywhere"),
    ],
)
def test_a_trial_of_other_widths_or_without_an_image_is_refused(x, y, told):
    with pytest.raises(ConfigError, match=told):
        check_trial(Widths((3, 5, 2)), x, y)


@pytest.mark.parametrize("x", [[0.0, 0.0, -1.0], [1e-30, 0.0, 0.0]])
def test_one_number_makes_an_image_and_a_target_may_be_zero(x):
    check_trial(Widths((3, 5, 2)), torch.tensor(x), torch.zeros(2))
