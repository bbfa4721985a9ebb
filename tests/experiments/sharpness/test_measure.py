"""Sharpness measured: against autograd, closed forms, and theory where it must hold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.func import functional_call, jacrev

from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.sharpness import measure
from dynparam.experiments.sharpness.images import drawn_images
from dynparam.support.errors import ConfigError, DataError
from dynparam.support.randomness import torch_generator
from dynparam.theory import kernels
from dynparam.theory.inner_products import inner_products
from dynparam.theory.parametrization import NAMES, LayerScales, layer_scales
from dynparam.theory.widths import Widths
from tests.experiments.sharpness.small import (
    PAIR,
    SHARPNESS,
    normalization_part,
    rates_stage,
    widths_stage,
)

UNIT = LayerScales((1.0,) * 6, (1.0,) * 6)
"""Standard normal weights, no multipliers."""


@pytest.fixture(scope="module")
def widths():
    return measure.measure_widths(widths_stage(), PAIR)


def test_draws_are_of_both_classes_and_differ_by_part():
    first = drawn_images(widths_stage(), PAIR, 20, "widths")
    assert first.shape == (20, 192)
    assert (first == drawn_images(widths_stage(), PAIR, 20, "widths")).all()
    assert (first != drawn_images(widths_stage(), PAIR, 20, "rates")).any()


def test_fewer_images_than_asked_for_are_told():
    with pytest.raises(DataError, match=r"sharpness\.rates\.images asks for 61 images .* has 60"):
        drawn_images(rates_stage(), PAIR, 61, "rates")
    with pytest.raises(ConfigError, match="21 images cannot be shared equally"):
        drawn_images(widths_stage(), PAIR, 21, "widths")


def test_every_network_has_a_row(widths):
    key = ["family", "parametrization", "n", "trial"]
    trials = SHARPNESS["widths"]["trials"]
    assert len(widths) == 2 * 5 * (1 + 2 + 4) * trials == len(widths[key].drop_duplicates())
    counts = widths.groupby("n")["trial"].nunique()
    assert counts.to_dict() == {64: 4 * trials, 128: 2 * trials, 256: trials}
    assert (widths[["sharpness", "expected"]] > 0).all().all()
    assert (
        widths.loc[widths["family"] == "constant", "n_min"] * 4
        == widths.loc[widths["family"] == "constant", "n"]
    ).all()


@pytest.mark.parametrize("name", NAMES)
def test_sharpness_is_that_of_a_network_drawn_for_this_parametrization(widths, name):
    """Reweighted layers against the Jacobian of the network itself, from the same normal numbers."""
    settings = widths_stage()
    network = measure.families(settings)["sharpening"][128]
    scales = layer_scales(name, network)
    random = torch_generator(0, "sharpness", "widths", "sharpening", 128, 2)
    drawn = draw_weights(network, UNIT, random, torch.float32)
    weights = [std * one.double() for std, one in zip(scales.init_std, drawn, strict=True)]
    model = MLP(weights, scales.multiplier)
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
    fewer = measure.measure_widths(
        widths_stage(
            widths={**SHARPNESS["widths"], "trials": 2},
            parametrizations=["standard"],
            families={"sharpening": SHARPNESS["families"]["sharpening"]},
        ),
        PAIR,
    )
    key = ["family", "parametrization", "n", "n_min", "trial"]
    both = fewer.merge(widths, on=key, suffixes=("", "_of_all"))
    assert len(both) == len(fewer) == 2 + 4 + 8
    np.testing.assert_allclose(both["sharpness"], both["sharpness_of_all"], rtol=1e-13)


def test_normalization_takes_sharpness_away_but_not_over_outputs():
    found = measure.measure_normalization(normalization_part())
    assert len(found) == 2 * (1 + 2 + 4) * 4 * 4
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
    return measure.measure_rates(rates_stage(), PAIR)


def test_the_edge_of_stable_rates_is_two_over_the_sharpness(rates):
    assert len(rates) == 2 * 5
    assert rates["product"].between(1.9, 2.15).all()
    np.testing.assert_allclose(rates["rate"] * rates["sharpness"], rates["product"], rtol=1e-12)
    assert rates["sharpness"].max() / rates["sharpness"].min() > 100, "the rates themselves must differ"


def test_tables_repeat_to_the_last_digit(rates):
    again = measure.measure_rates(rates_stage(parametrizations=["mup"]), PAIR)
    first = rates[rates["parametrization"] == "mup"].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, again)


def test_images_are_standardized_by_the_training_images():
    """As everywhere in the house, not by the few that are drawn."""
    settings = widths_stage()
    inputs = settings.inputs.model_copy(update={"normalization": "per_channel"})
    found = drawn_images(settings.model_copy(update={"inputs": inputs}), PAIR, 20, "widths", pool=1)
    every = PAIR.train_images / 255
    mean, deviation = (
        np.repeat(getattr(every, what)(axis=(0, 2, 3)), 32 * 32) for what in ("mean", "std")
    )
    images = (found * deviation + mean) * 255
    assert images == pytest.approx(np.round(images), abs=1e-9)


@pytest.fixture(scope="module")
def limits():
    return measure.wide_limits(widths_stage(), PAIR)


def test_limits_go_through_what_is_expected_of_the_measured_networks(widths, limits):
    pooled_ones = limits[limits["inputs"] == "pooled"].drop(columns="inputs")
    key = ["family", "parametrization", "n"]
    both = widths.merge(pooled_ones, on=key, suffixes=("_measured", ""))
    assert len(both) == len(widths)
    np.testing.assert_allclose(both["expected"], both["sharpness"], rtol=1e-12)
    assert pooled_ones["n"].max() == 10**7


def test_limits_of_whole_images_are_those_of_the_kernel(limits):
    """The thesis's network, n_0 = 3072, from the general recursion in place of the ReLU formula."""
    images = drawn_images(widths_stage(), PAIR, 10, "thesis", pool=1)
    assert images.shape == (10, 3072)
    widths = Widths((3072, 10**5, 1897, 10**5, 1897, 10**5, 1))
    for name in NAMES:
        kernel = kernels.ntk(inner_products(images), widths, layer_scales(name, widths))
        row = limits.query("inputs == 'whole' and parametrization == @name and n == 100000")
        expected = np.linalg.eigvalsh(kernel)[-1] / 10
        assert row["sharpness"].item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("losses", "stable"),
    [
        ([4.0, 2.0, 3.0, 1.0], True),
        ([4.0, 2.0, 4.0, 1.0], True),
        ([4.0, 2.0, 4.1, 1.0], False),
        ([4.0, float("nan"), 1.0, 1.0], False),
    ],
)
def test_a_rate_is_stable_if_the_loss_stays_below_its_first_value(monkeypatch, losses, stable):
    """It may rise for a while; a model that gives planted losses, whatever the steps."""
    left = iter([0.0, *losses])

    class Planted(torch.nn.Module):
        """Outputs whose loss (1/2T) |f|^2 is the next of the planted ones."""

        def __init__(self, *given):
            super().__init__()
            self.nothing = torch.nn.Parameter(torch.zeros(()))

        def forward(self, images):
            """Outputs of all images, equal."""
            return (2 * torch.tensor(next(left)) + 0 * self.nothing).sqrt().expand(len(images), 1)

    monkeypatch.setattr(measure, "MLP", Planted)
    images = torch.zeros(5, 3)
    assert measure._is_stable([], UNIT, images, torch.ones(5, 1), 0.1, len(losses) - 1) is stable


