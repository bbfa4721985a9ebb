import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from benchmarks import straightforward
from benchmarks.one_step import peak_memory_gib
from dynparam.errors import ConfigError, DataError, DynparamError, NonFiniteError
from dynparam.gaussian_columns import Workspace
from dynparam.parametrization import NAMES, layer_scales
from dynparam.probe import (
    TrialImages,
    measure_curve,
    one_step,
    read_trial_log,
    trial_log_path,
)
from dynparam.widths import Widths
from tests.networks import invented_pair, probe_stage

WIDTHS = Widths((30, 60, 12, 60, 2))


@pytest.mark.parametrize("name", NAMES)
def test_distribution_is_that_of_the_straightforward_probe(name):
    """Two-sample Kolmogorov-Smirnov, 300 trials each, every layer and quantity.

    60 tests in all five parametrizations at 1e-5 each: a false alarm in 6e-4 of the seeds.
    """
    scales = layer_scales(name, WIDTHS)
    generator = torch.Generator().manual_seed(12)
    x = torch.randn(30, generator=generator, dtype=torch.float64)
    y = torch.tensor([1.0, 0.0], dtype=torch.float64)
    ours = [one_step(WIDTHS, scales, x, y, 0.5, generator) for _ in range(300)]
    theirs = [straightforward.one_step(WIDTHS, scales, x, y, 0.5, generator) for _ in range(300)]
    for quantity in ("alignment", "preactivation_rms", "update_rms"):
        for layer in range(WIDTHS.depth):
            found, expected = (
                [getattr(trial, quantity)[layer] for trial in trials] for trials in (ours, theirs)
            )
            assert stats.ks_2samp(found, expected).pvalue > 1e-5, (quantity, layer + 1)


def test_a_wrong_standard_deviation_would_be_noticed():
    """The same test on a network whose second layer is drawn 30 % too large must fail."""
    scales = layer_scales("mup", WIDTHS)
    wrong = type(scales)(
        scales.multiplier, tuple(s * (1.3 if k == 1 else 1) for k, s in enumerate(scales.init_std))
    )
    generator = torch.Generator().manual_seed(13)
    x = torch.randn(30, generator=generator, dtype=torch.float64)
    y = torch.tensor([1.0, 0.0], dtype=torch.float64)
    ours = [one_step(WIDTHS, wrong, x, y, 0.5, generator).preactivation_rms[1] for _ in range(300)]
    theirs = [
        straightforward.one_step(WIDTHS, scales, x, y, 0.5, generator).preactivation_rms[1]
        for _ in range(300)
    ]
    assert stats.ks_2samp(ours, theirs).pvalue < 1e-5


def test_result_depends_on_the_generator_alone():
    """Not on the number of threads, nor on what the workspace held before: equal to the bit."""
    widths = Widths((300, 700, 90, 700, 2))
    scales = layer_scales("spectral", widths)
    x, y = torch.ones(300), torch.tensor([0.0, 1.0])
    workspace = Workspace()
    one_step(Widths((300, 800, 100, 800, 2)), layer_scales("ntk", (300, 800, 100, 800, 2)), x, y, 0.1,
             torch.Generator().manual_seed(9), workspace)  # fmt: skip
    before = torch.get_num_threads()
    results = []
    try:
        for threads, space in ((1, None), (2, None), (4, workspace)):
            torch.set_num_threads(threads)
            generator = torch.Generator().manual_seed(1)
            results.append(one_step(widths, scales, x, y, 0.1, generator, space))
    finally:
        torch.set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_shapes_are_checked():
    scales = layer_scales("ntk", WIDTHS)
    generator = torch.Generator()
    with pytest.raises(ConfigError, match=r"x has the shape \(31,\); these widths need \(30,\)"):
        one_step(WIDTHS, scales, torch.ones(31), torch.ones(2), 0.1, generator)
    with pytest.raises(ConfigError, match=r"y has the shape \(1, 2\)"):
        one_step(WIDTHS, scales, torch.ones(30), torch.ones(1, 2), 0.1, generator)


@pytest.mark.parametrize(("value", "rate"), [(float("nan"), 0.1), (1.0, 1e30)])
def test_values_that_are_not_finite_are_named(value, rate):
    x = torch.ones(30)
    x[3] = value
    with pytest.raises(NonFiniteError, match=r"of layer \d is .*; lower the learning rate or check"):
        one_step(WIDTHS, layer_scales("standard", WIDTHS), x, torch.ones(2), rate,
                 torch.Generator().manual_seed(0))  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_at_the_largest_network_of_the_thesis():
    """Peak memory of a process, torch included, below 1 GiB at n = 10^4, constant ratio."""
    assert peak_memory_gib("dynparam.probe") < 1


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

    def counting(*arguments):
        measured.append(arguments[0])
        return one_step(*arguments)

    monkeypatch.setattr("dynparam.probe.one_step", counting)
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
    monkeypatch.setattr("dynparam.probe.read_trial_log", lambda path: {})
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
    path = trial_log_path(output, probe_stage(), "constant", file)
    assert path == trial_log_path(output, probe_stage(), "constant", file)
    assert path != trial_log_path(output, probe_stage(seed=1), "constant", file)
    file.write_bytes(b"2")
    assert path != trial_log_path(output, probe_stage(), "constant", file)


def test_trial_log_lines_are_json(images, tmp_path):
    log = tmp_path / "log"
    measure_curve(probe_stage(), "constant", images, log)
    n, trial, values = json.loads(log.read_text().splitlines()[0])
    assert (n, trial) == (30, 0)
    assert set(values) == {"alignment", "preactivation_rms", "update_rms"}


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
