"""Runs that vary what no run of the thesis does: initial scales, decay, larger updates, a third set."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from benchmarks import plain_training
from dynparam.support.errors import ConfigError
from dynparam.theory.parametrization import LayerScales, hybrid_scales, layer_scales
from dynparam.training.curve_table import COLUMNS, VALIDATED_COLUMNS
from dynparam.training.protocol import (
    Networks,
    Task,
    batch_order,
    initial_weights,
    network_widths,
    run_scales,
)
from dynparam.training.runs import curve_table, train_seeds
from dynparam.training.settings import VariedProtocol, VariedRun
from tests.tolerances import TRAINING
from tests.training_runs import (
    TASK,
    TEST,
    TRAIN,
    files_of,
    invented_pair,
    plan_of,
    run_stage,
    run_values,
    task_of,
)

VALIDATION = 8


def varied(validation=VALIDATION, **protocol):
    """A run that varies; ``protocol`` overrides keys of that block."""
    plain = {"initialization": None, "weight_decay": 0.0}
    values = run_values(**{**plain, **protocol})
    values["data"]["validation_images"] = validation
    return VariedRun.model_validate(values)


def three_sets():
    """The invented pair with eight images more."""
    more = invented_pair(VALIDATION, 2, seed=9)
    return replace(
        invented_pair(), validation_images=more.train_images, validation_labels=more.train_labels
    )


def task_with_three_sets():
    return Task.of_pair(three_sets(), "half_range", torch.float64, torch.device("cpu"))


def trained(stage, name, task, steps_of=(1, 2, 3)):
    """A stack after some epochs."""
    stack = Networks(stage, TASK, task, name).draw([0])
    for epoch in steps_of:
        for batch in batch_order(stage, TASK, 0, epoch):
            stack.train_batch(batch[None])
    return stack


@pytest.mark.parametrize("dampening", [0, 0.5])
@pytest.mark.parametrize("name", ["spectral", "dynamic"])
def test_weight_decay_is_that_of_torch(name, dampening):
    """Every weight after three epochs, beside torch's own optimizer; without decay it is elsewhere."""
    options = {"dtype": "float64", "first_layer": "primal", "dampening": dampening}
    stage, task = varied(weight_decay=0.3, **options), task_with_three_sets()
    stack = trained(stage, name, task)
    scales = layer_scales(name, network_widths(stage))
    weights = initial_weights(stage, TASK, scales, 0)
    model = plain_training.network([w.clone() for w in weights], scales)
    protocol = stage.protocol
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=protocol.learning_rate,
        momentum=protocol.momentum,
        dampening=dampening,
        weight_decay=0.3,
    )
    # torch's first step takes the gradient whole, whatever the dampening: here it starts at rest.
    for parameter in model.parameters():
        optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    for epoch in (1, 2, 3):
        order = batch_order(stage, TASK, 0, epoch)
        plain_training.train_epoch(model, optimizer, task.inputs, task.targets, order)
    found = [tensor[0] for key, tensor in stack.tensors().items() if key.startswith("weights")]
    plain = trained(varied(**options), name, task).tensors()["weights_2"][0]
    for mine, theirs in zip(found, model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs.detach(), rtol=TRAINING[torch.float64], atol=1e-12)
    assert not torch.allclose(found[1], plain, rtol=1e-3)


def test_decay_of_a_dual_first_layer_is_refused():
    with pytest.raises(ValidationError, match=r"set protocol\.first_layer to primal"):
        varied(weight_decay=0.1)


@pytest.mark.parametrize(("start", "rates"), [("spectral", "dynamic"), ("dynamic", "mup")])
def test_initial_scales_of_one_and_rates_of_another(start, rates):
    """Beside a network without multipliers that has a learning rate for each layer (eqs. 2.80, 2.81)."""
    stage = varied(initialization=start, dtype="float64", first_layer="primal", momentum=0)
    task, widths = task_with_three_sets(), network_widths(stage)
    stack = trained(stage, rates, task)
    ones = LayerScales((1.0,) * widths.depth, layer_scales(start, widths).signal)
    model = plain_training.network(initial_weights(stage, TASK, ones, 0), ones)
    factors = [g * g for g in layer_scales(rates, widths).multiplier]
    rate = stage.protocol.learning_rate
    groups = [
        {"params": [parameter], "lr": rate * factor}
        for parameter, factor in zip(model.parameters(), factors, strict=True)
    ]
    optimizer = torch.optim.SGD(groups, lr=rate)
    for epoch in (1, 2, 3):
        order = batch_order(stage, TASK, 0, epoch)
        plain_training.train_epoch(model, optimizer, task.inputs, task.targets, order)
    mine = stack.evaluate().losses[0]
    for place, part in enumerate(
        (slice(0, TRAIN), slice(TRAIN, TRAIN + TEST), slice(-VALIDATION, None))
    ):
        theirs = plain_training.evaluate(model, task.inputs[part], task.targets[part])[0]
        # Initial weights are drawn in float32, in units of other standard deviations.
        assert float(mine[place]) == pytest.approx(theirs, rel=1e-6)
    for other in (start, rates):
        pure = trained(varied(dtype="float64", first_layer="primal", momentum=0), other, task)
        assert float(pure.evaluate().losses[0, 0]) != pytest.approx(float(mine[0]), rel=1e-3)