def test_as_many_images_as_there_are_may_be_drawn():
    found = drawn_images(widths_stage(), PAIR, 60, "widths", pool=32)
    every = PAIR.train_images.mean(axis=(2, 3)) / 127.5 - 1
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(every, axis=0), atol=1e-12)


def test_classes_are_equally_many_only_where_that_is_asked_for():
    """21 images of two classes, and of few of one of them as many as fall to it."""
    stage = widths_stage()
    free = stage.model_copy(update={"data": stage.data.model_copy(update={"stratified": False})})
    assert drawn_images(free, PAIR, 21, "widths").shape == (21, 192)
    dark = PAIR.train_images * PAIR.train_labels[:, None, None, None]
    marked = replace(PAIR, train_images=dark)
    for settings, equal in ((stage, True), (free, False)):
        brights = [
            (drawn_images(settings, marked, 20, part) > -1).any(axis=1).sum()
            for part in ("widths", "rates", "thesis")
        ]
        assert (set(brights) == {10}) == equal


def test_images_and_networks_follow_from_the_seed(widths, rates):
    """Of another one all are others."""
    images = [drawn_images(widths_stage(seed=seed), PAIR, 20, "widths") for seed in (0, 1)]
    assert len({one.tobytes() for one in images}) == 2
    few = {"widths": {**SHARPNESS["widths"], "trials": 2}, "parametrizations": ["ntk"]}
    parts = {"normalization": {**SHARPNESS["normalization"], "trials": 2}}
    tables = [
        (
            measure.measure_widths(widths_stage(seed=seed, **few), PAIR),
            measure.measure_rates(rates_stage(seed=seed, parametrizations=["ntk"]), PAIR),
            measure.measure_normalization(normalization_part(seed=seed, **parts)),
        )
        for seed in (0, 1)
    ]
    for first, second in zip(*tables, strict=True):
        assert (first["sharpness"] != second["sharpness"]).all()


