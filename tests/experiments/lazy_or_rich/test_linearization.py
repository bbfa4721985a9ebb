"""Networks beside their linearizations: what is drawn, what is recorded, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dynparam.data.images import draw_subset
from dynparam.data.pooling import about_the_mean, pooled
from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.lazy_or_rich import linearization
from dynparam.experiments.lazy_or_rich.tables import LINEARIZATION
from dynparam.support.errors import DataError, NonFiniteError
from dynparam.support.randomness import seed_sequence, torch_generator
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from dynparam.trials.log import TrialLog
from tests.lazy import linearization_stage
from tests.networks import invented_pair


def pair(images=40):
    """Images to train on and others to test on."""
    train, test = invented_pair(images), invented_pair(images, seed=1)
    return replace(train, test_images=test.train_images, test_labels=test.train_labels)


def log(folder):
    return TrialLog(folder / "ntk.csv", "ntk", "settings")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    settings = linearization_stage(linearization__widths={"smallest": 16, "largest": 256, "count": 2})
    return {
        name: linearization.measure(settings, name, pair(), log(tmp_path_factory.mktemp(name)))
        for name in ("ntk", "dynamic")
    }


def test_tables_have_their_form(tables, tmp_path):
    for name, table in tables.items():
        LINEARIZATION.check(table, tmp_path / "t.csv", parametrization=name)
        assert len(table) == 2 * 2
        assert (table["rank"] == 8).all()


def test_a_wider_ntk_is_nearer_to_its_linearization_than_dynamic(tables):
    wide = {name: table[table["n"] == 256] for name, table in tables.items()}
    narrow = tables["ntk"][tables["ntk"]["n"] == 16]
    assert wide["ntk"]["discrepancy"].max() < narrow["discrepancy"].min()
    for column in ("discrepancy", "kernel_change"):
        assert wide["ntk"][column].max() < wide["dynamic"][column].min()


def test_images_are_stratified_of_one_norm_and_the_same_for_every_parametrization():
    settings = linearization_stage()
    images, targets, others = linearization.draw(settings, pair(), 64, 1)
    assert images.shape == (8, 192)
    assert others.shape == (6, 192)
    assert sorted(targets.tolist()) == [-1.0] * 4 + [1.0] * 4
    both = torch.cat([images, others])
    np.testing.assert_allclose(both.square().sum(dim=1).numpy(), 192, rtol=1e-12)
    again = linearization.draw(settings, pair(), 64, 1)
    assert all(torch.equal(a, b) for a, b in zip((images, targets, others), again, strict=True))
    assert not torch.equal(images, linearization.draw(settings, pair(), 64, 0)[0])


def test_targets_are_those_of_their_images():
    """The mean image of one class is dark and that of the other bright; pooling keeps that."""
    drawn = pair()
    drawn.train_images[:] = np.where(drawn.train_labels, 200, 50)[:, None, None, None]
    drawn.train_images[:, :, :5] += np.arange(40, dtype=np.uint8)[:, None, None, None]
    images, targets, _ = linearization.draw(linearization_stage(), drawn, 64, 0)
    assert (torch.sign(images.mean(dim=1)) == targets).all()


def test_too_few_images_are_told(tmp_path):
    settings = linearization_stage(linearization__train_images=60)
    with pytest.raises(DataError, match="30 images per class are asked for and 20 are available"):
        linearization.measure(settings, "ntk", pair(), log(tmp_path))


def test_a_runaway_descent_is_told(tmp_path, monkeypatch):
    """No step up to 2 does that on these images, so one beyond is taken in its place."""
    descend = linearization.descend
    monkeypatch.setattr(
        linearization, "descend", lambda start, rate, steps: descend(start, 100 * rate, steps)
    )
    told = (
        r"dynamic, n = 16, trial 0: gradient descent diverges.*lower lazy_or_rich\.linearization\.step"
    )
    with pytest.raises(NonFiniteError, match=told):
        linearization.measure(linearization_stage(), "dynamic", pair(), log(tmp_path))


def test_equal_images_are_told_and_no_error(tmp_path, capsys):
    drawn = pair()
    drawn.train_images[drawn.train_labels == 0] = drawn.train_images[drawn.train_labels == 0][0]
    table = linearization.measure(linearization_stage(), "ntk", drawn, log(tmp_path))
    assert (table["rank"] == 5).all()
    assert "the kernel of 8 inputs has the rank 5" in capsys.readouterr().err


def test_another_width_has_images_of_its_own_and_weights_too():
    settings = linearization_stage()
    first, other = (linearization.draw(settings, pair(), n, 0)[0] for n in (16, 64))
    assert not torch.equal(first, other)
    split = linearization.draw(settings, pair(), 16, 0)
    one, two = (linearization._trial(settings, "ntk", 16, trial, split) for trial in (0, 1))
    assert one["discrepancy"] != two["discrepancy"], "on the same images"


def test_images_to_compare_on_are_those_of_the_test():
    """Those to train on are bright at the top, those to test on at the bottom, with classes apart."""
    drawn = pair()
    for images, place in ((drawn.train_images, slice(16)), (drawn.test_images, slice(16, 32))):
        images[:] = images // 8
        images[:, :, place] += 200
    images, _, others = linearization.draw(linearization_stage(), drawn, 64, 0)
    top_first = [one.reshape(-1, 3, 8, 8) for one in (images, others)]
    tops, bottoms = ([one[:, :, at].mean(dim=(1, 2, 3)) for one in top_first] for at in (ABOVE, BELOW))
    assert (tops[0] > bottoms[0]).all()
    assert (tops[1] < bottoms[1]).all()


ABOVE, BELOW = slice(4), slice(4, 8)


def test_classes_of_the_test_images_are_equally_many_by_their_own_labels():
    """Test images of one class are dark; labels of the training images are the other way round."""
    drawn = pair()
    drawn = replace(drawn, train_labels=1 - drawn.test_labels)
    drawn.test_images[:] = np.where(drawn.test_labels, 200, 50)[:, None, None, None]
    drawn.test_images[:, :, :5] += np.arange(40, dtype=np.uint8)[:, None, None, None]
    drawn.test_labels[:10] = drawn.test_labels[0]
    settings = linearization_stage()
    generator = np.random.default_rng(seed_sequence(0, "laziness images", 64, 0))
    train = draw_subset(drawn.train_labels, 8, True, generator)
    test = draw_subset(drawn.test_labels, 6, True, generator)
    inputs = np.concatenate([drawn.train_images[train], drawn.test_images[test]]) / 127.5 - 1
    expected = about_the_mean(pooled(inputs).reshape(14, -1))
    images, targets, others = linearization.draw(settings, drawn, 64, 0)
    np.testing.assert_allclose(torch.cat([images, others]).numpy(), expected, rtol=1e-9)
    assert targets.tolist() == np.where(drawn.train_labels[train], 1.0, -1.0).tolist()


@pytest.mark.parametrize("name", ["ntk", "dynamic"])
def test_a_trial_is_held_against_the_linear_model_step_by_step_and_in_its_limit(tables, name):
    """Networks by autograd; the linear model of their gradients by gradient descent, and by lstsq."""
    settings = linearization_stage()
    images, targets, others = linearization.draw(settings, pair(), 16, 1)
    widths = Widths((192, 16, 16, 1))
    scales = layer_scales(name, widths)
    generator = torch_generator(0, "laziness weights", 16, 1)
    model = MLP(draw_weights(widths, scales, generator, torch.float64), scales.multiplier)
    before, across = jacobian(model, images), jacobian(model, others)
    kernel = before @ before.T
    rate = 0.5 * 8 / np.linalg.eigvalsh(kernel)[-1]
    start, there = (model(x)[:, 0].detach() for x in (images, others))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    linear = np.zeros(before.shape[1])
    for _ in range(20):
        optimizer.zero_grad()
        ((model(images)[:, 0] - start - targets).square().sum() / 16).backward()
        optimizer.step()
        linear -= rate * before.T @ (before @ linear - targets.numpy()) / 8
    moved = (model(others)[:, 0].detach() - there).numpy()
    limit = np.linalg.lstsq(before, targets.numpy(), rcond=None)[0]
    after = jacobian(model, images)
    row = tables[name].query("n == 16 and trial == 1").iloc[0]
    for column, weights in (("discrepancy", linear), ("discrepancy_limit", limit)):
        expected = np.linalg.norm(moved - across @ weights) / np.linalg.norm(across @ weights)
        assert row[column] == pytest.approx(expected, rel=1e-6), column
    change = np.linalg.norm(after @ after.T - kernel) / np.linalg.norm(kernel)
    assert row["kernel_change"] == pytest.approx(change, rel=1e-6)
    left = (model(images)[:, 0].detach() - start - targets).square().sum() / 8
    assert row["loss"] == pytest.approx(float(left), rel=1e-6)


def jacobian(model, images):
    """A row of gradients for each image."""
    rows = []
    for image in images:
        gradients = torch.autograd.grad(model(image[None]).sum(), list(model.parameters()))
        rows.append(torch.cat([one.ravel() for one in gradients]))
    return torch.stack(rows).numpy()


def test_another_seed_draws_other_images_and_other_weights():
    settings = [linearization_stage(seed=seed) for seed in (0, 1)]
    splits = [linearization.draw(one, pair(), 16, 0) for one in settings]
    for first, second in zip(splits[0][::2], splits[1][::2], strict=True):
        assert not torch.equal(first, second)
    rows = [linearization._trial(one, "ntk", 16, 0, splits[0]) for one in settings]
    assert rows[0]["discrepancy"] != rows[1]["discrepancy"]


def test_classes_are_equally_many_only_where_that_is_asked_for():
    stage = linearization_stage(linearization__train_images=20)
    free = stage.model_copy(update={"data": stage.data.model_copy(update={"stratified": False})})
    for settings, equal in ((stage, True), (free, False)):
        sums = [float(linearization.draw(settings, pair(), 16, trial)[1].sum()) for trial in range(4)]
        assert (set(sums) == {0.0}) == equal