def test_a_hybrid_with_itself_is_itself():
    stage = varied(initialization="dynamic")
    own = layer_scales("dynamic", network_widths(stage))
    assert run_scales(stage, "dynamic").multiplier == own.multiplier
    assert run_scales(stage, "dynamic").init_std == pytest.approx(own.init_std, rel=1e-14)


def test_hybrids_of_two_networks_are_refused():
    short, long = (layer_scales("ntk", widths) for widths in ((4, 3, 2), (4, 3, 3, 2)))
    with pytest.raises(ConfigError, match="give both for the same widths"):
        hybrid_scales(short, long)


def test_updates_beyond_the_square_root():
    """n_min^r multiplies hidden multipliers, and divides initial weights (eq. 2.68)."""
    half, one = (run_scales(varied(r=r), "dynamic") for r in ("1/2", 1))
    assert one.multiplier[:-1] == pytest.approx([7**0.5 * g for g in half.multiplier[:-1]], rel=1e-12)
    assert one.multiplier[-1] == pytest.approx(half.multiplier[-1], rel=1e-12)
    assert one.init_std == pytest.approx([std / 7**0.5 for std in half.init_std], rel=1e-12)
    assert run_scales(varied(r=1), "mup") == run_scales(varied(r="1/2"), "mup")


def test_without_a_change_a_run_is_the_thesis_s():
    """The same curve, to the bit, on the images that both see."""
    plain, task = run_stage(), task_of(run_stage())
    protocol = VariedProtocol.of(plain.protocol)
    assert protocol == varied().protocol
    first = trained(plain, "dynamic", task).evaluate()
    third = Task.of_pair(three_sets(), "half_range", torch.float32, torch.device("cpu"))
    second = trained(varied(), "dynamic", third).evaluate()
    torch.testing.assert_close(first.losses, second.losses[:, :2], rtol=1e-6, atol=0)
    assert torch.equal(first.accuracies, second.accuracies[:, :2])


def test_a_third_set_is_evaluated_by_itself():
    """Loss and accuracy of every set beside numpy's, and after an interruption the same curve."""
    task = task_with_three_sets()
    stack = trained(varied(dtype="float64", first_layer="primal"), "ntk", task)
    found = stack.evaluate()
    weights = [t[0].numpy() for key, t in stack.tensors().items() if key.startswith("weights")]
    h = task.inputs.numpy()
    for layer, (w, g) in enumerate(
        zip(weights, layer_scales("ntk", network_widths(varied())).multiplier, strict=True)
    ):
        h = g * (np.maximum(h, 0) if layer else h) @ w.T
    losses = ((h - task.targets.numpy()) ** 2).sum(axis=1) / 2
    right = h.argmax(axis=1) == task.targets.numpy().argmax(axis=1)
    parts = (slice(0, TRAIN), slice(TRAIN, TRAIN + TEST), slice(TRAIN + TEST, None))
    assert found.losses[0].tolist() == pytest.approx([losses[part].mean() for part in parts], rel=1e-12)
    assert found.accuracies[0].tolist() == pytest.approx([right[part].mean() for part in parts])


def test_curves_of_a_third_set_are_kept(tmp_path):
    """Trained, kept and read again; the table has two columns more, and the others are as without it."""
    stage = varied()
    files = files_of(tmp_path, stage)
    records = train_seeds(plan_of(stage), [0, 1], three_sets(), files)
    again = train_seeds(plan_of(stage), [0, 1], three_sets(), files)
    table = curve_table(TASK, "dynamic", records)
    assert tuple(table.columns) == VALIDATED_COLUMNS
    assert table.equals(curve_table(TASK, "dynamic", again))
    assert table["validation_loss"].between(0, 10).all()
    plain = run_stage()
    other = train_seeds(plan_of(plain), [0, 1], invented_pair(), files_of(tmp_path / "plain", plain))
    expected = curve_table(TASK, "dynamic", other)
    assert tuple(expected.columns) == COLUMNS
    np.testing.assert_allclose(
        table[list(COLUMNS[4:])].to_numpy(), expected[list(COLUMNS[4:])].to_numpy(), rtol=1e-5
    )


def test_a_pair_without_the_third_set_is_not_trained(tmp_path):
    stage = varied()
    with pytest.raises(ConfigError, match=r"0 validation images, and data asks for .* 8 validation"):
        train_seeds(plan_of(stage), [0], invented_pair(), files_of(tmp_path, stage))