def test_networks_of_one_draw_of_images_differ_by_seed(monkeypatch, widths):
    """The images kept, so that the networks' own random numbers show."""
    monkeypatch.setattr(measure, "drawn_images", lambda settings, pair, count, *given, **named: IMAGES)
    few = {"widths": {**SHARPNESS["widths"], "trials": 2}, "parametrizations": ["ntk"]}
    for make, seeds in (
        (lambda seed: measure.measure_widths(widths_stage(seed=seed, **few), PAIR), (0, 1)),
        (lambda seed: measure.measure_rates(rates_stage(seed=seed, **few), PAIR), (0, 1)),
    ):
        first, second = (make(seed) for seed in seeds)
        assert (first["sharpness"] != second["sharpness"]).all()


IMAGES = np.random.default_rng(8).normal(size=(20, 192))


@pytest.mark.parametrize("name", ["mup", "standard"])
@pytest.mark.parametrize("family", ["constant", "sharpening"])
def test_the_sharpness_of_rates_is_that_of_their_own_images_and_networks(rates, family, name):
    network = measure.families(widths_stage())[family][64]
    scales = layer_scales(name, network)
    random = torch_generator(0, "sharpness", "rates", family, 64)
    model = MLP(draw_weights(network, scales, random, torch.float64), scales.multiplier)
    images = torch.from_numpy(drawn_images(rates_stage(), PAIR, 12, "rates"))
    slopes = jacobian(model, lambda f: f, images)
    expected = torch.linalg.matrix_norm(slopes, 2).item() ** 2 / 12
    row = rates.query("family == @family and parametrization == @name")
    assert row["sharpness"].item() == pytest.approx(expected, rel=1e-9)


def jacobian(model, normalize, images):
    """Of normalized outputs, (outputs times inputs, weights)."""
    found = jacrev(lambda p: normalize(functional_call(model, p, (images,))).T)(
        dict(model.named_parameters())
    )
    return torch.cat([one.detach().flatten(2) for one in found.values()], dim=2).flatten(0, 1)


NORMALIZE = {
    "none": lambda f: f,
    "mean": lambda f: f - f.mean(0),
    "batch": lambda f: (f - f.mean(0)) / f.var(0, correction=0).sqrt(),
    "layer": lambda f: torch.nn.functional.layer_norm(f, f.shape[1:], eps=0.0),
}


