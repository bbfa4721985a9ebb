"""Trials of small networks: beside torch, the same again, kept when interrupted, told when they end."""

import numpy as np
import pytest
import torch
from torch.autograd import grad

from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.delay_law import measure as module
from dynparam.experiments.delay_law.cases import Case, parts
from dynparam.experiments.delay_law.measure import draw_images, measure, steps_of
from dynparam.experiments.delay_law.tables import DELAYS
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.support.randomness import torch_generator
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.delay import delay
from dynparam.theory.parametrization import layer_scales
from dynparam.trials.log import TrialLog
from tests import delays

OWN = delays.block(**delays.SMALL)


def log(path, part="series_1"):
    return TrialLog(path / "delays.csv", part, "these")


@pytest.mark.parametrize(("images", "momentum"), [(1, 0.0), (4, 0.9)])
def test_a_trial_is_plain_training_until_the_loss_is_halved(images, momentum):
    case = Case("p", "k", 1, "spectral", 60, 12, 0.02, 1, momentum, images)
    widths = OWN.network(1, 60, 12)
    scales = layer_scales("spectral", widths)
    generator = torch_generator(OWN.seed, "delay law", *case.point(5))
    x, y = draw_images(OWN.inputs, 2, images, generator)
    network = MLP(draw_weights(widths, scales, generator, torch.float32), scales.multiplier)
    weights = list(network.parameters())
    velocity = [torch.zeros_like(weight) for weight in weights]
    seen = []
    while not seen or seen[-1] > seen[0] / 2:
        loss = (network(x.float()) - y).square().sum(1).mean() / 2
        with torch.no_grad():
            for weight, v, slope in zip(weights, velocity, grad(loss, weights), strict=True):
                weight -= 0.02 * v.mul_(momentum).add_(slope)
        seen.append(loss.item())
    whole = len(seen) - 2
    expected = whole + (seen[-2] - seen[0] / 2) / (seen[-2] - seen[-1])
    assert steps_of(OWN, case, 5) == pytest.approx(expected, rel=1e-4)


def test_images_have_the_norm_that_counts_as_one_and_targets_in_turn():
    x, y = draw_images(64, 2, 5, torch.Generator().manual_seed(0))
    assert x.square().sum(1).tolist() == pytest.approx([64.0] * 5)
    assert y.argmax(1).tolist() == [0, 1, 0, 1, 0]
    assert (x @ x.T / 64 - torch.eye(5)).abs().max() < 0.6


def test_sharp_bottlenecks_wait_as_theory_says():
    """Of n_min = 40 the delay exceeds theory's by some percent, and scatters by a tenth."""
    case = Case("p", "k", 1, "spectral", 4000, 40, 0.2, 6)
    found = np.mean([steps_of(OWN, case, trial) for trial in range(6)])
    assert found == pytest.approx(case.expected(), rel=0.2)
    assert case.expected() == delay(100.0, 1, 0.2)


@pytest.mark.parametrize("part", parts(OWN))
def test_every_part_is_measured_in_its_form(tmp_path, part):
    table = measure(OWN, part, log(tmp_path, part))
    write_csv(table, tmp_path / "delays.csv")
    read = read_csv(tmp_path / "delays.csv", DELAYS)
    cases = parts(OWN)[part]
    assert len(read) == sum(case.trials for case in cases)
    assert (read["steps"] > 0).all()
    assert set(read["part"]) == {part.removesuffix("_1").removesuffix("_2")}


def test_an_interrupted_measurement_goes_on_where_it_stood(tmp_path, monkeypatch):
    whole = measure(OWN, "series_1", log(tmp_path / "whole"))
    taken = []

    def interrupted(own, case, trial):
        if len(taken) == 3:
            raise KeyboardInterrupt
        taken.append((case.n, trial))
        return steps_of(own, case, trial)

    monkeypatch.setattr(module, "steps_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure(OWN, "series_1", log(tmp_path))
    before = list(taken)
    taken.clear()
    monkeypatch.setattr(
        module,
        "steps_of",
        lambda own, case, trial: taken.append((case.n, trial)) or steps_of(own, case, trial),
    )
    again = measure(OWN, "series_1", log(tmp_path))
    assert again.equals(whole)
    assert len(before) == 3
    assert not set(before) & set(taken)
    assert len(before) + len(taken) == len(whole)


def test_networks_are_drawn_anew_for_every_trial_and_kind():
    case = Case("p", "k", 1, "spectral", 60, 12, 0.1, 1)
    other = Case("p", "other", 1, "spectral", 60, 12, 0.1, 1)
    found = {steps_of(OWN, case, 0), steps_of(OWN, case, 1), steps_of(OWN, other, 0)}
    assert len(found) == 3
    assert steps_of(OWN, case, 0) in found


def test_a_loss_that_is_not_halved_in_time_is_told():
    few = OWN.model_copy(update={"steps": 3})
    case = Case("series", "usual", 1, "spectral", 60, 12, 0.01, 1)
    with pytest.raises(NonFiniteError, match=r"series, usual, .*within 3 steps.*delay_law\.steps"):
        steps_of(few, case, 0)


@pytest.mark.parametrize("engine", ["stored", "law"])
@pytest.mark.parametrize("learning_rate", [100.0, 1e30])
def test_steps_that_silence_all_units_or_leave_all_bounds_are_told(engine, learning_rate):
    few = OWN.model_copy(update={"steps": 10})
    case = Case("families", "flat", 1, "standard", 60, 12, learning_rate, 1, engine=engine)
    with pytest.raises(NonFiniteError, match="change the learning rate"):
        steps_of(few, case, 0)


@pytest.mark.parametrize("engine", ["stored", "law"])
def test_widths_beyond_memory_are_refused(engine):
    case = Case("p", "k", 2, "spectral", 10**9, 10**5, 0.1, 1, engine=engine)
    with pytest.raises(ConfigError, match="GiB are free"):
        steps_of(OWN, case, 0)


def test_a_part_that_there_is_none_of_is_told(tmp_path):
    with pytest.raises(ConfigError, match="there is no 'series_3' in the parts of delay_law"):
        measure(OWN, "series_3", log(tmp_path))


def test_rates_of_families_follow_their_power():
    cases = [case for case in parts(delays.block())["families"] if case.parametrization == "standard"]
    products = [case.n * case.learning_rate for case in cases]
    assert products == pytest.approx([products[0]] * len(products))
    assert {case.engine for case in cases} == {"law"}
