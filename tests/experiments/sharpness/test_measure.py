"""Sharpness measured: against autograd, closed forms, and theory where it must hold."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.func import functional_call, jacrev

from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.sharpness import measure
from dynparam.experiments.sharpness.images import drawn_images, pooled
from dynparam.support.errors import ConfigError, DataError
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import NAMES, layer_scales
from tests.experiments.sharpness.small import PAIR, SHARPNESS, stage


@pytest.fixture(scope="module")
def widths():
    return measure.measure_widths(stage(), PAIR)


def test_pooled_images_are_means_of_blocks():
    images = np.random.default_rng(0).normal(size=(2, 3, 32, 32))
    found = pooled(images.reshape(2, -1), 4).reshape(2, 3, 8, 8)
    assert found[1, 2, 3, 7] == pytest.approx(images[1, 2, 12:16, 28:32].mean())
    assert (pooled(images.reshape(2, -1), 1) == images.reshape(2, -1)).all()
    assert pooled(images.reshape(2, -1), 32) == pytest.approx(images.mean(axis=(2, 3)))


def test_draws_are_of_both_classes_and_differ_by_part():
    first = drawn_images(stage(), PAIR, 20, "widths")
    assert first.shape == (20, 192)
    assert (first == drawn_images(stage(), PAIR, 20, "widths")).all()
    assert (first != drawn_images(stage(), PAIR, 20, "rates")).any()


def test_fewer_images_than_asked_for_are_told():
    with pytest.raises(DataError, match=r"sharpness\.rates\.images asks for 61 images .* has 60"):
        drawn_images(stage(), PAIR, 61, "rates")
    with pytest.raises(ConfigError, match="21 images cannot be shared equally"):
        drawn_images(stage(), PAIR, 21, "widths")


def test_every_network_has_a_row(widths):
    part = SHARPNESS["widths"]
    key = ["family", "parametrization", "n", "trial"]
    assert len(widths) == 2 * 5 * 3 * part["trials"] == len(widths[key].drop_duplicates())
    assert (widths[["sharpness", "expected"]] > 0).all().all()
    assert (
        widths.loc[widths["family"] == "constant", "n_min"] * 4
        == widths.loc[widths["family"] == "constant", "n"]
    ).all()


@pytest.mark.parametrize("name", NAMES)
def test_sharpness_is_that_of_a_network_drawn_for_this_parametrization(widths, name):
    """Reweighted layers against the Jacobian of the network itself, from the same normal numbers."""
    settings = stage()
    network = measure.families(settings)["sharpening"][128]
    scales = layer_scales(name, network)
    random = torch_generator(0, "sharpness", "widths", "sharpening", 128, 2)
    model = MLP(draw_weights(network, scales, random, torch.float64), scales.multiplier)
    images = torch.from_numpy(drawn_images(settings, PAIR, 20, "widths"))
    found = jacrev(lambda p: functional_call(model, p, (images,)))(dict(model.named_parameters()))
    jacobian = torch.cat([one.detach().reshape(20, -1) for one in found.values()], dim=1)
    expected = torch.linalg.matrix_norm(jacobian, 2).item() ** 2 / 20
    row = widths.query("family == 'sharpening' and parametrization == @name and n == 128 and trial == 2")
    assert row["sharpness"].item() == pytest.approx(expected, rel=1e-10)


def test_dynamic_and_ntk_have_the_same_sharpness_draw_by_draw(widths):
    table = widths.set_index(["family", "n", "trial"])
    ntk, dynamic = (table[table["parametrization"] == name] for name in ("ntk", "dynamic"))
    for column in ("sharpness", "expected"):
        np.testing.assert_allclose(ntk[column], dynamic[column], rtol=1e-12)


def test_measured_values_are_near_theory(widths):
    """Six networks with sum_l 1/n_l up to 0.17: means within a factor of two, and slopes to tell."""
    ratios = widths["sharpness"] / widths["expected"]
    means = ratios.groupby([widths["family"], widths["parametrization"], widths["n"]]).mean()
    assert means.between(0.5, 2).all()
    table = (
        widths[widths["family"] == "sharpening"].groupby(["parametrization", "n"])["expected"].first()
    )
    steps = np.log(table.unstack()[256] / table.unstack()[64]) / np.log(4)
    assert steps["ntk"] == pytest.approx(0, abs=1e-10)
    assert steps["standard"] > 0.8
    assert steps["spectral"] < -0.15


def test_order_and_number_of_trials_change_nothing(widths):
    part = {**SHARPNESS["widths"], "trials": 2, "parametrizations": ["standard"]}
    part["families"] = {"sharpening": part["families"]["sharpening"]}
    fewer = measure.measure_widths(stage(widths=part), PAIR)
    key = ["family", "parametrization", "n", "n_min", "trial"]
    both = fewer.merge(widths, on=key, suffixes=("", "_of_all"))
    assert len(both) == len(fewer) == 6
    np.testing.assert_allclose(both["sharpness"], both["sharpness_of_all"], rtol=1e-13)


def test_normalization_takes_sharpness_away_but_not_over_outputs():
    found = measure.measure_normalization(stage().sharpness)
    assert len(found) == 2 * 3 * 4 * 4
    assert np.isfinite(found[["sharpness", "expected"]]).all().all()
    means = found.groupby(["inputs", "normalization", "width"])["sharpness"].mean()
    proportional = means["proportional"]
    assert (proportional["mean"] < proportional["none"]).all()
    growth = proportional.unstack()[48] / proportional.unstack()[12]
    assert growth["none"] > 1.7
    assert growth[["mean", "batch"]].max() < 0.8 * growth["none"]
    none = found[found["normalization"] == "none"]
    ratio = (none["sharpness"] / none["expected"]).groupby(none["width"]).mean()
    # Eight networks of eight outputs; smaller ones scatter more.
    assert ratio[48] == pytest.approx(1, abs=0.3)


@pytest.fixture(scope="module")
def rates():
    return measure.measure_rates(stage(), PAIR)


def test_the_edge_of_stable_rates_is_two_over_the_sharpness(rates):
    assert len(rates) == 2 * 5
    assert rates["product"].between(1.9, 2.15).all()
    np.testing.assert_allclose(rates["rate"] * rates["sharpness"], rates["product"], rtol=1e-12)
    assert rates["sharpness"].max() / rates["sharpness"].min() > 100, "the rates themselves must differ"


def test_tables_repeat_to_the_last_digit(rates):
    part = {**SHARPNESS["widths"], "parametrizations": ["mup"]}
    again = measure.measure_rates(stage(widths=part), PAIR)
    first = rates[rates["parametrization"] == "mup"].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, again)