@pytest.mark.parametrize(("rule", "count"), [("proportional", 24), ("fixed", 12)])
@pytest.mark.parametrize("name", NORMALIZE)
def test_a_trial_of_normalized_outputs_is_that_of_autograd(rule, count, name):
    """Of one output, the mean over them; layer normalization couples them. Variance 2 over fan-in.

    What is expected is the same of the wide kernel, with the slopes of the measured outputs.
    """
    found = measure._of_normalization(normalization_part(), rule, 24, 1)
    (row,) = [one for one in found if one["normalization"] == name]
    random = torch_generator(0, "sharpness", "normalization", rule, 24, 1)
    widths = Widths((24, 24, 24, 8))
    images = torch.empty(count, 24, dtype=torch.float64).normal_(generator=random)
    he = LayerScales((1.0,) * 3, ((2 / 24) ** 0.5,) * 3)
    model = MLP(draw_weights(widths, he, random, torch.float64), he.multiplier)
    slopes = jacobian(model, NORMALIZE[name], images).reshape(8, count, -1)
    parts = [slopes.flatten(0, 1)] if name == "layer" else list(slopes)
    each = [torch.linalg.matrix_norm(one, 2).item() ** 2 / count for one in parts]
    assert row["sharpness"] == pytest.approx(np.mean(each), rel=1e-8)
    wide = kernels.ntk(inner_products(images.numpy()), widths, he)
    values = model(images).detach()
    through = torch.autograd.functional.jacobian(NORMALIZE[name], values).permute(1, 0, 3, 2).numpy()
    full = np.einsum("csea,ab,dteb->csdt", through, wide, through)
    places = [slice(8)] if name == "layer" else [slice(one, one + 1) for one in range(8)]
    tops = [np.linalg.eigvalsh(square(full[one, :, one]))[-1] / count for one in places]
    assert row["expected"] == pytest.approx(np.mean(tops), rel=1e-8)
    assert (row["inputs"], row["width"], row["trial"]) == (rule, 24, 1)


def square(kernel):
    rows = kernel.shape[0] * kernel.shape[1]
    return kernel.reshape(rows, rows)


@pytest.mark.parametrize("edge", [1.05, 1.7, 2.0, 2.3456, 3.9])
def test_the_largest_stable_rate_is_found_to_half_a_per_cent(monkeypatch, edge):
    """The edge is planted at so much over a sharpness of 8; what is asked for are rates."""
    monkeypatch.setattr(measure, "_is_stable", lambda *given: given[4] * 8 < edge)
    found = measure._largest_product([], UNIT, torch.zeros(1), torch.zeros(1), 8.0, 10)
    assert found == pytest.approx(edge, rel=0.0051)


@pytest.mark.parametrize(("stable", "end"), [(True, 4.0), (False, 1.0)])
def test_an_edge_beyond_those_tried_shows_as_the_last_one(monkeypatch, stable, end):
    monkeypatch.setattr(measure, "_is_stable", lambda *given: stable)
    found = measure._largest_product([], UNIT, torch.zeros(1), torch.zeros(1), 8.0, 10)
    assert found == pytest.approx(end, rel=0.0051)


@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_targets_lie_a_thousandth_of_the_outputs_away(monkeypatch, scale):
    """So that the kernel stays; plus or minus, as the signs say."""
    seen = []

    class Planted(torch.nn.Module):
        """Outputs 1, -3 and 5 times ``scale``, and their gradient."""

        def __init__(self, *given):
            super().__init__()
            self.shift = torch.nn.Parameter(torch.zeros(3, 1))

        def forward(self, images):
            """Kept, so that their gradient may be read."""
            f = scale * torch.tensor([[1.0], [-3.0], [5.0]]) + self.shift
            if f.requires_grad:
                f.register_hook(lambda slope: seen.append(slope))
            return f

    monkeypatch.setattr(measure, "MLP", Planted)
    signs = torch.tensor([[1.0], [-1.0], [1.0]])
    assert measure._is_stable([], UNIT, torch.zeros(3, 2), signs, 1e-9, 1)
    torch.testing.assert_close(seen[0], -1e-3 * 3 * scale * signs / 3, rtol=1e-2, atol=0)
