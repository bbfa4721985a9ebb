"""Networks beside their linearizations: what is drawn, what is recorded, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dynparam.experiments.lazy_or_rich import linearization
from dynparam.experiments.lazy_or_rich.tables import LINEARIZATION
from dynparam.support.errors import DataError, NonFiniteError
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
