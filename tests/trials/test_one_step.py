import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from dynparam.engines import dense
from dynparam.settings.base import digest
from dynparam.support.errors import DataError, NonFiniteError
from dynparam.trials.images import TrialImages
from dynparam.trials.log import TrialLog
from dynparam.trials.networks import family_networks
from dynparam.trials.one_step import CurveTrials, finished_trials, log_of_curve, measure_curve
from tests.networks import invented_pair, probe_stage

ONE_STEP = dense.one_step


def log_in(folder, identity="settings"):
    return TrialLog(folder / "curve.csv", "constant", identity)


@pytest.fixture(scope="module")
def images():
    return TrialImages(probe_stage(), invented_pair())


def test_curve_table(images, tmp_path):
    table = measure_curve(probe_stage(), "sharpening", images, log_in(tmp_path, "log"))
    assert list(table.columns) == [
        "curve",
        "parametrization",
        "ratio",
        "n",
        "n_min",
        "trial",
        "layer",
        "alignment",
        "preactivation_rms",
        "update_rms",
        "gradient_norm",
        "own_rms",
        "relative_square",
    ]
    assert len(table) == 3 * 3 * 4
    assert table["n"].unique().tolist() == [30, 52, 90]
    assert table["n_min"].unique().tolist() == [16, 22, 28]
    assert (table[["alignment", "preactivation_rms", "update_rms"]] > 0).all().all()
    assert set(table["ratio"]) == {"3 n^(1/2)"}


@pytest.mark.parametrize("engine", ["dense", "law"])
def test_relative_square_is_that_of_the_image_the_trial_saw(tmp_path, engine):
    """An image never moves: |<g, Delta htilde^1>| is eta g_1^2 ||x||^2 ||g||^2 of layer 1, exactly."""
    stage = probe_stage(trials=6)
    images = TrialImages(stage, invented_pair())
    images.inputs = images.inputs * torch.linspace(0.2, 2, len(images.inputs))[:, None]
    table = measure_curve(stage, "constant", images, log_in(tmp_path, "log"), engine)
    assert table.groupby(["n", "trial"])["relative_square"].nunique().eq(1).all()
    first = table[table["layer"] == 1]
    multiplier = first["n"] / images.inputs.shape[1]  # g_1^2 of spectral parametrization
    square = first["alignment"] / (stage.probe.learning_rate * multiplier * first["gradient_norm"] ** 2)
    expected = images.inputs.double().square().sum(1).mean().item()
    np.testing.assert_allclose(first["relative_square"], square / expected, rtol=1e-3)


@pytest.mark.parametrize("engine", ["dense", "law"])
def test_the_reading_of_eq_3_4_is_that_of_the_settings(tmp_path, engine):
    """n = 30, 52 and 90 are below n_0 = 3072: first preactivations grow by sqrt(3072 / n), exactly."""
    found = []
    for reading in ("written", "asymptotic"):
        stage = probe_stage(first_layer=reading)
        images = TrialImages(stage, invented_pair())
        table = measure_curve(stage, "constant", images, log_in(tmp_path, reading), engine)
        found.append(table[table["layer"] == 1].reset_index(drop=True))
    written, read = found
    expected = written["preactivation_rms"] * np.sqrt(3072 / written["n"])
    np.testing.assert_allclose(read["preactivation_rms"], expected, rtol=1e-5)


def test_trials_do_not_depend_on_which_others_ran(images, tmp_path):
    """Fewer widths and more trials: what both experiments contain is equal to the bit."""
    full = measure_curve(probe_stage(), "constant", images, log_in(tmp_path, "full"))
    other = measure_curve(
        probe_stage(trials=5, widths={"smallest": 30, "largest": 90, "count": 2}),
        "constant",
        images,
        log_in(tmp_path, "other"),
    )
    keys = ["n", "trial", "layer"]
    both = full.merge(other, on=keys, suffixes=("", "_other"))
    assert len(both) == 2 * 3 * 4
    assert (both["alignment"] == both["alignment_other"]).all()


def test_trials_differ(images, tmp_path):
    table = measure_curve(probe_stage(), "constant", images, log_in(tmp_path, "log"))
    assert table["alignment"].is_unique


def test_an_interrupted_curve_resumes_where_it_stood(images, tmp_path, monkeypatch):
    first, second = log_in(tmp_path / "first"), log_in(tmp_path / "second")
    whole = measure_curve(probe_stage(), "constant", images, first)
    lines = first.path.read_text().splitlines(keepends=True)
    second.path.parent.mkdir(parents=True)
    second.path.write_text("".join(lines[:4]) + lines[4][:25])  # killed while writing the fifth trial
    measured = []

    def counting(*arguments, **named):
        measured.append(arguments[0])
        return ONE_STEP(*arguments, **named)

    monkeypatch.setattr("dynparam.engines.dense.one_step", counting)
    resumed = measure_curve(probe_stage(), "constant", images, second)
    assert len(measured) == 9 - 4
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
    assert second.path.read_text() == first.path.read_text()


def test_a_failed_trial_is_named_and_the_finished_ones_are_kept(images, tmp_path):
    log, settings = log_in(tmp_path), probe_stage()
    with pytest.raises(NonFiniteError, match=r"curve constant, n = 30, trial 0: .* of layer \d"):
        measure_curve(probe_stage(learning_rate=1e38), "constant", images, log)
    narrow, probe = settings.probe.curve("constant").narrow, settings.probe
    grid = family_networks(settings.network, narrow, probe.rounding, probe.widths)
    assert finished_trials(log, grid, probe) == {}


