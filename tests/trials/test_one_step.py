import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from dynparam.engines import dense
from dynparam.settings.base import digest
from dynparam.support.errors import DataError, DynparamError, NonFiniteError
from dynparam.trials.images import TrialImages
from dynparam.trials.one_step import CurveTrials, measure_curve, read_trial_log, trial_log_path
from tests.networks import invented_pair, probe_stage

ONE_STEP = dense.one_step


@pytest.fixture(scope="module")
def images():
    return TrialImages(probe_stage(), invented_pair())


def test_curve_table(images, tmp_path):
    table = measure_curve(probe_stage(), "sharpening", images, tmp_path / "log")
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
    ]
    assert len(table) == 3 * 3 * 4
    assert table["n"].unique().tolist() == [30, 52, 90]
    assert table["n_min"].unique().tolist() == [16, 22, 28]
    assert (table[["alignment", "preactivation_rms", "update_rms"]] > 0).all().all()
    assert set(table["ratio"]) == {"3 n^(1/2)"}


def test_trials_do_not_depend_on_which_others_ran(images, tmp_path):
    """Fewer widths and more trials: what both experiments contain is equal to the bit."""
    full = measure_curve(probe_stage(), "constant", images, tmp_path / "full")
    other = measure_curve(
        probe_stage(trials=5, widths={"smallest": 30, "largest": 90, "count": 2}),
        "constant",
        images,
        tmp_path / "other",
    )
    keys = ["n", "trial", "layer"]
    both = full.merge(other, on=keys, suffixes=("", "_other"))
    assert len(both) == 2 * 3 * 4
    assert (both["alignment"] == both["alignment_other"]).all()


def test_trials_differ(images, tmp_path):
    table = measure_curve(probe_stage(), "constant", images, tmp_path / "log")
    assert table["alignment"].is_unique


def test_an_interrupted_curve_resumes_where_it_stood(images, tmp_path, monkeypatch):
    whole = measure_curve(probe_stage(), "constant", images, tmp_path / "whole")
    log = tmp_path / "log"
    lines = (tmp_path / "whole").read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:4]) + lines[4][:25])  # killed while writing the fifth trial
    measured = []

    def counting(*arguments, **named):
        measured.append(arguments[0])
        return ONE_STEP(*arguments, **named)

    monkeypatch.setattr("dynparam.engines.dense.one_step", counting)
    resumed = measure_curve(probe_stage(), "constant", images, log)
    assert len(measured) == 9 - 4
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
    assert log.read_text() == (tmp_path / "whole").read_text()


@pytest.mark.parametrize("damage", ["{", "[1, 2]", '[1, 2, {"alignment": [1.0]}]', "null"])
def test_a_damaged_log_is_named(tmp_path, damage):
    log = tmp_path / "log.jsonl"
    log.write_text(f"{damage}\n")
    with pytest.raises(DataError, match=r"log.jsonl: line 1 is damaged; delete the file"):
        read_trial_log(log)


def test_a_log_that_cannot_be_written_is_named(images, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DynparamError, match=r"log: cannot be written .*; free some space or choose"):
        measure_curve(probe_stage(), "constant", images, tmp_path / "file" / "log")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_named(images, tmp_path, monkeypatch):
    """The log stands for a file on a full disk: it can be opened, nothing can be written."""
    monkeypatch.setattr("dynparam.trials.one_step.read_trial_log", lambda path: {})
    with pytest.raises(DynparamError, match=r"full: cannot be written \(No space left on device\)"):
        measure_curve(probe_stage(), "constant", images, Path("/dev/full"))


def test_a_failed_trial_is_named_and_the_finished_ones_are_kept(images, tmp_path):
    log = tmp_path / "log"
    with pytest.raises(NonFiniteError, match=r"curve constant, n = 30, trial 0: .* of layer \d"):
        measure_curve(probe_stage(learning_rate=1e38), "constant", images, log)
    assert read_trial_log(log) == {}


def test_trial_log_belongs_to_its_settings(tmp_path):
    file = tmp_path / "images.npz"
    file.write_bytes(b"1")
    output = tmp_path / "curve.csv"
    path = trial_log_path(output, probe_stage(), "constant", file, "dense")
    assert path == trial_log_path(output, probe_stage(), "constant", file, "dense")
    assert path != trial_log_path(output, probe_stage(seed=1), "constant", file, "dense")
    file.write_bytes(b"2")
    assert path != trial_log_path(output, probe_stage(), "constant", file, "dense")


def test_the_second_gradient_has_a_digest_of_its_own_and_changes_no_other():
    """What is written of a probe without it is what was written before there was any."""
    once, twice = probe_stage(), probe_stage(twice=True)
    assert "twice" not in once.model_dump(mode="json")["probe"]
    assert digest(once) == digest(probe_stage(twice=False)) != digest(twice)
    for one in (once, twice):
        assert type(one).model_validate_json(one.model_dump_json()) == one


def test_trial_log_lines_are_json(images, tmp_path):
    log = tmp_path / "log"
    measure_curve(probe_stage(), "constant", images, log)
    n, trial, values = json.loads(log.read_text().splitlines()[0])
    assert (n, trial) == (30, 0)
    assert set(values) == {"alignment", "preactivation_rms", "update_rms", "gradient_norm", "own_rms"}


@pytest.mark.parametrize("engine", ["dense", "law"])
def test_a_curve_taken_twice_has_the_second_gradient_and_equal_numbers(images, tmp_path, engine):
    """Also after an interruption: the log keeps it."""
    once = measure_curve(probe_stage(), "constant", images, tmp_path / "once", engine)
    log = tmp_path / "twice"
    twice = measure_curve(probe_stage(twice=True), "constant", images, log, engine)
    assert (twice.loc[twice["layer"] == 4, "gradient_overlap"] > 0).all()
    pd.testing.assert_frame_equal(twice.drop(columns="gradient_overlap"), once, check_exact=True)
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:4]))
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