def test_a_log_belongs_to_its_settings(tmp_path):
    file = tmp_path / "images.npz"
    file.write_bytes(b"1")

    def path(**changes):
        return log_of_curve(tmp_path / "a.csv", probe_stage(**changes), "constant", file, "dense").path

    before = path()
    assert before == path()
    assert before != path(seed=1)
    file.write_bytes(b"2")
    assert before != path()


def test_the_second_gradient_has_a_digest_of_its_own_and_changes_no_other():
    """What is written of a probe without it is what was written before there was any."""
    once, twice = probe_stage(), probe_stage(twice=True)
    assert "twice" not in once.model_dump(mode="json")["probe"]
    assert digest(once) == digest(probe_stage(twice=False)) != digest(twice)
    for one in (once, twice):
        assert type(one).model_validate_json(one.model_dump_json()) == one


def test_a_log_without_the_second_gradient_is_none_of_a_probe_with_it(images, tmp_path):
    log = log_in(tmp_path)
    measure_curve(probe_stage(), "constant", images, log)
    with pytest.raises(DataError, match="it does not hold the quantities of a trial"):
        measure_curve(probe_stage(twice=True), "constant", images, log)


def test_lines_of_a_log_are_json(images, tmp_path):
    log = log_in(tmp_path)
    measure_curve(probe_stage(), "constant", images, log)
    n, trial, values = json.loads(log.path.read_text().splitlines()[0])["content"]
    assert (n, trial) == (30, 0)
    assert set(values) == {"alignment", "preactivation_rms", "update_rms", "gradient_norm", "own_rms"}


@pytest.mark.parametrize("engine", ["dense", "law"])
def test_a_curve_taken_twice_has_the_second_gradient_and_equal_numbers(images, tmp_path, engine):
    """Also after an interruption: the log keeps it."""
    once = measure_curve(probe_stage(), "constant", images, log_in(tmp_path, "once"), engine)
    log = log_in(tmp_path, "twice")
    twice = measure_curve(probe_stage(twice=True), "constant", images, log, engine)
    assert (twice.loc[twice["layer"] == 4, "gradient_overlap"] > 0).all()
    pd.testing.assert_frame_equal(twice.drop(columns="gradient_overlap"), once, check_exact=True)
    log.path.write_text("".join(log.path.read_text().splitlines(keepends=True)[:4]))
    again = measure_curve(probe_stage(twice=True), "constant", images, log, engine)
    pd.testing.assert_frame_equal(again, twice, check_exact=True)


def test_images_are_drawn_uniformly(images):
    """4000 draws of 40 images, chi-squared; false alarm 1e-4."""
    generator = torch.Generator().manual_seed(2)
    first = images.inputs[:, 0].double().numpy()
    draws = [images.draw(generator, "c", 1, k)[0][0].item() for k in range(4000)]
    values, counts = np.unique(np.round(draws, 6), return_counts=True)
    shared = np.array([(np.round(first, 6) == v).sum() for v in values])
    assert stats.chisquare(counts, shared * 100).pvalue > 1e-4


def test_redrawn_subset_follows_from_the_trial():
    settings = probe_stage(subset="redrawn")
    images = TrialImages(settings, invented_pair())
    draws = {
        trial: [
            images.draw(torch.Generator().manual_seed(seed), "c", 1, trial)[0] for seed in range(200)
        ]
        for trial in (0, 1)
    }
    distinct = {t: {tuple(x[:5].tolist()) for x in xs} for t, xs in draws.items()}
    # 20 of the 40 images belong to a trial's subset; 200 draws see nearly all of them.
    assert 15 <= len(distinct[0]) <= 20
    assert distinct[0] != distinct[1]


@pytest.mark.parametrize("other", [{"name": "sharpening"}, {"n": 31}, {"trial": 1}])
def test_a_trial_of_each_curve_width_and_number_redraws_its_subset(other):
    """What ``start`` draws follows from all of them, and from nothing else: the subset too."""
    settings = probe_stage(subset="redrawn")
    asked = []

    class Noting(TrialImages):
        """Keeps what a subset is to follow from."""

        def draw(self, generator, *trial):
            """As it does, noted."""
            asked.append(trial)
            return super().draw(generator, *trial)

    images = Noting(settings, invented_pair())
    for place in ({}, {}, other):
        chosen = {"name": "constant", "n": 30, "trial": 0} | place
        CurveTrials(settings.probe, chosen["name"], images, "dense").start(chosen["n"], chosen["trial"])
    assert asked[0] == asked[1] != asked[2]


def test_targets_are_one_hot(images):
    assert images.targets.sum(1).tolist() == [1.0] * 40
    assert images.targets.argmax(1).tolist() == invented_pair().train_labels.tolist()
    assert images.inputs.dtype == torch.float32


def test_every_trial_has_random_numbers_of_its_own(images):
    """By engine, seed, curve, width and number: no two of these share a stream."""

    def state(engine="dense", name="constant", n=30, trial=0, **probe):
        trials = CurveTrials(probe_stage(**probe).probe, name, images, engine)
        return tuple(trials.start(n, trial).generator.get_state().tolist())

    others = [{"engine": "law"}, {"name": "sharpening"}, {"n": 31}, {"trial": 1}, {"seed": 1}]
    assert state() == state()
    assert len({state(), *(state(**one) for one in others)}) == 6
